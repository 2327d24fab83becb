//! Reading a folder leaves it as it is, whoever owns it and however the last owner ended.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::{Ended, Graflow, bare, finish, fixture};

/// Every file and what is in it.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.extend(contents(&path));
        } else {
            files.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    files
}

/// Commands that read, each of which finds the runs of the fixture and changes nothing.
#[track_caller]
fn check_reads(graflow: &Graflow) {
    let before = contents(&graflow.data_dir());
    for arguments in
        [&["list"][..], &["show", "latest:orders"], &["status"], &["graph", "latest"], &["logs", "latest"]]
    {
        let ended = graflow.run(arguments);
        assert_eq!(
            (ended.code, ended.stderr.contains("error")),
            (0, false),
            "{arguments:?}: {}",
            ended.stderr
        );
        assert!(contents(&graflow.data_dir()) == before, "{arguments:?} changed the folder");
    }
    assert!(graflow.run(&["list"]).stdout.contains("thumbnails"));
}

#[test]
fn a_folder_that_was_closed() {
    check_reads(&Graflow::with_runs());
}

#[test]
fn a_folder_with_a_log_and_no_tables() {
    let graflow = Graflow::with_runs();
    fs::remove_file(graflow.data_dir().join("lineage.db")).unwrap();
    check_reads(&graflow);
    assert!(!graflow.data_dir().join("lineage.db").exists());
}

#[test]
fn a_folder_whose_server_was_killed() {
    let graflow = Graflow::new();
    let server = graflow.serve(&[]);
    let imported = graflow.run(&["import", fixture("runs.ndjson").to_str().unwrap()]);
    assert_eq!(imported.code, 0, "{}", imported.stderr);
    server.kill();
    // A write that the crash cut short.
    let log = fs::read_dir(graflow.data_dir().join("log")).unwrap().flatten().next().unwrap().path();
    let mut bytes = fs::read(&log).unwrap();
    bytes.extend_from_slice(&[0x47, 1, 2]);
    fs::write(&log, bytes).unwrap();
    check_reads(&graflow);
}

/// The lock is all that counts, so the test itself can be the owner.
#[test]
fn a_folder_that_somebody_owns() {
    let graflow = Graflow::with_runs();
    let lock = fs::File::open(graflow.data_dir().join("owner.lock")).unwrap();
    lock.try_lock().unwrap();
    let ended = graflow.run(&["list"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stdout.contains("thumbnails"), "{}", ended.stdout);
    // Nobody is asked to hand over.
    assert!(!graflow.data_dir().join("wanted.lock").exists());
    // Without tables of the owner everything is told by the log.
    for name in ["lineage.db", "lineage.db-wal", "lineage.db-shm"] {
        drop(fs::remove_file(graflow.data_dir().join(name)));
    }
    check_reads(&graflow);
}

/// Permissions do not bind root, so root runs the program as somebody else.
#[test]
fn a_folder_that_may_not_be_written() {
    for has_tables in [true, false] {
        let graflow = Graflow::with_runs();
        if !has_tables {
            fs::remove_file(graflow.data_dir().join("lineage.db")).unwrap();
        }
        let data = graflow.data_dir();
        set_modes(&data, 0o555, 0o444);
        fs::set_permissions(data.parent().unwrap(), fs::Permissions::from_mode(0o755)).unwrap();
        let before = contents(&data);
        let ended = as_nobody(&data, &["list"]);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        assert!(ended.stdout.contains("thumbnails"), "{}", ended.stdout);
        assert!(contents(&data) == before);
        // Whoever must write says why it cannot be done.
        let refused = as_nobody(&data, &["clear", "--yes"]);
        assert!(refused.code != 0 && refused.stderr.contains("hint: "), "{}", refused.stderr);
        set_modes(&data, 0o755, 0o644);
    }
}

fn set_modes(folder: &Path, folders: u32, files: u32) {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        if entry.path().is_dir() {
            set_modes(&entry.path(), folders, files);
        } else {
            fs::set_permissions(entry.path(), fs::Permissions::from_mode(files)).unwrap();
        }
    }
    fs::set_permissions(folder, fs::Permissions::from_mode(folders)).unwrap();
}

/// Runs the program as a user who owns nothing here.
fn as_nobody(data: &Path, arguments: &[&str]) -> Ended {
    let is_root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    if !is_root {
        let mut command = bare();
        command.arg("lineage").args(arguments).env("GRAFLOW_LINEAGE_DATA_DIR", data);
        return finish(&mut command, "");
    }
    // The checkout may be closed to others: the program is run from where anybody may look.
    let place = tempfile::tempdir().unwrap();
    let program = place.path().join("graflow");
    // By another process: whatever a test beside this one starts while we write would hold the file open for writing, and
    // a file that is open for writing cannot be run.
    let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_graflow")).arg(&program).status().unwrap();
    assert!(copied.success());
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(program)
        .arg("lineage")
        .args(arguments);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("LANG", "C.UTF-8");
    command.env("GRAFLOW_LINEAGE_DATA_DIR", data).current_dir("/");
    finish(&mut command, "")
}
