//! A file of a producer's spool.

use std::io;
use std::sync::LazyLock;

use graflow_client::spool::{DiskFiles, Files, Limits, Opened, Segment};
use graflow_model::frame;

const NAME: &str = "p.1.spool";
const LIMITS: Limits = Limits { events: 10, bytes: 1_000 };

/// The folder of this process.
static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().unwrap());

/// The frame that a file begins with.
static START: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut bytes = Vec::new();
    frame::encode(
        br#"{"format":1,"producer":"host/boot/1/0000000000000001","project":"default"}"#,
        &mut bytes,
    )
    .unwrap();
    bytes
});

/// A file is read to its end in batches that keep to their limits, and then it is gone or put aside.
pub(super) fn run(data: &[u8]) {
    let folder = FOLDER.path();
    let bytes = super::file(&START, data);
    // Each frame may end with a line that has no end.
    let count = |bytes: &[u8], wanted: u8| bytes.split(|byte| *byte == wanted).count();
    let lines = count(data, 0xfe) + count(&bytes, b'\n');
    std::fs::write(folder.join(NAME), bytes).unwrap();
    let files = DiskFiles::new(folder);
    match Segment::open_unheld(&files, NAME).unwrap() {
        Opened::Ready(_, mut segment) => {
            let read = read(&mut segment).unwrap();
            assert!(read <= lines, "{read} events of {lines} lines");
            segment.finish(&files).unwrap();
            assert!(files.length(NAME).is_err(), "a delivered file stayed");
        }
        Opened::Nothing | Opened::Foreign => {}
    }
    for name in files.names().unwrap() {
        files.remove(&name).unwrap();
    }
}

/// Delivers everything; says how many events there were.
fn read(segment: &mut Segment) -> io::Result<usize> {
    let mut events = 0;
    loop {
        let batch = segment.read(LIMITS)?;
        assert!(batch.events <= LIMITS.events);
        segment.settle();
        if batch.events == 0 {
            assert!(segment.is_delivered(), "nothing is left to read, and yet not all is delivered");
            return Ok(events);
        }
        events += batch.events;
    }
}
