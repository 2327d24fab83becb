//! Too many, too slow, too large: memory stays bounded, answers honest, and others are served.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

use crate::ledger::{Batch, Ledger};
use crate::place::Place;
use crate::process::eventually;
use crate::server::Server;
use crate::{Setting, http};

/// More memory than this beyond what it had is no bound. A debug build and its allocator hold more than a release.
const MOST_GROWTH: u64 = 512 << 20;
/// A server that is busy with others still answers within this time.
const MOST_WAIT: Duration = Duration::from_secs(5);

const HANDSHAKE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

fn mebibytes(bytes: u64) -> u64 {
    bytes >> 20
}

/// Asks how it is, and how long the answer took.
fn asked(server: &Server) -> anyhow::Result<Duration> {
    let began = Instant::now();
    let answer = http::get(server.port, "/api/executions?limit=1").context("others are not served")?;
    ensure!(answer.status == 200, "others are answered {}", answer.status);
    ensure!(began.elapsed() < MOST_WAIT, "others wait {} ms", began.elapsed().as_millis());
    Ok(began.elapsed())
}

/// Sends one batch, again while the server says that it has too much to do.
fn send(port: u16, batch: &Batch, ledger: &mut Ledger) -> anyhow::Result<()> {
    loop {
        let answer = http::post_events(port, &batch.lines())?;
        match answer.status {
            200 => return ledger.take(batch, &answer),
            503 => thread::sleep(Duration::from_millis(50)),
            status => bail!("{status} {}", answer.body),
        }
    }
}

/// Half a request on each of many connections: others are served, and the connections are given up.
pub(super) fn slow_loris(setting: &Setting) -> anyhow::Result<String> {
    let place = Place::new()?;
    let mut server = Server::start(setting, place.folder())?;
    let before = server.process.descriptors()?;
    let count = setting.of_size(100, 500);
    let mut connections = Vec::new();
    for number in 0..count {
        let mut stream = http::connect(server.port)?;
        // Some say nothing, some half a head, some a head and half a body.
        match number % 3 {
            0 => {}
            1 => stream.write_all(b"POST /api/events HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")?,
            _ => {
                let head = format!(
                    "POST /api/events HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Length: 1000\r\n\r\n[",
                    server.port
                );
                stream.write_all(head.as_bytes())?;
            }
        }
        connections.push(stream);
    }
    let waited = asked(&server)?;
    let mut ledger = Ledger::default();
    send(server.port, &Batch { execution: "beside".into(), numbers: 1..101 }, &mut ledger)?;
    ledger.check_server(server.port)?;
    // Heads have 20 s, bodies a minute.
    let patience = Duration::from_secs(setting.of_size(25, 75));
    let most_left = before + 4 + setting.of_size(connections.len() / 3 + 1, 0);
    let given_up_in = eventually("slow connections are given up", patience, || {
        Ok(server.process.descriptors()? <= most_left)
    })?;
    server.is_well()?;
    place.held();
    Ok(format!(
        "{count} connections, others waited {} ms, given up after {} s",
        waited.as_millis(),
        given_up_in.as_secs()
    ))
}

/// Bodies that become a gibibyte are refused, and those that stay just below the limit are read, several at once, in
/// bounded memory.
pub(super) fn gzip_bomb(setting: &Setting) -> anyhow::Result<String> {
    let place = Place::new()?;
    let mut server = Server::start(setting, place.folder())?;
    let (before, _) = server.process.memory()?;
    let bomb = bomb(1_024)?;
    for status in posted_at_once(server.port, &bomb)? {
        ensure!(status == 413 || status == 503, "a bomb is answered {status}");
    }
    let (_, after_bombs) = server.process.memory()?;
    ensure!(after_bombs < before + MOST_GROWTH / 2, "{} MiB of memory after bombs", mebibytes(after_bombs));
    for status in posted_at_once(server.port, &self::bomb(63)?)? {
        ensure!(status == 200 || status == 503, "a large body of nothing is answered {status}");
    }
    let (_, most) = server.process.memory()?;
    ensure!(most < before + MOST_GROWTH, "{} MiB of memory after large bodies", mebibytes(most));
    server.is_well()?;
    place.held();
    Ok(format!(
        "8 bombs of {} KiB refused, at most {} MiB of memory ({} before), 8 bodies of 63 MiB at most {}",
        bomb.len() >> 10,
        mebibytes(after_bombs),
        mebibytes(before),
        mebibytes(most)
    ))
}

