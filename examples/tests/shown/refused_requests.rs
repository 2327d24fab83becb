//! Requests that cannot be taken: each answer says why, and what to do.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::support::{Place, Rest, Server};

/// An answer, with the body as JSON.
struct Answer {
    status: u16,
    body: Value,
}

/// Posts a body as it stands, chunk by chunk, and reads the answer, which may come before the body has ended.
fn post(server: &Server, headers: &str, body: impl Iterator<Item = Vec<u8>> + Send + 'static) -> Answer {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    let mut writer = stream.try_clone().unwrap();
    let head =
        format!("POST /api/events HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n{headers}\r\n\r\n");
    let writing = std::thread::spawn(move || {
        // A server that has heard enough stops listening.
        let _ = writer.write_all(head.as_bytes());
        body.take_while(|chunk| writer.write_all(chunk).is_ok()).count()
    });
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    // What was said before the connection ended is the answer, however it ended.
    while let Ok(read @ 1..) = stream.read(&mut piece) {
        answer.extend_from_slice(&piece[..read]);
    }
    drop(stream);
    writing.join().unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap_or_else(|| panic!("no answer")).parse().unwrap();
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    Answer { status, body: serde_json::from_str(body).unwrap_or_else(|error| panic!("{body}: {error}")) }
}

fn post_text(server: &Server, content_type: &str, text: &str) -> Answer {
    let headers = format!("Content-Type: {content_type}\r\nContent-Length: {}", text.len());
    post(server, &headers, std::iter::once(text.as_bytes().to_vec()))
}

/// A refusal as people read it.
fn refusal(answer: &Answer) -> String {
    let text =
        |field: &str| answer.body[field].as_str().unwrap_or_else(|| panic!("{field}: {}", answer.body));
    format!("{} {}: {}\nhint: {}", answer.status, text("code"), text("error"), text("hint"))
}

/// A sound event of an own run.
fn event(execution_id: &str, event_type: &str) -> Value {
    json!({
        "event_id": format!("{execution_id}/{event_type}"), "type": event_type,
        "time": "2026-11-23T12:00:00.000000Z", "execution_id": execution_id, "workflow_name": "by hand", "data": {},
    })
}

async fn stored_events(rest: &Rest) -> u64 {
    rest.get::<Value>("/api/server").await["last_seq"].as_u64().unwrap()
}

