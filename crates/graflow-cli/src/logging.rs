//! What the libraries log, on standard error. `GRAFLOW_LOG` says how much, such as `debug` or `graflow_store=trace`.

use tracing_subscriber::EnvFilter;

/// The variable that says how much is logged.
const VARIABLE: &str = "GRAFLOW_LOG";

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// A JSON object a line.
    Json,
}

/// A server tells what it does.
pub(crate) fn for_server(format: LogFormat) {
    let builder = tracing_subscriber::fmt().with_env_filter(filter("info")).with_writer(std::io::stderr);
    let builder = builder.with_ansi(false);
    match format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().init(),
    }
}

/// A command tells only what a person should know.
pub(crate) fn for_command() {
    let builder = tracing_subscriber::fmt().with_env_filter(filter("warn")).with_writer(std::io::stderr);
    builder.with_ansi(false).without_time().with_target(false).init();
}

fn filter(otherwise: &str) -> EnvFilter {
    EnvFilter::try_from_env(VARIABLE).unwrap_or_else(|_| EnvFilter::new(otherwise))
}
