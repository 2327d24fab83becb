//! What goes wrong is said so that a person knows what to do.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use crate::harness::{Ended, Graflow, assert_said};

#[test]
fn no_data_folder() {
    let graflow = Graflow::new();
    assert_said!(&graflow, graflow.run(&["list"]));
}

#[test]
fn no_such_execution() {
    let graflow = Graflow::with_runs();
    assert_said!(&graflow, graflow.run(&["show", "zzz"]));
}

#[test]
fn no_such_workflow() {
    let graflow = Graflow::with_runs();
    assert_said!(&graflow, graflow.run(&["show", "latest:zzz"]));
}

#[test]
fn no_such_task() {
    let graflow = Graflow::with_runs();
    assert_said!(&graflow, graflow.run(&["history", "zzz"]));
}

#[test]
fn no_server_where_one_was_named() {
    let graflow = Graflow::new();
    // A port that was free a moment ago.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    assert_said!(&graflow, graflow.run(&["list", "--url", &format!("http://127.0.0.1:{port}")]));
}

#[test]
fn another_program_where_a_server_was_named() {
    let graflow = Graflow::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let other = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        let _ = stream.read(&mut request).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello").unwrap();
    });
    assert_said!(&graflow, graflow.run(&["list", "--url", &url]));
    other.join().unwrap();
}

#[test]
fn an_address_that_is_none() {
    let graflow = Graflow::new();
    assert_said!(&graflow, graflow.run(&["list", "--url", "localhost:8000"]));
}

#[test]
fn a_port_in_use() {
    let graflow = Graflow::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    assert_said!(&graflow, graflow.run(&["serve", "--port", &port]));
}

#[test]
fn a_folder_that_a_server_owns() {
    let graflow = Graflow::new();
    let server = graflow.serve(&[]);
    let ended = graflow.run(&["serve", "--port", &server.port().to_string()]);
    assert!(
        ended.stderr.contains(&server.url) && ended.stderr.contains(&server.pid().to_string()),
        "{}",
        ended.stderr
    );
    assert_said!(&graflow, ended);
}

#[test]
fn a_public_address_without_a_token() {
    let graflow = Graflow::new();
    assert_said!(&graflow, graflow.run(&["serve", "--host", "0.0.0.0", "--port", "0"]));
}

#[test]
fn a_token_file_without_a_token() {
    let graflow = Graflow::new();
    let file = graflow.data_dir().with_extension("token");
    std::fs::write(&file, "\n").unwrap();
    assert_said!(&graflow, graflow.run(&["serve", "--token-file", file.to_str().unwrap()]));
}

#[test]
fn a_folder_that_cannot_be_written() {
    let graflow = Graflow::new();
    // Nobody can make a folder there, not even the superuser.
    assert_said!(&graflow, graflow.run(&["serve", "--port", "0", "--data-dir", "/proc/graflow"]));
}

#[test]
fn a_data_folder_that_is_a_file() {
    let graflow = Graflow::new();
    std::fs::write(graflow.data_dir(), "").unwrap();
    assert_said!(&graflow, graflow.run(&["serve", "--port", "0"]));
}

#[test]
fn a_database_that_is_none() {
    let graflow = Graflow::with_runs();
    let database = graflow.data_dir().join("lineage.db");
    for suffix in ["-wal", "-shm"] {
        drop(std::fs::remove_file(graflow.data_dir().join(format!("lineage.db{suffix}"))));
    }
    std::fs::write(database, "this is no database, however long one looks at it; ".repeat(100)).unwrap();
    assert_said!(&graflow, graflow.run(&["list"]));
    assert_said!(&graflow, graflow.run(&["doctor"]).without_sizes());
    assert_eq!(graflow.run(&["rebuild"]).code, 0);
    assert!(graflow.run(&["list"]).stdout.contains("orders"), "the log has everything");
}

#[test]
fn a_damaged_segment() {
    let graflow = Graflow::with_runs();
    // A second record after the first: what is damaged in the middle is no unfinished write.
    let more = r#"{"event_id":"e1","type":"note","time":"2026-11-23T12:00:00Z","execution_id":"x"}"#;
    assert_eq!(graflow.run_with(&["import", "-"], more).code, 0);
    let segment = std::fs::read_dir(graflow.data_dir().join("log")).unwrap().next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&segment).unwrap();
    bytes[1_000] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    assert_said!(&graflow, graflow.run(&["rebuild"]));
    assert_said!(&graflow, graflow.run(&["doctor"]).without_sizes());
}

#[test]
fn events_that_are_none() {
    let graflow = Graflow::new();
    let lines = [
        r#"{"event_id":"e1","type":"note","time":"2026-11-23T12:00:00Z","execution_id":"x"}"#,
        "{",
        "",
        r#"{"event_id":"e2","type":"note","time":"2026-11-23T12:00:00Z"}"#,
        r#"{"event_id":"e3","type":"note","time":"yesterday","execution_id":"x"}"#,
        r#"{"event_id":"e4","type":"task_failed","time":"2026-11-23T12:00:00Z","execution_id":"x","task_id":"t","task_execution_id":"x.1"}"#,
    ];
    assert_said!(&graflow, graflow.run_with(&["import", "-"], &lines.join("\n")));
    assert_eq!(graflow.run(&["export"]).stdout, format!("{}\n", lines[0]));
}

#[test]
fn an_array_is_not_one_event_a_line() {
    let graflow = Graflow::new();
    assert_said!(&graflow, graflow.run_with(&["import", "-"], "[\n{}\n]\n"));
}

#[test]
fn a_file_that_is_not_there() {
    let graflow = Graflow::new();
    assert_said!(&graflow, graflow.run(&["import", "nothing.ndjson"]));
}

#[test]
fn words_that_are_none() {
    let graflow = Graflow::new();
    assert_said!(&graflow, graflow.run(&["list", "--status", "happy"]));
    assert_said!(&graflow, graflow.run(&["list", "--since", "yesterday"]));
    assert_said!(&graflow, graflow.run(&["wait", "--timeout", "soon"]));
}

impl Ended {
    /// How much lies on a disk depends on it.
    fn without_sizes(mut self) -> Self {
        let words: Vec<&str> = self.stdout.split(' ').collect();
        let mut text = String::new();
        for (index, word) in words.iter().enumerate() {
            let is_size = words
                .get(index + 1)
                .is_some_and(|unit| unit.starts_with("KiB") || unit.starts_with("B ") || *unit == "B");
            text.push_str(if is_size { "[size]" } else { word });
            text.push(' ');
        }
        self.stdout = format!("{}\n", text.trim_end());
        self
    }
}
