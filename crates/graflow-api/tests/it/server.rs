//! The service on a real port.

use std::sync::Arc;
use std::time::{Duration, Instant};

use graflow_api::{BindError, Settings, bind, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::support::TestApi;

#[tokio::test(flavor = "multi_thread")]
async fn a_public_address_needs_a_token() {
    for host in ["0.0.0.0", "::"] {
        let mut settings = Settings::local("x");
        (settings.host, settings.port) = (host.to_owned(), 0);
        let error = bind(&settings).await.unwrap_err();
        assert!(matches!(error, BindError::PublicWithoutToken(_)), "{error}");
        assert!(error.to_string().contains("hint: give --token-file"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_in_use_is_said_so() {
    let mut settings = Settings::local("x");
    settings.port = 0;
    let listener = bind(&settings).await.unwrap();
    settings.port = listener.local_addr().unwrap().port();
    let error = bind(&settings).await.unwrap_err();
    assert!(matches!(error, BindError::InUse(_)), "{error}");
    assert!(error.to_string().contains("is in use; hint:"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_stops_within_seconds_with_idle_and_hanging_connections() {
    let api = TestApi::with(|settings| {
        settings.port = 0;
        settings.grace = Duration::from_secs(1);
    });
    let listener = bind(&api.settings).await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let serving = tokio::spawn(serve(listener, Arc::clone(&api.manager), api.settings.clone(), stop.clone()));
    let mut connection = TcpStream::connect(address).await.unwrap();
    connection.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut answer = vec![0; 1_024];
    let length = connection.read(&mut answer).await.unwrap();
    assert!(answer[..length].starts_with(b"HTTP/1.1 200 OK"));
    // One that never sends its body.
    let mut hanging = TcpStream::connect(address).await.unwrap();
    hanging
        .write_all(b"POST /api/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n[")
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let began = Instant::now();
    stop.cancel();
    serving.await.unwrap().unwrap();
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
}

/// Half a request's head does not keep a connection for ever, and does not keep others out.
#[tokio::test(flavor = "multi_thread")]
async fn a_dripping_head_is_given_up() {
    let api = TestApi::with(|settings| settings.port = 0);
    let listener = bind(&api.settings).await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let serving = tokio::spawn(serve(listener, Arc::clone(&api.manager), api.settings.clone(), stop.clone()));
    let mut dripping = TcpStream::connect(address).await.unwrap();
    dripping.write_all(b"GET /health HTTP/1.1\r\nHost: local").await.unwrap();
    let began = Instant::now();
    let mut rest = Vec::new();
    // The end of the connection, with or without an answer before it.
    let ended = tokio::time::timeout(Duration::from_secs(40), dripping.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "still open after {:?}", began.elapsed());
    assert!(began.elapsed() > Duration::from_secs(10), "{:?}", began.elapsed());
    stop.cancel();
    serving.await.unwrap().unwrap();
}
