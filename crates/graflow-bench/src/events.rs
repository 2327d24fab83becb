//! The load: runs of 20 tasks, each started and ended; 2.1 events a task execution.
//!
//! A run is made once for each of its workflow's shapes, with its ids, numbers and times at known places; the next one
//! only overwrites those, so that making events costs the machine little beside taking them in.

use jiff::Timestamp;

/// Task executions of a run.
pub(crate) const TASKS: u64 = 20;
/// Events of a run.
pub(crate) const EVENTS: u64 = 2 * TASKS + 2;
const WORKFLOWS: u64 = 50;

/// Numbers are written with as many digits as this has, so that they can be overwritten where they stand.
const FIRST_NUMBER: u64 = 100_000_000_000;
const TIME: &str = "2026-01-01T00:00:00.000000Z";
const MICROS_BETWEEN: u64 = 100;

/// What one producer sends, event after event.
#[derive(Debug)]
pub(crate) struct Events {
    connection: u64,
    names: u64,
    number: u64,
    /// Of the run in hand, one line an event.
    lines: Vec<Line>,
    next: usize,
}

#[derive(Debug, Clone)]
struct Line {
    text: Vec<u8>,
    /// Where the run's number stands, twelve hexadecimal digits.
    runs: Vec<usize>,
    /// Where the event's number stands, twelve digits.
    numbers: Vec<usize>,
    /// Where the time stands.
    time: usize,
    /// Where a task's number stands, nine digits, when there are more names than a run's shape holds.
    task: Option<usize>,
}

impl Events {
    /// Events of a producer of its own, over so many names of tasks.
    pub(crate) fn new(connection: u64, names: u64) -> Self {
        Self { connection, names, number: 0, lines: lines(connection), next: 0 }
    }

    /// Appends so many events to a body, one a line.
    pub(crate) fn put(&mut self, body: &mut Vec<u8>, count: usize) {
        for _ in 0..count {
            if self.next == 0 {
                self.begin_run();
            }
            body.extend_from_slice(&self.lines[self.next].text);
            self.next = (self.next + 1) % self.lines.len();
        }
    }

    /// Writes the next run's ids, numbers and times over those of the last.
    fn begin_run(&mut self) {
        let run = self.number / EVENTS;
        let id = format!("{:03x}{run:09x}", self.connection & 0xfff);
        let now = Timestamp::now().as_microsecond();
        for (place, line) in self.lines.iter_mut().enumerate() {
            let nth = place as u64;
            let number = (FIRST_NUMBER + self.number + nth).to_string();
            for at in &line.runs {
                line.text[*at..*at + id.len()].copy_from_slice(id.as_bytes());
            }
            for at in &line.numbers {
                line.text[*at..*at + number.len()].copy_from_slice(number.as_bytes());
            }
            if let Some(at) = line.task {
                let task = format!("{:09}", (run * TASKS + (nth - 1) / 2) % self.names);
                line.text[at..at + task.len()].copy_from_slice(task.as_bytes());
            }
            let time = i64::try_from(nth * MICROS_BETWEEN).ok().and_then(|after| now.checked_add(after));
            if let Some(time) = time.and_then(|time| Timestamp::from_microsecond(time).ok()) {
                let time = format!("{time:.6}");
                line.text[line.time..line.time + time.len()].copy_from_slice(time.as_bytes());
            }
        }
        self.number += EVENTS;
    }
}

/// The lines of a run.
fn lines(connection: u64) -> Vec<Line> {
    let workflow = connection % WORKFLOWS;
    let run = "RRRRRRRRRRRR";
    let line = |kind: &str, more: &str| {
        let text = format!(
            r#"{{"event_id":"{run}-NNNNNNNNNNNN","type":"{kind}","time":"{TIME}","execution_id":"01936f00-0000-7000-8000-{run}","workflow_name":"workflow_{workflow}","producer":"bench-host/0f2a/4711/{connection}","producer_seq":NNNNNNNNNNNN,"mono_us":NNNNNNNNNNNN{more}}}"#
        );
        let places = |what: &str| text.match_indices(what).map(|(at, _)| at).collect();
        Line {
            runs: places(run),
            numbers: places("NNNNNNNNNNNN"),
            time: text.find(TIME).unwrap_or_default(),
            task: text.find("task_TTTTTTTTT").map(|at| at + "task_".len()),
            text: (text + "\n").into_bytes(),
        }
    };
    let mut lines = vec![line("workflow_started", r#","data":{"labels":{"team":"bench"}}"#)];
    for task in 0..TASKS {
        let of = format!(
            r#","task_id":"task_TTTTTTTTT","task_execution_id":"01936f00-0000-7000-8000-{run}.{task}","iteration":0,"attempt":1"#
        );
        lines.push(line("task_started", &format!(r#"{of},"data":{{"thread":"worker-1"}}"#)));
        lines.push(line(
            "task_completed",
            &format!(r#"{of},"data":{{"result_size":120,"result_type":"dict"}}"#),
        ));
    }
    lines.push(line("workflow_completed", ""));
    lines
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn events_are_sound_and_never_alike() {
        let mut ids = HashSet::new();
        let mut tasks = HashSet::new();
        for connection in 0..2 {
            let mut events = Events::new(connection, 1_000);
            let mut body = Vec::new();
            events.put(&mut body, 100);
            events.put(&mut body, 4_100);
            let lines: Vec<_> = body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
            assert_eq!(lines.len(), 4_200);
            for line in lines {
                let event: serde_json::Value = serde_json::from_slice(line).unwrap();
                assert!(ids.insert(event["event_id"].as_str().unwrap().to_owned()));
                assert!(event["time"].as_str().unwrap().parse::<Timestamp>().is_ok(), "{}", event["time"]);
                tasks.extend(event["task_id"].as_str().map(ToOwned::to_owned));
            }
        }
        assert_eq!(tasks.len(), 1_000);
    }
}
