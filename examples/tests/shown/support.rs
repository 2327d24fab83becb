//! Real programs in a folder of their own, and ways to look at what they did.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use graflow_client::{Client, Endpoint, Query};
use graflow_wire::{Execution, ExecutionDetail, Graph};
use serde::de::DeserializeOwned;
use tempfile::TempDir;

/// What should take a moment, on a machine that does much else.
pub(crate) const SOON: Duration = Duration::from_mins(1);

/// A data folder, and the programs that use it.
pub(crate) struct Place {
    folder: TempDir,
}

/// How a program ended, and what it said.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// A folder that holds nothing but the data folder and what a test puts beside it.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn data_dir(&self) -> PathBuf {
        self.path().join("data")
    }

    /// A program that knows this place and nothing of our own surroundings.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.env_clear().current_dir(self.path());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.path()).env("LANG", "C.UTF-8").env("COLUMNS", "120");
        command.env("GRAFLOW_LINEAGE_DATA_DIR", self.data_dir());
        command
    }

    /// `graflow lineage …`
    pub(crate) fn graflow(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(graflow_program());
        command.arg("lineage").args(arguments);
        command
    }

    /// `graflow lineage …`, to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        finish(&mut self.graflow(arguments))
    }

    /// `graflow lineage …` that has to work; what it printed.
    pub(crate) fn say(&self, arguments: &[&str]) -> String {
        let ended = self.run(arguments);
        assert_eq!(ended.code, Some(0), "graflow lineage {arguments:?}: {}", ended.stderr);
        ended.stdout
    }

    /// A server on that port, 0 = any; it answers when this returns.
    pub(crate) fn serve(&self, port: u16) -> Server {
        let mut running = Running::start(self.graflow(&["serve", "--port", &port.to_string()]));
        let url = running.line(SOON, |line| line.starts_with("http://"));
        Server { running, url }
    }

    /// What this place says in a text, in words that are the same everywhere.
    pub(crate) fn without_paths(&self, text: &str) -> String {
        text.replace(&*self.path().to_string_lossy(), "[place]")
    }
}

/// Runs a program to its end.
pub(crate) fn finish(command: &mut Command) -> Ended {
    let output = command.stdin(Stdio::null()).output().unwrap();
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The program `graflow`, built beside the examples.
fn graflow_program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let folder = Path::new(env!("CARGO_BIN_EXE_census")).parent().unwrap();
        let program = folder.join("graflow").with_extension(std::env::consts::EXE_EXTENSION);
        // A test of the whole workspace has built it already; a test of this package alone has not.
        if !program.exists() {
            let mut build = Command::new(env!("CARGO"));
            build.args(["build", "--quiet", "--package", "graflow-cli"]);
            if folder.ends_with("release") {
                build.arg("--release");
            }
            assert!(build.current_dir(env!("CARGO_MANIFEST_DIR")).status().unwrap().success());
        }
        program
    })
}

/// A program that runs; it is stopped when this is dropped.
pub(crate) struct Running {
    child: Child,
    said: Arc<Mutex<Said>>,
}

