//! Runs side by side.

#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::bench::fixture::run;

fn slower(by: f64) -> Run {
    let mut run = run();
    run.id = "20261121-040000-ef01".into();
    run.began = "2026-11-21T04:00:00Z".into();
    let What::Mesh { links, .. } = &mut run.what else { panic!() };
    for flow in &mut links[0].ways[0].flows {
        flow.flow.gbits *= by;
        flow.flow.samples.iter_mut().for_each(|s| *s *= by);
    }
    run
}

#[test]
fn a_drop_beyond_scatter_is_worse_and_a_wobble_is_not() {
    let seen = compare(&slower(0.8), &run());
    let senses: Vec<Sense> = seen.changes.iter().filter(|c| c.unit == "Gbit/s").map(|c| c.sense).collect();
    assert_eq!(senses, [Sense::Worse, Sense::Worse, Sense::Worse, Sense::Same, Sense::Same, Sense::Same]);
    let near = compare(&slower(0.97), &run());
    assert!(near.changes.iter().all(|c| c.sense == Sense::Same), "{near:?}");
    let up = compare(&run(), &slower(0.8));
    assert!(up.changes.iter().any(|c| c.sense == Sense::Better));
}

#[test]
fn overlapping_samples_are_scatter_however_the_means_differ() {
    let mut now = slower(0.85);
    let What::Mesh { links, .. } = &mut now.what else { panic!() };
    links[0].ways[0].flows[0].flow.samples = vec![10.0, 12.0, 24.0, 24.0, 25.0, 26.0];
    let seen = compare(&now, &run());
    assert_eq!(seen.changes[0].sense, Sense::Same, "{:?}", seen.changes[0]);
}

#[test]
fn another_machine_is_named_and_nothing_is_judged() {
    let mut now = slower(0.5);
    now.machines.values_mut().next().unwrap().processor = "another".into();
    let seen = compare(&now, &run());
    assert_eq!(seen.differences.len(), 1);
    assert!(seen.changes.iter().all(|c| c.sense == Sense::Same));
}

#[test]
fn the_previous_run_is_the_latest_of_the_same_shape() {
    let now = slower(1.0);
    let mut shorter = run();
    shorter.began = "2026-11-21T03:30:00Z".into();
    let What::Mesh { extent, .. } = &mut shorter.what else { panic!() };
    extent.seconds = 1;
    let mut older = run();
    older.id = "20261120-030000-0000".into();
    older.began = "2026-11-20T03:00:00Z".into();
    let all = [older, run(), shorter, now.clone()];
    assert_eq!(previous(&now, &all).unwrap().id, run().id);
    assert!(previous(&all[0], &all).is_none());
}

#[test]
fn promises_are_judged_on_hardware_only() {
    let kept = |run: &Run| targets(run).iter().map(|t| t.kept).collect::<Vec<_>>();
    assert_eq!(kept(&run()), [Some(true), Some(true), Some(true)]);
    let lab = Run { lab: Some("x".into()), ..run() };
    assert_eq!(kept(&lab), [None, None, Some(true)]);
}

#[test]
fn hundredths_of_a_millisecond_are_no_change_and_a_lab_is_not_judged() {
    let mut now = slower(1.0);
    let What::Mesh { links, .. } = &mut now.what else { panic!() };
    links[0].ways[0].idle.as_mut().unwrap().p50 = 0.22;
    links[0].ways[1].idle.as_mut().unwrap().p50 = 0.4;
    let worse: Vec<String> = compare(&now, &run())
        .changes
        .into_iter()
        .filter(|c| c.sense == Sense::Worse)
        .map(|c| c.name)
        .collect();
    assert_eq!(worse, ["n2 → n1 round trip p50"]);
    let lab = |run: Run| Run { lab: Some("x".into()), ..run };
    let seen = compare(&lab(slower(0.5)), &lab(run()));
    assert!(seen.differences.len() == 1 && seen.changes.iter().all(|c| c.sense == Sense::Same));
}
