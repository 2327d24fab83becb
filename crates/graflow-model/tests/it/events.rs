//! Reading and writing events.

use graflow_model::event::{EventErrorCode, Payload};
use graflow_model::{EdgeKind, Event, EventType, Timestamp};
use proptest::prelude::*;

const FULL: &str = r#"{"event_id":"01936f","type":"task_started","time":"2026-11-23T12:00:00.123456Z","execution_id":"x","workflow_name":"etl","task_id":"validate","task_execution_id":"x.7","iteration":0,"attempt":1,"parent_task_execution_id":"x.3","producer":"host/boot/1/n","producer_seq":42,"mono_us":8812345,"data":{"thread":"main","unheard":[1,2.50]},"mood":{"a": 1}}"#;

#[test]
fn an_event_comes_back_as_it_came() {
    let event = Event::from_json(FULL.as_bytes()).unwrap();
    assert_eq!(event.to_json(), FULL);
    assert_eq!(event.event_type, EventType::TaskStarted);
}

#[test]
fn unknown_types_are_kept() {
    let text = r#"{"event_id":"1","type":"task_teleported","time":"2026-11-23T12:00:00.000000Z","execution_id":"x","data":{"to":"mars"}}"#;
    let event = Event::from_json(text.as_bytes()).unwrap();
    assert_eq!(event.event_type, EventType::Other("task_teleported".into()));
    assert_eq!(event.to_json(), text);
}

#[test]
fn faults_are_named() {
    let with = |from: &str, to: &str| FULL.replace(from, to);
    let long = "i".repeat(129);
    let table = [
        (String::from("{"), EventErrorCode::InvalidJson, "EOF while parsing an object"),
        (String::from(r#"{"type": note}"#), EventErrorCode::InvalidJson, "type: expected ident"),
        (String::from("[]"), EventErrorCode::InvalidField, "expected an event, as a JSON object"),
        (with(r#""event_id":"01936f","#, ""), EventErrorCode::MissingField, "`event_id` is missing"),
        (with(r#""type":"task_started","#, ""), EventErrorCode::MissingField, "`type` is missing"),
        (with(r#""execution_id":"x","#, ""), EventErrorCode::MissingField, "`execution_id` is missing"),
        (with(r#""task_id":"validate","#, ""), EventErrorCode::MissingField, "`task_id` is missing"),
        (with(r#""producer":"host/boot/1/n","#, ""), EventErrorCode::MissingField, "`producer` is missing"),
        (
            with("2026-11-23T12:00:00.123456Z", "yesterday"),
            EventErrorCode::InvalidField,
            "time: `yesterday` is no RFC 3339 time",
        ),
        (
            with(r#""attempt":1"#, r#""attempt":-1"#),
            EventErrorCode::InvalidField,
            "attempt: invalid value: integer `-1`",
        ),
        (
            with(r#""producer_seq":42"#, r#""producer_seq":18446744073709551615"#),
            EventErrorCode::InvalidField,
            "producer_seq: above 2^63",
        ),
        (
            with(r#""data":{"#, r#""data":[{"#).replace("2.50]}", "2.50]}]"),
            EventErrorCode::InvalidField,
            "data: expected an object",
        ),
        (
            with(r#""thread":"main""#, r#""causes":[{"kind":"magic","task_execution_id":"y"}]"#),
            EventErrorCode::InvalidData,
            "data of task_started: unknown variant `magic`",
        ),
        (with("01936f", &long), EventErrorCode::TooLarge, "event_id: 129 bytes, the limit is 128"),
        (with("01936f", ""), EventErrorCode::InvalidField, "event_id: an id has at least one character"),
        (
            with("validate", &"n".repeat(16 * 1024 + 1)),
            EventErrorCode::TooLarge,
            "task_id: 16385 bytes, the limit is 16384",
        ),
    ];
    for (text, code, message) in table {
        let error = Event::from_json(text.as_bytes()).expect_err(&text);
        assert_eq!(error.code, code, "{error}");
        assert!(error.message.contains(message), "{error}\nlacks {message}");
    }
}

#[test]
fn a_field_that_stands_twice_is_refused() {
    for more in [
        r#""task_id":"a","task_id":"a""#,
        r#""event_id":"2""#,
        r#""mood":1,"mood":2"#,
        r#""data":{},"data":{}"#,
    ] {
        let text = format!(
            r#"{{"event_id":"1","type":"note","time":"2026-11-23T12:00:00Z","execution_id":"x",{more}}}"#
        );
        let error = Event::from_json(text.as_bytes()).expect_err(&text);
        assert_eq!(error.code, EventErrorCode::InvalidField, "{error}");
        assert!(error.message.contains("stands in it twice"), "{error}");
    }
}

#[test]
fn an_edge_is_static_where_nothing_else_is_said() {
    let text = r#"{"event_id":"1","type":"graph_changed","time":"2026-11-23T12:00:00Z","execution_id":"x","data":{"edges":[{"source":"a","target":"b"}]}}"#;
    let Payload::GraphChanged(changed) = Event::from_json(text.as_bytes()).unwrap().payload().unwrap() else {
        panic!("another type")
    };
    assert_eq!(changed.edges[0].kind, EdgeKind::Static);
}

#[test]
fn null_is_absent() {
    let text = r#"{"event_id":"1","type":"note","time":"2026-11-23T12:00:00Z","execution_id":"x","task_id":null,"data":null}"#;
    let event = Event::from_json(text.as_bytes()).unwrap();
    assert_eq!((event.task_id, event.data.get()), (None, "{}"));
}

proptest! {
    #[test]
    fn any_bytes_are_an_event_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Event::from_json(&bytes);
    }

    #[test]
    fn an_event_with_bytes_changed_does_not_panic(place in 0..FULL.len(), byte in any::<u8>()) {
        let mut bytes = FULL.as_bytes().to_vec();
        bytes[place] = byte;
        if let Ok(event) = Event::from_json(&bytes) {
            prop_assert!(Event::from_json(event.to_json().as_bytes()).is_ok());
        }
    }

    #[test]
    fn times_come_back(micros in -377_705_023_201_000_000_i64..253_402_207_200_000_000) {
        let time = Timestamp::from_micros(micros);
        prop_assert_eq!(time.to_string().parse::<Timestamp>(), Ok(time));
    }
}
