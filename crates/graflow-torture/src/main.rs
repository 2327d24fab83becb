//! `graflow-torture`: runs the scenarios and prints a table of verdicts. `cargo xtask torture` builds and calls it.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use clap::Parser;
use graflow_torture::scenarios::{self, Scenario, Verdict};
use graflow_torture::{Setting, Size, produce};

/// Breaks things on purpose and says what held.
#[derive(Debug, Parser)]
#[command(name = "graflow-torture", bin_name = "cargo xtask torture", args_conflicts_with_subcommands = true)]
struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// Run only this scenario; may be given several times, or with commas.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    only: Vec<String>,
    /// Where chance begins; the same seed plans the same again. None = by the clock.
    #[arg(long)]
    seed: Option<u64>,
    /// Rounds of scenarios that have them.
    #[arg(long)]
    rounds: Option<u64>,
    /// Seconds instead of minutes.
    #[arg(long)]
    short: bool,
    /// The program `graflow`; else the one that stands beside this.
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    /// Only name the scenarios.
    #[arg(long)]
    list: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// A producer, to be killed.
    #[command(hide = true)]
    Produce(produce::Options),
}

fn main() -> ExitCode {
    match run(Args::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> anyhow::Result<ExitCode> {
    if let Some(Command::Produce(options)) = args.command {
        produce::run(&options)?;
        return Ok(ExitCode::SUCCESS);
    }
    if args.list {
        for Scenario { name, what, .. } in scenarios::ALL {
            println!("{name:<14} {what}");
        }
        for Scenario { name, what, .. } in scenarios::UNSETTLED {
            println!("{name:<14} {what} (does not hold yet; runs only when it is named)");
        }
        return Ok(ExitCode::SUCCESS);
    }
    let setting = Setting {
        program: program(args.program)?,
        seed: args.seed.unwrap_or_else(|| fastrand::u64(..)),
        rounds: args.rounds,
        size: if args.short { Size::Short } else { Size::Full },
    };
    println!("seed {}", setting.seed);
    let mut verdicts = Vec::new();
    for scenario in chosen(&args.only)? {
        println!("\n== {}: {}", scenario.name, scenario.what);
        // Who names it wants to see it fail.
        if args.only.is_empty() && !scenario.may_run() {
            println!("not run: it mounts a disk of its own, which needs root");
            continue;
        }
        let verdict = scenario.run(&setting);
        match &verdict.outcome {
            Ok(figures) => println!("held: {figures}"),
            Err(error) => println!("did not hold: {error:#}"),
        }
        verdicts.push(verdict);
    }
    Ok(summary(&verdicts, setting.seed))
}

/// The table, what did not hold and how to see it again, and how many held.
fn summary(verdicts: &[Verdict], seed: u64) -> ExitCode {
    println!("\n{:<14} {:>8}  verdict", "scenario", "time");
    for Verdict { scenario, time, outcome } in verdicts {
        let word = if outcome.is_ok() { "held" } else { "did not hold" };
        println!("{:<14} {:>6.1} s  {word}", scenario.name, time.as_secs_f64());
    }
    for Verdict { scenario, outcome, .. } in verdicts {
        if let Err(error) = outcome {
            let name = scenario.name;
            println!(
                "{name} did not hold: {error:#}\nagain: cargo xtask torture --only {name} --seed {seed}"
            );
        }
    }
    let failed = verdicts.iter().filter(|verdict| verdict.outcome.is_err()).count();
    println!("{} passed, {failed} failed", verdicts.len() - failed);
    if failed == 0 && !verdicts.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn chosen(only: &[String]) -> anyhow::Result<Vec<Scenario>> {
    if only.is_empty() {
        return Ok(scenarios::ALL.to_vec());
    }
    let all = || scenarios::ALL.iter().chain(scenarios::UNSETTLED);
    let named = |name: &String| {
        all().find(|scenario| scenario.name == *name).copied().with_context(|| {
            let names: Vec<_> = all().map(|scenario| scenario.name).collect();
            format!("no scenario is called `{name}`; scenarios: {}", names.join(", "))
        })
    };
    only.iter().map(named).collect()
}

fn program(named: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    let program = match named {
        Some(program) => program,
        None => std::env::current_exe()?.with_file_name("graflow"),
    };
    ensure!(
        program.is_file(),
        "there is no program at {}\nhint: `cargo build -p graflow-cli` builds it",
        program.display()
    );
    std::path::absolute(program).context("the program's path makes no sense")
}
