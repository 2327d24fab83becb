//! `docs/tutorials/rest.md`, followed to the letter: a real server, real curl, every answer compared.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::page::{Block, blocks};

const PAGE: &str = include_str!("../../../docs/tutorials/rest.md");
/// Where the page's server listens; here it is wherever there is room.
const ADDRESS: &str = "127.0.0.1:8000";
/// Stands for what is left out, or may be anything.
const ANYTHING: &str = "…";

#[test]
fn every_answer_is_as_the_page_says() {
    let mut reader = Reader::new();
    let mut compared = 0;
    for Block { language, about, text } in blocks(PAGE) {
        match (language, about) {
            ("sh", Some("first terminal")) => assert!(text.starts_with("graflow lineage serve")),
            ("sh", Some("watching terminal")) => reader.watch(&text),
            ("sh", None) => reader.said = reader.run(&text),
            ("json", None) => {
                let answer = serde_json::from_str(&reader.said)
                    .unwrap_or_else(|error| panic!("{error}: {}", reader.said));
                compare(&serde_json::from_str(&text).unwrap(), &answer, "answer");
                compared += 1;
            }
            ("text", Some("seen in the watching terminal")) => {
                assert_eq!(reader.watched(), text);
                compared += 1;
            }
            other => panic!("nothing is known of a block like this: {other:?}\n{text}"),
        }
    }
    assert_eq!(compared, 17);
}

/// Somebody who follows the page, with a server in the first terminal.
struct Reader {
    folder: tempfile::TempDir,
    server: Child,
    address: String,
    watching: Option<Child>,
    said: String,
}

impl Reader {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = in_terminal(folder.path(), "exec graflow lineage serve --data-dir data --port 0");
        let mut server = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut first_line = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut first_line).unwrap();
        let address = first_line.trim().strip_prefix("http://").unwrap().to_owned();
        Self { folder, server, address, watching: None, said: String::new() }
    }

    /// What a command prints; it has to work.
    fn run(&self, line: &str) -> String {
        let output = in_terminal(self.folder.path(), &line.replace(ADDRESS, &self.address)).output().unwrap();
        assert!(
            output.status.success(),
            "{line}\n{}\nthis needs bash and curl",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    fn watch(&mut self, line: &str) {
        // Our pipe is no terminal as it is; and what is not behind bash can be stopped.
        let line = format!("exec {}", line.replace(" | cat", ""));
        let watching = in_terminal(self.folder.path(), &line).stdout(Stdio::piped()).spawn().unwrap();
        self.watching = Some(watching);
        let deadline = Instant::now() + Duration::from_mins(1);
        while !self.run(&format!("curl -s http://{ADDRESS}/api/server")).contains("\"viewers\":1") {
            assert!(Instant::now() < deadline, "nobody is watching");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn watched(&mut self) -> String {
        let output = self.watching.take().unwrap().wait_with_output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        for child in self.watching.iter_mut().chain([&mut self.server]) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A line in a terminal that knows `graflow`, and nothing of our own surroundings.
fn in_terminal(folder: &Path, line: &str) -> Command {
    let graflow = graflow_program();
    let known = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new("bash");
    command.args(["-c", line]).current_dir(folder).env_clear().stdin(Stdio::null());
    command.env("PATH", format!("{}:{known}", graflow.parent().unwrap().display())).env("HOME", folder);
    command
}

/// The program `graflow`, built beside the examples.
fn graflow_program() -> PathBuf {
    let program = Path::new(env!("CARGO_BIN_EXE_census")).with_file_name("graflow");
    // A test of the whole workspace has built it already; a test of this package alone has not.
    if !program.exists() {
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--package", "graflow-cli"]).current_dir(env!("CARGO_MANIFEST_DIR"));
        assert!(build.status().unwrap().success());
    }
    program
}

/// What the page says, and what is so. A key `…` stands for any other keys, a value `…` for any value.
fn compare(said: &Value, is: &Value, place: &str) {
    match (said, is) {
        (Value::String(text), _) if text == ANYTHING => {}
        (Value::Object(said), Value::Object(is)) => {
            for (key, value) in said.iter().filter(|(key, _)| *key != ANYTHING) {
                let found = is.get(key).unwrap_or_else(|| panic!("{place} has no `{key}`: {is:?}"));
                compare(value, found, &format!("{place}.{key}"));
            }
            let unsaid = is.keys().find(|key| !said.contains_key(*key));
            assert!(unsaid.is_none() || said.contains_key(ANYTHING), "{place} has also {unsaid:?}");
        }
        (Value::Array(said), Value::Array(is)) => {
            assert_eq!(said.len(), is.len(), "{place}: {is:?}");
            for (index, (said, is)) in said.iter().zip(is).enumerate() {
                compare(said, is, &format!("{place}[{index}]"));
            }
        }
        _ => assert_eq!(said, is, "{place}"),
    }
}
