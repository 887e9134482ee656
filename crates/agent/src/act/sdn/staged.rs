//! Which object a call is about, and whether `fabrics.cfg` holds afterwards what was asked for.

use std::collections::BTreeSet;

use ringbolt_core::action::{PveCall, Verb};
use ringbolt_core::facts::pve::Section;
use ringbolt_core::into_set::IntoSet;

/// An object of the fabrics' configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct About {
    /// Section id in `fabrics.cfg`.
    pub(super) id: String,
    /// `fabric` or `node`: the end of the section's kind.
    pub(super) kind: &'static str,
}

/// The object of a call; an error for a call that is about anything else.
pub(super) fn about(call: &PveCall) -> Result<About, String> {
    let refuse = || format!("{} {} is no call about a fabric or its nodes", call.verb.word(), call.path);
    let rest = call.path.strip_prefix("/cluster/sdn/fabrics/").ok_or_else(refuse)?;
    let parts: Vec<&str> = rest.split('/').collect();
    let option = |name: &str| {
        let found = call.options.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_str()).ok_or_else(|| format!("{} without {name}", call.path))
    };
    let (kind, id) = match (call.verb, parts.as_slice()) {
        (Verb::Create, ["fabric"]) => ("fabric", option("id")?.to_owned()),
        (Verb::Create, ["node", fabric]) => ("node", format!("{fabric}_{}", option("node_id")?)),
        (Verb::Set | Verb::Delete, ["fabric", id]) => ("fabric", (*id).to_owned()),
        (Verb::Set | Verb::Delete, ["node", fabric, node]) => ("node", format!("{fabric}_{node}")),
        _ => return Err(refuse()),
    };
    Ok(About { id, kind })
}

/// Whether the sections show what the call asked for; else what is missing, in words.
pub(super) fn landed(call: &PveCall, sections: &[Section]) -> Result<(), String> {
    let about = about(call)?;
    let found = sections.iter().find(|s| s.id == about.id && s.kind.ends_with(&format!("_{}", about.kind)));
    match (call.verb, found) {
        (Verb::Delete, None) => Ok(()),
        (Verb::Delete, Some(_)) => Err(format!("{} is still in fabrics.cfg", about.id)),
        (_, None) => Err(format!("{} is not in fabrics.cfg", about.id)),
        (_, Some(section)) => holds(call, section),
    }
}

fn holds(call: &PveCall, section: &Section) -> Result<(), String> {
    for (name, value) in &call.options {
        let have = section.keys.get(name).map_or(&[][..], Vec::as_slice);
        let fits = match name.as_str() {
            "id" | "node_id" | "protocol" | "digest" => true,
            "delete" => !section.keys.contains_key(value),
            // Host bits of a prefix are dropped.
            "ip_prefix" | "ip6_prefix" => !have.is_empty(),
            "interfaces" => have.iter().any(|h| properties(h) == properties(value)),
            _ => have == std::slice::from_ref(value),
        };
        if !fits {
            return Err(format!("{} of {} is not {value} in fabrics.cfg", name, section.id));
        }
    }
    let asked = call.options.iter().filter(|(name, _)| name == "interfaces").count();
    let have = section.keys.get("interfaces").map_or(0, Vec::len);
    if asked > 0 && asked != have {
        return Err(format!("{} has {have} interfaces in fabrics.cfg, not {asked}", section.id));
    }
    Ok(())
}

/// A property list (`name=en05,hello_multiplier=3`) without its order.
pub(crate) fn properties(text: &str) -> BTreeSet<&str> {
    text.split(',').map(str::trim).into_set()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use ringbolt_core::facts::pve::sections;

    fn call(verb: Verb, path: &str, options: &[(&str, &str)]) -> PveCall {
        let options = options.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        PveCall { verb, path: path.to_owned(), options }
    }

    #[test]
    fn only_calls_about_fabrics_are_known() {
        for (verb, path) in [
            (Verb::Set, "/cluster/sdn"),
            (Verb::Create, "/cluster/sdn/zones"),
            (Verb::Delete, "/nodes/n1/qemu/100"),
            (Verb::Create, "/cluster/sdn/fabrics/fabric"),
            (Verb::Set, "/cluster/sdn/fabrics/fabric/a/b"),
        ] {
            assert!(about(&call(verb, path, &[])).is_err(), "{path}");
        }
    }

    #[test]
    fn what_landed_and_what_did_not() {
        let text = "openfabric_fabric: mesh\n\thello_interval 1\n\tip_prefix 10.0.0.0/24\n\nopenfabric_node: mesh_n1\n\tinterfaces name=en05\n\tinterfaces hello_multiplier=3,name=en06\n\tip 10.0.0.1\n";
        let now = sections(text).unwrap();
        let fabrics = "/cluster/sdn/fabrics";
        let create = |options: &[(&str, &str)]| {
            landed(&call(Verb::Create, &format!("{fabrics}/fabric"), options), &now)
        };
        assert!(
            create(&[
                ("id", "mesh"),
                ("protocol", "openfabric"),
                ("ip_prefix", "10.0.0.5/24"),
                ("hello_interval", "1")
            ])
            .is_ok()
        );
        assert!(create(&[("id", "mesh"), ("hello_interval", "2")]).is_err());
        assert!(create(&[("id", "other")]).is_err());
        let set = |options: &[(&str, &str)]| {
            landed(&call(Verb::Set, &format!("{fabrics}/node/mesh/n1"), options), &now)
        };
        assert!(set(&[("interfaces", "name=en05"), ("interfaces", "name=en06,hello_multiplier=3")]).is_ok());
        assert!(set(&[("interfaces", "name=en05")]).unwrap_err().contains("2 interfaces"));
        assert!(set(&[("delete", "ip6")]).is_ok());
        assert!(set(&[("delete", "ip")]).is_err());
        let delete =
            |node: &str| landed(&call(Verb::Delete, &format!("{fabrics}/node/mesh/{node}"), &[]), &now);
        assert!(delete("n1").is_err());
        assert!(delete("n2").is_ok());
    }
}
