//! `graflow lineage doctor`

use std::path::Path;
use std::sync::Arc;

use graflow_client::SystemClock;
use graflow_local::DataFolder;
use graflow_model::Seq;
use graflow_store::files::{DiskFiles, Files, OverlayFiles};
use graflow_store::log::LogReader;
use graflow_store::{EmbeddedOptions, EmbeddedStore, ReadOnlyOptions};
use serde_json::json;

use crate::config::Config;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Tone, age, bytes, count, pad, plural, width, wrap};
use crate::owned_folder::{Tables, TakenFolder};
use crate::source::{self, Source};

/// How much is looked at.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Leave out what takes as long as a rebuild: comparing the tables with what the log says.
    #[arg(long)]
    quick: bool,
}

/// What was looked at, and what was seen.
struct Finding {
    what: &'static str,
    verdict: Verdict,
    seen: String,
    /// What to do about it.
    hint: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Good,
    Warning,
    Bad,
}

impl Verdict {
    const fn word(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Warning => "warning",
            Self::Bad => "wrong",
        }
    }

    const fn tone(self) -> Tone {
        match self {
            Self::Good => Tone::Good,
            Self::Warning => Tone::Warn,
            Self::Bad => Tone::Bad,
        }
    }
}

fn good(what: &'static str, seen: impl Into<String>) -> Finding {
    Finding { what, verdict: Verdict::Good, seen: seen.into(), hint: None }
}

fn warning(what: &'static str, seen: impl Into<String>, hint: impl Into<String>) -> Finding {
    Finding { what, verdict: Verdict::Warning, seen: seen.into(), hint: Some(hint.into()) }
}

fn bad(what: &'static str, seen: impl Into<String>, hint: Option<String>) -> Finding {
    Finding { what, verdict: Verdict::Bad, seen: seen.into(), hint }
}

/// Looks at everything, also when something is wrong.
pub(crate) async fn run(config: &Config, Options { quick }: Options) -> anyhow::Result<Exit> {
    let mut findings = vec![environment()];
    let server = source::server(config).await;
    let is_served = server.is_some();
    // Events up to here were on disk: a log that ends earlier has lost some.
    let mut last_seq = Seq::ZERO;
    if let Some(endpoint) = server {
        let (finding, seq) = server_finding(config, &endpoint.to_string()).await;
        findings.push(finding);
        last_seq = seq;
    }
    if config.endpoint.is_none() {
        findings.push(folder_finding(&config.data_dir));
        if config.data_dir.is_dir() {
            let (tables, seq) = if is_served {
                let folder = config.data_dir.clone();
                (tokio::task::spawn_blocking(move || served_tables_finding(&folder)).await?, None)
            } else {
                let (finding, seq) = tables_finding(config, quick).await?;
                (finding, Some(seq))
            };
            let last_seq = seq.unwrap_or(last_seq);
            let log = config.data_dir.join("log");
            findings.push(tokio::task::spawn_blocking(move || log_finding(&log, last_seq)).await?);
            findings.push(spool_finding(&DataFolder::at(&config.data_dir).spool()));
            findings.push(tables);
        }
    }
    let worst = findings.iter().any(|finding| finding.verdict == Verdict::Bad);
    if config.json {
        let findings: Vec<_> = findings
            .iter()
            .map(|finding| json!({ "what": finding.what, "verdict": finding.verdict.word(), "seen": finding.seen, "hint": finding.hint }))
            .collect();
        config.print_json(&json!({ "findings": findings }))?;
    } else {
        config.print_lines(&lines(config, &findings))?;
    }
    Ok(if worst { Exit::Unhealthy } else { Exit::Ok })
}

fn lines(config: &Config, findings: &[Finding]) -> Vec<String> {
    let terminal = config.terminal;
    let widest = findings.iter().map(|finding| width(finding.what)).max().unwrap_or(0);
    let before = 7 + 2 + widest + 2;
    let mut lines = Vec::new();
    for finding in findings {
        let word = terminal.paint(finding.verdict.tone(), &pad(finding.verdict.word(), 7));
        let mut texts = wrap(&finding.seen, terminal.width.saturating_sub(before)).into_iter();
        let first = texts.next().unwrap_or_default();
        lines.push(format!("{word}  {}  {first}", terminal.paint(Tone::Dim, &pad(finding.what, widest))));
        lines.extend(texts.map(|text| format!("{}{text}", " ".repeat(before))));
        for hint in finding
            .hint
            .iter()
            .flat_map(|hint| wrap(&format!("hint: {hint}"), terminal.width.saturating_sub(before)))
        {
            lines.push(format!("{}{hint}", " ".repeat(before)));
        }
    }
    lines
}

