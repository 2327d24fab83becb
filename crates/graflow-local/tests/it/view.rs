//! A folder that is read while programs use it.

use std::sync::Arc;

use graflow_client::SystemClock;
use graflow_lineage::materialise::NoObserver;
use graflow_lineage::store::Store;
use graflow_local::{DataFolder, FolderView, Ownership};

use crate::{event, eventually, ids, names, open_store, producer, send, spool_files};

fn view(folder: &DataFolder) -> FolderView {
    FolderView::open(folder, Arc::new(SystemClock), Arc::new(NoObserver)).unwrap()
}

#[test]
fn what_waits_in_the_spool_is_seen_and_stays_there() {
    let data = tempfile::tempdir().unwrap();
    let folder = DataFolder::at(data.path());
    drop(open_store(&folder));
    let (producer, _) = producer(&folder, false);
    send(&producer, "left", 0..50);
    drop(producer);
    eventually("it is left in the spool", || spool_files(&folder) > 0);
    for _ in 0..2 {
        assert_eq!(ids(&**view(&folder).store()), names("left", 50));
    }
    assert!(spool_files(&folder) > 0);
    assert_eq!(open_store(&folder).last_seq().0, 0, "nothing was taken in");
}

#[test]
fn a_program_that_owns_its_folder_keeps_it_while_others_read() {
    let data = tempfile::tempdir().unwrap();
    let folder = DataFolder::at(data.path());
    let (producer, _) = producer(&folder, true);
    send(&producer, "own", 0..20);
    eventually("all of it is seen", || ids(&**view(&folder).store()).len() == 20);
    assert!(Ownership::try_take(&folder).unwrap().is_none(), "it still owns the folder");
    producer.send(event("own-20"));
    eventually("the rest is seen", || ids(&**view(&folder).store()).len() == 21);
}

#[test]
fn an_owner_waits_while_files_are_read_that_it_would_write() {
    let data = tempfile::tempdir().unwrap();
    let folder = DataFolder::at(data.path());
    let ownership = Ownership::try_take(&folder).unwrap();
    drop(open_store(&folder));
    drop(ownership);
    let reading = view(&folder);
    assert!(Ownership::try_take(&folder).unwrap().is_none());
    drop(reading);
    assert!(Ownership::try_take(&folder).unwrap().is_some());
}
