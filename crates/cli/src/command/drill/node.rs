//! `ringbolt drill node`: a lab node loses its power while another one writes to Ceph.

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ringbolt_control::drill::node::{Hand, lose};
use ringbolt_core::drill::node::{Loss, STALL_TARGET};
use ringbolt_core::name::NodeName;
use ringbolt_core::spec::Keeping;
use ringbolt_core::survey::Survey;
use ringbolt_lab::Lab;

use super::{DrillArgs, trouble};
use crate::exit::Exit;
use crate::global::Global;
use crate::hold;
use crate::render::text::hang;
use crate::render::{Style, write_json};
use crate::session::{Session, Trouble};

/// Loses one node and shows what it cost.
pub(super) async fn run(
    args: &DrillArgs,
    global: &Global,
    session: &Session,
    survey: &Survey,
    out: &mut dyn Write,
    style: Style,
) -> Result<Exit, Trouble> {
    let (node, writer) = chosen(args, survey)?;
    let pool = pool(survey)?;
    let Some(name) = &session.loaded.source.lab else {
        return Err(Trouble::usage(
            "a real node's power is not switched from here",
            "rehearse it in a lab: `ringbolt lab up --nodes 3`, apply, `ringbolt drill node`",
        ));
    };
    let lab = ringbolt_lab::open(name)
        .map_err(|e| Trouble::usage(e.to_string(), "`ringbolt lab status` lists the labs that are up"))?;
    let wish = args.wish(global, style);
    let _here = hold::here(session, wish)?;
    let _lock = hold::hold(session, wish, None).await?;
    let told = !args.json && !global.quiet;
    if told {
        writeln!(out, "{node} loses its power while {writer} writes to pool {pool} (4 KiB, 8 at a time)")?;
        out.flush()?;
    }
    let hand = Arc::new(LabHand { lab });
    let begun = Instant::now();
    let tell = |text: &str| {
        if told {
            let at = format!("{:5.1} s", begun.elapsed().as_secs_f64());
            let _ = writeln!(std::io::stderr(), "  {at}  {}", style.err().dim(text));
        }
    };
    let loss = lose(&session.fleet, hand, &node, &writer, &pool, tell).await.map_err(trouble)?;
    if args.json {
        write_json(out, &loss)?;
    } else if told || !loss.ok {
        write!(out, "{}", shown(&loss, style))?;
    }
    let passed = if args.strict { loss.ok } else { loss.survived };
    Ok(if passed { Exit::Done } else { Exit::NotVerified })
}

/// The node to lose and the one that writes.
fn chosen(args: &DrillArgs, survey: &Survey) -> Result<(NodeName, NodeName), Trouble> {
    let names: Vec<&NodeName> = survey.spec.nodes.iter().map(|n| &n.name).collect();
    let node = match &args.node {
        None => names.last().copied(),
        Some(wanted) => names.iter().copied().find(|n| n.as_str() == wanted),
    };
    let Some(node) = node else {
        let all: Vec<&str> = names.iter().map(|n| n.as_str()).collect();
        return Err(Trouble::usage(
            format!("the spec has no node {}", args.node.as_deref().unwrap_or_default()),
            format!("it has {}", all.join(", ")),
        ));
    };
    let writer = names.into_iter().find(|n| *n != node);
    let writer =
        writer.ok_or_else(|| Trouble::usage("one node alone has nobody to write", "add a second one"))?;
    Ok((node.clone(), writer.clone()))
}

/// The first pool of the spec that keeps whole copies and goes on without one of them.
fn pool(survey: &Survey) -> Result<String, Trouble> {
    if survey.spec.ceph.is_none() {
        return Err(Trouble::usage(
            "the spec has no Ceph: without it nothing is written that could stand still",
            "name disks by `osds`, and apply; `ringbolt drill cable` works without",
        ));
    }
    let goes_on = |k: &Keeping| matches!(k, Keeping::Copies { size, min_size } if min_size < size);
    survey.spec.pools.iter().find(|p| goes_on(&p.keeping)).map(|p| p.name.clone()).ok_or_else(|| {
        Trouble::usage(
            "no pool of the spec goes on without a node: every one needs all its copies",
            "a pool of size 3 with min_size 2 does",
        )
    })
}

/// The lab's hand at the power switch.
struct LabHand {
    lab: Lab,
}

impl Hand for LabHand {
    fn off(&self, node: &NodeName) -> Result<(), String> {
        self.lab.power_off(node.as_str(), false).map_err(|e| e.to_string())
    }

    fn on(&self, node: &NodeName) -> Result<(), String> {
        self.lab.power_on(node.as_str()).map_err(|e| e.to_string())?;
        self.lab.wait_ready(node.as_str(), Duration::from_secs(60)).map(drop).map_err(|e| e.to_string())
    }
}

fn shown(loss: &Loss, style: Style) -> String {
    let seconds = |s: f64| format!("{s:.1} s");
    let stall = match loss.stall {
        Some(s) if s <= STALL_TARGET => format!("{} (≤ {STALL_TARGET:.0})", seconds(s)),
        Some(s) => style.red(&format!("{} (> {STALL_TARGET:.0})", seconds(s))),
        None => style.red("until the node was back"),
    };
    let clean = loss.clean.map_or_else(|| style.red("not within 4 minutes"), seconds);
    let wrong = match loss.wrongly_down.as_slice() {
        [] => "none".to_owned(),
        some => style.red(&some.iter().map(|id| format!("osd.{id}")).collect::<Vec<_>>().join(", ")),
    };
    let rows = [
        ("writes stood still for", stall),
        ("OSDs of other nodes marked down", wrong),
        ("node answered again after", seconds(loss.boot)),
        ("all OSDs up, all active+clean after", clean),
        ("longest wait of a write meanwhile", seconds(loss.return_stall)),
    ];
    let mut text: String = rows.iter().map(|(what, value)| format!("  {what:37}{value}\n")).collect();
    let (word, say) = match (loss.survived, loss.ok) {
        (_, true) => (
            style.green("survived:"),
            format!("writes went on without {}, and came back to three copies with it.", loss.node),
        ),
        (true, false) => (
            style.yellow("survived, slowly:"),
            format!(
                "writes went on without {}, later than the target; on a machine under load that says little.",
                loss.node
            ),
        ),
        (false, _) => {
            (style.red("not survived:"), "`ringbolt verify` shows what is not as it should be.".to_owned())
        }
    };
    text += "\n";
    text += &hang(&format!("{word} "), &say, style.width);
    text
}
