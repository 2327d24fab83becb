//! What is recorded of values.

use std::collections::BTreeMap;

use graflow_model::value::{Redaction, ValuePolicy, describe, hash};
use proptest::prelude::*;
use serde::Serialize;
use serde_json::{Value, json};

fn hashed<T: Serialize>(value: &T) -> String {
    hash::of(value).map_or_else(|skipped| skipped.to_string(), |hash| hash.to_string())
}

#[derive(Serialize)]
enum Shape {
    Point,
    Circle(f64),
    Line(i32, i32),
    Square { side: u8 },
}

/// Fixed for ever: other languages compute the same.
#[test]
fn the_encoding_is_what_its_documentation_says() {
    let blake = |bytes: &[u8]| format!("blake3:{}", &blake3::hash(bytes).to_hex()[..32]);
    let one = [b"d".as_slice(), &1.5_f64.to_be_bytes()].concat();
    let circle = [b"ms6:Circle".as_slice(), &one, b"e"].concat();
    let table: Vec<(String, &[u8])> = vec![
        (hashed(&()), b"n"),
        (hashed(&None::<u8>), b"n"),
        (hashed(&Some(true)), b"t"),
        (hashed(&-7), b"i-7;"),
        (hashed(&u128::MAX), b"i340282366920938463463374607431768211455;"),
        (hashed(&1.5), &one),
        (hashed(&-0.0), b"d\0\0\0\0\0\0\0\0"),
        (hashed(&f64::NAN), b"d\x7f\xf8\0\0\0\0\0\0"),
        (hashed(&"näh"), "s4:näh".as_bytes()),
        (hashed(&'x'), b"s1:x"),
        (hashed(&(1, "a")), b"li1;s1:ae"),
        (hashed(&json!({"b": 1, "a": [null]})), b"ms1:alnes1:bi1;e"),
        (hashed(&BTreeMap::from([(10, 'x'), (9, 'y')])), b"mi10;s1:xi9;s1:ye"),
        (hashed(&Shape::Point), b"s5:Point"),
        (hashed(&Shape::Circle(1.5)), &circle),
        (hashed(&Shape::Line(1, 2)), b"ms4:Lineli1;i2;ee"),
        (hashed(&Shape::Square { side: 3 }), b"ms6:Squarems4:sidei3;ee"),
    ];
    for (hash, encoding) in table {
        assert_eq!(hash, blake(encoding), "{}", String::from_utf8_lossy(encoding));
    }
}

/// The page that others implement the hash from.
#[test]
fn the_examples_in_the_reference_are_right() {
    let page = include_str!("../../../../docs/reference/values.md");
    let rows = page.lines().filter(|line| line.starts_with("| `") && line.contains("`blake3:"));
    let mut checked = 0;
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        let value: Value = serde_json::from_str(cells[1]).unwrap();
        assert_eq!(hashed(&value), cells[3], "{row}");
        checked += 1;
    }
    assert_eq!(checked, 8);
}

#[test]
fn what_cannot_be_hashed_says_why() {
    let mut deep = json!(0);
    for _ in 0..200 {
        deep = json!([deep]);
    }
    assert_eq!(hashed(&"x".repeat(hash::HASHED_BYTES)), "hash_skipped:too_large");
    assert_eq!(hashed(&deep), "hash_skipped:too_deep");
}

#[test]
fn the_policy_says_how_much_is_told() {
    let value = json!({"name": "ann", "token": "abc"});
    let told = |policy| {
        let described = describe(&value, policy);
        (described.size.is_some(), described.hash.is_some(), described.preview)
    };
    let shown = json!({"name": "ann", "token": "[redacted]"});
    assert_eq!(told(ValuePolicy::Off), (false, false, None));
    assert_eq!(told(ValuePolicy::Metadata), (true, true, None));
    assert_eq!(told(ValuePolicy::Preview), (true, true, Some(shown.clone())));
    assert_eq!(told(ValuePolicy::Full), (true, true, Some(shown)));
    let long = describe(&"é".repeat(5_000), ValuePolicy::Preview).preview;
    let Some(Value::String(text)) = long else { panic!("{long:?}") };
    assert!(text.len() <= 2 * 1024 + 3 && text.ends_with('…'), "{} bytes", text.len());
}

#[test]
fn secrets_do_not_leave() {
    let secrets = ["hunter2", "sk-abcdef", "Bearer x.y", "ghp_123"];
    let value = json!({"user": {"PASSWORD": secrets[0], "note": secrets[1]}, "list": [secrets[2], {"api-key": secrets[3]}],
        "input_tokens": 12});
    let shown = Redaction::default().apply(value).to_string();
    for secret in secrets {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
    assert!(shown.contains("12"), "a count of tokens is no secret: {shown}");
}

proptest! {
    #[test]
    fn maps_hash_alike_in_any_order(map in prop::collection::hash_map("[a-z]{0,3}", any::<i32>(), 0..20)) {
        let ordered: BTreeMap<_, _> = map.iter().collect();
        prop_assert_eq!(hashed(&map), hashed(&ordered));
    }

    #[test]
    fn different_lists_of_text_hash_differently(one: Vec<String>, other: Vec<String>) {
        prop_assert_eq!(one == other, hashed(&one) == hashed(&other));
    }
}
