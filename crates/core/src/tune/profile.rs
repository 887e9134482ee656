//! Our profile: few options, each with a reason. What mClock or BlueStore's own tuning ignores is not in
//! it, and nothing whose gain nobody has measured.

use std::collections::BTreeMap;

use super::{Setting, Share, heartbeat, memory, scrub, shares};
use crate::arrange::Arrange;
use crate::facts::Fleet;
use crate::name::NodeName;
use crate::spec::{Mclock, Spec};

/// The profile for a spec on these nodes; empty without Ceph or where the spec wants no tuning. The memory
/// target is in it when the memory of every node with OSDs is known (`Question.ceph`).
pub fn profile(spec: &Spec, fleet: &Fleet) -> Vec<Setting> {
    profile_for(spec, shares(spec, fleet).as_ref())
}

/// The profile, where it is known otherwise what each node with OSDs has to share out.
pub fn profile_for(spec: &Spec, shares: Option<&BTreeMap<NodeName, Share>>) -> Vec<Setting> {
    let Some(ceph) = spec.ceph.as_ref().filter(|c| c.tuning) else { return Vec::new() };
    let hosts = spec.nodes.iter().filter(|n| !n.osds.is_empty()).count();
    let mut profile = shares.map(|s| memory::settings(ceph, s)).unwrap_or_default();
    profile.extend(mclock(ceph.mclock));
    profile.extend(scrub::settings(ceph));
    profile.extend(heartbeat::settings(hosts));
    profile.push(Setting {
        section: "mon".to_owned(),
        name: "auth_allow_insecure_global_id_reclaim",
        value: "false".to_owned(),
        reason: "no client of this Ceph needs the old way of keeping its id, which lets others take it over"
            .to_owned(),
        source: "CVE-2021-20288; Ceph warns (AUTH_INSECURE_GLOBAL_ID_RECLAIM_ALLOWED) until it is off",
        undo: "ceph config rm mon auth_allow_insecure_global_id_reclaim: back to true".to_owned(),
    });
    profile.arrange_by(|a, b| (&a.section, a.name).cmp(&(&b.section, b.name)));
    profile
}

fn mclock(wish: Mclock) -> Option<Setting> {
    let (value, reason) = match wish {
        Mclock::Balanced => return None,
        Mclock::HighClientOps => {
            ("high_client_ops", "clients first, as the spec says: recovery takes longer")
        }
        Mclock::HighRecoveryOps => {
            ("high_recovery_ops", "recovery first, as the spec says: clients are slower meanwhile")
        }
    };
    Some(Setting {
        section: "osd".to_owned(),
        name: "osd_mclock_profile",
        value: value.to_owned(),
        reason: reason.to_owned(),
        source: "Ceph: mClock configuration reference",
        undo: "ceph config rm osd osd_mclock_profile: back to balanced".to_owned(),
    })
}
