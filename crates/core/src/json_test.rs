//! By way of the tree beside straight from the text, and indented text beside the library's.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::net::IpAddr;

use proptest::prelude::*;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{pretty, read};

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct All {
    id: u64,
    #[serde(default)]
    less: i32,
    #[serde(default)]
    part: f64,
    #[serde(default)]
    maybe: Option<Box<All>>,
    #[serde(default)]
    pair: Option<(u8, String)>,
    #[serde(default)]
    ports: BTreeMap<u32, BTreeSet<IpAddr>>,
    #[serde(default)]
    kinds: Vec<Kind>,
    #[serde(default)]
    named: BTreeMap<Kind, bool>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    None,
    Name(String),
    Both(u8, u8),
    Told { at: i64 },
}

#[derive(Debug, PartialEq, Deserialize)]
struct Flat {
    at: u64,
    #[serde(flatten)]
    what: What,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
enum What {
    Began { node: String },
    Ended,
}

/// Reads as the library does, or refuses what the library refuses.
fn same<T: DeserializeOwned + PartialEq + Debug>(text: &str) {
    let theirs = serde_json::from_str::<T>(text);
    match read::<T>(text.as_bytes()) {
        Ok(ours) => assert_eq!(ours, theirs.unwrap(), "{text}"),
        Err(error) => assert!(theirs.is_err(), "{text}: {error}"),
    }
}

#[test]
fn what_is_right_is_read_as_the_library_reads_it() {
    for text in [
        r#"{"id": 18446744073709551615, "less": -3, "part": 1.5}"#,
        r#"{"id": 1, "part": 2, "maybe": {"id": 0, "maybe": null}, "pair": [7, "x"]}"#,
        r#"{"id": 1, "ports": {"10": ["10.0.0.1", "fd00::1"], "7": []}}"#,
        r#"{"id": 1, "kinds": ["none", {"name": "a\u00e9"}, {"both": [1, 2]}, {"told": {"at": -9}}, {"none": null}]}"#,
        r#"{"id": 1, "named": {"none": true}}"#,
    ] {
        assert!(read::<All>(text.as_bytes()).is_ok(), "{text}");
        same::<All>(text);
    }
    same::<Flat>(r#"{"at": 5, "what": "began", "node": "n1"}"#);
    same::<Flat>(r#"{"what": "ended", "at": 5}"#);
}

#[test]
fn what_is_wrong_is_refused() {
    for text in [
        "",
        "{",
        "{} x",
        "null",
        "7",
        r#"{"id": -1}"#,
        r#"{"id": 1.5}"#,
        r#"{"id": "1"}"#,
        r#"{"less": 1}"#,
        r#"{"id": 1, "less": 2147483648}"#,
        r#"{"id": 1, "other": 1}"#,
        r#"{"id": 1, "pair": [1]}"#,
        r#"{"id": 1, "pair": [1, "x", 2]}"#,
        r#"{"id": 1, "ports": {"x": []}}"#,
        r#"{"id": 1, "ports": {"-1": []}}"#,
        r#"{"id": 1, "ports": {"1": ["10.0.0"]}}"#,
        r#"{"id": 1, "kinds": ["name"]}"#,
        r#"{"id": 1, "kinds": ["what"]}"#,
        r#"{"id": 1, "kinds": [{"none": 1}]}"#,
        r#"{"id": 1, "kinds": [{"both": [1]}]}"#,
        r#"{"id": 1, "kinds": [{}]}"#,
        r#"{"id": 1, "kinds": {"0": "none"}}"#,
        r#"{"id": 1, "named": {"none": 1}}"#,
    ] {
        assert!(read::<All>(text.as_bytes()).is_err(), "{text}");
        same::<All>(text);
    }
    same::<Flat>(r#"{"at": 5, "what": "other"}"#);
}

#[test]
fn a_fault_says_what_was_found() {
    let fault = |text: &str| read::<All>(text.as_bytes()).unwrap_err().to_string();
    assert_eq!(fault(r#"{"id": "x"}"#), "invalid type: string \"x\", expected u64");
    assert_eq!(
        fault(r#"{"id": 1, "pair": -2.5}"#),
        "invalid type: floating point `-2.5`, expected a tuple of size 2"
    );
    assert_eq!(fault("{}"), "missing field `id`");
}

/// Any tree, with the signs that mean something outside of quotes also in them.
fn tree() -> impl Strategy<Value = Value> {
    let text = r#"[a"\\{}\[\]:, \né]{0,6}"#;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(text, inner, 0..4).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn indented_as_the_library_does(value in tree()) {
        prop_assert_eq!(pretty(&value).unwrap(), serde_json::to_string_pretty(&value).unwrap());
    }
}
