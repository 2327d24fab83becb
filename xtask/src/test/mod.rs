//! `cargo xtask test`: every check and test there is, one step after the other.
//!
//! A step that fails does not stop the ones after it. To add a step, add a line to [`steps::ALL`].

mod examples;
mod failures;
mod python;
mod steps;
mod tally;
pub(crate) mod tools;
mod torture;
mod web;

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::bail;

use crate::process;
use crate::workspace::Workspace;
use steps::Step;
pub(crate) use tally::Tally;

/// What to run.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Run only this step; may be given several times, or with commas.
    #[arg(long, value_name = "STEP", value_delimiter = ',')]
    only: Vec<String>,
    /// Install nothing: say what is missing and stop.
    #[arg(long)]
    no_install: bool,
}

/// What a step needs to know.
#[derive(Debug)]
pub(crate) struct Setting<'a> {
    pub(crate) workspace: &'a Workspace,
    pub(crate) may_install: bool,
}

/// Runs the steps and sums up.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> anyhow::Result<ExitCode> {
    let setting = Setting { workspace, may_install: !options.no_install };
    let mut done: Vec<(&Step, Duration, Tally)> = Vec::new();
    let mut failures = String::new();
    let begin = Instant::now();
    for step in chosen(&options.only)? {
        println!("\n== {}: {}", step.name, step.what);
        let start = Instant::now();
        process::take_said();
        let mut broken = String::new();
        let tally = (step.run)(&setting).unwrap_or_else(|error| {
            broken = format!("error: {error:#}");
            println!("{broken}");
            Tally::FAILED
        });
        done.push((step, start.elapsed(), tally));
        if tally.failed > 0 {
            let said = process::take_said() + &broken;
            writeln!(failures, "\n-- {} failed:\n{}", step.name, failures::excerpt(&said))?;
        }
        if step.others_need_it && tally.failed > 0 {
            println!("the steps after it need it; stopped");
            break;
        }
    }
    let sum = done.iter().map(|(_, _, tally)| *tally).sum::<Tally>();
    // Again, at the end: of a long output it is the end that is read, and kept.
    print!("{failures}");
    println!("\n{:<12} {:>9} {:>7} {:>7}", "step", "time", "passed", "failed");
    for (step, time, tally) in &done {
        println!("{:<12} {:>9} {:>7} {:>7}", step.name, shown(*time), tally.passed, tally.failed);
    }
    println!("{:<12} {:>9}", "total", shown(begin.elapsed()));
    println!("{} passed, {} failed", sum.passed, sum.failed);
    Ok(if sum.failed == 0 && sum.passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn chosen(only: &[String]) -> anyhow::Result<Vec<&'static Step>> {
    if let Some(unknown) = only.iter().find(|name| !steps::ALL.iter().any(|step| step.name == **name)) {
        let names: Vec<_> = steps::ALL.iter().map(|step| step.name).collect();
        bail!("no step is called `{unknown}`; steps: {}", names.join(", "));
    }
    Ok(steps::ALL
        .iter()
        .filter(|step| only.is_empty() || only.iter().any(|name| name == step.name))
        .collect())
}

fn shown(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 60.0 {
        format!("{seconds:.1} s")
    } else {
        format!("{:.0} m {:02.0} s", (seconds / 60.0).floor(), seconds % 60.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_chosen_by_its_name() {
        let names = |only: &[&str]| {
            let only: Vec<_> = only.iter().map(ToString::to_string).collect();
            chosen(&only).map(|steps| steps.iter().map(|step| step.name).collect::<Vec<_>>())
        };
        assert_eq!(names(&["clippy", "fmt"]).unwrap(), ["fmt", "clippy"], "in the order they run in");
        assert_eq!(names(&[]).unwrap().len(), steps::ALL.len());
        assert!(
            names(&["fnt"])
                .unwrap_err()
                .to_string()
                .starts_with("no step is called `fnt`; steps: tools, fmt")
        );
    }

    #[test]
    fn times_read_well() {
        assert_eq!(shown(Duration::from_millis(1_230)), "1.2 s");
        assert_eq!(shown(Duration::from_secs(245)), "4 m 05 s");
    }
}