#[tokio::test]
async fn bad_json_stores_nothing() {
    let place = Place::new();
    let server = place.serve(0);
    let sound = event("r1", "workflow_started").to_string();
    let answer = post_text(&server, "application/json", &format!("[{sound}, {{\"type\":"));
    insta::assert_snapshot!(refusal(&answer), @"
    400 invalid_json: the body is no JSON: EOF while parsing a value at line 1 column 164
    hint: nothing of it was stored; send a JSON array of events, or one event a line (application/x-ndjson)
    ");
    let answer = post_text(&server, "application/json", "42");
    insta::assert_snapshot!(refusal(&answer), @"
    400 not_events: the body is a number; expected an array of events, one event, or one event a line
    hint: spec/events.schema.json says what an event looks like
    ");
    assert_eq!(stored_events(&server.rest()).await, 0);
}

#[tokio::test]
async fn a_bad_line_is_lost_alone() {
    let place = Place::new();
    let server = place.serve(0);
    let lines = format!(
        "{}\n{{\"type\": task_started}}\n{}\n",
        event("r1", "workflow_started"),
        event("r1", "workflow_completed")
    );
    let answer = post_text(&server, "application/x-ndjson", &lines);
    assert_eq!((answer.status, &answer.body["accepted"]), (200, &json!(2)), "{}", answer.body);
    insta::assert_snapshot!(answer.body["invalid"], @r#"[{"code":"invalid_json","hint":"an event is one JSON object; of lines, one stands on each","index":1,"message":"type: expected ident at line 1 column 11"}]"#);
    assert_eq!(server.rest().execution("r1").await.execution.status.as_str(), "completed");
}

#[tokio::test]
async fn missing_and_wrong_fields_are_named() {
    let place = Place::new();
    let server = place.serve(0);
    let mut events = Vec::new();
    for field in ["type", "time", "execution_id", "event_id"] {
        let mut event = event(&format!("without {field}"), "workflow_started");
        event.as_object_mut().unwrap().remove(field);
        events.push(event);
    }
    let mut wrong = event("wrong time", "workflow_started");
    wrong["time"] = json!("yesterday");
    events.push(wrong);
    let mut wrong = event("wrong data", "task_started");
    wrong["data"] = json!([]);
    events.push(wrong);
    let answer = post_text(&server, "application/json", &json!(events).to_string());
    assert_eq!(answer.status, 200, "{}", answer.body);
    let invalid = answer.body["invalid"].as_array().unwrap();
    let lines: Vec<String> = invalid
        .iter()
        .map(|one| format!("{} {} {}", one["index"], one["code"], one["message"].as_str().unwrap()))
        .collect();
    assert!(invalid.iter().all(|one| one["hint"].as_str().unwrap().contains("events.schema.json")));
    insta::assert_snapshot!(lines.join("\n"), @r#"
    0 "missing_field" `type` is missing
    1 "missing_field" `time` is missing
    2 "missing_field" `execution_id` is missing
    3 "missing_field" `event_id` is missing
    4 "invalid_field" time: `yesterday` is no RFC 3339 time, such as 2026-11-23T12:00:00.123456Z at line 1 column 98
    5 "invalid_field" data: expected an object at line 1 column 10
    "#);
}

/// A type from the future is kept as it came, and given back; whoever sent it is told.
#[tokio::test]
async fn unknown_types_are_kept() {
    let place = Place::new();
    let server = place.serve(0);
    let mut unknown = event("r1", "task_teleported");
    unknown["data"] = json!({ "from": "here", "to": [1, 2.5, null] });
    unknown["colour"] = json!("blue");
    let answer = post_text(&server, "application/json", &json!([unknown]).to_string());
    assert_eq!((answer.status, &answer.body["accepted"]), (200, &json!(1)), "{}", answer.body);
    let warnings = json!([{
        "index": 0,
        "code": "unknown_type",
        "message": "`task_teleported` is no type of event that this version knows; kept as it came, without effect",
        "hint": "see spec/events.schema.json for the types; a newer producer may want a newer server",
    }]);
    assert_eq!(answer.body["warnings"], warnings);
    let events: Value = server.rest().get("/api/executions/r1/events").await;
    assert_eq!(events["events"][0]["event"], unknown);
}

#[tokio::test]
async fn a_body_of_200_mb_is_refused_and_stores_nothing() {
    const MEGABYTES: usize = 200;
    let place = Place::new();
    let server = place.serve(0);
    let megabytes = || std::iter::repeat_n(vec![b' '; 1 << 20], MEGABYTES);
    let announced = format!("Content-Type: application/json\r\nContent-Length: {}", MEGABYTES << 20);
    let answer = post(&server, &announced, megabytes());
    insta::assert_snapshot!(refusal(&answer), @"
    413 body_too_large: the body has more than 16777216 bytes
    hint: nothing of it was taken; send it in several requests, or compressed (gzip, zstd)
    ");
    let chunks = megabytes().map(|megabyte| [b"100000\r\n".as_slice(), &megabyte, b"\r\n"].concat());
    let answer = post(&server, "Content-Type: application/json\r\nTransfer-Encoding: chunked", chunks);
    insta::assert_snapshot!(refusal(&answer), @"
    413 body_too_large: the body has more than 16777216 bytes
    hint: nothing of it was taken; send it in several requests, or compressed (gzip, zstd)
    ");
    assert_eq!(stored_events(&server.rest()).await, 0);
    // It goes on answering as if nothing had been.
    let answer =
        post_text(&server, "application/json", &json!([event("r1", "workflow_started")]).to_string());
    assert_eq!((answer.status, &answer.body["accepted"]), (200, &json!(1)), "{}", answer.body);
}

#[tokio::test]
async fn an_unknown_run_is_not_found() {
    let place = Place::new();
    let server = place.serve(0);
    let error = server.rest().0.execution("nobody", &graflow_client::Query::new()).await.unwrap_err();
    assert!(error.is_not_found());
    insta::assert_snapshot!(format!("{error}\nhint: {}", error.hint()), @"
    Execution not found
    hint: GET /api/executions lists what is there; it may have been deleted, or its events are still on their way
    ");
    let ended = place.run(&["show", "nobody"]);
    assert_eq!(ended.code, Some(3));
    insta::assert_snapshot!(ended.stderr, @"
    error: no execution's id begins or ends with `nobody`
    hint: `graflow lineage list` shows what is there; `latest` is the newest one
    ");
}
