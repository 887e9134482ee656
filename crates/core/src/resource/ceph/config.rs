//! Our options in Ceph's configuration database: the tuning profile, all of it in one step. Other options
//! are left alone.

use super::{Scene, on, step};
use crate::action::{Action, CephDeed};
use crate::check::CephCheck;
use crate::step::{Step, Undo};
use crate::tune;

pub(crate) fn step_for(scene: &Scene<'_>) -> Option<Step> {
    let profile = tune::profile(scene.spec, scene.fleet);
    let config = scene.cluster.map(|c| c.config.as_slice()).unwrap_or_default();
    let due = tune::difference(&profile, config);
    if due.is_empty() {
        return None;
    }
    let before = |section: &str, name: &str| {
        config.iter().find(|e| e.who() == section && e.name == name).map(|e| e.value.clone())
    };
    let mut undo = (Vec::new(), Vec::new());
    for (section, name) in
        due.set.iter().map(|(s, n, _)| (s, n)).chain(due.remove.iter().map(|(s, n)| (s, n)))
    {
        match before(section, name) {
            Some(value) => undo.0.push((section.clone(), name.clone(), value)),
            None => undo.1.push((section.clone(), name.clone())),
        }
    }
    let mut proof = Vec::new();
    let mut words = Vec::new();
    for (section, name, value) in &due.set {
        let check = CephCheck::Config { section: section.clone(), name: name.clone(), value: value.clone() };
        proof.push(on(scene.speaker, check));
        let reason = profile.iter().find(|s| s.section == *section && s.name == name);
        words.push(format!(
            "{section} {name} = {value}{}",
            reason.map(|r| format!(" ({})", r.reason)).unwrap_or_default()
        ));
    }
    for (section, name) in &due.remove {
        proof.push(on(scene.speaker, CephCheck::Unset { section: section.clone(), name: name.clone() }));
        words.push(format!("{section} {name} goes back to the default"));
    }
    let count = due.set.len() + due.remove.len();
    let title = format!("{count} option{} of Ceph", if count == 1 { "" } else { "s" });
    Some(Step {
        title: title.into(),
        why: words.join("; ").into(),
        undo: Undo::Action(Box::new(Action::Ceph(CephDeed::Config { set: undo.0, remove: undo.1 }))),
        proof,
        ..step(scene.speaker, format_args!("config"), CephDeed::Config { set: due.set, remove: due.remove })
    })
}
