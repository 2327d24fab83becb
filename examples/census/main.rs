//! A census of a folder, by default of the repository it stands in: what there is, who wrote it, what changes most,
//! and which files the others hang on.
//!
//! ```text
//!          ┌─▶ total_lines ─┐
//! survey ──┤                ├─▶ split ─▶ folders: one task a folder ─▶ rankings: languages, people,
//!          └─▶ history ─────┘            hot_spots, couplings ─▶ refine (a loop) ─▶ report
//! ```
//!
//! Everything after `split` is added while the workflow runs. Run it with
//! `cargo run -p graflow-examples --bin census`, on another folder with `-- --path FOLDER`, and with `-- --slow` to
//! have time to watch it.

mod folder;
mod git;
mod importance;
mod lines;
mod ranking;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Parser;
use graflow::prelude::*;
use graflow_local::Lineage;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::prelude::*;

use folder::FolderCount;
use git::History;
use importance::{Couplings, Importance};
use lines::{CountError, Lines};
use ranking::Ranked;

/// Counts a folder and its history, and ranks what it finds.
#[derive(Debug, Parser)]
struct Arguments {
    /// The folder.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/.."))]
    path: PathBuf,
    /// Read every file so many times over when its fingerprint is taken, so that there is something to watch.
    #[arg(long, default_value_t = 1, default_missing_value = "10000", num_args = 0..=1, value_name = "TIMES")]
    slow: u32,
    /// The most passes of the loop that finds the important files.
    #[arg(long, default_value_t = 25)]
    passes: u32,
}

const ROOT: Key<PathBuf> = Key::serializable("root");
const FINGERPRINT_ROUNDS: Key<u32> = Key::serializable("fingerprint_rounds");
const PASSES: Key<u32> = Key::serializable("passes");
/// Files counted so far, by all folders together.
const FILES_SEEN: Key<u64> = Key::serializable("files_seen");
/// What people should know about this census.
const REMARKS: Key<Vec<String>> = Key::serializable("remarks");

/// The folders right below the root; `.` stands for the files beside them.
#[task]
fn survey(root: &PathBuf) -> Result<Vec<String>> {
    let folders = folder::below(root)?;
    tracing::info!(folders = folders.len(), "{} folders to count", folders.len());
    Ok(folders)
}

/// How many lines there are. The first attempt makes it cheap: it reads a tenth of the files and believes that the
/// rest is alike. A second tenth says whether that holds; mostly it does not, and the next attempt counts them all.
#[task(max_retries = 2, retry_if = CountError::is_disagreement)]
fn total_lines(ctx: &TaskContext, root: &PathBuf) -> Result<Lines, CountError> {
    let files = folder::files(root)?;
    let lines = if ctx.attempt() == 1 { lines::estimate(&files)? } else { lines::exactly(&files) };
    tracing::info!(lines = lines.count, "{} lines in {} files", lines.count, files.len());
    Ok(lines)
}

/// What git remembers; nothing, where there is no git or it knows nothing of this folder.
#[task(writes(REMARKS))]
async fn history(ctx: &TaskContext, root: &PathBuf) -> Result<History> {
    match git::read(root).await? {
        Ok(history) => {
            tracing::info!(commits = history.commits.len(), "{} commits", history.commits.len());
            Ok(history)
        }
        Err(why) => {
            tracing::warn!("no history: {why}");
            ctx.channel().append(REMARKS, format!("no history: {why}"));
            Ok(History::default())
        }
    }
}

/// One task a folder, and all that follows from them.
#[task]
fn split(ctx: &TaskContext, survey: &[String]) -> Result<()> {
    let folders = survey.iter().map(|folder| {
        let name = format!("count_folder/{folder}");
        count_folder().folder(folder.clone()).named(name)
    });
    let rankings = languages() | people() | hot_spots() | couplings();
    ctx.next_task(
        parallel("folders", folders).policy(BestEffort) >> rankings.named("rankings") >> refine() >> report(),
    )
}

#[task(writes(FILES_SEEN))]
fn count_folder(
    ctx: &TaskContext,
    root: &PathBuf,
    folder: &str,
    fingerprint_rounds: u32,
) -> Result<FolderCount> {
    let count = folder::count(root, folder, fingerprint_rounds, &|| ctx.is_cancelled())?;
    let seen = ctx.channel().atomic_add(FILES_SEEN, count.files);
    tracing::info!(folder, files = count.files, "{folder}: {} lines, {seen} files so far", count.lines);
    Ok(count)
}

#[task]
fn languages(folders: Members<FolderCount>) -> Vec<Ranked> {
    ranking::languages(folders.completed())
}

