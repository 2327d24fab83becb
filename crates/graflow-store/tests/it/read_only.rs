//! Reading without writing, and catching up in steps that stay.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use graflow_lineage::store::{ExecutionFilter, Store};
use graflow_model::{Clock, Seq, Timestamp};
use graflow_store::{EmbeddedOptions, EmbeddedStore, ReadOnlyOptions};

use crate::support::{append, batch, clock, everything, open, options, run, sixty};

/// Every file and what is in it.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.extend(contents(&path));
        } else {
            files.insert(path.display().to_string(), std::fs::read(&path).unwrap());
        }
    }
    files
}

fn read_only(folder: &Path, is_owned: bool) -> Option<EmbeddedStore> {
    EmbeddedStore::open_read_only(ReadOnlyOptions { is_owned, ..ReadOnlyOptions::new(folder, clock()) })
        .unwrap()
}

#[test]
fn a_folder_that_was_closed_is_read_as_it_lies() {
    // A name that means something else in an address.
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("50% of? what#");
    let store = open(&folder);
    sixty(&store);
    let (hash, rows) = (store.canonical_hash().unwrap(), everything(&store, &ExecutionFilter::default(), 7));
    drop(store);
    let before = contents(&folder);
    let store = read_only(&folder, false).unwrap();
    assert_eq!(store.canonical_hash().unwrap(), hash);
    assert_eq!(everything(&store, &ExecutionFilter::default(), 7), rows);
    assert!(store.state(&"default".into(), &"x03".into()).unwrap().value.is_some());
    let refused = store.append(batch("default", &run("late", "etl", 1, false))).wait();
    assert!(refused.is_err());
    drop(store);
    assert_eq!(contents(&folder), before);
}

#[test]
fn what_cannot_be_read_as_it_lies_is_left_to_others() {
    let folder = tempfile::tempdir().unwrap();
    assert!(read_only(folder.path(), false).is_none(), "there are no tables");
    sixty(&open(folder.path()));
    let database = folder.path().join("lineage.db");
    let sound = std::fs::read(&database).unwrap();
    std::fs::write(folder.path().join("lineage.db-wal"), "left over").unwrap();
    assert!(read_only(folder.path(), false).is_none(), "a crash left something");
    std::fs::remove_file(folder.path().join("lineage.db-wal")).unwrap();
    append(&open(folder.path()), &run("later", "etl", 99, false));
    std::fs::write(&database, sound).unwrap();
    assert!(read_only(folder.path(), false).is_none(), "the tables are behind the log");
    std::fs::write(&database, "no database, ".repeat(100)).unwrap();
    let error = EmbeddedStore::open_read_only(ReadOnlyOptions::new(folder.path(), clock())).unwrap_err();
    assert!(error.to_string().contains("lineage.db` is not a database of graflow lineage"), "{error}");
}

#[test]
fn beside_an_owner_the_answers_say_how_far_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let owner = open(folder.path());
    sixty(&owner);
    owner.canonical_hash().unwrap();
    let store = read_only(folder.path(), true).unwrap();
    let first = store.execution(&"default".into(), &"x00".into()).unwrap();
    assert!(first.value.is_some());
    let last = append(&owner, &run("new", "etl", 99, false)).last_seq;
    assert_eq!(owner.execution(&"default".into(), &"new".into()).unwrap().as_of_seq, last);
    let new = store.execution(&"default".into(), &"new".into()).unwrap();
    assert!(new.value.is_some() && new.as_of_seq == last && first.as_of_seq < last);
}

/// Time that passes with every look at it.
#[derive(Debug)]
struct Hasty(AtomicI64);

impl Clock for Hasty {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(1_800_000_000_000_000)
    }
    fn mono_us(&self) -> i64 {
        self.0.fetch_add(100_000, Ordering::Relaxed)
    }
}

#[test]
fn whoever_is_ended_while_the_tables_catch_up_has_come_nearer() {
    let folder = tempfile::tempdir().unwrap();
    sixty(&open(folder.path()));
    for name in ["lineage.db", "lineage.db-wal", "lineage.db-shm"] {
        drop(std::fs::remove_file(folder.path().join(name)));
    }
    let ended_at_first_step = || {
        let mut options = EmbeddedOptions::new(folder.path(), Arc::new(Hasty(AtomicI64::new(0))));
        options.progress = Box::new(|_| panic!("the program is ended"));
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| EmbeddedStore::open(options).map(drop)))
            .is_err()
    };
    let applied = || {
        let store = read_only(folder.path(), true).unwrap();
        store.execution(&"default".into(), &"x00".into()).unwrap().as_of_seq
    };
    let mut reached = Seq::ZERO;
    for _ in 0..3 {
        assert!(ended_at_first_step());
        assert!(applied() > reached);
        reached = applied();
    }
    let store = EmbeddedStore::open(options(folder.path())).unwrap();
    assert_eq!(everything(&store, &ExecutionFilter::default(), 100).len(), 60);
}
