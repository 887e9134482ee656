//! What the cluster says of itself, from the monitors' answers to [`questions`].
//!
//! The agent puts the questions in one session and hands the answers over in the same order.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::daemon::{address, list, plain, word};
use super::{CephCluster, ClientLoad, Complaint, ConfigEntry, FilesystemFact, OptionHelp, OsdFact, PoolFact};
use crate::into_map::IntoMap;
use crate::into_set::IntoSet;

/// What is asked, by the monitors' names for it.
const PREFIXES: [&str; 11] = [
    "status",
    "quorum_status",
    "osd dump",
    "osd tree",
    "osd crush rule dump",
    "config dump",
    "fs ls",
    "versions",
    "df",
    "mgr stat",
    "mgr metadata",
];

/// Words in names of options whose values are nobody's business; managers' modules keep such.
const SECRETS: [&str; 5] = ["password", "passwd", "secret", "token", "key"];

/// The questions, as commands of the monitors.
pub fn questions() -> Vec<Value> {
    PREFIXES.iter().map(|prefix| json!({"prefix": prefix, "format": "json"})).collect()
}

/// The cluster from the answers, in the order of the questions; an unanswered one is empty.
///
/// # Errors
///
/// When the first three, without which nothing can be said, are not answered.
pub fn cluster(answers: &[String]) -> Result<CephCluster, String> {
    let all: BTreeMap<&str, Value> = PREFIXES
        .into_iter()
        .zip(answers)
        .map(|(p, a)| (p, serde_json::from_str(a).unwrap_or_default()))
        .into_map();
    for needed in &PREFIXES[..3] {
        if !all.get(needed).is_some_and(Value::is_object) {
            return Err(format!("the monitors do not answer `{needed}`"));
        }
    }
    let none = Value::Null;
    let answer = |prefix: &str| all.get(prefix).unwrap_or(&none);
    let (status, quorum, map) = (answer("status"), answer("quorum_status"), answer("osd dump"));
    let (active_manager, standby_managers) = managers(answer("mgr stat"), answer("mgr metadata"));
    let df = answer("df");
    Ok(CephCluster {
        fsid: word(status, "fsid"),
        health: status.pointer("/health/status").and_then(Value::as_str).unwrap_or_default().to_owned(),
        complaints: complaints(status),
        leader: word(quorum, "quorum_leader_name"),
        quorum: list(quorum, "quorum_names").iter().map(plain).collect(),
        monitors: monitors(quorum),
        active_manager,
        standby_managers,
        osds: osds(map, answer("osd tree")),
        flags: list(map, "flags_set").iter().map(plain).collect(),
        bucket_flags: bucket_flags(map),
        pools: pools(map, answer("osd crush rule dump"), df),
        rules: items(answer("osd crush rule dump")).iter().map(|rule| word(rule, "rule_name")).collect(),
        placement_groups: placement_groups(status),
        config: config(answer("config dump")),
        filesystems: filesystems(answer("fs ls")),
        require_release: word(map, "require_osd_release"),
        versions: versions(answer("versions")),
        used: number(df.pointer("/stats/total_used_raw_ratio")),
        bytes: df.pointer("/stats/total_bytes").and_then(Value::as_u64).unwrap_or_default(),
        client: client(status),
        help: BTreeMap::new(),
    })
}

/// Most options asked about.
pub const MOST: usize = 200;

/// The question whose answer lists the options that are set.
pub fn options_listed() -> Option<usize> {
    PREFIXES.iter().position(|prefix| *prefix == "config dump")
}

/// The options in the database that are asked about, in order. Settings of the managers' modules are none.
pub fn options_asked(config: &[ConfigEntry]) -> Vec<String> {
    let names = config.iter().map(|e| e.name.as_str()).filter(|name| !name.contains('/'));
    let names: std::collections::BTreeSet<&str> = names.into_set();
    names.into_iter().take(MOST).map(str::to_owned).collect()
}