fn environment() -> Finding {
    let set: Vec<String> = [
        "GRAFLOW_LINEAGE",
        "GRAFLOW_LINEAGE_URL",
        "GRAFLOW_LINEAGE_DATA_DIR",
        "GRAFLOW_LINEAGE_PROJECT",
        "GRAFLOW_LINEAGE_LABELS",
    ]
    .into_iter()
    .filter_map(|name| Some(format!("{name}={}", graflow_client::environment::variable(name)?)))
    .collect();
    let version = format!("graflow {}", env!("CARGO_PKG_VERSION"));
    if set.iter().any(|variable| variable == "GRAFLOW_LINEAGE=0") {
        return warning(
            "program",
            format!("{version}; {}", set.join(" ")),
            "GRAFLOW_LINEAGE=0 switches recording off",
        );
    }
    good("program", std::iter::once(version).chain(set).collect::<Vec<_>>().join("; "))
}

async fn server_finding(config: &Config, url: &str) -> (Finding, Seq) {
    let asked = async { Source::open(config).await?.server().await };
    let asked = asked.await;
    let last_seq = asked.as_ref().map(|info| info.last_seq).unwrap_or_default();
    let finding = match asked {
        Ok(info) if info.version == env!("CARGO_PKG_VERSION") => {
            let since = age(info.time, info.started_time);
            good(
                "server",
                format!(
                    "{url} answers, version {}, started {since}, {} events",
                    info.version,
                    count(info.last_seq.0)
                ),
            )
        }
        Ok(info) => warning(
            "server",
            format!("{url} runs version {}, this program is {}", info.version, env!("CARGO_PKG_VERSION")),
            "start the server again with this program, or use the program of that version",
        ),
        Err(error) => bad(
            "server",
            format!("{error:#}"),
            Some("is it stopped or stuck? look at its log, or start it again".to_owned()),
        ),
    };
    (finding, last_seq)
}

fn folder_finding(folder: &Path) -> Finding {
    let shown = folder.display();
    if !folder.exists() {
        return warning(
            "folder",
            format!("{shown} is not there"),
            "a workflow that records makes it, and so does `graflow lineage serve`",
        );
    }
    if !folder.is_dir() {
        return bad(
            "folder",
            format!("{shown} is no folder"),
            Some("choose another one with --data-dir".to_owned()),
        );
    }
    let probe = folder.join(format!(".doctor-{}", std::process::id()));
    let written = std::fs::write(&probe, b"").and_then(|()| std::fs::remove_file(&probe));
    match written {
        Ok(()) => good("folder", format!("{shown}, {} on disk", bytes(size_of(folder)))),
        Err(error) => bad(
            "folder",
            format!("{shown} cannot be written: {error}"),
            Some("this user must be able to read and write it".to_owned()),
        ),
    }
}

/// Reads the whole log and checks every record, and that it goes as far as is known. Nothing is changed, so it is
/// safe whoever owns the folder.
fn log_finding(folder: &Path, last_seq: Seq) -> Finding {
    if !folder.is_dir() {
        return good("log", "none yet");
    }
    let checked = || -> Result<(u64, LogReader), (String, Option<String>)> {
        let files = DiskFiles::open(folder).map_err(|error| (error.to_string(), None))?;
        let told = |error: &graflow_store::log::LogError| {
            let text = error.to_string();
            match text.split_once("\nhint: ") {
                Some((message, hint)) => (message.to_owned(), Some(hint.to_owned())),
                None => (text, None),
            }
        };
        let reader =
            LogReader::open_read_only(Arc::new(files) as Arc<dyn Files>).map_err(|error| told(&error))?;
        Ok((reader.verify().map_err(|error| told(&error))?, reader))
    };
    match checked() {
        Err((seen, hint)) => bad("log", seen, hint),
        Ok((records, reader)) => {
            let sound = reader.bytes().unwrap_or(0);
            let more = size_of(folder).saturating_sub(sound);
            let seen = format!(
                "{} sound, {}, up to event {}",
                plural(records, "record"),
                bytes(sound),
                count(reader.next_seq().0.saturating_sub(1))
            );
            if reader.next_seq() <= last_seq {
                bad(
                    "log",
                    format!(
                        "damaged after byte {} of segment `{}`: {seen}, but events up to {} were there",
                        reader.end().offset,
                        reader.end().segment,
                        count(last_seq.0)
                    ),
                    Some("acknowledged events are affected; copy the data folder, do not rebuild, and restore the segment from a backup".to_owned()),
                )
            } else if more == 0 {
                good("log", seen)
            } else {
                warning(
                    "log",
                    format!("{seen}; {} after the last whole record", bytes(more)),
                    "a write that is under way, or one that a crash cut short, which the next owner cuts off",
                )
            }
        }
    }
}

