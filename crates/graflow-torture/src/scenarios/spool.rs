//! A producer whose server is away, hangs, is slow or talks rubbish; and one that runs out of room.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use crate::ledger::Ledger;
use crate::place::Place;
use crate::process::{Process, eventually};
use crate::server::Server;
use crate::{Setting, http};

/// How what stands in the server's place behaves.
#[derive(Debug, Clone, Copy)]
enum Mood {
    /// It takes the connection and never says anything.
    Hangs,
    /// It answers, but not HTTP.
    Rubbish,
    /// It answers 200 with something that is no receipt.
    EmptyReceipt,
    /// It breaks off in the middle of an answer.
    BreaksOff,
    /// It says a second time each second that it has too much to do.
    Overloaded,
}

const MOODS: [Mood; 5] = [Mood::Hangs, Mood::Rubbish, Mood::EmptyReceipt, Mood::BreaksOff, Mood::Overloaded];

/// The longest that handing in one event may take: it is a short lock. The machine may be busy.
const MOST_HAND_IN: Duration = Duration::from_millis(500);

/// What a producer says of itself in the end.
#[derive(Debug)]
struct Said {
    dropped: u64,
    slowest: Duration,
}

/// Servers that misbehave, one after the other, then none, then a good one: all events there, once, and no event kept its
/// program waiting.
pub(super) fn bad_servers(setting: &Setting) -> anyhow::Result<String> {
    let place = Place::new()?;
    let folder = place.folder();
    let events = setting.of_size(400_u64, 3_000);
    let mood = Arc::new(AtomicU8::new(0));
    let port = misbehave(Arc::clone(&mood))?;
    // It says that it owns the folder, as a server would whose machine hangs.
    announce(folder, port)?;
    let mut producer = start(
        folder,
        &[
            "--execution",
            "patient",
            "--events",
            &events.to_string(),
            "--pause-ms",
            "20",
            "--request-ms",
            "700",
        ],
    )?;
    for index in 0..MOODS.len() {
        mood.store(u8::try_from(index)?, Ordering::SeqCst);
        thread::sleep(Duration::from_millis(setting.of_size(300, 3_000)));
    }
    std::fs::remove_file(folder.join("server.json"))?;
    thread::sleep(Duration::from_millis(setting.of_size(300, 3_000)));
    let mut server = Server::start(setting, folder)?;
    let said = finish(&mut producer)?;
    ensure!(said.dropped == 0, "{said:?}");
    ensure!(said.slowest < MOST_HAND_IN, "one event kept its program for {} ms", said.slowest.as_millis());
    let spool = folder.join("spool");
    eventually("the spool is empty", Duration::from_secs(30), || {
        Ok(!spool.exists() || std::fs::read_dir(&spool)?.next().is_none())
    })?;
    let mut ledger = Ledger::default();
    ledger.acknowledge("patient", 1..=events);
    ledger.check_server(server.port)?;
    server.process.kill()?;
    let stored = ledger.check_folder(folder)?;
    place.held();
    Ok(format!(
        "{events} events past {} moods and none, {stored} in the log, slowest hand-in {} us",
        MOODS.len(),
        said.slowest.as_micros()
    ))
}