/// The answer about one option; `code` is 0, or a negative errno: none of that name is known then.
pub fn help(code: i64, answer: &str) -> Option<OptionHelp> {
    const NO_SUCH: i64 = -2;
    if code == NO_SUCH {
        return Some(OptionHelp::default());
    }
    let told: Value = serde_json::from_str(answer).ok().filter(|_| code == 0)?;
    // What daemons do may differ from what clients do.
    let said = |key: &str| told.get(key).map(plain).filter(|text| !text.is_empty());
    Some(OptionHelp {
        known: true,
        default: said("daemon_default").or_else(|| said("default")).unwrap_or_default(),
        runtime: told.get("can_update_at_runtime").and_then(Value::as_bool).unwrap_or_default(),
        what: word(&told, "desc"),
    })
}

/// Flags of hosts and other buckets: a list for each under its name.
fn bucket_flags(map: &Value) -> BTreeMap<String, Vec<String>> {
    let buckets = map.get("crush_node_flags").and_then(Value::as_object);
    let flags = |(name, _): (&String, &Value)| {
        let own = map.get("crush_node_flags").map(|all| list(all, name).iter().map(plain).collect());
        (name.clone(), own.unwrap_or_default())
    };
    buckets.into_iter().flatten().map(flags).into_map()
}

/// Rates that are nothing are left out by the monitors.
fn client(status: &Value) -> ClientLoad {
    let rate = |key: &str| status.pointer("/pgmap").and_then(|p| p.get(key)?.as_u64()).unwrap_or_default();
    ClientLoad {
        reads: rate("read_op_per_sec"),
        writes: rate("write_op_per_sec"),
        read_bytes: rate("read_bytes_sec"),
        written_bytes: rate("write_bytes_sec"),
    }
}

fn number(value: Option<&Value>) -> f64 {
    value.and_then(Value::as_f64).unwrap_or_default()
}

fn count(from: &Value, key: &str) -> u32 {
    from.get(key).and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok()).unwrap_or_default()
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn complaints(status: &Value) -> Vec<Complaint> {
    let checks = status.pointer("/health/checks").and_then(Value::as_object);
    let complaint = |(code, check): (&String, &Value)| Complaint {
        code: code.clone(),
        severity: word(check, "severity"),
        summary: check.pointer("/summary/message").map(plain).unwrap_or_default(),
        muted: check.get("muted").and_then(Value::as_bool).unwrap_or_default(),
    };
    checks.into_iter().flatten().map(complaint).collect()
}

fn monitors(quorum: &Value) -> BTreeMap<String, String> {
    let mons = quorum.pointer("/monmap/mons").map(items).unwrap_or_default();
    mons.iter().map(|mon| (word(mon, "name"), address(mon, "public_addr"))).into_map()
}

/// The active manager and all others that have reported themselves.
fn managers(stat: &Value, metadata: &Value) -> (Option<String>, Vec<String>) {
    let available = stat.get("available").and_then(Value::as_bool).unwrap_or_default();
    let active = Some(word(stat, "active_name")).filter(|name| available && !name.is_empty());
    let names = items(metadata).iter().map(|manager| word(manager, "name"));
    let standby = names.filter(|name| !name.is_empty() && active.as_ref() != Some(name)).collect();
    (active, standby)
}

fn osds(map: &Value, tree: &Value) -> Vec<OsdFact> {
    let nodes = list(tree, "nodes");
    let node = |id: u32| {
        let own = |node: &&Value| node.get("id").and_then(Value::as_i64) == Some(i64::from(id));
        nodes.iter().find(own)
    };
    let host = |id: u32| {
        let hosts = nodes.iter().filter(|node| word(node, "type") == "host");
        let mut above = hosts.filter(|host| list(host, "children").contains(&json!(id)));
        above.next().map(|host| word(host, "name")).unwrap_or_default()
    };
    let osd = |osd: &Value| {
        let id = count(osd, "osd");
        OsdFact {
            id,
            uuid: word(osd, "uuid"),
            host: host(id),
            class: node(id).map(|n| word(n, "device_class")).unwrap_or_default(),
            up: count(osd, "up") == 1,
            within: count(osd, "in") == 1,
            reweight: number(osd.get("weight")),
            weight: number(node(id).and_then(|n| n.get("crush_weight"))),
            public_address: address(osd, "public_addr"),
            cluster_address: address(osd, "cluster_addr"),
        }
    };
    list(map, "osds").iter().map(osd).collect()
}