/// How a compressed body is answered that eight send at the same time.
fn posted_at_once(port: u16, body: &[u8]) -> anyhow::Result<Vec<u16>> {
    let headers = [("Content-Encoding", "gzip"), ("Content-Type", "application/x-ndjson")];
    thread::scope(|scope| {
        let send = || anyhow::Ok(http::request(port, "POST", "/api/events", &headers, body)?.status);
        let senders: Vec<_> = (0..8).map(|_| scope.spawn(send)).collect();
        senders
            .into_iter()
            .map(|sender| sender.join().map_err(|_| anyhow::anyhow!("a sender panicked"))?)
            .collect()
    })
}

/// White space of so many MiB, compressed.
fn bomb(mebibytes: u64) -> anyhow::Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let mut spaces = vec![b' '; 1 << 20];
    spaces[(1 << 20) - 1] = b'\n';
    for _ in 0..mebibytes {
        encoder.write_all(&spaces)?;
    }
    Ok(encoder.finish()?)
}

/// Many viewers that read nothing: memory stays bounded, senders and a viewer that reads are served.
pub(super) fn viewers(setting: &Setting) -> anyhow::Result<String> {
    let place = Place::new()?;
    let mut server = Server::start(setting, place.folder())?;
    let count = setting.of_size(200, 1_000);
    let mut stalled: Vec<TcpStream> = Vec::new();
    for _ in 0..count {
        stalled.push(view(server.port)?);
    }
    let (before, _) = server.process.memory()?;
    let mut reader = view(server.port)?;
    let seen = thread::spawn(move || -> u64 {
        let (mut buffer, mut bytes) = (vec![0; 1 << 16], 0);
        while let Ok(read) = reader.read(&mut buffer) {
            if read == 0 {
                break;
            }
            bytes += read as u64;
        }
        bytes
    });
    let mut ledger = Ledger::default();
    let began = Instant::now();
    let batches = setting.of_size(10, 60);
    for number in 0..batches {
        send(
            server.port,
            &Batch { execution: "seen".into(), numbers: number * 500 + 1..number * 500 + 501 },
            &mut ledger,
        )?;
    }
    let sent_in = began.elapsed();
    let waited = asked(&server)?;
    ledger.check_server(server.port)?;
    let (after, most) = server.process.memory()?;
    ensure!(most < before + MOST_GROWTH, "{} MiB of memory", mebibytes(most));
    server.is_well()?;
    drop(stalled);
    server.process.kill()?;
    let bytes = seen.join().map_err(|_| anyhow::anyhow!("the reader panicked"))?;
    ensure!(bytes > batches * 500 * 100, "a viewer that reads saw {bytes} bytes");
    place.held();
    Ok(format!(
        "{count} stalled viewers, {} events in {} ms, memory {} -> {} MiB, at most {}, others waited {} ms",
        ledger.len(),
        sent_in.as_millis(),
        mebibytes(before),
        mebibytes(after),
        mebibytes(most),
        waited.as_millis()
    ))
}

fn view(port: u16) -> anyhow::Result<TcpStream> {
    let mut stream = http::connect(port)?;
    write!(stream, "GET /ws/lineage HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{HANDSHAKE}\r\n")?;
    let mut status = [0; 12];
    stream.read_exact(&mut status)?;
    ensure!(&status == b"HTTP/1.1 101", "no stream: {}", String::from_utf8_lossy(&status));
    Ok(stream)
}

