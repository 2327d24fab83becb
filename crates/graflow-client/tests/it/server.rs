//! A small server that keeps events the way the real one does, and misbehaves when told to.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use graflow_client::Endpoint;
use serde_json::{Value, json};
use tokio::sync::oneshot;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Good,
    /// Takes the connection and never answers.
    Hanging,
    /// Answers after so many milliseconds.
    Slow(u64),
    /// Stores, and then says that it did not.
    LosesAnswers,
    /// 503 with this `Retry-After`.
    Overloaded(&'static str),
    /// Another program altogether.
    Stranger,
    /// Answers as a server does that wants a token.
    Locked,
}

#[derive(Debug, Default)]
pub(crate) struct Stored {
    /// Producer and number to the event; once each.
    pub(crate) events: BTreeMap<(String, u64), Value>,
    /// In the order of arrival.
    pub(crate) arrival: Vec<(String, u64)>,
    pub(crate) heartbeats: Vec<Value>,
    pub(crate) requests: Vec<Instant>,
    pub(crate) encodings: Vec<Option<String>>,
    pub(crate) authorizations: Vec<Option<String>>,
}

#[derive(Clone, Debug)]
struct Shared {
    stored: Arc<Mutex<Stored>>,
    mood: Arc<Mutex<Mood>>,
}

#[derive(Debug)]
pub(crate) struct TestServer {
    shared: Shared,
    address: SocketAddr,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl TestServer {
    pub(crate) fn start(mood: Mood) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Shared { stored: Arc::default(), mood: Arc::new(Mutex::new(mood)) };
        let running = Some(serve(listener, router(shared.clone())));
        Self { shared, address, running }
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint::parse(&format!("http://{}", self.address)).unwrap()
    }

    pub(crate) fn set_mood(&self, mood: Mood) {
        *self.shared.mood.lock().unwrap() = mood;
    }

    pub(crate) fn stored(&self) -> MutexGuard<'_, Stored> {
        self.shared.stored.lock().unwrap()
    }

    pub(crate) fn count(&self) -> usize {
        self.stored().events.len()
    }

    /// Nothing listens any more.
    pub(crate) fn stop(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            let _ = stop.send(());
            thread.join().unwrap();
        }
    }

    /// Listens again, at the same address, with what it had.
    pub(crate) fn start_again(&mut self) {
        let listener = TcpListener::bind(self.address).unwrap();
        self.running = Some(serve(listener, router(self.shared.clone())));
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Serves until told to stop; connections are cut off then.
pub(crate) fn serve(listener: TcpListener, router: Router) -> (oneshot::Sender<()>, JoinHandle<()>) {
    let (stop, stopped) = oneshot::channel();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            listener.set_nonblocking(true).unwrap();
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            tokio::select! {
                served = axum::serve(listener, router).into_future() => served.unwrap(),
                _ = stopped => {}
            }
        });
    });
    (stop, thread)
}

fn router(shared: Shared) -> Router {
    Router::new().route("/api/events", post(events)).with_state(shared)
}

async fn events(State(shared): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    {
        let mut stored = shared.stored.lock().unwrap();
        stored.requests.push(Instant::now());
        stored.encodings.push(header("content-encoding"));
        stored.authorizations.push(header("authorization"));
    }
    let error = json!({"error": "no", "code": "no", "hint": "wait"}).to_string();
    let mood = *shared.mood.lock().unwrap();
    match mood {
        Mood::Hanging => std::future::pending().await,
        Mood::Slow(millis) => tokio::time::sleep(Duration::from_millis(millis)).await,
        Mood::Overloaded(after) => {
            return (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", after)], error).into_response();
        }
        Mood::Stranger => return "<html>welcome</html>".into_response(),
        Mood::Locked => return (StatusCode::UNAUTHORIZED, error).into_response(),
        Mood::Good | Mood::LosesAnswers => {}
    }
    let body = match header("content-encoding").as_deref() {
        Some("zstd") => zstd::decode_all(body.as_ref()).unwrap(),
        _ => body.to_vec(),
    };
    let answer = store(&mut shared.stored.lock().unwrap(), std::str::from_utf8(&body).unwrap());
    if mood == Mood::LosesAnswers {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    answer.to_string().into_response()
}

fn store(stored: &mut Stored, body: &str) -> Value {
    let (mut accepted, mut duplicates) = (0, 0);
    for line in body.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        let Some(number) = event["producer_seq"].as_u64() else {
            stored.heartbeats.push(event);
            continue;
        };
        let key = (event["producer"].as_str().unwrap().to_owned(), number);
        if let Some(known) = stored.events.get(&key) {
            assert_eq!(known["event_id"], event["event_id"], "a number used twice");
            duplicates += 1;
        } else {
            stored.events.insert(key.clone(), event);
            stored.arrival.push(key);
            accepted += 1;
        }
    }
    json!({"accepted": accepted, "duplicates": duplicates, "invalid": [], "last_seq": stored.events.len()})
}
