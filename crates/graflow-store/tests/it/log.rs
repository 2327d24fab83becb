//! The segment log on a disk that behaves, and on one that does not.

use std::io;
use std::sync::Arc;

use graflow_model::{ExecutionId, Project, Seq, Timestamp};
use graflow_store::files::{DiskFiles, Fault, Files, SimulatedFiles};
use graflow_store::log::{
    self, Checkpoint, LogError, LogOptions, LogReader, LogWriter, RawEvent, Record, Recovery,
};

pub(crate) const NOW: Timestamp = Timestamp::from_micros(1_763_900_000_000_000);

pub(crate) fn open(files: &SimulatedFiles, options: LogOptions) -> (LogWriter, Recovery) {
    log::open(Arc::new(files.clone()), options, None, NOW).expect("the log opens")
}

pub(crate) fn stage(writer: &mut LogWriter, texts: &[&str]) -> Seq {
    let events = texts.iter().map(|text| RawEvent { json: text.as_bytes(), facts: b"" });
    writer.stage_batch(&Project::default(), NOW, events).expect("it fits a frame").first_seq
}

pub(crate) fn append(writer: &mut LogWriter, texts: &[&str]) -> Result<Seq, LogError> {
    writer.begin(NOW)?;
    let seq = stage(writer, texts);
    writer.commit()?;
    Ok(seq)
}

/// Every event with its number, from the start.
pub(crate) fn read_all(reader: &LogReader) -> Result<Vec<(u64, String)>, LogError> {
    let Some(start) = reader.start() else { return Ok(Vec::new()) };
    let mut replay = reader.replay(start);
    let mut events = Vec::new();
    while let Some(entry) = replay.next()? {
        if let Record::Batch(batch) = entry.record {
            let texts = batch.events().map(|event| String::from_utf8_lossy(event.json).into_owned());
            events.extend((entry.head.first_seq.0..).zip(texts));
        }
    }
    Ok(events)
}

fn numbered(texts: &[&str]) -> Vec<(u64, String)> {
    (1..).zip(texts.iter().map(|text| (*text).to_owned())).collect()
}

const SMALL: LogOptions = LogOptions { segment_bytes: 200 };

#[test]
fn events_come_back_in_order_over_segments_and_restarts() {
    let files = SimulatedFiles::new();
    let (mut writer, recovery) = open(&files, SMALL);
    assert_eq!(recovery, Recovery::default());
    assert_eq!(append(&mut writer, &["a", "b"]).unwrap(), Seq(1));
    assert_eq!(append(&mut writer, &["c"]).unwrap(), Seq(3));
    let long = "d".repeat(300);
    assert_eq!(append(&mut writer, &[&long]).unwrap(), Seq(4));
    assert_eq!(append(&mut writer, &["e"]).unwrap(), Seq(5));
    let expected = numbered(&["a", "b", "c", &long, "e"]);
    assert_eq!(read_all(&writer.reader()).unwrap(), expected);
    assert_eq!(files.list().unwrap(), ["seg-00000000000000000001.log", "seg-00000000000000000005.log"]);

    let (mut writer, recovery) = open(&files, SMALL);
    assert_eq!(recovery, Recovery { torn_bytes: 0, frames_checked: 1 });
    assert_eq!(read_all(&writer.reader()).unwrap(), expected);
    assert_eq!(append(&mut writer, &["f"]).unwrap(), Seq(6));
    assert_eq!(LogReader::open_read_only(Arc::new(files)).unwrap().next_seq(), Seq(7));
}

#[test]
fn a_group_costs_one_sync() {
    let files = SimulatedFiles::new();
    let (mut writer, _) = open(&files, LogOptions::default());
    let before = files.syncs();
    writer.begin(NOW).unwrap();
    for _ in 0..50 {
        stage(&mut writer, &["x"]);
    }
    assert_eq!(writer.reader().next_seq(), Seq(1), "nothing is readable before it is durable");
    writer.commit().unwrap();
    assert_eq!(files.syncs() - before, 1);
    assert_eq!(writer.reader().verify().unwrap(), 50);
}

#[test]
fn replay_starts_at_any_number_and_follows_the_writer() {
    let files = SimulatedFiles::new();
    let (mut writer, _) = open(&files, SMALL);
    let texts: Vec<String> = (1..=40).map(|n| n.to_string()).collect();
    for pair in texts.chunks(2) {
        append(&mut writer, &pair.iter().map(String::as_str).collect::<Vec<_>>()).unwrap();
    }
    let reader = writer.reader();
    for seq in 1..=40 {
        let mut replay = reader.replay_from(Seq(seq)).unwrap();
        let first = replay.next().unwrap().expect("there is one").head.first_seq;
        assert_eq!(first.0, if seq % 2 == 0 { seq - 1 } else { seq }, "from {seq}");
    }
    let mut tail = reader.replay_from(Seq(41)).unwrap();
    assert!(tail.next().unwrap().is_none());
    let seq = append(&mut writer, &["later"]).unwrap();
    assert_eq!(tail.next().unwrap().map(|entry| entry.head.first_seq), Some(seq));
    // Again over the border of a segment.
    for _ in 0..10 {
        let seq = append(&mut writer, &["later"]).unwrap();
        assert_eq!(tail.next().unwrap().map(|entry| entry.head.first_seq), Some(seq));
    }
}

