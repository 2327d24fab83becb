//! `graflow lineage watch`

mod screen;
mod subject;

use std::time::Duration;

use graflow_client::live::{Change, Live, LiveSettings};
use graflow_model::WorkflowName;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::config::Config;
use crate::execution_id::ExecutionName;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::source::{Source, failure};
use screen::Screen;
use subject::Subject;

/// Fast enough to look alive, slow enough to read.
const REDRAW: Duration = Duration::from_millis(200);

/// What to watch.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The beginning or the end of its id, `latest`, or `latest:WORKFLOW`; the newest executions when not said.
    #[arg(value_name = "ID")]
    id: Option<ExecutionName>,
    /// Only executions of this workflow.
    #[arg(long, value_name = "NAME", conflicts_with = "id")]
    workflow: Option<WorkflowName>,
}

/// Watches until the execution has ended, or Ctrl-C.
///
/// On a terminal it is one page that changes; else one line an event, or its JSON.
pub(crate) async fn run(config: &Config, options: Options) -> anyhow::Result<Exit> {
    let source = Source::open(config).await?;
    let Some(endpoint) = source.endpoint().cloned() else {
        let failure =
            Failure::new(Exit::Unreachable, "no server owns this folder, so there is no live stream");
        return Err(failure
            .hint("start one with `graflow lineage serve`; `show` and `list` read the folder as it is")
            .into());
    };
    let execution_id = match &options.id {
        Some(name) => Some(name.resolve(&source).await?),
        None => None,
    };
    let settings = LiveSettings {
        execution_id: execution_id.clone(),
        workflow_name: options.workflow,
        ..LiveSettings::default()
    };
    let mut live = Live::new(endpoint, settings).map_err(failure)?;
    let subject = Subject { execution_id, source: &source };
    let watching = async {
        if config.terminal.interactive && !config.json {
            watch_page(config, &subject, &mut live).await
        } else {
            follow(config, &subject, &mut live).await
        }
    };
    tokio::select! {
        ended = watching => ended,
        _ = tokio::signal::ctrl_c() => Ok(Exit::Interrupted),
    }
}

/// One page that changes.
async fn watch_page(config: &Config, subject: &Subject<'_>, live: &mut Live) -> anyhow::Result<Exit> {
    let mut screen = Screen::open(config.terminal)?;
    let mut ticks = interval(REDRAW);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut trouble: Option<String> = None;
    let mut drawn = Instant::now();
    let mut stale = true;
    // Before the first word of the server nothing is known, which is not the same as nothing being there.
    let mut known = false;
    loop {
        tokio::select! {
            change = live.next() => {
                trouble = match change.map_err(failure)? {
                    Change::Disconnected { reason } => Some(reason),
                    _ => None,
                };
                (stale, known) = (true, true);
            }
            _ = ticks.tick() => {
                // Durations of what runs grow also when nothing happens.
                if !known || !stale && drawn.elapsed() < Duration::from_secs(1) {
                    continue;
                }
                let mut lines = subject.lines(config, live.view()).await?;
                if let Some(reason) = &trouble {
                    lines.insert(0, format!("! the connection is gone, trying again: {reason}"));
                }
                if trouble.is_none() && subject.is_over(live.view()) {
                    drop(screen);
                    config.print_lines(&lines)?;
                    return Ok(Exit::Ok);
                }
                screen.draw(&lines)?;
                (stale, drawn) = (false, Instant::now());
            }
        }
    }
}

/// One line an event.
async fn follow(config: &Config, subject: &Subject<'_>, live: &mut Live) -> anyhow::Result<Exit> {
    loop {
        match live.next().await.map_err(failure)? {
            Change::Event(_, delta) if config.json => {
                config.print_text(&format!("{}\n", serde_json::to_string(&delta)?))?;
            }
            Change::Event(_, delta) => {
                config.print_lines(&[subject::event_line(config.terminal, delta.event.get())])?;
            }
            Change::Disconnected { reason } => eprintln!("the connection is gone, trying again: {reason}"),
            Change::Lost(change) => eprintln!("{} is lost: its producers went silent", change.execution_id),
            Change::Revived(change) => eprintln!("{} is back", change.execution_id),
            Change::Snapshot | Change::Ping(_) => {}
        }
        if subject.is_over(live.view()) {
            return Ok(Exit::Ok);
        }
    }
}
