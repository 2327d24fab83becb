//! Folders and ports that cannot be used: what the server says when it will not start, and how to go on.

use std::fs;
use std::path::PathBuf;

use graflow_client::Query;

use crate::support::{Place, Running, SOON};

/// A place with one finished run in it, and no server.
fn with_a_run() -> Place {
    let place = Place::new();
    let mut program = place.command(env!("CARGO_BIN_EXE_etl"));
    let ended = crate::support::finish(&mut program);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(place.say(&["list", "--json"]).contains("\"completed\""));
    place
}

/// What a server says that must not start.
fn refused(place: &Place, arguments: &[&str]) -> String {
    let mut server = Running::start(place.graflow(&[&["serve", "--port", "0"], arguments].concat()));
    let (status, lines) = server.wait(SOON);
    assert_eq!(lines, Vec::<String>::new());
    // Log lines have times; the error is what comes last.
    let stderr = server.stderr();
    let error = stderr.find("error: ").map_or(stderr.as_str(), |at| &stderr[at..]);
    format!("exit code {}\n{}", status.code().unwrap(), place.without_paths(error))
}

/// The only file of the log.
fn segment(place: &Place) -> PathBuf {
    let mut segments: Vec<PathBuf> =
        fs::read_dir(place.data_dir().join("log")).unwrap().map(|entry| entry.unwrap().path()).collect();
    segments.retain(|path| path.is_file());
    segments.sort();
    segments.swap_remove(0)
}

