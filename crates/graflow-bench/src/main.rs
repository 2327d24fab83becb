//! Bounded load programs. Each prints its figure, and its ratio to a reference from the same run.
//!
//! `cargo run --release -p graflow-bench -- ingest` after `cargo build --release`.

mod bare;
mod events;
mod figures;
mod ingest;
mod load;
mod program;

use clap::Parser;

/// What to measure.
#[derive(Debug, Parser)]
#[command(name = "graflow-bench", about = "Bounded load programs for Graflow Lineage")]
enum Command {
    /// Events a second over HTTP, durable and queryable, beside a handler that parses and drops them.
    Ingest(ingest::Options),
    /// The reference of `ingest`: parses bodies and drops them. Started by it.
    #[command(hide = true)]
    Bare,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Command::parse() {
        Command::Ingest(options) => ingest::run(&options).await,
        Command::Bare => bare::serve().await,
    }
}
