//! Servers come and go while programs run.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use graflow_client::{Endpoint, Outcome};
use graflow_local::{DataFolder, Ownership, Place, discover_owner};

use crate::server::{TestServer, owner, serve, server_info};
use crate::{SOON, eventually, ids, names, open_store, place, producer, send};

fn discovered(folder: &DataFolder) -> Option<Endpoint> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(discover_owner(folder))
}

#[test]
fn a_program_hands_its_folder_to_a_server_and_gets_it_back() {
    let data = tempfile::tempdir().unwrap();
    let folder = DataFolder::at(data.path());
    let (producer, at) = producer(&folder, true);
    send(&producer, "a", 0..100);
    assert_eq!(producer.flush(SOON), Outcome::Delivered);
    assert_eq!(place(&at), Place::OwnStore);

    let began = Instant::now();
    let server = TestServer::start(&folder);
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    assert_eq!(ids(&*server.store), names("a", 100), "everything from before");
    send(&producer, "b", 0..100);
    let mut pokes = 0;
    let mut poke = |producer: &graflow_client::Producer| {
        send(producer, "poke", pokes..pokes + 1);
        pokes += 1;
    };
    eventually("the server is found", || {
        poke(&producer);
        producer.flush(SOON);
        matches!(place(&at), Place::Server(_))
    });
    assert_eq!(producer.flush(SOON), Outcome::Delivered);
    eventually("what was spooled meanwhile", || {
        server.intake.take_in().unwrap();
        ids(&*server.store).is_superset(&names("b", 100))
    });

    drop(server);
    eventually("the program is the owner again", || {
        poke(&producer);
        producer.flush(SOON);
        place(&at) == Place::OwnStore
    });
    drop(producer);
    let ownership = Ownership::try_take(&folder).unwrap().expect("a free folder");
    let expected = &(&names("a", 100) | &names("b", 100)) | &names("poke", pokes);
    assert_eq!(ids(&open_store(&folder)), expected);
    drop(ownership);
}

#[test]
fn programs_send_to_the_server_that_owns_the_folder() {
    let data = tempfile::tempdir().unwrap();
    let folder = DataFolder::at(data.path());
    let server = TestServer::start(&folder);
    let (one, one_at) = producer(&folder, true);
    let (two, two_at) = producer(&folder, false);
    send(&one, "one", 0..200);
    send(&two, "two", 0..200);
    assert_eq!((one.flush(SOON), two.flush(SOON)), (Outcome::Delivered, Outcome::Delivered));
    assert!(matches!(place(&one_at), Place::Server(_)) && matches!(place(&two_at), Place::Server(_)));
    assert_eq!(ids(&*server.store), &names("one", 200) | &names("two", 200));
}

#[test]
fn a_server_comes_back_elsewhere_and_is_found() {
    let data = tempfile::tempdir().unwrap();
    let folder = DataFolder::at(data.path());
    let server = TestServer::start(&folder);
    let (producer, at) = producer(&folder, false);
    send(&producer, "a", 0..10);
    assert_eq!(producer.flush(SOON), Outcome::Delivered);
    let first = place(&at);
    drop(server);
    send(&producer, "b", 0..10);
    assert_eq!(producer.flush(SOON), Outcome::Spooled);
    let server = TestServer::start(&folder);
    eventually("found again", || {
        producer.flush(SOON);
        server.intake.take_in().unwrap();
        ids(&*server.store).len() == 20
    });
    send(&producer, "c", 0..10);
    eventually("directly again", || {
        producer.flush(SOON);
        matches!(place(&at), Place::Server(_)) && place(&at) != first
    });
    eventually("all there", || ids(&*server.store).len() == 30);
}

#[test]
fn a_stale_file_is_not_believed() {
    let data = tempfile::tempdir().unwrap();
    let folder = DataFolder::at(data.path());
    let write = |url: String| {
        let text = serde_json::to_string(&owner(Some(url), "gone")).unwrap();
        std::fs::write(data.path().join("server.json"), text).unwrap();
    };
    // Nothing listens there any more.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    write(format!("http://{closed}"));
    assert_eq!(discovered(&folder), None);
    // Another program, another server of ours, ours.
    for (answer, expected) in [
        ("hello".to_owned(), false),
        (server_info("another").to_string(), false),
        (server_info("gone").to_string(), true),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        write(format!("http://{}", listener.local_addr().unwrap()));
        let router = Router::new().route("/api/server", get(move || async move { answer }));
        let (stop, thread) = serve(listener, router);
        assert_eq!(discovered(&folder).is_some(), expected);
        stop.send(()).unwrap();
        thread.join().unwrap();
    }
    std::fs::write(data.path().join("server.json"), "{ broken").unwrap();
    assert_eq!(discovered(&folder), None);
}