#[test]
fn tombstones_take_a_number_and_come_back() {
    let files = SimulatedFiles::new();
    let (mut writer, _) = open(&files, LogOptions::default());
    append(&mut writer, &["a"]).unwrap();
    writer.begin(NOW).unwrap();
    writer.stage_tombstone(&Project::from("p"), NOW, &[ExecutionId::from("gone")]).unwrap();
    writer.commit().unwrap();
    assert_eq!(append(&mut writer, &["b"]).unwrap(), Seq(3));
    let mut replay = writer.reader().replay_from(Seq(2)).unwrap();
    let entry = replay.next().unwrap().unwrap();
    let Record::Tombstone(tombstone) = entry.record else { panic!("{entry:?}") };
    assert_eq!((tombstone.project, tombstone.executions().collect::<Vec<_>>()), ("p", vec!["gone"]));
    assert_eq!((entry.head.first_seq, entry.head.received), (Seq(2), NOW));
}

#[test]
fn a_full_disk_refuses_the_group_and_recovers_by_itself() {
    let files = SimulatedFiles::new();
    let (mut writer, _) = open(&files, LogOptions::default());
    append(&mut writer, &["kept"]).unwrap();
    let used = files.content("seg-00000000000000000001.log").unwrap().len();
    files.set_capacity(Some(used + 20));
    assert!(matches!(append(&mut writer, &["refused"]), Err(LogError::DiskFull)));
    // Some systems say so only when they sync.
    files.set_capacity(None);
    files.plan(Fault::Sync(io::ErrorKind::StorageFull));
    assert!(matches!(append(&mut writer, &["refused"]), Err(LogError::DiskFull)));
    assert_eq!(
        files.content("seg-00000000000000000001.log").unwrap().len(),
        used,
        "what was written is cut off"
    );
    assert_eq!(append(&mut writer, &["taken"]).unwrap(), Seq(2));
    assert_eq!(read_all(&writer.reader()).unwrap(), numbered(&["kept", "taken"]));
    assert_eq!(open(&files, SMALL).1.torn_bytes, 0);
}

#[test]
fn a_full_disk_at_a_new_segment_passes_too() {
    let files = SimulatedFiles::new();
    let (mut writer, _) = open(&files, LogOptions { segment_bytes: 1 });
    append(&mut writer, &["a"]).unwrap();
    files.plan(Fault::Write(10, io::ErrorKind::StorageFull));
    assert!(matches!(append(&mut writer, &["b"]), Err(LogError::DiskFull)));
    files.plan(Fault::Create(io::ErrorKind::Other));
    assert!(matches!(append(&mut writer, &["b"]), Err(LogError::Io { action: "create", .. })));
    assert_eq!(append(&mut writer, &["b"]).unwrap(), Seq(2));
    assert_eq!(read_all(&writer.reader()).unwrap(), numbered(&["a", "b"]));
}

#[test]
fn a_failing_device_makes_the_log_read_only_until_it_is_opened_again() {
    for fault in [Fault::Sync(io::ErrorKind::Other), Fault::Write(3, io::ErrorKind::Other)] {
        let files = SimulatedFiles::new();
        let (mut writer, _) = open(&files, LogOptions::default());
        append(&mut writer, &["kept"]).unwrap();
        files.plan(fault);
        for _ in 0..2 {
            let error = append(&mut writer, &["refused"]).unwrap_err();
            assert!(matches!(error, LogError::Poisoned { .. }), "{error}");
        }
        assert_eq!(read_all(&writer.reader()).unwrap(), numbered(&["kept"]), "reading goes on");
        let (mut writer, _) = open(&files, LogOptions::default());
        append(&mut writer, &["after"]).unwrap();
    }
}

#[test]
fn a_torn_tail_is_cut_and_reported() {
    let files = SimulatedFiles::new();
    let (mut writer, _) = open(&files, LogOptions::default());
    append(&mut writer, &["a"]).unwrap();
    append(&mut writer, &["b"]).unwrap();
    let name = "seg-00000000000000000001.log";
    for rubbish in [&b"\x10\0\0\0rubbish"[..], &[0; 5000], &[0xff; 3]] {
        files.overwrite(name, |bytes| bytes.extend_from_slice(rubbish));
        let (writer, recovery) = open(&files, LogOptions::default());
        assert_eq!(recovery.torn_bytes, rubbish.len() as u64);
        assert_eq!(read_all(&writer.reader()).unwrap(), numbered(&["a", "b"]));
    }
}

