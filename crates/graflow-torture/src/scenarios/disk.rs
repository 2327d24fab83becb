//! Disks that are full or may not be written, and bytes that are not what was written.

use std::fs;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use crate::ledger::{Batch, Ledger};
use crate::place::Place;
use crate::process::eventually;
use crate::server::{self, Server};
use crate::{Setting, http};

/// A small file system in memory; it is taken away when this is dropped.
struct SmallDisk(std::path::PathBuf);

impl SmallDisk {
    fn mount(at: &Path, mebibytes: u32) -> anyhow::Result<Self> {
        let size = format!("size={mebibytes}m");
        let status = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at).status()?;
        ensure!(status.success(), "cannot mount a small disk\nhint: this scenario needs root");
        Ok(Self(at.to_owned()))
    }

    fn may_be_written(&self, may: bool) -> anyhow::Result<()> {
        let options = if may { "remount,rw" } else { "remount,ro" };
        let status = Command::new("mount").args(["-o", options]).arg(&self.0).status()?;
        ensure!(status.success(), "cannot mount the disk anew");
        Ok(())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Nobody is left to hear what goes wrong.
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

/// Whether this process may mount a disk: it needs root.
pub(super) fn may_mount() -> bool {
    tempfile::tempdir().is_ok_and(|place| SmallDisk::mount(place.path(), 1).is_ok())
}

/// Sends batches until the server says something other than 200, and gives what it said.
fn send_until_refused(
    port: u16,
    execution: &str,
    from: u64,
    ledger: &mut Ledger,
) -> anyhow::Result<(http::Answer, u64)> {
    let mut next = from;
    for _ in 0..2_000 {
        let batch = Batch { execution: execution.to_owned(), numbers: next..next + 500 };
        let answer = http::post_events(port, &batch.lines())?;
        if answer.status == 503 {
            std::thread::sleep(Duration::from_millis(50));
            continue;
        }
        if answer.status != 200 {
            return Ok((answer, next));
        }
        ledger.take(&batch, &answer)?;
        next = batch.numbers.end;
    }
    anyhow::bail!("the disk never filled up")
}

/// 507 while there is no room; again 200 when there is, without a restart; after `kill -9` everything is there.
pub(super) fn full(setting: &Setting) -> anyhow::Result<String> {
    let place = Place::new()?;
    let disk = SmallDisk::mount(place.folder(), 24)?;
    let folder = place.folder().join("data");
    fs::create_dir(&folder)?;
    let filler = place.folder().join("filler");
    let mut server = Server::start(setting, &folder)?;
    fs::write(&filler, vec![1; 16 << 20])?;
    let mut ledger = Ledger::default();
    let (answer, next) = send_until_refused(server.port, "full", 1, &mut ledger)?;
    ensure!(
        answer.status == 507 && answer.body.contains("\"hint\""),
        "a full disk is answered {} {}",
        answer.status,
        answer.body
    );
    let before = ledger.len();
    server.is_well()?;
    ensure!(
        http::get(server.port, "/api/executions")?.status == 200,
        "nothing can be read while the disk is full"
    );
    fs::remove_file(&filler)?;
    let batch = Batch { execution: "full".into(), numbers: next..next + 500 };
    let healed_in = eventually("events are taken again", Duration::from_secs(20), || {
        let answer = http::post_events(server.port, &batch.lines())?;
        if answer.status == 200 {
            ledger.take(&batch, &answer)?;
        }
        Ok(answer.status == 200)
    })?;
    ledger.check_server(server.port)?;
    server.process.kill()?;
    let server = Server::start(setting, &folder)?;
    ledger.check_server(server.port)?;
    drop(server);
    drop(disk);
    place.held();
    Ok(format!("{before} events until 507, taken again {} ms after there was room", healed_in.as_millis()))
}

/// A folder that may not be written: a server says so and ends; it can be read all the same.
pub(super) fn read_only(setting: &Setting) -> anyhow::Result<String> {
    let place = Place::new()?;
    let disk = SmallDisk::mount(place.folder(), 64)?;
    let folder = place.folder().join("data");
    fs::create_dir(&folder)?;
    let mut ledger = Ledger::default();
    let mut server = Server::start(setting, &folder)?;
    let batch = Batch { execution: "kept".into(), numbers: 1..101 };
    ledger.take(&batch, &http::post_events(server.port, &batch.lines())?)?;
    server.process.stop()?;
    disk.may_be_written(false)?;
    let refused = server::run(setting, &folder, &["serve", "--port", "0"])?;
    let said = server::said(&refused);
    ensure!(
        !refused.status.success() && said.contains("hint") && !said.contains("panicked"),
        "`serve` says: {said}"
    );
    let shown = server::run(setting, &folder, &["list", "--json"])?;
    ensure!(
        shown.status.success() && server::said(&shown).contains("kept"),
        "`list` says: {}",
        server::said(&shown)
    );
    disk.may_be_written(true)?;
    let server = Server::start(setting, &folder)?;
    ledger.check_server(server.port)?;
    drop(server);
    drop(disk);
    place.held();
    Ok(format!("`serve` says: {}", said.lines().next().unwrap_or_default()))
}

/// A flipped byte in the log, in the tables and in a spool is found, and said; nothing wrong is given out.
pub(super) fn flipped(setting: &Setting) -> anyhow::Result<String> {
    let place = Place::new()?;
    let folder = place.folder();
    let mut ledger = Ledger::default();
    let mut server = Server::start(setting, folder)?;
    for round in 0..20 {
        let batch = Batch { execution: "kept".into(), numbers: round * 100 + 1..round * 100 + 101 };
        ledger.take(&batch, &http::post_events(server.port, &batch.lines())?)?;
    }
    server.process.stop()?;

    // The tables: whatever of them is wrong, a rebuild makes them again.
    let tables = folder.join("lineage.db");
    let length = fs::metadata(&tables)?.len();
    fs::File::options().write(true).open(&tables)?.write_all_at(&[0xa5; 3_000], length / 2)?;
    let rebuilt = server::run(setting, folder, &["rebuild"])?;
    ensure!(rebuilt.status.success(), "`rebuild` says: {}", server::said(&rebuilt));
    let mut server = Server::start(setting, folder)?;
    ledger.check_server(server.port)?;
    server.process.stop()?;

    // A spool: the sound part is taken in, the rest is put aside.
    leave_spool(folder, 100)?;
    let spool = only_file(&folder.join("spool"))?;
    flip(&spool, fs::metadata(&spool)?.len() / 2)?;
    let mut server = Server::start(setting, folder)?;
    eventually("the spool is taken in or put aside", Duration::from_secs(20), || Ok(!spool.exists()))?;
    let aside = fs::read_dir(folder.join("spool"))?.count();
    ensure!(aside == 1, "a damaged spool left {aside} files");
    ledger.check_server(server.port)?;
    server.process.stop()?;

    // The log: found by doctor, and never given out as something else.
    let segment = only_file(&folder.join("log"))?;
    flip(&segment, fs::metadata(&segment)?.len() / 2)?;
    let doctor = server::run(setting, folder, &["doctor"])?;
    ensure!(!doctor.status.success(), "`doctor` sees nothing: {}", server::said(&doctor));
    let rebuilt = server::run(setting, folder, &["rebuild"])?;
    ensure!(!rebuilt.status.success(), "`rebuild` throws tables away that the log cannot make again");
    if let Ok(mut server) = Server::start(setting, folder) {
        let answer = http::get(server.port, "/api/executions/kept/events?limit=5000")?;
        ensure!(
            answer.status == 500 && answer.body.contains("\"error\""),
            "damage is answered {}: {}",
            answer.status,
            answer.body.chars().take(200).collect::<String>()
        );
        server.is_well()?;
    }
    place.held();
    Ok("tables rebuilt, spool put aside, damage of the log named by doctor".to_owned())
}

fn flip(path: &Path, offset: u64) -> anyhow::Result<()> {
    let file = fs::File::options().read(true).write(true).open(path)?;
    let mut byte = [0];
    file.read_exact_at(&mut byte, offset)?;
    byte[0] ^= 0x10;
    Ok(file.write_all_at(&byte, offset)?)
}

fn only_file(folder: &Path) -> anyhow::Result<std::path::PathBuf> {
    let mut files: Vec<_> =
        fs::read_dir(folder)?.map(|file| Ok(file?.path())).collect::<std::io::Result<_>>()?;
    files.retain(|file| file.is_file());
    files.sort();
    files.pop().with_context(|| format!("no file in {}", folder.display()))
}

/// What a producer leaves that finds nobody.
fn leave_spool(folder: &Path, events: u64) -> anyhow::Result<()> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args(["produce", "--execution", "spooled", "--events", &events.to_string(), "--folder"])
        .arg(folder);
    let output = command.output()?;
    ensure!(output.status.success(), "the producer says: {}", server::said(&output));
    Ok(())
}