fn spool_finding(spool: &Path) -> Finding {
    let files = std::fs::read_dir(spool).map_or(0, |entries| entries.count() as u64);
    if files == 0 {
        return good("spool", "empty");
    }
    let seen = format!(
        "{} with {} of events that wait to be taken in",
        plural(files, "file"),
        bytes(size_of(spool))
    );
    // A living producer keeps its file as long as it runs.
    good("spool", seen)
}

/// Opens the folder, as a server would, and reads all of the tables.
async fn tables_finding(config: &Config, quick: bool) -> anyhow::Result<(Finding, Seq)> {
    let opened = async { TakenFolder::take(config).await?.open(Tables::CatchUp).await };
    Ok(match opened.await {
        Ok(folder) => {
            let last_seq = folder.manager.store().last_seq();
            let torn = folder.store.recovery().torn_bytes;
            let (store, path) = (Arc::clone(&folder.store), config.data_dir.clone());
            let checked =
                tokio::task::spawn_blocking(move || check(&store, (!quick).then_some(path.as_path())));
            let checked = checked.await?;
            folder.close().await?;
            let cut = if torn > 0 {
                format!("; {} of an unfinished write were cut off", bytes(torn))
            } else {
                String::new()
            };
            let finding = match checked {
                Ok(seen) => good("tables", format!("{seen}{cut}")),
                Err(seen) => bad("tables", seen, Some(REBUILD.to_owned())),
            };
            (finding, last_seq)
        }
        Err(error) => {
            let hints = error.downcast_ref::<Failure>().map(Failure::hints).unwrap_or_default();
            let hint = (!hints.is_empty()).then(|| hints.join("; "));
            (bad("tables", format!("{error:#}"), hint), Seq::ZERO)
        }
    })
}

const REBUILD: &str = "`graflow lineage rebuild` derives the tables from the log again";

/// Reads all of the tables; with a folder, also everything that the log says, and compares the two.
fn check(store: &EmbeddedStore, compare_with: Option<&Path>) -> Result<String, String> {
    let told = |error: &dyn std::error::Error| error.to_string();
    let wrong = store.check_tables().map_err(|error| told(&error))?;
    if let Some(first) = wrong.first() {
        return Err(format!("{first} ({} in all)", plural(wrong.len() as u64, "fault")));
    }
    let Some(folder) = compare_with else { return Ok("sound, and up to date with the log".to_owned()) };
    let hash = store.canonical_hash().map_err(|error| told(&error))?;
    let place = tempfile::tempdir().map_err(|error| told(&error))?;
    let log = place.path().join("log");
    std::fs::create_dir(&log).map_err(|error| told(&error))?;
    let mut options = EmbeddedOptions::new(place.path(), Arc::new(SystemClock));
    options.log_files = Some(Arc::new(OverlayFiles::new(
        Arc::new(DiskFiles::existing(folder.join("log"))),
        Arc::new(DiskFiles::existing(log)),
    )));
    let Ok(again) = EmbeddedStore::open(options) else {
        // What is wrong with the log is said of the log.
        return Ok("sound; not compared with the log, which cannot be read".to_owned());
    };
    let derived = again.canonical_hash().map_err(|error| told(&error))?;
    if derived == hash {
        Ok("sound, and what the log says when it is folded again".to_owned())
    } else {
        Err("they say something else than the log when it is folded again".to_owned())
    }
}

/// Tables that a server writes are read where they lie.
fn served_tables_finding(folder: &Path) -> Finding {
    let options = ReadOnlyOptions { is_owned: true, ..ReadOnlyOptions::new(folder, Arc::new(SystemClock)) };
    match EmbeddedStore::open_read_only(options) {
        Ok(Some(store)) => match check(&store, None) {
            Ok(_) => good("tables", "sound; compared with the log only while no server owns the folder"),
            Err(seen) => bad("tables", seen, Some(format!("stop the server; {REBUILD}"))),
        },
        Ok(None) => warning("tables", "cannot be read while the server writes them", "try again"),
        Err(error) => bad("tables", error.to_string(), Some(REBUILD.to_owned())),
    }
}

/// Bytes of the files in it, and below.
pub(crate) fn size_of(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => size_of(&entry.path()),
            Ok(kind) if kind.is_file() => entry.metadata().map_or(0, |metadata| metadata.len()),
            _ => 0,
        })
        .sum()
}
