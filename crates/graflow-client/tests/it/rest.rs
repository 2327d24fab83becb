//! The typed client against what a server may answer.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{Method, StatusCode, Uri};
use axum::response::IntoResponse;
use graflow_client::{Client, ClientError, Endpoint, Query};

use crate::server::serve;

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// A server that answers everything with this, and tells what it was asked.
fn answering(status: u16, body: &'static str) -> (Client, Arc<Mutex<Vec<String>>>, impl FnOnce()) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    let router = Router::new().fallback(move |method: Method, uri: Uri| async move {
        log.lock().unwrap().push(format!("{method} {uri}"));
        (StatusCode::from_u16(status).unwrap(), body).into_response()
    });
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = Endpoint::parse(&format!("http://{}/prefix", listener.local_addr().unwrap())).unwrap();
    let (stop, thread) = serve(listener, router);
    let stop = move || {
        stop.send(()).unwrap();
        thread.join().unwrap();
    };
    (Client::to_server(endpoint).unwrap(), asked, stop)
}

#[test]
fn paths_and_queries_arrive_as_meant() {
    let (client, asked, stop) = answering(200, "{}");
    block_on(async {
        let none = &Query::new();
        // The answers are of the wrong shape; only what was asked matters here.
        let _ = client.executions(&Query::new().label("team", "a b").limit(5)).await;
        let _ = client.task_history("price/eu?", none).await;
        let _ = client.delete_execution("x").await;
        let _ = client.delete(&graflow_wire::DeleteRequest::default()).await;
        let _ = client.post_events(b"{}\n".to_vec()).await;
    });
    stop();
    let expected = [
        "GET /prefix/api/executions?label.team=a%20b&limit=5",
        "GET /prefix/api/tasks/price%2Feu%3F/history",
        "DELETE /prefix/api/executions/x",
        "POST /prefix/api/executions/delete",
        "POST /prefix/api/events",
    ];
    assert_eq!(*asked.lock().unwrap(), expected);
}

#[test]
fn the_servers_words_reach_the_person() {
    let body = r#"{"error":"Execution not found","code":"execution_not_found","hint":"list them"}"#;
    let (client, _, stop) = answering(404, body);
    let error = block_on(client.execution("x", &Query::new())).unwrap_err();
    assert_eq!((error.to_string().as_str(), error.hint()), ("Execution not found", "list them"));
    assert_eq!((error.code(), error.is_not_found()), (Some("execution_not_found"), true));
    stop();
}

#[test]
fn another_program_is_recognised() {
    for (status, body) in
        [(200, "<html>"), (200, r#"{"detail":1}"#), (404, r#"{"detail":"Not Found"}"#), (302, "")]
    {
        let (client, _, stop) = answering(status, body);
        let error = block_on(client.server(&Query::new())).unwrap_err();
        assert!(matches!(error, ClientError::NotLineage { .. }), "{error}");
        stop();
    }
}

#[test]
fn where_nothing_listens_the_error_says_how_to_start_a_server() {
    let (client, _, stop) = answering(200, "");
    stop();
    let error = block_on(client.server(&Query::new())).unwrap_err();
    assert!(error.to_string().ends_with("nothing listens there (connection refused)"), "{error}");
    assert!(error.hint().contains("graflow lineage serve"));
}
