//! What must be read on a node to judge checks.
//!
//! Used wherever checks are awaited. Interfaces, routes and FRR are part of every answer and need no asking.

use ringbolt_core::check::{CephCheck, Check};
use ringbolt_core::facts::{Disks, Question, ha, pve};

/// The question whose answer lets all of these checks be judged.
pub fn question_for<'a>(checks: impl IntoIterator<Item = &'a Check>) -> Question {
    let mut question = Question::default();
    for check in checks {
        match check {
            Check::Package { name } => drop(question.packages.insert(name.clone())),
            Check::Module { name } => drop(question.modules.insert(name.clone())),
            Check::File { path, .. } | Check::NoFile { path } => {
                question.files.insert(path.to_string());
            }
            Check::Line { path, .. } => drop(question.files.insert(path.to_string())),
            Check::Sourced { .. } => {
                question.files.insert(ringbolt_core::facts::network::INTERFACES.into());
            }
            Check::Sysctl { key, .. } => drop(question.sysctl.insert(key.to_string())),
            Check::Enabled { unit } | Check::Disabled { unit } | Check::Active { unit } => {
                question.units.insert(unit.to_string());
            }
            Check::Ceph(check) => match check.file() {
                Some(path) => drop(question.files.insert(path.into())),
                None if matches!(check, CephCheck::Free { .. }) => question.disks = Disks::Uses,
                None if check.of_cluster() => question.ceph_cluster = true,
                None => question.ceph = true,
            },
            Check::Quorate {} => drop(question.files.insert(pve::path::MEMBERS.into())),
            Check::Maintenance { node, .. } => {
                question.files.extend([ha::STATUS.to_owned(), ha::lrm_status(node.as_str())]);
            }
            Check::Port { .. }
            | Check::Mtu { .. }
            | Check::Member { .. }
            | Check::Carrier { .. }
            | Check::Address { .. }
            | Check::Neighbor { .. }
            | Check::Bfd { .. }
            | Check::FrrLoaded {}
            | Check::Route { .. } => {}
        }
    }
    question
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_checks_need_is_asked() {
        let checks = [
            Check::Active { unit: "frr.service".into() },
            Check::Line { path: "/etc/frr/daemons".into(), line: "bfdd=yes".into() },
            Check::Carrier { interface: "en05".into() },
        ];
        let question = question_for(&checks);
        assert!(question.units.contains("frr.service") && question.files.contains("/etc/frr/daemons"));
        assert!(question.packages.is_empty() && question.modules.is_empty() && question.sysctl.is_empty());
    }
}
