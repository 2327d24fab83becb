//! Backups and restores by the program, also while it is ended in the middle.

use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::harness::{Graflow, fixture};

#[test]
fn a_backup_beside_a_server_is_restored_elsewhere() {
    let graflow = Graflow::with_runs();
    let server = graflow.serve(&[]);
    let to = graflow.data_dir().with_extension("backup");
    let to = to.to_str().unwrap();
    let made = graflow.run(&["backup", to, "--json"]);
    assert_eq!(made.code, 0, "{}", made.stderr);
    let made: Value = serde_json::from_str(&made.stdout).unwrap();
    assert_eq!(made["manifest"]["last_seq"], 649);
    // Twice is refused, with a hint.
    let again = graflow.run(&["backup", to]);
    assert_eq!(again.code, 5, "{}", again.stderr);
    assert!(again.stderr.contains("is not empty") && again.stderr.contains("hint: "), "{}", again.stderr);
    let over = graflow.run(&["restore", to]);
    assert_eq!(over.code, 6, "the folder is the server's: {}", over.stderr);
    let listed = graflow.run(&["list", "--json"]).stdout;
    server.kill();

    let other = Graflow::new();
    let restored = other.run(&["restore", to]);
    assert_eq!(restored.code, 0, "{}", restored.stderr);
    assert!(restored.stdout.starts_with("restored everything up to event 649: "), "{}", restored.stdout);
    let there: Value = serde_json::from_str(&other.run(&["list", "--json"]).stdout).unwrap();
    let here: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(there["executions"], here["executions"]);
    assert_eq!(other.run(&["doctor"]).code, 0, "{}", other.run(&["doctor"]).stdout);
    assert_eq!(other.run(&["restore", to]).code, 5, "there is something in it");
}

#[test]
fn a_backup_that_is_killed_is_none_and_a_restore_that_is_killed_is_begun_again() {
    let graflow = Graflow::with_runs();
    let place = graflow.data_dir().with_extension("");
    let mut killed = 0;
    for round in 0..12_u64 {
        let to = place.with_file_name(format!("backup-{round}"));
        let mut child = graflow
            .command(&["backup", to.to_str().unwrap()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(round * 4));
        child.kill().unwrap();
        child.wait().unwrap();
        let other = Graflow::new();
        let mut restoring = other
            .command(&["restore", to.to_str().unwrap()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        if !to.exists() {
            killed += 1;
            assert_eq!(restoring.wait().unwrap().code(), Some(3), "there is nothing to restore");
            continue;
        }
        std::thread::sleep(Duration::from_millis(round * 2));
        restoring.kill().unwrap();
        restoring.wait().unwrap();
        // Either it was done, or it can be done now; never half of it.
        let again = other.run(&["restore", to.to_str().unwrap()]);
        assert!(again.code == 0 || again.code == 5, "{}", again.stderr);
        assert_eq!(other.run(&["export"]).stdout.lines().count(), 649, "{}", again.stderr);
    }
    println!("{killed} of 12 backups were killed before they were whole");
    assert!(killed > 0);
}

#[test]
fn what_is_kept_is_told_and_kept() {
    let graflow = Graflow::new();
    let server = graflow.serve(&["--keep-executions", "2", "--keep-age", "off", "--keep-bytes", "64M"]);
    let imported = graflow.run(&["import", fixture("runs.ndjson").to_str().unwrap()]);
    assert_eq!(imported.code, 0, "{}", imported.stderr);
    let began = std::time::Instant::now();
    loop {
        let status: Value = serde_json::from_str(&graflow.run(&["status", "--json"]).stdout).unwrap();
        let retention = &status["server"]["retention"];
        assert_eq!((&retention["executions"], &retention["age"]), (&Value::from(2), &Value::Null));
        assert_eq!(retention["bytes"], 64 << 20);
        if retention["deleted"] == 1 && status["metrics"]["total_executions"] == 2 {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(90), "{status}");
        std::thread::sleep(Duration::from_millis(200));
    }
    let status = graflow.run(&["status"]).stdout;
    assert!(status.contains("2 of 2 executions") && status.contains("of 64.0 MiB on disk"), "{status}");
    drop(server);
}
