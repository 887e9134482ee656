//! The spec written for a lab: short, as a user would write it. It says nothing that discovery finds by itself,
//! save what Ethernet cannot tell.

use crate::state::{Record, Transport};

/// The line that points ringbolt at the lab's own way in.
const SSH: &str = "[ssh]\nconfig = \"ssh_config\"\n";

/// The spec of the lab; a text given by the user is taken as it is, with the way in added. With `ceph` it names
/// the free disks as OSDs.
#[must_use]
pub(crate) fn text(record: &Record, given: Option<&str>, ceph: bool) -> String {
    if let Some(given) = given {
        return with_ssh(given);
    }
    let mut text = String::from("[cluster]\nname = \"lab\"\n\n[fabric]\nprefix = \"10.100.0.0/24\"\n");
    match record.transport {
        Transport::Thunderbolt => {}
        Transport::Ethernet => text.push_str("transport = \"ethernet\"\n"),
        Transport::Switch => text.push_str("transport = \"switch\"\n"),
    }
    text.push('\n');
    text.push_str(SSH);
    for node in &record.nodes {
        text.push_str(&format!("\n[[node]]\nname = \"{}\"\naddress = \"{}\"\n", node.name, node.address));
        if record.transport == Transport::Switch {
            text.push_str(&format!("ports = [\"{}\"]\n", record.ethernet_name(&node.name, 0)));
        }
        let free: Vec<String> = node.disks.iter().skip(1).map(|d| format!("\"/dev/{}\"", d.name)).collect();
        if ceph && !free.is_empty() {
            text.push_str(&format!("osds = [{}]\n", free.join(", ")));
        }
    }
    if record.transport == Transport::Ethernet {
        for cable in &record.cables {
            let [a, b] = [&cable.a, &cable.b]
                .map(|end| format!("\"{}:{}\"", end.node, record.ethernet_name(&end.node, end.port)));
            text.push_str(&format!("\n[[link]]\nends = [{a}, {b}]\n"));
        }
    }
    text
}

/// Adds the way in to a user's text, in the `[ssh]` section where one exists.
fn with_ssh(given: &str) -> String {
    let mut lines: Vec<&str> = given.lines().collect();
    let Some(at) = lines.iter().position(|line| line.trim() == "[ssh]") else {
        return format!("{}\n\n{SSH}", given.trim_end());
    };
    let end = lines[at + 1..].iter().position(|line| line.trim_start().starts_with('['));
    let end = end.map_or(lines.len(), |offset| at + 1 + offset);
    let has_config = |line: &&str| line.split('=').next().is_some_and(|key| key.trim() == "config");
    if let Some(old) = lines[at + 1..end].iter().position(has_config) {
        lines.remove(at + 1 + old);
    }
    lines.insert(at + 1, "config = \"ssh_config\"");
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_given_text_keeps_its_words() {
        let text = with_ssh("[cluster]\nname = \"x\"\n");
        assert_eq!(text, "[cluster]\nname = \"x\"\n\n[ssh]\nconfig = \"ssh_config\"\n");
    }

    #[test]
    fn every_transport_gives_a_valid_spec() {
        use crate::sample::lab;
        for transport in [Transport::Thunderbolt, Transport::Ethernet, Transport::Switch] {
            let text = text(&lab(transport).1, None, false);
            let outcome = ringbolt_core::spec::read(&text);
            let spec = outcome.spec.unwrap_or_else(|| panic!("{:?}\n{text}", outcome.diagnostics));
            assert_eq!(spec.ssh.config.as_deref(), Some("ssh_config"));
            assert_eq!(spec.nodes.len(), 2);
            assert_eq!(spec.links.len(), usize::from(transport == Transport::Ethernet));
        }
    }

    #[test]
    fn the_disks_of_the_system_are_no_osds() {
        let text = text(&crate::sample::lab(Transport::Thunderbolt).1, None, true);
        assert!(text.contains("osds = [\"/dev/nvme1n1\", \"/dev/nvme2n1\"]"), "{text}");
        assert!(!text.contains("nvme0n1"));
    }

    #[test]
    fn a_given_ssh_section_is_extended() {
        let text = with_ssh("[ssh]\nuser = \"root\"\nconfig = \"old\"\n\n[fabric]\nx = 1\n");
        assert_eq!(text, "[ssh]\nconfig = \"ssh_config\"\nuser = \"root\"\n\n[fabric]\nx = 1\n");
    }
}
