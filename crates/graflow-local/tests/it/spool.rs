//! Nobody owns the folder, or somebody else does.

use std::sync::Arc;

use graflow_client::{Outcome, SystemClock};
use graflow_lineage::store::Store;
use graflow_local::{DataFolder, Ownership, Place, SpoolIntake, TakenIn};

use crate::{SOON, eventually, ids, names, open_store, place, producer, send, spool_files};

fn intake(folder: &DataFolder) -> (Arc<dyn Store>, SpoolIntake) {
    let store: Arc<dyn Store> = Arc::new(open_store(folder));
    let intake = SpoolIntake::new(folder, Arc::clone(&store), Arc::new(SystemClock));
    (store, intake)
}

#[test]
fn without_an_owner_events_wait_in_the_spool_for_one() {
    let data = tempfile::tempdir().unwrap();
    let folder = DataFolder::at(data.path().join("d"));
    let (producer, at) = producer(&folder, false);
    send(&producer, "a", 0..500);
    assert_eq!(producer.flush(SOON), Outcome::Spooled);
    assert_eq!(place(&at), Place::Spool);
    // The producer lives on, and yet an owner that comes now can have everything.
    let ownership = Ownership::try_take(&folder).unwrap().unwrap();
    let (store, intake) = intake(&folder);
    let taken = intake.take_in().unwrap();
    assert_eq!((taken.accepted, taken.duplicates, taken.invalid), (500, 0, 0));
    assert_eq!(ids(&*store), names("a", 500));
    // What comes later reaches the owner within about a second.
    send(&producer, "b", 0..10);
    eventually("later events", || intake.take_in().unwrap().files > 0);
    assert_eq!(ids(&*store).len(), 510);
    drop(producer);
    eventually("an empty spool", || {
        intake.take_in().unwrap() == TakenIn::default() && spool_files(&folder) == 0
    });
    drop(ownership);
}

#[test]
fn a_program_alone_keeps_its_lineage_itself() {
    let data = tempfile::tempdir().unwrap();
    let folder = DataFolder::at(data.path().join("d"));
    for (round, name) in ["a", "b"].into_iter().enumerate() {
        let (producer, at) = producer(&folder, true);
        send(&producer, name, 0..300);
        assert_eq!(producer.flush(SOON), Outcome::Delivered);
        assert_eq!(place(&at), Place::OwnStore);
        assert!(Ownership::try_take(&folder).unwrap().is_none());
        let owner = graflow_local::owner(&folder).unwrap();
        assert_eq!((owner.pid, owner.url), (std::process::id(), None));
        drop(producer);
        // The folder is free at once, with everything in it.
        let ownership = Ownership::try_take(&folder).unwrap().expect("a free folder");
        assert_eq!(graflow_local::owner(&folder), None);
        assert_eq!(ids(&open_store(&folder)).len(), 300 * (round + 1));
        assert_eq!(spool_files(&folder), 0);
        drop(ownership);
    }
}

#[test]
fn two_programs_share_a_folder_and_the_second_takes_over() {
    let data = tempfile::tempdir().unwrap();
    let folder = DataFolder::at(data.path());
    let (first, first_at) = producer(&folder, true);
    send(&first, "first", 0..100);
    assert_eq!(first.flush(SOON), Outcome::Delivered);
    let (second, second_at) = producer(&folder, true);
    send(&second, "second", 0..50);
    assert_eq!(second.flush(SOON), Outcome::Spooled);
    assert_eq!((place(&first_at), place(&second_at)), (Place::OwnStore, Place::Spool));
    eventually("the owner takes the other's spool in", || spool_files(&folder) <= 1);
    drop(first);
    // Nobody owns it now; with its next events the second program does.
    for n in 50..70 {
        send(&second, "second", n..n + 1);
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    eventually("the second owns the folder", || place(&second_at) == Place::OwnStore);
    assert_eq!(second.flush(SOON), Outcome::Delivered);
    drop(second);
    let (store, intake) = intake(&folder);
    intake.take_in().unwrap();
    assert_eq!(ids(&*store), &names("first", 100) | &names("second", 70));
}

#[test]
fn a_folder_that_cannot_be_used_does_not_stop_the_program() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let folder = DataFolder::at(file.path().join("below a file"));
    let (producer, at) = producer(&folder, true);
    send(&producer, "a", 0..100);
    assert_eq!(producer.flush(std::time::Duration::from_millis(300)), Outcome::Incomplete);
    assert_eq!(place(&at), Place::Spool);
    let statistics = producer.statistics();
    assert!(statistics.memory_bytes > 0 && statistics.disk_error.is_some());
}

#[test]
fn a_store_that_cannot_be_opened_leaves_everything_in_the_spool() {
    let data = tempfile::tempdir().unwrap();
    let folder = DataFolder::at(data.path());
    std::fs::write(data.path().join("lineage.db"), "this is no database").unwrap();
    let (producer, at) = producer(&folder, true);
    send(&producer, "a", 0..20);
    assert_eq!(producer.flush(SOON), Outcome::Spooled);
    assert_eq!(place(&at), Place::Spool);
    assert!(
        Ownership::try_take(&folder).unwrap().is_some(),
        "nobody holds a folder that is of no use to them"
    );
    // Once people have put it right, nothing is missing.
    std::fs::remove_file(data.path().join("lineage.db")).unwrap();
    drop(producer);
    let (store, intake) = intake(&folder);
    intake.take_in().unwrap();
    assert_eq!(ids(&*store), names("a", 20));
}
