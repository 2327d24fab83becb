//! The log under random crashes: whatever was acknowledged is there, once, in order; whatever else is there was
//! sent, in order, right behind it.

use proptest::prelude::*;
use std::io;

use graflow_store::files::{Fault, SimulatedFiles};
use graflow_store::log::{LogError, LogOptions};

use crate::log::{NOW, open, read_all, stage};

#[derive(Clone, Debug)]
enum Step {
    /// A group of batches with this many events each.
    Append(Vec<u8>),
    /// A group during which the disk runs out of room.
    Full(Vec<u8>, usize),
    /// A group after which the device fails, so that the log must be opened again.
    Broken(Vec<u8>, usize),
    /// The power goes while a group is being written: before its sync.
    CrashInGroup(Vec<u8>, u64),
    /// The power goes at rest.
    Crash(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let group = || prop::collection::vec(1_u8..4, 1..4);
    let step = prop_oneof![
        6 => group().prop_map(Step::Append),
        1 => (group(), 0_usize..300).prop_map(|(group, stored)| Step::Full(group, stored)),
        1 => (group(), 0_usize..300).prop_map(|(group, stored)| Step::Broken(group, stored)),
        2 => (group(), any::<u64>()).prop_map(|(group, seed)| Step::CrashInGroup(group, seed)),
        1 => any::<u64>().prop_map(Step::Crash),
    ];
    prop::collection::vec(step, 1..25)
}

/// What should be in the log, and what may be.
#[derive(Default)]
struct Expected {
    acknowledged: Vec<String>,
    sent: u64,
}

impl Expected {
    fn next_group(&mut self, group: &[u8]) -> Vec<Vec<String>> {
        let mut text = || {
            self.sent += 1;
            // Lengths around a sector, so that a crash tears records in all ways.
            format!("event {} {}", self.sent, "x".repeat((self.sent * 97 % 700) as usize))
        };
        group.iter().map(|events| (0..*events).map(|_| text()).collect()).collect()
    }

    /// Reads the log after a crash and takes over what it kept beyond the acknowledged.
    fn settle(&mut self, found: Vec<(u64, String)>, unfinished: &[Vec<String>]) -> Result<(), TestCaseError> {
        prop_assert!(found.iter().map(|(seq, _)| *seq).is_sorted_by(|a, b| a < b), "numbers rise");
        let texts: Vec<_> = found.into_iter().map(|(_, text)| text).collect();
        let unfinished = unfinished.concat();
        let (kept, beyond) = texts.split_at(self.acknowledged.len().min(texts.len()));
        prop_assert_eq!(kept, &self.acknowledged[..], "every acknowledged event is there, once");
        prop_assert!(
            unfinished.starts_with(beyond),
            "beyond it stands only what was being written: {:?}",
            beyond
        );
        self.acknowledged = texts;
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn acknowledged_events_survive_any_crash(steps in steps(), segment_bytes in prop_oneof![Just(300_u64), Just(5_000)]) {
        let options = LogOptions { segment_bytes };
        let mut files = SimulatedFiles::new();
        let mut writer = open(&files, options).0;
        let mut expected = Expected::default();
        for step in steps {
            let (group, seed) = match step {
                Step::Append(group) => {
                    let batches = expected.next_group(&group);
                    writer.begin(NOW).unwrap();
                    for batch in &batches {
                        stage(&mut writer, &batch.iter().map(String::as_str).collect::<Vec<_>>());
                    }
                    writer.commit().unwrap();
                    expected.acknowledged.extend(batches.concat());
                    continue;
                }
                Step::Full(group, stored) => {
                    files.plan(Fault::Write(stored, io::ErrorKind::StorageFull));
                    let mut attempt = || {
                        writer.begin(NOW)?;
                        for batch in expected.next_group(&group) {
                            stage(&mut writer, &batch.iter().map(String::as_str).collect::<Vec<_>>());
                        }
                        writer.commit()
                    };
                    prop_assert!(matches!(attempt(), Err(LogError::DiskFull)));
                    continue;
                }
                Step::Broken(group, stored) => {
                    writer.begin(NOW).unwrap();
                    files.plan(Fault::Write(stored, io::ErrorKind::Other));
                    let batches = expected.next_group(&group);
                    for batch in &batches {
                        stage(&mut writer, &batch.iter().map(String::as_str).collect::<Vec<_>>());
                    }
                    prop_assert!(writer.commit().is_err());
                    (batches, None)
                }
                Step::CrashInGroup(group, seed) => {
                    writer.begin(NOW).unwrap();
                    files.plan(Fault::Sync(io::ErrorKind::Other));
                    let batches = expected.next_group(&group);
                    for batch in &batches {
                        stage(&mut writer, &batch.iter().map(String::as_str).collect::<Vec<_>>());
                    }
                    prop_assert!(writer.commit().is_err());
                    (batches, Some(seed))
                }
                Step::Crash(seed) => (Vec::new(), Some(seed)),
            };
            if let Some(seed) = seed {
                files = files.crash(seed);
            }
            writer = open(&files, options).0;
            expected.settle(read_all(&writer.reader()).unwrap(), &group)?;
        }
        prop_assert_eq!(read_all(&writer.reader()).unwrap().len(), expected.acknowledged.len());
    }
}
