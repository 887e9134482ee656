//! The stand-in's table of the API against the schema of each release.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod standin;

use std::collections::BTreeSet;

use ringbolt_lab::standin::Release;
use ringbolt_lab::standin::api::{Method, Returns, methods as all};
use ringbolt_lab::standin::schema::{Kind, Param};
use serde_json::Value;
use standin::{data, json};

const FILES: &[(Release, &str)] = &[
    (Release::V9_0, "pve-9.0-2025-08-04-apidata-subset.json"),
    (Release::V9_1, "pve-9.1-2025-11-19-apidata-subset.json"),
    (Release::V9_2, "pve-9.1.3docs-2026-04-30-apidata-subset.json"),
    (Release::V9_2, "pve-9.2.11-2026-08-21-dump-subset.json"),
];

/// Paths of the schema below these that the table must have.
fn covered(path: &str) -> bool {
    ["/cluster/sdn", "/nodes/{node}/network", "/nodes/{node}/sdn"].iter().any(|p| path.starts_with(p))
        || matches!(path, "/version" | "/cluster/status" | "/nodes")
}

#[test]
fn the_table_has_every_path_and_parameter_of_each_release() {
    let Some(data) = data() else { return };
    let (mut methods, mut parameters) = (0, 0);
    for (release, file) in FILES {
        let schema = json(&data.join("api").join(file));
        let paths = schema["paths"].as_object().unwrap();
        let ours: BTreeSet<(&str, &str)> =
            all().filter(|m| m.since <= *release).map(|m| (m.path, m.verb)).collect();
        for (path, verbs) in paths.iter().filter(|(path, _)| covered(path)) {
            for verb in verbs.as_object().unwrap().keys() {
                assert!(ours.contains(&(path.as_str(), verb.as_str())), "{file}: {verb} {path} is missing");
            }
        }
        for method in all().filter(|m| m.since <= *release) {
            let real = &paths[method.path][method.verb];
            assert!(real.is_object(), "{file}: {} {} is not in the schema", method.verb, method.path);
            methods += 1;
            parameters += compare(method, real, file);
        }
    }
    println!("{methods} methods and {parameters} parameters compared over {} schema files", FILES.len());
}

fn compare(method: &Method, real: &Value, file: &str) -> usize {
    let place = format!("{file}: {} {}", method.verb, method.path);
    if let Some(name) = real["name"].as_str() {
        assert_eq!(method.name, name, "{place}");
    }
    if let Some(proxy) = real.get("proxyto") {
        assert_eq!(method.proxied, proxy == "node", "{place}");
    }
    let returns = match method.returns {
        Returns::Null => "null",
        Returns::Text => "string",
        Returns::Object => "object",
        Returns::Array => "array",
        Returns::Boolean => "boolean",
    };
    if let Some(kind) = real["returns"]["type"].as_str() {
        assert_eq!(returns, kind, "{place}");
    }
    let child = real["returns"]["links"][0]["href"].as_str().map(|href| href.trim_matches(['{', '}']));
    assert_eq!(method.child, child, "{place}");
    let empty = serde_json::Map::new();
    let properties = real["parameters"]["properties"].as_object().unwrap_or(&empty);
    let names: BTreeSet<&str> = properties.keys().map(String::as_str).collect();
    let ours: BTreeSet<&str> = method.params.iter().map(|p| p.name).collect();
    assert!(ours.is_subset(&names), "{place}: {:?}", ours.difference(&names));
    assert!(method.partial || ours == names, "{place}: {:?}", names.difference(&ours));
    for param in method.params {
        same(param, &properties[param.name], &format!("{place} {}", param.name));
    }
    ours.len()
}

fn same(param: &Param, real: &Value, place: &str) {
    assert_eq!(param.optional, optional(real), "{place}");
    assert_eq!(param.format.name(), real["format"].as_str(), "{place}");
    assert_eq!(param.requires, real["requires"].as_str(), "{place}");
    // One release has a bound as a text.
    let number = |key: &str| real[key].as_i64().or_else(|| real[key].as_str()?.parse().ok());
    let kind = real["type"].as_str().unwrap();
    match param.kind {
        Kind::Text => assert_eq!(kind, "string", "{place}"),
        Kind::Boolean => assert_eq!(kind, "boolean", "{place}"),
        Kind::Integer(min, max) => {
            assert_eq!((kind, min, max), ("integer", number("minimum"), number("maximum")), "{place}");
        }
        Kind::Number(min, max) => {
            assert_eq!((kind, min, max), ("number", number("minimum"), number("maximum")), "{place}");
        }
        Kind::Enum(words) => assert_eq!(texts(&real["enum"]), words, "{place}"),
        Kind::Words(words) => {
            assert_eq!(texts(&openfabric(real)["items"]["enum"]), words, "{place}");
        }
        Kind::Ports => {
            let keys = openfabric(real)["items"]["format"].as_object().unwrap();
            let keys: Vec<&str> = keys.keys().map(String::as_str).collect();
            assert_eq!(keys, ["hello_multiplier", "ip", "ip6", "name"], "{place}");
        }
    }
    if param.length != (None, None) {
        let length = |key: &str| real[key].as_u64().and_then(|n| usize::try_from(n).ok());
        assert_eq!(param.length, (length("minLength"), length("maxLength")), "{place}");
    }
}

/// The variant for OpenFabric of a parameter that has one for each protocol.
fn openfabric(real: &Value) -> &Value {
    let variants = real["oneOf"].as_array();
    variants.and_then(|all| all.iter().find(|v| v["instance-types"][0] == "openfabric")).unwrap_or(real)
}

fn optional(real: &Value) -> bool {
    real["optional"] == 1 || openfabric(real)["optional"] == 1
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}
