//! A segment of the log.

use std::sync::{Arc, LazyLock};

use graflow_model::{Project, Timestamp};
use graflow_store::files::{Files, SimulatedFiles};
use graflow_store::log::{self, LogOptions, LogReader, RawEvent, Record};

const NAME: &str = "seg-00000000000000000001.log";
const NOW: Timestamp = Timestamp::from_micros(1_795_435_200_000_000);

/// A sound segment with nothing in it.
static EMPTY: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let files = SimulatedFiles::new();
    log::open(Arc::new(files.clone()), LogOptions::default(), None, NOW).unwrap();
    files.content(NAME).unwrap()
});

/// A log that opens can be read to its end and written on; one that does not says why, and reading it alone panics neither.
pub(super) fn run(data: &[u8]) {
    let files = SimulatedFiles::new();
    files.create(NAME).unwrap();
    files.sync_directory().unwrap();
    files.overwrite(NAME, |bytes| *bytes = super::file(&EMPTY, data));
    let files: Arc<dyn Files> = Arc::new(files);
    if let Ok(reader) = LogReader::open_read_only(Arc::clone(&files)) {
        // Damage is an answer.
        let _ = reader.verify();
    }
    let Ok((mut writer, _)) = log::open(Arc::clone(&files), LogOptions::default(), None, NOW) else { return };
    let Ok(before) = read(&writer.reader()) else { return };
    if writer.next_seq().0 > u64::MAX / 2 {
        return;
    }
    writer.begin(NOW).unwrap();
    let event = RawEvent { json: b"{}", facts: b"" };
    if writer.stage_batch(&Project::default(), NOW, [event].into_iter()).is_err() {
        return;
    }
    writer.commit().unwrap();
    drop(writer);
    let (writer, recovery) = log::open(files, LogOptions::default(), None, NOW).unwrap();
    assert_eq!(recovery.torn_bytes, 0, "what was committed is called torn");
    assert_eq!(read(&writer.reader()).unwrap(), before + 1, "a committed record is not there");
}

/// Records from the first to the last.
fn read(log: &LogReader) -> Result<usize, log::LogError> {
    let Some(start) = log.start() else { return Ok(0) };
    let mut replay = log.replay(start);
    let mut records = 0;
    while let Some(entry) = replay.next()? {
        records += 1;
        match entry.record {
            Record::Batch(batch) => assert!(batch.events().count() <= entry.head.seqs as usize),
            Record::Tombstone(tombstone) => _ = tombstone.executions().count(),
            Record::Unknown(_) => {}
        }
    }
    Ok(records)
}
