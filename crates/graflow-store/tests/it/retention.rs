//! What is kept, what goes first, and that the files get smaller.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use graflow_lineage::retention::RetentionLimits;
use graflow_lineage::store::{AppendError, EventResult, ExecutionFilter, Store};
use graflow_model::{Clock, Project, Timestamp};
use graflow_store::log::LogOptions;
use graflow_store::{EmbeddedOptions, EmbeddedStore};

use crate::support::{append, batch, event, events_of, everything, ids, options, run};

/// Where `run`'s seconds count from.
const FIRST: i64 = 1_700_000_000_000_000;

/// A clock that stands where a test puts it.
#[derive(Debug, Default)]
struct Stopped(AtomicI64);

impl Stopped {
    fn at(second: i64) -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(second * 1_000_000)))
    }
    fn go_on(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
    }
}

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(FIRST + self.0.load(Ordering::Relaxed))
    }
    fn mono_us(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

fn limited(folder: &Path, limits: RetentionLimits, clock: &Arc<Stopped>) -> EmbeddedStore {
    let mut options: EmbeddedOptions = options(folder);
    options.clock = Arc::clone(clock) as _;
    options.retention = Some(limits);
    options.log = LogOptions { segment_bytes: 64 << 10 };
    EmbeddedStore::open(options).unwrap()
}

/// Steps until there is nothing more to do.
fn settle(store: &EmbeddedStore) {
    // A read waits for what was appended; retention does not.
    kept(store);
    for _ in 0..10_000 {
        if !store.retention_step().unwrap() {
            return;
        }
    }
    panic!("retention does not come to an end");
}

fn kept(store: &EmbeddedStore) -> Vec<String> {
    let rows = everything(store, &ExecutionFilter::default(), 100);
    let mut ids: Vec<_> = ids(&rows).into_iter().map(str::to_owned).collect();
    ids.sort();
    ids
}

#[test]
fn the_oldest_go_by_age_and_a_running_one_never() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Stopped::at(1_000);
    let limits = RetentionLimits { age: Some(Duration::from_mins(10)), ..RetentionLimits::NONE };
    let store = limited(folder.path(), limits, &clock);
    for n in 0..10_u64 {
        append(&store, &run(&format!("x{n}"), "etl", n * 100, n % 3 == 0));
    }
    append(&store, &run("runs", "etl", 0, false)[..4]);
    // They end three seconds after they began: those up to 396 are older than 600 s.
    settle(&store);
    assert_eq!(kept(&store), ["runs", "x4", "x5", "x6", "x7", "x8", "x9"]);
    clock.go_on(2);
    settle(&store);
    assert_eq!(kept(&store).len(), 7, "403 is 599 s old");
    clock.go_on(2);
    settle(&store);
    assert_eq!(kept(&store), ["runs", "x5", "x6", "x7", "x8", "x9"]);
    assert_eq!(store.statistics().retention.unwrap().deleted, 5);
}

#[test]
fn by_count_exactly_those_go_that_ended_first() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Stopped::at(10_000);
    let limits = RetentionLimits { executions: Some(25), ..RetentionLimits::NONE };
    let store = limited(folder.path(), limits, &clock);
    // Appended in another order than they ended.
    for n in (0..60_u64).rev() {
        append(&store, &run(&format!("x{n:02}"), "etl", n, false));
    }
    append(&store, &run("runs", "etl", 0, false)[..4]);
    settle(&store);
    let expected: Vec<_> =
        std::iter::once("runs".to_owned()).chain((36..60).map(|n| format!("x{n}"))).collect();
    assert_eq!(kept(&store), expected, "the one that runs counts, and stays");
}

#[test]
fn an_execution_that_was_lost_long_ago_goes_once_it_is_known_to_be_lost() {
    let folder = tempfile::tempdir().unwrap();
    let day = 24 * 3_600;
    let clock = Stopped::at(100 * day);
    let limits = RetentionLimits { age: Some(Duration::from_hours(24)), ..RetentionLimits::NONE };
    let mut options = options(folder.path());
    (options.clock, options.retention) = (Arc::clone(&clock) as _, Some(limits));
    options.is_lost = Arc::new(|_, id| id.as_str() == "lost");
    let store = EmbeddedStore::open(options).unwrap();
    append(&store, &run("lost", "etl", 80 * 86_400, false)[..4]);
    append(&store, &run("alive", "etl", 0, false)[..4]);
    settle(&store);
    assert_eq!(kept(&store), ["alive", "lost"], "20 days are too few");
    clock.go_on(11 * day);
    settle(&store);
    assert_eq!(kept(&store), ["alive"]);
}

/// A run with `tasks` tasks, so that it takes some room.
fn large(execution: &str, second: u64, tasks: u64) -> Vec<String> {
    noisy(execution, second, tasks, 150)
}

fn noisy(execution: &str, second: u64, tasks: u64, noise: usize) -> Vec<String> {
    let mut random = fastrand::Rng::with_seed(second);
    let mut events = run(execution, "etl", second, false);
    for n in 0..tasks {
        let noise: String = (0..noise).map(|_| random.alphanumeric()).collect();
        let text = format!(
            r#""type":"task_completed","execution_id":"{execution}","workflow_name":"etl","task_id":"t{n}","task_execution_id":"{execution}.{n}","data":{{"result_hash":"{noise}"}}"#
        );
        events.push(event(&format!("{execution}-t{n}"), second, &text));
    }
    events
}

fn folder_bytes(folder: &Path) -> u64 {
    let size = |folder: &Path| -> u64 {
        std::fs::read_dir(folder)
            .unwrap()
            .flatten()
            .filter_map(|entry| entry.metadata().ok())
            .filter(std::fs::Metadata::is_file)
            .map(|meta| meta.len())
            .sum()
    };
    size(folder) + size(&folder.join("log"))
}