fn pools(map: &Value, rules: &Value, df: &Value) -> Vec<PoolFact> {
    let rule = |id: u32| {
        let mut found = items(rules).iter().filter(|rule| count(rule, "rule_id") == id);
        found.next().map(|rule| word(rule, "rule_name")).unwrap_or_default()
    };
    let stored = |id: u32| {
        let mut found = list(df, "pools").iter().filter(|pool| count(pool, "id") == id);
        found.next().and_then(|pool| pool.pointer("/stats/stored")?.as_u64()).unwrap_or_default()
    };
    let pool = |pool: &Value| {
        let id = count(pool, "pool");
        let tags = pool.get("application_metadata").and_then(Value::as_object);
        PoolFact {
            id,
            name: word(pool, "pool_name"),
            size: count(pool, "size"),
            min_size: count(pool, "min_size"),
            // While splits are under way the number in force is another than the one wanted.
            pg_num: count(pool, "pg_num_target"),
            autoscale: word(pool, "pg_autoscale_mode"),
            applications: tags.into_iter().flatten().map(|(tag, _)| tag.clone()).collect(),
            kind: if count(pool, "type") == 3 { "erasure" } else { "replicated" }.to_owned(),
            rule: rule(count(pool, "crush_rule")),
            options: options(pool),
            stored: stored(id),
        }
    };
    list(map, "pools").iter().map(pool).collect()
}

fn options(pool: &Value) -> BTreeMap<String, String> {
    let set = pool.get("options").and_then(Value::as_object);
    let mut options: BTreeMap<String, String> =
        set.into_iter().flatten().map(|(name, value)| (name.clone(), plain(value))).into_map();
    if word(pool, "flags_names").split(',').any(|flag| flag == "bulk") {
        options.insert("bulk".into(), "true".into());
    }
    options
}

fn placement_groups(status: &Value) -> BTreeMap<String, u64> {
    let states = status.pointer("/pgmap/pgs_by_state").map(items).unwrap_or_default();
    let state =
        |state: &Value| Some((word(state, "state_name"), state.get("count").and_then(Value::as_u64)?));
    states.iter().filter_map(state).into_map()
}

fn config(dump: &Value) -> Vec<ConfigEntry> {
    let entry = |entry: &Value| {
        let name = word(entry, "name");
        let secret = name.starts_with("mgr/") && SECRETS.iter().any(|s| name.to_lowercase().contains(s));
        let value = if secret { "(not shown)".to_owned() } else { word(entry, "value") };
        ConfigEntry { section: word(entry, "section"), name, value, mask: word(entry, "mask") }
    };
    items(dump).iter().map(entry).collect()
}

fn filesystems(told: &Value) -> Vec<FilesystemFact> {
    let fact = |fs: &Value| FilesystemFact {
        name: word(fs, "name"),
        metadata_pool: word(fs, "metadata_pool"),
        data_pools: list(fs, "data_pools").iter().map(plain).collect(),
    };
    items(told).iter().map(fact).collect()
}

fn versions(told: &Value) -> BTreeMap<String, u32> {
    let overall = told.get("overall").and_then(Value::as_object);
    let version = |(text, n): (&String, &Value)| Some((text.clone(), u32::try_from(n.as_u64()?).ok()?));
    overall.into_iter().flatten().filter_map(version).into_map()
}

#[cfg(test)]
#[path = "cluster_test.rs"]
mod tests;