#[test]
fn a_changed_byte_in_acknowledged_events_is_never_silent() {
    let files = SimulatedFiles::new();
    let (mut writer, _) = open(&files, SMALL);
    for text in ["one", "two", "three", "four", "five", "six"] {
        append(&mut writer, &[text]).unwrap();
    }
    drop(writer);
    let segments = files.list().unwrap();
    assert!(segments.len() > 1, "{segments:?}");
    for name in &segments {
        let sound = files.content(name).unwrap();
        for at in 0..sound.len() {
            files.overwrite(name, |bytes| bytes[at] ^= 1);
            let opened = log::open(Arc::new(files.clone()), SMALL, None, NOW);
            let read = opened.and_then(|(writer, recovery)| Ok((read_all(&writer.reader())?, recovery)));
            match read {
                Err(LogError::Damaged { segment, .. }) => assert_eq!(&segment.to_string(), name),
                // The last group has nothing behind it that could prove that it was acknowledged.
                Ok((events, recovery)) => {
                    assert!(
                        name == segments.last().unwrap() && recovery.torn_bytes > 0,
                        "{name} {at} {events:?}"
                    );
                    assert_eq!(events.len(), 5);
                }
                Err(other) => panic!("{name} byte {at}: {other}"),
            }
            files.overwrite(name, |bytes| bytes.clone_from(&sound));
        }
    }
}

#[test]
fn the_checkpoint_saves_reading_and_proves_what_was_there() {
    let files = SimulatedFiles::new();
    let (mut writer, _) = open(&files, LogOptions::default());
    append(&mut writer, &["a"]).unwrap();
    append(&mut writer, &["b"]).unwrap();
    let checkpoint = Checkpoint { position: writer.reader().end(), next_seq: writer.next_seq() };
    append(&mut writer, &["c"]).unwrap();
    drop(writer);
    let open = |files: &SimulatedFiles| {
        log::open(Arc::new(files.clone()), LogOptions::default(), Some(checkpoint), NOW)
    };
    let (writer, recovery) = open(&files).unwrap();
    assert_eq!((recovery.frames_checked, writer.next_seq()), (1, Seq(4)));
    let name = "seg-00000000000000000001.log";
    files.overwrite(name, |bytes| bytes.truncate(50));
    assert!(matches!(open(&files), Err(LogError::Damaged { offset: 50, .. })));
    files.remove(name).unwrap();
    assert!(matches!(open(&files), Err(LogError::Missing { .. })));
}

#[test]
fn a_segment_of_a_later_release_and_rubbish_are_refused_with_a_hint() {
    let files = SimulatedFiles::new();
    drop(open(&files, LogOptions::default()));
    let name = "seg-00000000000000000001.log";
    files.overwrite(name, |bytes| {
        bytes[8] = 9;
        let crc = crc32c::crc32c(&bytes[..28]).to_le_bytes();
        bytes[28..32].copy_from_slice(&crc);
    });
    let error = log::open(Arc::new(files.clone()), SMALL, None, NOW).unwrap_err();
    assert!(matches!(error, LogError::Newer { found: 9, known: 2, .. }), "{error}");
    files.overwrite(name, |bytes| *bytes = b"GIF89a, not a segment, but long enough to hold one".to_vec());
    let error = log::open(Arc::new(files.clone()), SMALL, None, NOW).unwrap_err();
    assert!(matches!(error, LogError::Damaged { offset: 0, .. }), "{error}");
    assert!(error.to_string().contains("hint: "));
}

#[test]
fn a_real_directory_works_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let files = || Arc::new(DiskFiles::open(folder.path().join("log")).unwrap());
    let (mut writer, _) = log::open(files(), SMALL, None, NOW).unwrap();
    for text in ["a", "b", "c", "d", "e", "f", "g"] {
        append(&mut writer, &[text]).unwrap();
    }
    assert!(writer.reader().bytes().unwrap() > 300);
    drop(writer);
    let last = files().list().unwrap().into_iter().max().unwrap();
    let path = folder.path().join("log").join(last);
    let torn = std::fs::read(&path).unwrap();
    std::fs::write(&path, &torn[..torn.len() - 1]).unwrap();
    let (writer, recovery) = log::open(files(), SMALL, None, NOW).unwrap();
    assert!(recovery.torn_bytes > 0);
    assert_eq!(read_all(&writer.reader()).unwrap(), numbered(&["a", "b", "c", "d", "e", "f"]));
}