/// Far more than it can take: every answer is 200 or 503 with `Retry-After`, and what got 200 is there.
pub(super) fn overload(setting: &Setting) -> anyhow::Result<String> {
    let place = Place::new()?;
    let mut server = Server::start(setting, place.folder())?;
    let (before, _) = server.process.memory()?;
    let end = Instant::now() + Duration::from_secs(setting.of_size(5, 60));
    let (refused, port) = (AtomicU64::new(0), server.port);
    let sent = thread::scope(|scope| -> anyhow::Result<Ledger> {
        let senders: Vec<_> = (0..32)
            .map(|sender| {
                let refused = &refused;
                scope.spawn(move || -> anyhow::Result<Ledger> {
                    let mut ledger = Ledger::default();
                    let mut next = 1;
                    while Instant::now() < end {
                        let batch =
                            Batch { execution: format!("load-{sender}"), numbers: next..next + 1_000 };
                        let answer = http::post_events(port, &batch.lines())?;
                        match answer.status {
                            200 => {
                                ledger.take(&batch, &answer)?;
                                next = batch.numbers.end;
                            }
                            503 => {
                                let wait =
                                    answer.header("retry-after").and_then(|wait| wait.parse::<u64>().ok());
                                ensure!(
                                    wait.is_some_and(|wait| wait <= 60),
                                    "503 without a Retry-After: {}",
                                    answer.body
                                );
                                // Whoever does not wait is the load that this is about.
                                refused.fetch_add(1, Ordering::Relaxed);
                            }
                            status => bail!("{status} {}", answer.body),
                        }
                    }
                    Ok(ledger)
                })
            })
            .collect();
        let mut sent = Ledger::default();
        for sender in senders {
            sent.merge(sender.join().map_err(|_| anyhow::anyhow!("a sender panicked"))??);
        }
        Ok(sent)
    })?;
    let (_, most) = server.process.memory()?;
    ensure!(most < before + 2 * MOST_GROWTH, "{} MiB of memory", mebibytes(most));
    let recovered_in = eventually("it takes events at once again", Duration::from_secs(30), || {
        let batch = Batch { execution: "after".into(), numbers: 1..11 };
        Ok(http::post_events(port, &batch.lines())?.status == 200)
    })?;
    server.is_well()?;
    server.process.kill()?;
    let stored = sent.check_folder(place.folder())?;
    place.held();
    Ok(format!(
        "{} events acknowledged, {stored} in the log, {} times 503, at most {} MiB of memory ({} before), well again after {} ms",
        sent.len(),
        refused.into_inner(),
        mebibytes(most),
        mebibytes(before),
        recovered_in.as_millis()
    ))
}

/// No file can be opened any more: whoever comes waits, and when there is room again all is as before.
pub(super) fn descriptors(setting: &Setting) -> anyhow::Result<String> {
    let place = Place::new()?;
    let mut command = Command::new("prlimit");
    command.arg("--nofile=64").arg(&setting.program);
    let mut server = Server::start_by(&mut command, place.folder())?;
    let mut ledger = Ledger::default();
    send(server.port, &Batch { execution: "kept".into(), numbers: 1..101 }, &mut ledger)?;
    let crowd: Vec<_> = (0..100).map_while(|_| http::connect(server.port).ok()).collect();
    thread::sleep(Duration::from_secs(1));
    let open = server.process.descriptors()?;
    ensure!(open >= 60, "only {open} files are open: this shows nothing");
    ensure!(server.process.0.try_wait()?.is_none(), "the server ended");
    let count = crowd.len();
    drop(crowd);
    let well_in = eventually("it answers again", Duration::from_secs(20), || {
        Ok(http::get(server.port, "/health").is_ok_and(|answer| answer.status == 200))
    })?;
    send(server.port, &Batch { execution: "kept".into(), numbers: 101..201 }, &mut ledger)?;
    ledger.check_server(server.port)?;
    server.process.kill()?;
    ledger.check_folder(place.folder())?;
    place.held();
    Ok(format!("{count} connections against 64 files, well again {} ms after they went", well_in.as_millis()))
}