#[derive(Default)]
struct Said {
    lines: Vec<String>,
    stderr: String,
}

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let said = Arc::new(Mutex::new(Said::default()));
        // Both pipes are read all the time: a full one would stop the program.
        let (stdout, to) = (BufReader::new(child.stdout.take().unwrap()), Arc::clone(&said));
        std::thread::spawn(move || {
            stdout.lines().map_while(Result::ok).for_each(|line| lock(&to).lines.push(line));
        });
        let (mut stderr, to) = (child.stderr.take().unwrap(), Arc::clone(&said));
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(read @ 1..) = stderr.read(&mut piece) {
                lock(&to).stderr.push_str(&String::from_utf8_lossy(&piece[..read]));
            }
        });
        Self { child, said }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Everything on standard output so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        lock(&self.said).lines.clone()
    }

    pub(crate) fn stderr(&self) -> String {
        lock(&self.said).stderr.clone()
    }

    /// Waits for a line.
    pub(crate) fn line(&mut self, within: Duration, is_it: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + within;
        loop {
            let ended = self.child.try_wait().unwrap();
            if let Some(line) = self.lines().into_iter().find(|line| is_it(line)) {
                return line;
            }
            assert!(ended.is_none(), "ended without that line: {:?} {}", self.lines(), self.stderr());
            assert!(Instant::now() < deadline, "no such line: {:?} {}", self.lines(), self.stderr());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits for its end, and for all that it said.
    pub(crate) fn wait(&mut self, within: Duration) -> (ExitStatus, Vec<String>) {
        let deadline = Instant::now() + within;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "still running: {:?} {}", self.lines(), self.stderr());
            std::thread::sleep(Duration::from_millis(20));
        };
        // The pipes end with the program; whoever reads them lets go then.
        while Arc::strong_count(&self.said) > 1 {
            assert!(Instant::now() < deadline + SOON, "its output does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
        (status, self.lines())
    }

    /// Sends a signal, by its name without `SIG`.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.pid().to_string()]).status();
        assert!(sent.unwrap().success(), "kill -{name}");
    }

    /// kill -9.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn lock(said: &Mutex<Said>) -> std::sync::MutexGuard<'_, Said> {
    said.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `graflow lineage serve`
pub(crate) struct Server {
    pub(crate) running: Running,
    pub(crate) url: String,
}

impl Server {
    pub(crate) fn port(&self) -> u16 {
        self.url.rsplit_once(':').unwrap().1.parse().unwrap()
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint::parse(&self.url).unwrap()
    }

    /// Asks it.
    pub(crate) fn rest(&self) -> Rest {
        rest(&self.url)
    }
}

/// The REST interface at an address.
pub(crate) fn rest(url: &str) -> Rest {
    Rest(Client::to_server(Endpoint::parse(url).unwrap()).unwrap())
}

/// A server's REST interface, as any other program sees it.
pub(crate) struct Rest(pub(crate) Client);

impl Rest {
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> T {
        self.0.get(path, &Query::new()).await.unwrap_or_else(|error| panic!("GET {path}: {error}"))
    }

    pub(crate) async fn executions(&self) -> Vec<Execution> {
        self.0.executions(&Query::new()).await.unwrap().executions
    }

    /// The runs with a label, as JSON.
    pub(crate) async fn labelled<T: DeserializeOwned>(&self, key: &str, value: &str) -> T {
        self.0.get("/api/executions", &Query::new().label(key, value)).await.unwrap()
    }

    /// The newest run of a workflow, if there is one.
    pub(crate) async fn newest(&self, workflow: &str) -> Option<Execution> {
        self.0.executions(&Query::new().workflow_name(workflow)).await.unwrap().executions.into_iter().next()
    }

    /// A run with its task executions; none of these tests has more than a page of them.
    pub(crate) async fn execution(&self, id: &str) -> ExecutionDetail {
        let detail = self.0.execution(id, &Query::new().limit(5_000)).await.unwrap();
        assert_eq!(detail.next_cursor, None);
        detail
    }

    pub(crate) async fn graph(&self, id: &str) -> Graph {
        self.0.graph(id, &Query::new()).await.unwrap()
    }
}

/// Looks again and again until there is something to see.
pub(crate) async fn eventually<T>(
    what: &str,
    within: Duration,
    mut look: impl AsyncFnMut() -> Option<T>,
) -> T {
    let deadline = Instant::now() + within;
    loop {
        if let Some(seen) = look().await {
            return seen;
        }
        assert!(Instant::now() < deadline, "not seen within {within:?}: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The same, for what is not asked of a server.
pub(crate) fn until(what: &str, within: Duration, look: impl Fn() -> bool) {
    let deadline = Instant::now() + within;
    while !look() {
        assert!(Instant::now() < deadline, "not seen within {within:?}: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