#[test]
fn a_port_in_use() {
    let place = Place::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let ended = place.run(&["serve", "--port", &port]);
    assert_eq!(ended.code, Some(1));
    insta::assert_snapshot!(ended.stderr.replace(&port, "[port]"), @"
    error: 127.0.0.1:[port] is in use
    hint: another server may run already (`graflow lineage status`), or choose another --port
    ");
}

#[test]
fn a_public_address_without_a_token() {
    insta::assert_snapshot!(refused(&Place::new(), &["--host", "0.0.0.0"]), @"
    exit code 5
    error: refusing to listen on 0.0.0.0:0 without a token
    hint: give --token-file or GRAFLOW_LINEAGE_TOKEN, or listen on 127.0.0.1
    ");
}

#[test]
fn a_second_server_on_a_folder() {
    let place = Place::new();
    let server = place.serve(0);
    let said = refused(&place, &[]).replace(&server.port().to_string(), "[port]");
    let pid = said.split_once("process ").and_then(|(_, rest)| rest.split_once(')')).unwrap().0.to_owned();
    insta::assert_snapshot!(said.replace(&pid, "[pid]"), @"
    exit code 6
    error: [place]/data is owned by the server at http://127.0.0.1:[port] (process [pid])
    hint: use that server, stop it, or choose another folder with --data-dir
    ");
}

#[test]
fn a_file_where_the_folder_should_be() {
    let place = Place::new();
    fs::write(place.data_dir(), "not a folder").unwrap();
    insta::assert_snapshot!(refused(&place, &[]), @"
    exit code 6
    error: [place]/data cannot be used: it is a file, and no folder
    hint: choose a folder that you may write, with --data-dir
    ");
}

/// Nobody may make a folder there, root neither.
#[test]
#[cfg(target_os = "linux")]
fn a_folder_that_cannot_be_made() {
    let said = refused(&Place::new(), &["--data-dir", "/proc/graflow"]);
    insta::assert_snapshot!(said, @"
    exit code 6
    error: /proc/graflow cannot be used: No such file or directory (os error 2)
    hint: choose a folder that you may write, with --data-dir
    ");
}

/// Root writes into read-only folders: only a test of another user can show it.
#[test]
#[cfg(unix)]
fn a_read_only_folder() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = with_a_run();
    let set = |mode| fs::set_permissions(place.data_dir(), fs::Permissions::from_mode(mode)).unwrap();
    set(0o555);
    let writable = fs::write(place.data_dir().join("probe"), "").is_ok();
    if !writable {
        let said = refused(&place, &[]);
        assert!(said.starts_with("exit code 6\nerror: "), "{said}");
        assert!(said.contains("hint: choose a folder that you may write"), "{said}");
    }
    // What is in it can be read all the same.
    assert!(place.say(&["list", "--json"]).contains("\"completed\""));
    set(0o755);
}

/// The tables know how far the log went.
#[test]
fn a_segment_that_was_cut() {
    let place = with_a_run();
    let segment = segment(&place);
    let bytes = fs::read(&segment).unwrap();
    fs::write(&segment, &bytes[..bytes.len() / 2]).unwrap();
    insta::with_settings!({ filters => vec![(r"byte \d+", "byte [n]")] }, {
        insta::assert_snapshot!(refused(&place, &[]), @"
        exit code 6
        error: segment `seg-00000000000000000001.log` is damaged at byte [n]: it ends here, but events up to byte [n] were recorded from it
        hint: acknowledged events are affected; stop here, copy the data folder, and restore this segment from a backup
        ");
    });
    assert_eq!(fs::read(&segment).unwrap().len(), bytes.len() / 2, "looking at it changes nothing");
}

#[test]
fn a_segment_that_is_none() {
    let place = with_a_run();
    let segment = segment(&place);
    let mut bytes = fs::read(&segment).unwrap();
    bytes[..16].copy_from_slice(b"Dear diary, once");
    fs::write(&segment, bytes).unwrap();
    insta::assert_snapshot!(refused(&place, &[]), @"
    exit code 6
    error: segment `seg-00000000000000000001.log` is damaged at byte 0: its header is no header of a segment
    hint: acknowledged events are affected; stop here, copy the data folder, and restore this segment from a backup
    ");
}

#[test]
fn a_segment_that_is_gone() {
    let place = with_a_run();
    fs::remove_file(segment(&place)).unwrap();
    insta::assert_snapshot!(refused(&place, &[]), @"
    exit code 6
    error: segment `seg-00000000000000000001.log` is missing
    hint: restore it from a backup
    ");
}

/// One bit of an old event: the server starts, for the tables are sound, and says so when that event is asked for.
#[tokio::test]
async fn a_damaged_segment() {
    let place = with_a_run();
    let segment = segment(&place);
    let mut bytes = fs::read(&segment).unwrap();
    let middle = bytes.len() / 3;
    bytes[middle] ^= 0x10;
    fs::write(&segment, &bytes).unwrap();
    let server = place.serve(0);
    let rest = server.rest();
    let runs = rest.executions().await;
    assert_eq!(runs[0].status.as_str(), "completed");
    let error = rest.0.events(runs[0].execution_id.as_str(), &Query::new()).await.unwrap_err();
    insta::with_settings!({ filters => vec![(r"byte \d+", "byte [n]")] }, {
        insta::assert_snapshot!(format!("{}: {error}\nhint: {}", error.code().unwrap(), error.hint()), @"
        store_unreadable: the store is damaged: segment `seg-00000000000000000001.log` is damaged at byte [n]: the frame's checksum is wrong
        hint: acknowledged events are affected; stop here, copy the data folder, and restore this segment from a backup; `graflow lineage doctor` examines the data folder
        ");
    });
    drop(server);
    let doctor = place.run(&["doctor"]);
    assert_eq!(doctor.code, Some(8), "{}", doctor.stdout);
}

/// A crash in the middle of a write is no damage: what was not acknowledged is cut off, and the server starts.
#[test]
fn a_torn_segment() {
    let place = with_a_run();
    let before = place.say(&["list", "--json"]);
    let segment = segment(&place);
    let mut bytes = fs::read(&segment).unwrap();
    bytes.extend_from_slice(&[0xA5; 37]);
    fs::write(&segment, bytes).unwrap();
    drop(place.serve(0));
    assert_eq!(place.say(&["list", "--json"]), before);
}

#[test]
fn a_file_that_is_no_database() {
    let place = with_a_run();
    let before = place.say(&["list", "--json"]);
    let database = place.data_dir().join("lineage.db");
    assert!(database.is_file());
    for ending in ["-wal", "-shm"] {
        let _ = fs::remove_file(place.data_dir().join(format!("lineage.db{ending}")));
    }
    fs::write(&database, "Dear diary, today I became a database.\n".repeat(300)).unwrap();
    insta::assert_snapshot!(refused(&place, &[]), @"
    exit code 6
    error: `[place]/data/lineage.db` is not a database of graflow lineage
    hint: move it away; the tables are built again from the log
    ");
    // The hint is good: with the file out of the way, the log says everything again.
    fs::rename(&database, place.path().join("diary")).unwrap();
    drop(place.serve(0));
    assert_eq!(place.say(&["list", "--json"]), before);
}

#[test]
fn not_a_program_of_ours_at_that_address() {
    let place = Place::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let ended = place.run(&["list", "--url", &url]);
    assert_eq!(ended.code, Some(4));
    insta::assert_snapshot!(ended.stderr.replace(&url, "[url]"), @"
    error: no server answers at [url]: nothing listens there (connection refused)
    hint: start a server with `graflow lineage serve`, or say where one is in GRAFLOW_LINEAGE_URL
    ");
}

#[test]
fn a_stopped_server_lets_its_folder_go() {
    let place = Place::new();
    let mut server = place.serve(0);
    server.running.signal("TERM");
    let (status, _) = server.running.wait(SOON);
    assert!(status.success(), "{status:?}: {}", server.running.stderr());
    drop(place.serve(0));
}