/// The spool's limit is reached, and then the program ends: what had no room is told in the execution, to the last event,
/// and the rest arrives.
pub(super) fn limit(setting: &Setting) -> anyhow::Result<String> {
    let place = Place::new()?;
    let folder = place.folder();
    let events = setting.of_size(60_000_u64, 200_000);
    let mut producer =
        start(folder, &["--execution", "much", "--events", &events.to_string(), "--spool-bytes", "100000"])?;
    finish(&mut producer)?;
    let server = Server::start(setting, folder)?;
    let spool = folder.join("spool");
    eventually("the spool is taken in", Duration::from_mins(1), || {
        Ok(!spool.exists() || std::fs::read_dir(&spool)?.next().is_none())
    })?;
    let mut stored = 0;
    let mut told = 0;
    let mut after = 0;
    eventually("everything can be read", Duration::from_mins(1), || {
        let metrics = http::get(server.port, "/api/executions/much/events?limit=1")?;
        Ok(metrics.status == 200)
    })?;
    loop {
        let page = http::get(server.port, &format!("/api/executions/much/events?limit=5000&after={after}"))?
            .json()?;
        let page = page["events"].as_array().context("no events")?.clone();
        let Some(last) = page.last() else { break };
        after = last["seq"].as_u64().context("no number")?;
        for event in &page {
            let event = &event["event"];
            if event["type"] == "note" {
                told += event["data"]["count"].as_u64().unwrap_or(0);
            } else {
                stored += 1;
            }
        }
    }
    ensure!(told > 0, "nothing was dropped: this shows nothing");
    ensure!(stored + told == events, "{stored} there and {told} told as dropped of {events}");
    place.held();
    Ok(format!("{stored} of {events} events there, {told} told as dropped in notes"))
}

fn start(folder: &Path, arguments: &[&str]) -> anyhow::Result<Process> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("produce").args(arguments).arg("--folder").arg(folder);
    Process::start(command.stdin(Stdio::null()).stdout(Stdio::piped()))
}

/// Waits for its end; it closes its output then.
fn finish(producer: &mut Process) -> anyhow::Result<Said> {
    let mut output = producer.0.stdout.take().context("a process without output")?;
    let mut text = String::new();
    output.read_to_string(&mut text)?;
    let status = producer.wait(Duration::from_secs(30))?;
    ensure!(status.success(), "the producer failed: {status}");
    let line = text.lines().last().context("the producer said nothing")?;
    let number = |name: &str| {
        let word = line.split(' ').find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
        word.and_then(|word| word.parse::<u64>().ok()).with_context(|| format!("no {name} in `{line}`"))
    };
    Ok(Said { dropped: number("dropped")?, slowest: Duration::from_micros(number("slowest_us")?) })
}

/// What a server writes into its folder.
fn announce(folder: &Path, port: u16) -> anyhow::Result<()> {
    let owner = serde_json::json!({
        "pid": std::process::id(), "url": format!("http://127.0.0.1:{port}"), "version": "0.1.0",
        "instance_id": "misbehaving", "started_time": "2026-11-23T12:00:00Z",
    });
    Ok(std::fs::write(folder.join("server.json"), owner.to_string())?)
}

/// Answers on a port of its own until this process ends.
fn misbehave(mood: Arc<AtomicU8>) -> anyhow::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = listener.local_addr()?.port();
    thread::spawn(move || {
        let mut hanging = Vec::new();
        for stream in listener.incoming().map_while(Result::ok) {
            let mood = MOODS.get(usize::from(mood.load(Ordering::SeqCst))).copied().unwrap_or(Mood::Hangs);
            // Whoever is cut off in the middle has lost nothing here.
            hanging.extend(answer(stream, mood).unwrap_or_default());
        }
    });
    Ok(port)
}

/// Answers by the mood; gives the stream back when it is to hang.
fn answer(mut stream: TcpStream, mood: Mood) -> std::io::Result<Option<TcpStream>> {
    stream.set_read_timeout(Some(Duration::from_millis(200)))?;
    let mut request = [0; 4_096];
    let read = stream.read(&mut request)?;
    // Who asks whether this is the owner is told so; else nobody would send events here.
    if request[..read].starts_with(b"GET") && !matches!(mood, Mood::Hangs | Mood::Rubbish) {
        let body = r#"{"status":"healthy","instance_id":"misbehaving","version":"0.1.0"}"#;
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )?;
        return Ok(None);
    }
    match mood {
        Mood::Hangs => return Ok(Some(stream)),
        Mood::Rubbish => stream.write_all(b"\x00\xffrubbish\r\n\r\n")?,
        Mood::EmptyReceipt => stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}")?,
        Mood::BreaksOff => stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"accepted\":")?,
        Mood::Overloaded => stream.write_all(b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")?,
    }
    Ok(None)
}
