//! The live stream: frames that a viewer sends, and messages that a server sends.

use std::time::Duration;

use graflow_client::live::View;
use graflow_wire::{Message, MessageData};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::Service;

/// Longer than any answer takes: what is still open then hangs.
const PATIENCE: Duration = Duration::from_secs(10);

const HANDSHAKE: &[u8] =
    b"GET /ws/lineage HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// The first byte says who speaks.
pub(super) fn run(data: &[u8]) {
    match data.split_first() {
        Some((who, rest)) if who % 2 == 0 => server_hears(rest),
        Some((_, rest)) => viewer_hears(rest),
        None => {}
    }
}

/// A server ends a stream that makes no sense, and every stream whose viewer is gone.
fn server_hears(frames: &[u8]) {
    let service = Service::shared();
    let (mut viewer, server) = tokio::io::duplex(1 << 20);
    let router = TowerToHyperService::new(service.router.clone());
    service.runtime.block_on(async {
        let connection = http1::Builder::new().serve_connection(TokioIo::new(server), router).with_upgrades();
        let serving = tokio::spawn(connection);
        let conversation = async {
            viewer.write_all(HANDSHAKE).await.unwrap();
            // A viewer that goes before it was answered is another story.
            let mut answer = vec![0; 12];
            viewer.read_exact(&mut answer).await.unwrap();
            assert_eq!(answer, b"HTTP/1.1 101");
            // Whoever is not understood may be cut off in the middle.
            let _ = viewer.write_all(frames).await;
            let _ = viewer.shutdown().await;
            let _ = viewer.read_to_end(&mut answer).await;
        };
        let ended = tokio::time::timeout(PATIENCE, conversation).await;
        assert!(ended.is_ok(), "the stream of a viewer that is gone goes on");
        drop(serving.await);
    });
}

/// A viewer reads what it can, and keeps what it had.
fn viewer_hears(text: &[u8]) {
    let mut view = View::default();
    for line in text.split(|byte| *byte == b'\n') {
        let Ok(message) = serde_json::from_slice::<Message>(line) else { continue };
        match message.read() {
            Ok(MessageData::Hello(hello)) => {
                hello.rows.into_iter().for_each(|rows| view.apply(hello.as_of_seq, rows));
            }
            Ok(MessageData::Resync(resync)) => {
                resync.rows.into_iter().for_each(|rows| view.apply(resync.as_of_seq, rows));
            }
            Ok(MessageData::Event(delta)) => view.apply(message.seq, delta.rows),
            Ok(MessageData::Lost(change) | MessageData::Revived(change)) => {
                view.apply(message.seq, change.rows);
            }
            Ok(MessageData::Ping(_)) | Err(_) => {}
        }
    }
    assert_eq!(view.is_empty(), view.is_empty());
}