#[test]
fn by_bytes_the_folder_gets_smaller_and_what_stays_can_be_read_and_rebuilt() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Stopped::at(10_000);
    let limits = RetentionLimits { bytes: Some(12 << 20), ..RetentionLimits::NONE };
    let store = limited(folder.path(), limits, &clock);
    for n in 0..200_u64 {
        append(&store, &noisy(&format!("x{n:03}"), n, 100, 1_000));
    }
    let before = folder_bytes(folder.path());
    settle(&store);
    let kept_now = kept(&store);
    assert!((2..200).contains(&kept_now.len()), "{}", kept_now.len());
    let first = 200 - kept_now.len();
    assert_eq!(kept_now, (first..200).map(|n| format!("x{n:03}")).collect::<Vec<_>>(), "the oldest went");
    for id in kept_now.iter().step_by(7) {
        let events = store.events(&Project::default(), &events_of(id)).unwrap().value.rows;
        assert_eq!(events.len(), 100, "{id}");
        assert!(events[0].json.contains(id));
    }
    let hash = store.canonical_hash().unwrap().value;
    // A late event of a deleted execution, new as such, is dropped and counted.
    let late = store.append(batch("default", &[event("late", 1, r#""type":"note","execution_id":"x000""#)]));
    assert_eq!(late.wait().unwrap().results, [EventResult::Dropped]);
    assert_eq!(store.statistics().late_dropped, 1);
    // So is a resend of one that was erased.
    assert!(
        append(&store, &run("x000", "etl", 0, false))
            .results
            .iter()
            .all(|result| *result != EventResult::Accepted(store.last_seq()))
    );
    drop(store);
    let after = folder_bytes(folder.path());
    assert!(after <= (12 << 20) * 11 / 10 && after > (12 << 20) / 2, "{before} became {after}");

    let mut again = options(folder.path());
    again.rebuild = true;
    let store = EmbeddedStore::open(again).unwrap();
    assert_eq!(store.canonical_hash().unwrap().value, hash, "the log that is left says the same");
    assert!(store.log().verify().unwrap() > 0);
}

#[test]
fn what_a_person_deletes_leaves_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Stopped::at(10_000);
    let store = limited(folder.path(), RetentionLimits::NONE, &clock);
    for n in 0..60_u64 {
        append(&store, &large(&format!("secret{n:02}"), n, 100));
    }
    append(&store, &run("stays", "etl", 1, false));
    settle(&store);
    let found = |needle: &str| {
        let mut bytes = 0;
        let mut replay = store.log().replay(store.log().start().unwrap());
        while let Some(entry) = replay.next().unwrap() {
            if let graflow_store::log::Record::Batch(batch) = entry.record {
                bytes +=
                    batch.events().filter(|raw| String::from_utf8_lossy(raw.json).contains(needle)).count();
            }
        }
        bytes
    };
    assert!(found("secret07") > 90);
    let one = ExecutionFilter { id_prefix: Some("secret07".into()), ..Default::default() };
    store.delete(&Project::default(), &one, false).unwrap();
    settle(&store);
    clock.go_on(3_700);
    settle(&store);
    assert_eq!(found("secret07"), 0, "an hour later, however little it was");
    assert!(found("secret08") > 90);
    let all = ExecutionFilter { id_prefix: Some("secret".into()), ..Default::default() };
    store.delete(&Project::default(), &all, false).unwrap();
    settle(&store);
    assert_eq!(kept(&store), ["stays"]);
    let tables = || std::fs::metadata(folder.path().join("lineage.db")).unwrap().len();
    assert!(
        tables() + store.log().bytes().unwrap() < 2 << 20,
        "{} {}",
        tables(),
        store.log().bytes().unwrap()
    );
    // Forgotten deletions take their segments with them.
    clock.go_on(32 * 24 * 3_600);
    for _ in 0..5 {
        settle(&store);
        clock.go_on(61);
    }
    assert!(store.log().bytes().unwrap() < 1 << 20, "{}", store.log().bytes().unwrap());
    assert_eq!(kept(&store), ["stays"]);
}

/// Half a minute of ingest as fast as it goes, held at its limit all the time.
#[test]
fn soak_the_folder_stays_within_a_tenth_of_its_limit() {
    let folder = tempfile::tempdir().unwrap();
    let limit = 128 << 20;
    let mut options = options(folder.path());
    options.retention = Some(RetentionLimits { bytes: Some(limit), ..RetentionLimits::NONE });
    options.log = LogOptions { segment_bytes: 1 << 20 };
    let store = EmbeddedStore::open(options).unwrap();
    store.keep_within_limits().unwrap();
    let (mut most, mut n) = (0, 0_u64);
    let began = std::time::Instant::now();
    let deleted = || store.statistics().retention.unwrap().deleted;
    while deleted() < 100 || began.elapsed() < Duration::from_secs(10) {
        match store.append(batch("default", &noisy(&format!("x{n:06}"), n, 100, 1_000))).wait() {
            Ok(_) => n += 1,
            Err(AppendError::Overloaded { retry_after }) => std::thread::sleep(retry_after),
            Err(error) => panic!("{error}"),
        }
        if n % 10 == 0 {
            most = most.max(folder_bytes(folder.path()));
        }
        assert!(began.elapsed() < Duration::from_secs(150), "the machine is too slow for this test");
    }
    println!("{n} executions of 106 events; at most {most} of {limit} bytes");
    assert!(most <= limit / 10 * 11, "{most}");
    let left = kept(&store);
    assert!(left.len() > 100 && left.contains(&format!("x{:06}", n - 1)), "{}", left.len());
}
