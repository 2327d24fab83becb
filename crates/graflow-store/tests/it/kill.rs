//! `kill -9` at random points: every acknowledged event is there, once, and the tables say what the log says.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use graflow_lineage::store::{EventResult, ExecutionFilter, Store};
use graflow_model::{Project, Seq};
use graflow_store::EmbeddedStore;

use crate::support::{batch, event, open, options};

const FOLDER: &str = "GRAFLOW_STORE_KILL_TEST_FOLDER";
const ROUND: &str = "GRAFLOW_STORE_KILL_TEST_ROUND";
const ROUNDS: u64 = 25;
const PRODUCERS: u64 = 3;

/// Not a test of its own: the process that is killed. It appends as fast as it can from several threads and prints
/// what was acknowledged.
#[test]
fn appends_until_it_is_killed() {
    let (Ok(folder), Ok(round)) = (std::env::var(FOLDER), std::env::var(ROUND)) else { return };
    let mut opening = options(folder.as_ref());
    opening.log.segment_bytes = 100_000;
    let store = EmbeddedStore::open(opening).unwrap();
    std::thread::scope(|scope| {
        for producer in 0..PRODUCERS {
            let (store, round) = (&store, &round);
            scope.spawn(move || append_for_ever(store, round, producer));
        }
    });
}

fn append_for_ever(store: &EmbeddedStore, round: &str, producer: u64) {
    for number in 0.. {
        let events: Vec<_> = (0..5)
            .map(|n| {
                let id = format!("{round}-{producer}-{number}-{n}");
                let execution = format!("{round}-{producer}-{}", number / 10);
                let kind = if n == 0 { "workflow_started" } else { "note" };
                let producer_seq = number * 5 + n + 1;
                let rest = format!(
                    r#""type":"{kind}","execution_id":"{execution}","workflow_name":"w","producer":"h/b/{round}/{producer}","producer_seq":{producer_seq}"#
                );
                event(&id, number, &rest)
            })
            .collect();
        let Ok(appended) = store.append(batch("default", &events)).wait() else { continue };
        let mut lines = String::new();
        for (n, result) in appended.results.iter().enumerate() {
            let EventResult::Accepted(seq) = result else { panic!("{result:?}") };
            let _ = writeln!(lines, "acknowledged {round}-{producer}-{number}-{n} {seq}");
        }
        std::io::stdout().lock().write_all(lines.as_bytes()).unwrap();
    }
}

fn start(folder: &std::path::Path, round: u64) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::appends_until_it_is_killed", "--nocapture"])
        .env(FOLDER, folder)
        .env(ROUND, round.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn acknowledged_events_survive_being_killed() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = fastrand::Rng::with_seed(20_261_123);
    let mut acknowledged: HashMap<String, Seq> = HashMap::new();
    for round in 0..ROUNDS {
        let mut child = start(folder.path(), round);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // The first acknowledgement shows that it works; then it gets a random while.
        let first = lines.find(|line| line.as_ref().is_ok_and(|line| line.starts_with("acknowledged ")));
        let first = first.expect("the process acknowledges something");
        std::thread::sleep(Duration::from_micros(random.u64(0..120_000)));
        child.kill().unwrap();
        child.wait().unwrap();
        for line in std::iter::once(first).chain(lines).map_while(Result::ok) {
            let mut words = line.split(' ').skip(1);
            // The last line may have been cut.
            let (Some(id), Some(Ok(seq))) = (words.next(), words.next().map(str::parse)) else { continue };
            acknowledged.entry(id.to_owned()).or_insert(Seq(seq));
        }

        let began = Instant::now();
        let store = open(folder.path());
        assert!(began.elapsed() < Duration::from_secs(5), "a start after a crash took {:?}", began.elapsed());
        let mut found: HashMap<String, Seq> = HashMap::new();
        for stored in store.replay(&Project::default(), Seq::ZERO, usize::MAX).unwrap() {
            let id = stored.event.event_id.as_str().to_owned();
            assert_eq!(found.insert(id, stored.seq), None, "{:?} stands twice", stored.event.event_id);
        }
        for (id, seq) in &acknowledged {
            // A number may be cut from the end of the last line that was printed.
            let there = found.get(id).unwrap_or_else(|| panic!("round {round}: {id} is missing"));
            assert!(
                there == seq || there.to_string().starts_with(&seq.to_string()),
                "{id}: {there}, not {seq}"
            );
        }
        check_tables(&store, &found);
    }
    assert!(acknowledged.len() > 100, "{} acknowledged", acknowledged.len());
}

/// Every event of the log is counted in the tables.
fn check_tables(store: &EmbeddedStore, found: &HashMap<String, Seq>) {
    let all = store.delete(&Project::default(), &ExecutionFilter::default(), true).unwrap();
    assert_eq!(all.events, found.len() as u64);
}
