//! Copies of a store that is being written, and stores from them.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use graflow_lineage::store::{AppendError, ExecutionFilter, Store};
use graflow_model::{Project, Seq, Timestamp};
use graflow_store::EmbeddedStore;
use graflow_store::backup::{self, BackupError};
use graflow_store::log::LogOptions;

use crate::support::{batch, everything, open, options, run, sixty};

const NOW: Timestamp = Timestamp::from_micros(1_763_900_000_000_000);

fn restored(from: &Path, to: &Path) -> EmbeddedStore {
    std::fs::create_dir_all(to).unwrap();
    backup::restore(from, to, &mut |_, _| {}).unwrap();
    open(to)
}

fn texts(store: &EmbeddedStore, up_to: Seq) -> Vec<String> {
    let events = store.replay(&Project::default(), Seq::ZERO, usize::MAX).unwrap();
    events.into_iter().filter(|stored| stored.seq <= up_to).map(|stored| stored.json.into_string()).collect()
}

#[test]
fn a_backup_of_an_idle_folder_and_of_a_running_owner_says_the_same() {
    let place = tempfile::tempdir().unwrap();
    let (folder, online, idle) =
        (place.path().join("data"), place.path().join("online"), place.path().join("idle"));
    let store = open(&folder);
    sixty(&store);
    std::fs::create_dir(folder.join("spool")).unwrap();
    std::fs::write(folder.join("spool/left.spool"), "what another process left").unwrap();
    let mut told = Vec::new();
    let manifest = backup::back_up(&folder, &online, NOW, &mut |done, of| told.push((done, of))).unwrap();
    assert_eq!(manifest.last_seq, store.last_seq());
    assert!(told.last().is_some_and(|(done, of)| done <= of) && told.is_sorted(), "{told:?}");
    let hash = store.canonical_hash().unwrap().value;
    drop(store);
    backup::back_up(&folder, &idle, NOW, &mut |_, _| {}).unwrap();
    for (name, from) in [("a", &online), ("b", &idle)] {
        let to = place.path().join(name);
        assert_eq!(restored(from, &to).canonical_hash().unwrap().value, hash);
        assert_eq!(
            std::fs::read_to_string(to.join("spool/left.spool")).unwrap(),
            "what another process left"
        );
        assert!(!to.join("restoring").exists());
    }
    // Twice to one place is refused, both ways.
    assert!(matches!(backup::back_up(&folder, &idle, NOW, &mut |_, _| {}), Err(BackupError::Taken(_))));
    assert!(matches!(backup::restore(&idle, &folder, &mut |_, _| {}), Err(BackupError::Taken(_))));
    assert!(matches!(
        backup::back_up(&place.path().join("none"), &place.path().join("c"), NOW, &mut |_, _| {}),
        Err(BackupError::Nothing(_))
    ));
}

#[test]
fn a_backup_under_load_is_a_prefix_of_what_was_written() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("data");
    let mut opening = options(&folder);
    // Segments roll, are sealed and go while they are copied.
    opening.log = LogOptions { segment_bytes: 50_000 };
    opening.retention = Some(graflow_lineage::retention::RetentionLimits::NONE);
    let store = Arc::new(EmbeddedStore::open(opening).unwrap());
    store.keep_within_limits().unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let writing = {
        let (store, stop) = (Arc::clone(&store), Arc::clone(&stop));
        std::thread::spawn(move || {
            let mut n = 0;
            while !stop.load(Ordering::Relaxed) {
                match store.append(batch("default", &run(&format!("x{n:06}"), "etl", n, n % 3 == 0))).wait() {
                    Ok(_) => n += 1,
                    Err(AppendError::Overloaded { retry_after }) => std::thread::sleep(retry_after),
                    Err(error) => panic!("{error}"),
                }
            }
        })
    };
    let mut taken = Vec::new();
    for round in 0..4 {
        std::thread::sleep(std::time::Duration::from_millis(300));
        let before = store.last_seq();
        let to = place.path().join(format!("backup-{round}"));
        let manifest = backup::back_up(&folder, &to, NOW, &mut |_, _| {}).unwrap();
        assert!(manifest.last_seq >= before, "what was acknowledged before it began is in it");
        taken.push((to, manifest.last_seq));
    }
    stop.store(true, Ordering::Relaxed);
    writing.join().unwrap();
    for (backup, last_seq) in taken {
        let to = backup.with_extension("restored");
        let copy = restored(&backup, &to);
        assert_eq!(copy.last_seq(), last_seq);
        assert!(texts(&copy, last_seq) == texts(&store, last_seq), "up to {last_seq}");
        let rows = everything(&copy, &ExecutionFilter::default(), 1_000);
        let mut again = options(&to);
        again.rebuild = true;
        drop(copy);
        let rebuilt = EmbeddedStore::open(again).unwrap();
        assert_eq!(everything(&rebuilt, &ExecutionFilter::default(), 1_000), rows);
    }
}

#[test]
fn what_was_ended_in_the_middle_is_no_backup_and_no_store() {
    let place = tempfile::tempdir().unwrap();
    let (folder, whole) = (place.path().join("data"), place.path().join("whole"));
    sixty(&open(&folder));
    backup::back_up(&folder, &whole, NOW, &mut |_, _| {}).unwrap();
    let hash = open(&folder).canonical_hash().unwrap().value;

    let unfinished = place.path().join("unfinished");
    std::fs::create_dir_all(unfinished.join("log")).unwrap();
    assert!(matches!(
        backup::restore(&unfinished, &place.path().join("x"), &mut |_, _| {}),
        Err(BackupError::Unfinished(_))
    ));
    // A restore that was ended in the middle is begun again.
    let to = place.path().join("again");
    std::fs::create_dir_all(to.join("restoring/log")).unwrap();
    std::fs::write(to.join("restoring/log/seg-00000000000000000001.log"), "half").unwrap();
    assert_eq!(restored(&whole, &to).canonical_hash().unwrap().value, hash);
    // Ended between its last two steps: the tables are derived from the log.
    let without_tables = place.path().join("without");
    restored(&whole, &without_tables).close();
    std::fs::remove_file(without_tables.join("lineage.db")).unwrap();
    assert_eq!(open(&without_tables).canonical_hash().unwrap().value, hash);

    // A changed byte is found, and nothing is left that looks like a store.
    let segment = whole.join("log/seg-00000000000000000001.log");
    let mut bytes = std::fs::read(&segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let to = place.path().join("changed");
    std::fs::create_dir(&to).unwrap();
    let error = backup::restore(&whole, &to, &mut |_, _| {}).unwrap_err();
    assert!(matches!(error, BackupError::Changed(_)) && error.to_string().contains("hint: "), "{error}");
    assert!(!to.join("log").exists() && !to.join("lineage.db").exists());
    // One of a later release is refused by its name.
    let text = std::fs::read_to_string(whole.join("backup.json")).unwrap();
    let text = text
        .replace("\"format\": 1", "\"format\": 7")
        .replace("\"release\": \"0.1.0\"", "\"release\": \"9.8.7\"");
    std::fs::write(whole.join("backup.json"), text).unwrap();
    let error = backup::read_manifest(&whole).unwrap_err().to_string();
    assert!(error.contains("made by graflow 9.8.7 (format 7)"), "{error}");
}
