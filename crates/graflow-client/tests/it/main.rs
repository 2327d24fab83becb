//! The client over real sockets, files and processes.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail the test")]

mod crash;
mod delivery;
mod live;
mod rest;
mod server;

use std::time::{Duration, Instant};

use graflow_client::Settings;
use graflow_model::{Event, EventType, Timestamp};

/// Settings that do not keep a test waiting.
fn settings(spool: Option<&std::path::Path>) -> Settings {
    Settings {
        spool: spool.map(Into::into),
        interval: Duration::from_millis(5),
        retry_first: Duration::from_millis(10),
        retry_longest: Duration::from_millis(100),
        request_timeout: Duration::from_secs(10),
        ..Settings::default()
    }
}

fn event(id: impl Into<String>) -> Event {
    let mut event = Event::new(id.into().into(), EventType::Note, Timestamp::from_micros(1));
    event.execution_id = Some("x".into());
    event
}

/// Waits until the condition holds, and fails when it does not in time.
#[track_caller]
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(20), "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
