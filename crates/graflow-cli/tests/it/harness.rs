//! Runs the program in a folder of its own.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A data folder, and the program to use it with.
pub(crate) struct Graflow {
    folder: TempDir,
}

/// How the program ended.
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Graflow {
    /// An empty folder.
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// A folder with the runs of `tests/fixtures/runs.ndjson`.
    pub(crate) fn with_runs() -> Self {
        let graflow = Self::new();
        let imported = graflow.run(&["import", fixture("runs.ndjson").to_str().unwrap()]);
        assert_eq!(imported.code, 0, "{}", imported.stderr);
        graflow
    }

    pub(crate) fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// `graflow lineage …`, as a script runs it: no terminal, 100 columns, nothing from our own surroundings.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = bare();
        command.arg("lineage").args(arguments).env("GRAFLOW_LINEAGE_DATA_DIR", self.data_dir());
        command.current_dir(self.folder.path());
        command
    }

    /// Runs it to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        finish(&mut self.command(arguments), "")
    }

    /// Runs it to its end with something to read.
    pub(crate) fn run_with(&self, arguments: &[&str], stdin: &str) -> Ended {
        finish(&mut self.command(arguments), stdin)
    }

    /// Starts a server on any free port.
    pub(crate) fn serve(&self, arguments: &[&str]) -> Server {
        let mut command = self.command(&["serve", "--port", "0"]);
        Server::start(command.args(arguments))
    }
}

/// The program without a folder.
pub(crate) fn bare() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_graflow"));
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("COLUMNS", "100").env("LANG", "C.UTF-8");
    command
}

/// A file beside the tests.
pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// Runs a command to its end.
pub(crate) fn finish(command: &mut Command, stdin: &str) -> Ended {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let text = stdin.to_owned();
    // The program may end before it has read everything.
    let writer = std::thread::spawn(move || drop(input.write_all(text.as_bytes())));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Ended {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// What the program said, with everything taken out that differs from run to run.
pub(crate) fn snapshot(graflow: &Graflow, ended: &Ended) -> String {
    let mut text = format!("exit code: {}\n", ended.code);
    for (name, said) in [("stdout", &ended.stdout), ("stderr", &ended.stderr)] {
        if !said.is_empty() {
            text = format!("{text}----- {name} -----\n{said}");
        }
    }
    text.replace(graflow.folder.path().to_str().unwrap(), "[folder]")
}

/// Compares what the program said with what it said before. Ages differ in width, so the spaces before them go too.
macro_rules! assert_said {
    ($graflow:expr, $ended:expr) => {
        insta::with_settings!({
            filters => vec![
                (r"\(\d+ \w+ ago\)", "([age])"),
                (r" +\d+ (s|min|h|d) ago", "  [age]"),
                (r"workflow +started", "workflow  started"),
                (r"127\.0\.0\.1:\d{4,5}", "127.0.0.1:[port]"),
                (r"process \d+", "process [pid]"),
                (r"\bin \d+(\.\d+)? (µs|ms|s)\b", "in [time]"),
            ],
        }, { insta::assert_snapshot!(crate::harness::snapshot($graflow, &$ended)) })
    };
}
pub(crate) use assert_said;

/// A server that ends with the test.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
}

impl Server {
    /// Starts it; it answers when this returns.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        if line.is_empty() {
            let mut said = String::new();
            child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
            panic!("the server did not start: {said}");
        }
        // Nobody reads the log, and a full pipe would stop the server.
        let mut log = child.stderr.take().unwrap();
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Self { child, url: line.trim().to_owned() }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end, as a service manager does, and says how long that took and how it ended.
    pub(crate) fn stop(mut self) -> (Duration, i32) {
        let start = Instant::now();
        let asked = Command::new("kill").args(["-TERM", &self.pid().to_string()]).status().unwrap();
        assert!(asked.success());
        let status = self.child.wait().unwrap();
        (start.elapsed(), status.code().unwrap_or(-1))
    }

    /// Ends it as a crash does.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// The port that it listens on.
    pub(crate) fn port(&self) -> u16 {
        self.url.rsplit(':').next().unwrap().parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
