//! Two servers on one folder.

use std::time::Duration;

use anyhow::ensure;

use crate::ledger::{Batch, Ledger};
use crate::place::Place;
use crate::server::{self, Server};
use crate::{Setting, http};

/// The second one says who is there and ends; the first is not disturbed. Of several that begin at once, one wins.
pub(super) fn run(setting: &Setting) -> anyhow::Result<String> {
    let place = Place::new()?;
    let folder = place.folder();
    let mut ledger = Ledger::default();
    let mut first = Server::start(setting, folder)?;
    let second = server::run(setting, folder, &["serve", "--port", "0"])?;
    let said = server::said(&second);
    ensure!(
        !second.status.success() && said.contains(&first.process.0.id().to_string()),
        "the second says: {said}"
    );
    let batch = Batch { execution: "kept".into(), numbers: 1..101 };
    ledger.take(&batch, &http::post_events(first.port, &batch.lines())?)?;
    first.is_well()?;
    first.process.kill()?;

    let rounds = setting.of_size(2, 20);
    for _ in 0..rounds {
        let started = std::thread::scope(|scope| -> anyhow::Result<Vec<anyhow::Result<Server>>> {
            let starting: Vec<_> = (0..3).map(|_| scope.spawn(|| Server::start(setting, folder))).collect();
            starting
                .into_iter()
                .map(|server| server.join().map_err(|_| anyhow::anyhow!("a start panicked")))
                .collect()
        })?;
        let mut winners: Vec<_> = started.into_iter().filter_map(Result::ok).collect();
        ensure!(winners.len() == 1, "{} servers own one folder", winners.len());
        for winner in &mut winners {
            ledger.check_server(winner.port)?;
            winner.process.stop()?;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    ledger.check_folder(folder)?;
    place.held();
    Ok(format!(
        "the second says: {}; {rounds} times three at once, one won",
        said.lines().next().unwrap_or_default()
    ))
}
