//! What Proxmox VE generates on one node for the fabric: `interfaces.d/sdn` and `frr.conf`. Never
//! edited, only looked at; a node that missed an apply (switched off, or a failed task, which PVE
//! reports as a warning only) is told to generate them again.

use std::sync::Arc;

use serde::Serialize;

use super::{Outcome, carries_traffic, step};
use crate::action::Action;
use crate::arrange::Arrange;
use crate::check::Check;
use crate::facts::{Facts, pve};
use crate::name::NodeName;
use crate::step::{Phase, Risk, Step};

/// FRR's configuration, written by Proxmox VE.
pub const FRR_CONF: &str = "/etc/frr/frr.conf";

/// Lines that show that a node's generated files are those of the fabric.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Generated {
    /// Header and line of `interfaces.d/sdn`: `iface en05 inet static` / `address 10.0.0.1/32`.
    pub interfaces: Vec<(Arc<str>, Arc<str>)>,
    /// Header and line of `frr.conf`: `interface en05` / `openfabric hello-interval 1`.
    pub frr: Vec<(Arc<str>, Arc<str>)>,
}

impl Generated {
    /// The first line that is missing, with the file it should be in.
    pub fn missing(&self, facts: &Facts) -> Option<String> {
        let sdn = facts.text(pve::path::SDN_INTERFACES).unwrap_or("");
        let frr = facts.text(FRR_CONF).unwrap_or("");
        let lacks = |text: &str, (header, line): &&(Arc<str>, Arc<str>)| !has(text, header, line);
        let in_sdn = self.interfaces.iter().find(|p| lacks(sdn, p));
        let in_frr = self.frr.iter().find(|p| lacks(frr, p));
        in_sdn
            .map(|(h, l)| format!("{} lacks \"{l}\" in \"{h}\"", pve::path::SDN_INTERFACES))
            .or_else(|| in_frr.map(|(h, l)| format!("{FRR_CONF} lacks \"{l}\" in \"{h}\"")))
    }

    pub(super) fn compare(&self, node: &NodeName, facts: &Facts) -> Outcome {
        let Some(why) = self.missing(facts) else { return Outcome::default() };
        let live = carries_traffic(facts);
        Outcome::step(Step {
            title: "let Proxmox VE write this node's network and FRR configuration again".into(),
            why: why.into(),
            patience: 30,
            proof: self.promises().into_iter().map(|c| (node.clone(), c)).collect(),
            risk: if live { Risk::Disruptive } else { Risk::Safe },
            interrupts: if live {
                format!("FRR on {node} reloads; adjacencies stay up unless a daemon is switched on").into()
            } else {
                "".into()
            },
            ..step(
                node,
                format_args!("reload-node"),
                Phase::Fabric,
                Action::ReloadNode { node: node.clone() },
            )
        })
    }

    pub(crate) fn promises(&self) -> Vec<Check> {
        let mut checks = Vec::new();
        for (path, list) in [(FRR_CONF, &self.frr), (pve::path::SDN_INTERFACES, &self.interfaces)] {
            let mut lines: Vec<&Arc<str>> = list.iter().map(|(_, line)| line).collect();
            lines.arrange();
            lines.dedup();
            checks.extend(lines.into_iter().map(|l| Check::Line { path: path.into(), line: Arc::clone(l) }));
        }
        checks
    }
}

/// Whether a block with this header has this line. Blocks of the same header may be there more than
/// once; a block goes on as long as lines are indented.
fn has(text: &str, header: &str, line: &str) -> bool {
    let mut inside = false;
    for raw in text.lines() {
        if raw.starts_with([' ', '\t']) {
            if inside && raw.trim() == line {
                return true;
            }
        } else {
            inside = raw.trim() == header;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_counts_only_under_its_header() {
        let text = "interface en05\n openfabric bfd\nexit\n!\ninterface en06\n x\nexit\ninterface en06\n openfabric bfd\nexit\n";
        assert!(has(text, "interface en05", "openfabric bfd"));
        assert!(has(text, "interface en06", "openfabric bfd"));
        assert!(!has(text, "interface en07", "openfabric bfd"));
        assert!(!has(text, "interface en05", "x"));
    }
}
