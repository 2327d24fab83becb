//! Disks that are full, torn or closed, and what others left on them.

use super::bench::{Bench, ModelServer, SECOND, event, ids, later, run_until_quiet};
use crate::statistics::Reach;
use crate::transport::Answer;

#[test]
fn beyond_every_limit_events_are_dropped_and_a_note_says_how_many() {
    let line = 200;
    let mut bench = Bench::with_room(4 * line, usize::try_from(3 * line).unwrap());
    let output = bench.send(vec![event("0")]);
    assert_eq!(ids(&output.post.unwrap()), ["0"]);
    let mut warnings = Vec::new();
    for n in 1..20 {
        warnings.extend(bench.send(vec![event(&n.to_string())]).warnings);
    }
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    let dropped = bench.sender.statistics().dropped;
    assert!(dropped > 10);
    // The server is back: everything that was kept arrives, without a gap in the numbers.
    let mut server = ModelServer::default();
    let mut output = bench.answer(later(None));
    run_until_quiet(&mut bench, &mut server, &mut output, 100);
    bench.now_us += SECOND;
    let mut output = bench.tick();
    run_until_quiet(&mut bench, &mut server, &mut output, 100);
    let note = server.events.values().find(|event| event["data"]["code"] == "events_dropped").unwrap();
    assert_eq!((&note["execution_id"], &note["data"]["count"]), (&"x".into(), &dropped.into()));
    let numbers: Vec<u64> = server.events.keys().map(|(_, number)| *number).collect();
    assert_eq!(numbers, (1..=21 - dropped).collect::<Vec<_>>());
}

#[test]
fn what_ends_with_a_full_producer_is_counted_and_told() {
    let line = 200;
    let mut bench = Bench::with_room(4 * line, usize::try_from(3 * line).unwrap());
    for n in 0..20 {
        bench.send(vec![event(&n.to_string())]);
    }
    let before = bench.sender.statistics();
    assert!(before.memory_bytes > 0 && before.dropped > 0);
    let now = bench.now();
    let lost = bench.sender.close(now).unwrap();
    assert!(lost.ends_with("end of this process: the spool's limit of 800 bytes is reached"), "{lost}");
    let after = bench.sender.statistics();
    assert!(after.dropped > before.dropped && after.memory_bytes == 0, "{after:?}");
    // Whoever comes next delivers what was kept, and the note with it.
    bench.crash();
    let mut server = ModelServer::default();
    let mut output = bench.send(vec![event("next")]);
    run_until_quiet(&mut bench, &mut server, &mut output, 100);
    let (notes, kept): (Vec<_>, Vec<_>) =
        server.events.values().partition(|event| event["data"]["code"] == "events_dropped");
    let told: u64 = notes.iter().map(|note| note["data"]["count"].as_u64().unwrap()).sum();
    assert_eq!((told, kept.len() as u64 + told), (after.dropped, 21), "with the one that came next");
}

#[test]
fn what_a_disk_refuses_waits_in_memory_and_stays_in_order() {
    let mut bench = Bench::new();
    bench.folder.set_tears(true);
    bench.send(vec![event("0")]);
    bench.folder.set_room(Some(450));
    let mut warned = 0;
    for n in 1..10 {
        warned += bench.send(vec![event(&n.to_string())]).warnings.len();
    }
    assert_eq!(warned, 1);
    let statistics = bench.sender.statistics();
    assert!(statistics.memory_bytes > 0 && statistics.spool_bytes > 0 && statistics.disk_error.is_some());
    bench.folder.set_room(None);
    bench.send(vec![event("10")]);
    assert_eq!((bench.sender.statistics().memory_bytes, bench.sender.statistics().disk_error), (0, None));
    let mut server = ModelServer::default();
    let mut output = bench.answer(later(None));
    run_until_quiet(&mut bench, &mut server, &mut output, 100);
    let numbers: Vec<_> = server.arrival.iter().map(|(_, number)| *number).collect();
    assert_eq!(numbers, (1..=11).collect::<Vec<_>>());
}

#[test]
fn a_folder_that_cannot_be_written_costs_one_warning() {
    let mut bench = Bench::new();
    bench.folder.set_read_only(true);
    let output = bench.send(vec![event("a")]);
    assert_eq!(output.warnings.len(), 1);
    assert_eq!(ids(&output.post.unwrap()), ["a"]);
    assert!(bench.send(vec![event("b")]).warnings.is_empty());
}

#[test]
fn left_in_the_spool_means_that_nobody_holds_it() {
    let mut bench = Bench::new();
    bench.send(vec![event("a"), event("b")]).post.unwrap();
    assert!(bench.folder.held().iter().all(|(_, held)| *held));
    let output = bench.answer(Answer::LeaveInSpool);
    assert_eq!(output.wake_at_us, None);
    assert!(bench.folder.held().iter().all(|(_, held)| !*held));
    assert_eq!(bench.sender.statistics().reach, Reach::LeftInSpool);
    // A second later the transport is asked again; now it can be reached, and the file is ours again.
    assert_eq!(bench.send(vec![event("c")]).wake_at_us, Some(SECOND));
    bench.now_us = SECOND;
    let post = bench.tick().post.unwrap();
    assert_eq!(ids(&post), ["c"]);
    let output = bench.take_all(&post);
    let post = bench.wake(&output).post.unwrap();
    assert_eq!(ids(&post), ["a", "b"]);
    bench.take_all(&post);
    bench.now_us += SECOND;
    bench.tick();
    assert_eq!(bench.folder.held().len(), 1, "only the file being written is left");
}

#[test]
fn a_dead_producers_spool_is_delivered_without_its_torn_tail() {
    let mut bench = Bench::new();
    bench.send(vec![event("a")]).post.unwrap();
    bench.send(vec![event("b")]);
    let (name, _) = bench.folder.held().remove(0);
    let mut bytes = bench.folder.bytes(&name);
    bytes.truncate(bytes.len() - 3);
    bench.crash();
    bench.folder.put(&name, bytes);
    bench.folder.put("left.alone", b"not ours".to_vec());
    bench.folder.put("strange.spool", vec![1; 100]);
    let mut server = ModelServer::default();
    let mut output = bench.send(vec![event("new")]);
    run_until_quiet(&mut bench, &mut server, &mut output, 100);
    let ids: Vec<_> = server.events.values().map(|event| event["event_id"].clone()).collect();
    assert_eq!(ids, ["a", "new"]);
    let names: Vec<_> = bench.folder.held().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["host~boot~1~0000000000000002.000001.spool", "left.alone", "strange.spool"]);
    assert!(bench.sender.statistics().torn_bytes > 0);
}

#[test]
fn a_file_damaged_in_the_middle_is_delivered_up_to_there_and_kept() {
    let mut bench = Bench::new();
    bench.send(vec![event("a")]).post.unwrap();
    let (name, _) = bench.folder.held().remove(0);
    let sound = bench.folder.bytes(&name).len();
    bench.send(vec![event("b")]);
    bench.send(vec![event("c")]);
    bench.crash();
    let mut bytes = bench.folder.bytes(&name);
    bytes[sound + 20] ^= 0x40;
    bench.folder.put(&name, bytes);
    let mut server = ModelServer::default();
    let mut output = bench.send(vec![event("new")]);
    run_until_quiet(&mut bench, &mut server, &mut output, 100);
    let ids: Vec<_> = server.events.values().map(|event| event["event_id"].clone()).collect();
    assert_eq!(ids, ["a", "new"]);
    assert!(bench.folder.held().iter().any(|(kept, _)| *kept == format!("{name}.damaged")));
}
