//! Tables of judgements.

#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::bench::fixture::{link, run};
use crate::bench::interrupts::Interrupts;
use crate::bench::mesh::FlowResult;

fn judged(gbits: f64, transport: Transport, nominal: Option<u32>) -> (Level, String) {
    let link = BenchLink { transport, ..link().link };
    let verdict = throughput(&link, 0, gbits, nominal, false);
    (verdict.level, verdict.cure)
}

#[test]
fn thunderbolt_by_what_users_measured() {
    let tb = Transport::Thunderbolt;
    for (gbits, level) in [
        (26.0, Level::Good),
        (20.0, Level::Good),
        (18.5, Level::Note),
        (13.0, Level::Finding),
        (9.4, Level::Finding),
        (7.9, Level::Finding),
    ] {
        assert_eq!(judged(gbits, tb, None).0, level, "{gbits}");
    }
    assert!(judged(9.4, tb, None).1.contains("one lane carries"));
    assert!(judged(3.0, tb, None).1.starts_with("in this order"));
    let single = BenchLink { lanes: Some(1), ..link().link };
    assert!(throughput(&single, 0, 9.0, None, false).cure.starts_with("the link is trained at one lane"));
}

#[test]
fn ethernet_by_its_share_of_the_speed() {
    let mesh = Transport::Ethernet;
    for (gbits, nominal, level) in [
        (9.4, Some(10_000), Level::Good),
        (7.0, Some(10_000), Level::Note),
        (2.3, Some(10_000), Level::Finding),
        (2.3, Some(2500), Level::Good),
        (2.3, None, Level::Good),
        (2.3, Some(0), Level::Good),
    ] {
        assert_eq!(judged(gbits, mesh, nominal).0, level, "{gbits} of {nominal:?}");
    }
}

#[test]
fn a_lab_proves_nothing_about_cables() {
    let verdict = throughput(&link().link, 0, 0.5, None, true);
    assert_eq!((verdict.level, verdict.code), (Level::Good, None));
}

fn with_sizes(lost: &[u32]) -> Vec<Verdict> {
    let mut run = run();
    let What::Mesh { links, .. } = &mut run.what else { panic!() };
    for row in &mut links[0].ways[1].sizes {
        if lost.contains(&row.payload) {
            row.came = 2;
        }
    }
    mesh(&run).into_iter().filter(|v| v.code.as_deref() == Some("RB0904")).collect()
}

#[test]
fn lost_sizes_point_at_their_cause() {
    assert!(with_sizes(&[]).is_empty());
    let small = with_sizes(&[199, 200, 201, 202]);
    assert_eq!((small.len(), small[0].level, small[0].about.as_str()), (1, Level::Fault, "n2 → n1"));
    assert!(small[0].cure.contains("e2e=0") && small[0].text.contains("200 (2/20)"), "{small:?}");
    assert!(with_sizes(&[65_491, 65_492])[0].cure.contains("MTU"));
    assert!(with_sizes(&[64, 4096])[0].cure.contains("cable"));
}

#[test]
fn one_packet_of_twenty_is_an_accident() {
    let row = |came| SizeRow { payload: 200, sent: 20, came, error: None };
    assert!(!faulty(&row(20)) && !faulty(&row(19)) && faulty(&row(18)));
}

#[test]
fn a_sound_link_gives_no_finding() {
    let verdicts = mesh(&run());
    assert!(verdicts.iter().all(|v| v.level == Level::Good), "{verdicts:#?}");
    assert_eq!(verdicts.len(), 2, "one for each direction");
}

#[test]
fn loss_lopsidedness_and_efficiency_cores_are_told() {
    let mut run = run();
    let What::Mesh { links, .. } = &mut run.what else { panic!() };
    let ways = &mut links[0].ways;
    ways[0].idle.as_mut().unwrap().lost = 5;
    ways[1].idle.as_mut().unwrap().p50 = 1.4;
    for FlowResult { flow, interrupts_receiver, .. } in &mut ways[1].flows {
        flow.gbits = 14.0;
        *interrupts_receiver =
            Some(Interrupts { by_cpu: [(0, 10), (14, 90)].into(), efficient: [14].into() });
    }
    let codes: Vec<(String, Level)> =
        mesh(&run).into_iter().filter_map(|v| Some((v.code?, v.level))).collect();
    for wanted in [
        ("RB0905", Level::Fault),
        ("RB0906", Level::Finding),
        ("RB0907", Level::Finding),
        ("RB0908", Level::Note),
        ("RB0903", Level::Note),
    ] {
        assert!(codes.contains(&(wanted.0.to_owned(), wanted.1)), "{wanted:?} in {codes:?}");
    }
}

#[test]
fn what_could_not_be_measured_is_a_fault() {
    let mut run = run();
    let What::Mesh { links, .. } = &mut run.what else { panic!() };
    links[0].ways[0].troubles.push("iperf3: unable to connect to server".into());
    let verdicts = mesh(&run);
    assert_eq!(verdicts[0].code.as_deref(), Some("RB0902"));
}