#[task]
fn people(history: &History) -> Vec<Ranked> {
    ranking::by_commits(history)
}

#[task]
fn hot_spots(history: &History) -> Vec<Ranked> {
    ranking::by_changed_lines(history)
}

/// Which files change together.
#[task]
fn couplings(history: &History) -> Couplings {
    Couplings::of(history)
}

/// Which files the others hang on: importance flows along couplings until it comes to rest, or the passes are spent.
#[task(max_cycles = 1_000)]
fn refine(
    ctx: &TaskContext,
    couplings: &Couplings,
    passes: u32,
    #[iteration] importance: Option<Importance>,
) -> Next<Importance> {
    let (importance, moved) = couplings.flow(importance.unwrap_or_else(|| couplings.even()));
    tracing::debug!(moved, "pass {}: {:.2} % moved", ctx.cycle_count(), moved * 100.0);
    if moved < 0.001 || ctx.cycle_count() >= passes || !ctx.can_iterate() {
        return Next::Done(importance);
    }
    ctx.next_iteration(importance)
}

#[task]
#[expect(clippy::too_many_arguments, reason = "everything comes together here")]
fn report(
    folders: Members<FolderCount>,
    total_lines: &Lines,
    history: &History,
    languages: &[Ranked],
    people: &[Ranked],
    hot_spots: &[Ranked],
    couplings: &Couplings,
    refine: &Importance,
    remarks: Option<Vec<String>>,
) -> String {
    let mut remarks = remarks.unwrap_or_default();
    remarks.extend(folders.failed().map(|(task, error)| format!("{task}: {error}")));
    let folders: Vec<&FolderCount> = folders.completed().collect();
    remarks.extend(ranking::disagreement(&folders, total_lines));
    let tables = [
        ("folders, by lines", ranking::by_lines(&folders)),
        ("languages, by lines", languages.to_vec()),
        ("people, by commits", people.to_vec()),
        ("hot spots, by changed lines", hot_spots.to_vec()),
        ("important, by what changes with them", couplings.ranked(refine)),
    ];
    ranking::text(&folders, total_lines, history, &tables, &remarks)
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let lineage = Lineage::open_default()?;
    // People see what tasks say as it happens; lineage keeps it under the task that said it.
    let for_people =
        tracing_subscriber::fmt::layer().without_time().with_target(false).with_writer(std::io::stderr);
    tracing_subscriber::registry()
        .with(for_people.with_filter(LevelFilter::INFO))
        .with(lineage.log_layer().with_filter(LevelFilter::DEBUG))
        .init();
    let root = canonical(&arguments.path)?;

    let census = Workflow::new("census", survey() >> (total_lines() | history()) >> split());
    let run = census
        .execute()
        .input(ROOT, root.clone())
        .input(FINGERPRINT_ROUNDS, arguments.slow)
        .input(PASSES, arguments.passes)
        .sink(lineage)
        .max_parallel(std::thread::available_parallelism().map_or(4, |threads| threads.get().max(4)))
        .cancel_grace(Duration::from_secs(2))
        .cancel_on(tokio::signal::ctrl_c())
        .label("folder", root.file_name().unwrap_or_default().to_string_lossy())
        .await?
        .into_result()?;

    print!("{}", run.result(report())?);
    let attempts = run.task("total_lines").map_or(0, |task| task.executions);
    let passes = run.task("refine").map_or(0, |task| task.executions);
    println!(
        "\n{} task executions in {:.2} s; total_lines took {attempts} attempts, refine {passes} passes",
        run.steps(),
        run.duration().as_secs_f64()
    );
    if let Some(address) = run.url().as_str() {
        println!("look at it: {address}");
    }
    println!("or say: graflow lineage show latest");
    check(&run)
}

/// What a census promises, whatever it finds.
fn check(run: &graflow::Run) -> Result<()> {
    let folders = run.result(survey())?.len();
    let counted = run.tasks().iter().filter(|task| task.task_id.starts_with("count_folder/")).count();
    assert_eq!(counted, folders, "one task a folder");
    let attempts = run.task("total_lines").map(|task| task.executions);
    let is_exact = run.result(total_lines())?.is_exact;
    assert_eq!(attempts, Some(if is_exact { 2 } else { 1 }), "an estimate that does not hold is not kept");
    assert_eq!(run.task("report").map(|task| task.executions), Some(1), "the report comes once, at the end");
    Ok(())
}

fn canonical(path: &Path) -> Result<PathBuf> {
    path.canonicalize()
        .map_err(|error| TaskError::new(format!("cannot find the folder {}: {error}", path.display())))
}
