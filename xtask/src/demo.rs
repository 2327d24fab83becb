//! `cargo xtask demo`: one build, one server, one real run, one picture.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};

use crate::process;
use crate::server::Server;
use crate::web;
use crate::workspace::Workspace;

/// The example that reads this checkout, and the package it stands in.
const EXAMPLE: &str = "census";
const EXAMPLES: &str = "graflow-examples";
/// Where the server and the example keep what they record.
const DATA: &str = "target/demo";

/// How to run it.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Stop everything after the example instead of waiting for Ctrl-C.
    #[arg(long)]
    exit: bool,
}

/// Builds, serves, runs, shows, waits.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> anyhow::Result<ExitCode> {
    // Before anything is started: a program that is told to stop must stop its server, whenever that is.
    let (stop, stopped) = mpsc::channel();
    ctrlc::set_handler(move || _ = stop.send(())).context("failed to listen for Ctrl-C")?;

    build_pages(workspace)?;
    let programs = ["--package", "graflow-cli", "--bin", "graflow", "--package", EXAMPLES, "--bin", EXAMPLE];
    process::check(workspace.cargo().args(["build", "--release"]).args(programs))?;

    let demo = Demo { workspace, data: workspace.path(DATA) };
    let mut server = Server::start(demo.program("graflow"), &["--or-next-port"])?;
    let shown = demo.run_and_show(server.url());
    let ended = match shown {
        Ok(()) if !options.exit => wait(&mut server, &stopped),
        other => other,
    };
    server.stop(Duration::from_secs(10))?;
    ended.map(|()| ExitCode::SUCCESS)
}

struct Demo<'a> {
    workspace: &'a Workspace,
    data: PathBuf,
}

impl Demo<'_> {
    fn program(&self, relative: &str) -> std::process::Command {
        let mut command = self.workspace.command(self.workspace.path("target/release").join(relative));
        command.env("GRAFLOW_LINEAGE_DATA_DIR", &self.data);
        for foreign in
            ["GRAFLOW_LINEAGE", "GRAFLOW_LINEAGE_URL", "GRAFLOW_LINEAGE_TOKEN", "GRAFLOW_LINEAGE_PROJECT"]
        {
            command.env_remove(foreign);
        }
        command
    }

    /// Runs the example, prints its tree and the address.
    fn run_and_show(&self, url: &str) -> anyhow::Result<()> {
        let example = self.program(EXAMPLE).status().context("failed to start the example")?;
        ensure!(example.success(), "the example failed: {example}");
        println!();
        process::check(self.program("graflow").args(["lineage", "show", "latest"]))?;
        println!("\n{url}");
        Ok(())
    }
}

/// Until Ctrl-C, or the server ends by itself.
fn wait(server: &mut Server, stopped: &mpsc::Receiver<()>) -> anyhow::Result<()> {
    println!("Ctrl-C stops the server");
    loop {
        match stopped.recv_timeout(Duration::from_millis(200)) {
            Ok(()) => return Ok(()),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => bail!("lost the handler of Ctrl-C"),
        }
        if let Some(status) = server.ended()? {
            bail!("the server ended: {status}");
        }
    }
}

/// Builds the pages where there is a Node to build them with.
fn build_pages(workspace: &Workspace) -> anyhow::Result<()> {
    if let Err(reason) = web::node() {
        println!("{reason:#}");
        println!("going on without the pages; REST and the command line show everything");
        return Ok(());
    }
    web::build(workspace)
}
