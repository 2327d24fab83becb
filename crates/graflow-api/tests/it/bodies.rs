//! The one door in: forms, encodings, limits.

use std::io::Write;

use axum::body::Body;
use serde_json::{Value, json};

use crate::support::{TestApi, event};

const JSON: (&str, &str) = ("content-type", "application/json");
const NDJSON: (&str, &str) = ("content-type", "application/x-ndjson");

type Headers<'a> = &'a [(&'a str, &'a str)];

fn note(id: &str) -> Value {
    event(id, "note", "x", 0, json!({}))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_became_of_each_event() {
    let api = TestApi::new();
    let body = json!([note("1"), {"event_id": "2"}, note("1"), note("3"),
        {"event_id": "4", "type": "task_started", "time": "2026-11-23T12:00:00Z", "execution_id": "x"},
        {"event_id": "5", "type": "workflow_started", "time": "yesterday", "execution_id": "x"}]);
    let answer = api.post("/api/events?results=full", &[JSON], body.to_string()).await.ok();
    insta::assert_json_snapshot!("post_events", answer);
    // The same again: nothing new.
    let again = api.post("/api/events", &[JSON], json!([note("1"), note("3")]).to_string()).await.ok();
    assert_eq!(
        again,
        json!({"accepted": 0, "duplicates": 2, "invalid": [], "dropped": 0, "last_seq": answer["last_seq"]})
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn forms() {
    let api = TestApi::new();
    let lines = format!("{}\n{{broken\n\n{}\n", note("l1"), note("l2"));
    let cases: [(Headers<'_>, String, u64, u64); 5] = [
        (&[JSON], json!([note("a")]).to_string(), 1, 0),
        (&[JSON], note("b").to_string(), 1, 0),
        (&[NDJSON], lines.clone(), 2, 1),
        (&[("content-type", "text/plain; charset=utf-8")], lines.replace("\"l", "\"m"), 2, 1),
        (&[], "[]".to_owned(), 0, 0),
    ];
    for (headers, body, accepted, invalid) in cases {
        let answer = api.post("/api/events", headers, body.clone()).await.ok();
        assert_eq!(answer["accepted"], accepted, "{body}\n{answer}");
        assert_eq!(answer["invalid"].as_array().unwrap().len() as u64, invalid, "{body}\n{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_array_stores_nothing() {
    let api = TestApi::new();
    let body = format!("[{},", note("1"));
    assert_eq!(api.post("/api/events", &[JSON], body).await.error(), "400 invalid_json");
    assert_eq!(api.get("/api/executions").await.ok()["executions"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn encodings() {
    let api = TestApi::new();
    let body = |id: &str| json!([note(id)]).to_string().into_bytes();
    let zstd = zstd::encode_all(&*body("z"), 3).unwrap();
    for (encoding, body) in [("gzip", gzip(&body("g"))), ("zstd", zstd), ("identity", body("i"))] {
        let answer = api.post("/api/events", &[("content-encoding", encoding)], body).await.ok();
        assert_eq!(answer["accepted"], 1, "{encoding}");
    }
    let cases: [(&str, Vec<u8>, &str); 5] = [
        ("br", body("b"), "415 unknown_encoding"),
        ("gzip, zstd", body("b"), "415 unknown_encoding"),
        ("gzip", body("b"), "400 broken_encoding"),
        ("zstd", body("b"), "400 broken_encoding"),
        ("gzip", gzip(&body("b"))[..20].to_vec(), "400 broken_encoding"),
    ];
    for (encoding, body, expected) in cases {
        assert_eq!(
            api.post("/api/events", &[("content-encoding", encoding)], body).await.error(),
            expected,
            "{encoding}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn limits() {
    let api = TestApi::with(|settings| {
        settings.limits.request_bytes = 100_000;
        settings.limits.inflated_bytes = 400_000;
    });
    let spaces = |count: usize| vec![b' '; count];
    let zstd = zstd::encode_all(&*spaces(400_001), 3).unwrap();
    let stream = || {
        Body::from_stream(futures_util::stream::iter(
            (0..20).map(move |_| Ok::<_, std::io::Error>(spaces(10_000))),
        ))
    };
    let announced = [("content-length", "2000000000")];
    assert_eq!(api.post("/api/events", &[], spaces(100_001)).await.error(), "413 body_too_large");
    assert_eq!(api.post("/api/events", &[], stream()).await.error(), "413 body_too_large");
    assert_eq!(api.post("/api/events", &announced, Body::empty()).await.error(), "413 body_too_large");
    assert_eq!(
        api.post("/api/events", &[("content-encoding", "gzip")], gzip(&spaces(400_001))).await.error(),
        "413 inflated_too_large"
    );
    assert_eq!(
        api.post("/api/events", &[("content-encoding", "zstd")], zstd).await.error(),
        "413 inflated_too_large"
    );
    let many = format!("[{}]", vec!["0"; 10_001].join(","));
    assert_eq!(api.post("/api/events", &[], many).await.error(), "413 too_many_events");
    let long = json!([event(&"i".repeat(129), "note", "x", 0, json!({}))]).to_string();
    let answer = api.post("/api/events", &[], long).await.ok();
    assert_eq!(answer["invalid"][0]["code"], "too_large");
    assert_eq!(answer["accepted"], 0);
    // The door still works.
    api.take(&[note("after")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_event_is_refused_alone() {
    let api = TestApi::new();
    let large = event("large", "note", "x", 0, json!({"data": {"text": "t".repeat(1 << 20)}}));
    let answer = api.post("/api/events", &[JSON], json!([large, note("1")]).to_string()).await.ok();
    assert_eq!((&answer["accepted"], &answer["invalid"][0]["code"]), (&json!(1), &json!("too_large")));
}

/// What a reader sees after an acknowledgement includes it, on every path.
#[tokio::test(flavor = "multi_thread")]
async fn a_reader_sees_its_own_writes() {
    let api = TestApi::new();
    for number in 0..50 {
        let id = format!("run-{number}");
        api.take(&[event(
            &format!("e{number}"),
            "workflow_started",
            &id,
            number,
            json!({"workflow_name": "w"}),
        )])
        .await;
        let answer = api.get(&format!("/api/executions/{id}")).await;
        assert_eq!(answer.status, 200, "{number}: {}", answer.text);
    }
}
