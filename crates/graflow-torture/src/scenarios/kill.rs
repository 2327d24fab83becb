//! `kill -9` of the real server and of a real producer at random moments.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use fastrand::Rng;

use crate::ledger::{Batch, Ledger};
use crate::place::Place;
use crate::process::{Process, eventually};
use crate::server::{MOST_START, Server};
use crate::{Setting, http};

/// Rounds on one folder, before the log is read as a whole and a new folder begins.
const ROUNDS_A_FOLDER: u64 = 50;
/// Who sends over HTTP, at the same time.
const SENDERS: usize = 2;

/// What a sender knows: after a blow it sends the batch that was not answered again.
struct Sender {
    execution: String,
    next: u64,
    pending: Option<Batch>,
    random: Rng,
}

#[derive(Debug, Default)]
struct Sums {
    acknowledged: usize,
    stored: usize,
    server_kills: u64,
    producer_kills: u64,
    slowest_start: Duration,
}

pub(super) fn run(setting: &Setting) -> anyhow::Result<String> {
    let rounds = setting.rounds(20, 1_000);
    let mut random = Rng::with_seed(setting.seed);
    let mut sums = Sums::default();
    let mut done = 0;
    while done < rounds {
        let now = ROUNDS_A_FOLDER.min(rounds - done);
        life(setting, now, &mut random, &mut sums)
            .with_context(|| format!("in rounds {done} to {}", done + now))?;
        done += now;
        if rounds > ROUNDS_A_FOLDER {
            println!(
                "  {done} of {rounds} rounds, {} events acknowledged, slowest start {} ms",
                sums.acknowledged,
                sums.slowest_start.as_millis()
            );
        }
    }
    Ok(format!(
        "{rounds} rounds, {} servers and {} producers killed, {} events acknowledged, {} in the log, slowest start {} ms",
        sums.server_kills,
        sums.producer_kills,
        sums.acknowledged,
        sums.stored,
        sums.slowest_start.as_millis()
    ))
}

/// Rounds on one folder.
fn life(setting: &Setting, rounds: u64, random: &mut Rng, sums: &mut Sums) -> anyhow::Result<()> {
    let place = Place::new()?;
    let folder = place.folder();
    let mut ledger = Ledger::default();
    let mut senders: Vec<Sender> = (0..SENDERS)
        .map(|n| Sender { execution: format!("sent-{n}"), next: 1, pending: None, random: random.fork() })
        .collect();
    let mut server = Server::start(setting, folder)?;
    for round in 0..rounds {
        let (stop, wait) = (AtomicBool::new(false), Duration::from_millis(random.u64(5..250)));
        let kill_server = random.u8(0..10) < 8;
        let execution = format!("produced-{round}");
        let mut producer = Producer::start(folder, &execution)?;
        let (port, stopped) = (server.port, &stop);
        let sent = thread::scope(|scope| -> anyhow::Result<Ledger> {
            let sending: Vec<_> =
                senders.iter_mut().map(|sender| scope.spawn(move || sender.send(port, stopped))).collect();
            thread::sleep(wait);
            if kill_server {
                server.process.kill()?;
                sums.server_kills += 1;
            }
            stop.store(true, Ordering::Relaxed);
            let mut sent = Ledger::default();
            for sender in sending {
                sent.merge(sender.join().map_err(|_| anyhow::anyhow!("a sender panicked"))??);
            }
            Ok(sent)
        });
        ledger.merge(sent?);
        sums.producer_kills += 1;
        ledger.acknowledge(&execution, 1..=producer.kill()?);
        if kill_server {
            server = Server::start(setting, folder)?;
            sums.slowest_start = sums.slowest_start.max(server.started_in);
            ensure!(
                server.started_in <= MOST_START,
                "round {round}: a start took {} ms",
                server.started_in.as_millis()
            );
        }
        for sender in &senders {
            ledger
                .check_execution(server.port, &sender.execution)
                .with_context(|| format!("round {round}"))?;
        }
    }
    // What dead producers left is taken in by whoever owns the folder.
    let spool = folder.join("spool");
    eventually("the spool is taken in", Duration::from_secs(30), || {
        Ok(!spool.exists() || std::fs::read_dir(&spool)?.next().is_none())
    })?;
    ledger.check_server(server.port)?;
    server.process.kill()?;
    sums.acknowledged += ledger.len();
    sums.stored += ledger.check_folder(folder)?;
    place.held();
    Ok(())
}

impl Sender {
    /// Sends until it is told to stop, or the server is gone.
    fn send(&mut self, port: u16, stop: &AtomicBool) -> anyhow::Result<Ledger> {
        let mut ledger = Ledger::default();
        while !stop.load(Ordering::Relaxed) {
            let batch = self.pending.take().unwrap_or_else(|| {
                let numbers = self.next..self.next + self.random.u64(1..20);
                self.next = numbers.end;
                Batch { execution: self.execution.clone(), numbers }
            });
            match http::post_events(port, &batch.lines()) {
                Ok(answer) if answer.status == 200 => {
                    ledger.take(&batch, &answer)?;
                }
                Ok(answer) if answer.status == 503 => {
                    self.pending = Some(batch);
                    thread::sleep(Duration::from_millis(20));
                }
                Ok(answer) => bail!("{} {}", answer.status, answer.body),
                Err(_) => {
                    self.pending = Some(batch);
                    break;
                }
            }
        }
        Ok(ledger)
    }
}

/// A producer in a process of its own.
struct Producer {
    process: Process,
    said: mpsc::Receiver<String>,
}

impl Producer {
    fn start(folder: &Path, execution: &str) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(["produce", "--execution", execution, "--folder"])
            .arg(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut process = Process::start(&mut command)?;
        let output = process.0.stdout.take().context("a process without output")?;
        let (sender, said) = mpsc::channel();
        thread::spawn(move || {
            BufReader::new(output).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Ok(Self { process, said })
    }

    /// Kills it; the last number that it called safe.
    fn kill(&mut self) -> anyhow::Result<u64> {
        self.process.kill()?;
        let safe = self.said.iter().filter_map(|line| line.strip_prefix("safe ")?.parse().ok());
        Ok(safe.last().unwrap_or(0))
    }
}
