//! `graflow lineage open`

use std::process::{Command, Stdio};

use crate::config::Config;
use crate::execution_id::ExecutionName;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::source::Source;

/// Which page.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The beginning of an execution's id, `latest`, or `latest:WORKFLOW`; the first page when not said.
    #[arg(value_name = "ID")]
    id: Option<ExecutionName>,
    /// Only print the address.
    #[arg(long)]
    print: bool,
}

/// Opens it in a browser, or prints its address where there is none.
pub(crate) async fn run(config: &Config, options: Options) -> anyhow::Result<Exit> {
    let source = Source::open(config).await?;
    let Some(endpoint) = source.endpoint() else {
        let failure =
            Failure::new(Exit::Unreachable, "no server owns this folder, so there are no pages to open");
        return Err(failure.hint("start one with `graflow lineage serve`").into());
    };
    let address = match &options.id {
        None => endpoint.url("/"),
        Some(name) => endpoint.execution_page(&name.resolve(&source).await?),
    };
    let address = address.to_string();
    config.print_lines(std::slice::from_ref(&address))?;
    if !options.print && !launch(&address) {
        eprintln!("no browser could be started here; open the address above");
    }
    Ok(Exit::Ok)
}

/// Asks the desktop to open an address.
pub(super) fn launch(address: &str) -> bool {
    let (program, before): (&str, &[&str]) = if cfg!(target_os = "macos") {
        ("open", &[])
    } else if cfg!(windows) {
        ("rundll32", &["url.dll,FileProtocolHandler"])
    } else {
        // Without a display there is no desktop, and `xdg-open` would start a browser for the terminal.
        let displays = ["DISPLAY", "WAYLAND_DISPLAY"];
        if !displays.iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty())) {
            return false;
        }
        ("xdg-open", &[])
    };
    let mut command = Command::new(program);
    command.args(before).arg(address).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
