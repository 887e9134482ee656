//! `ringbolt drill`: breaks things on purpose while traffic runs, and measures recovery.

mod node;

use std::io::Write;

use clap::{Args, ValueEnum};
use ringbolt_control::drill::{self, Breaker};
use ringbolt_control::stop::{self, Urgency};
use ringbolt_core::bind::Cable;
use ringbolt_core::drill::{BACK_TARGET, Kind, Outcome};
use ringbolt_core::name::NodeName;
use ringbolt_core::spec::{Routing, Transport};
use ringbolt_core::survey::{Silent, Survey};
use ringbolt_core::topology::{Link, Place};
use ringbolt_lab::{Fault, Lab};

use crate::exit::Exit;
use crate::global::Global;
use crate::hold::{self, StealArgs, Wish};
use crate::render::text::hang;
use crate::render::{Style, count, write_json};
use crate::session::{Session, Trouble, block_on};

/// What is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Target {
    /// Each cable in turn.
    Cable,
    /// A node loses its power while another one writes to Ceph.
    Node,
}

/// A way to break a cable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[expect(clippy::enum_variant_names, reason = "`one-way` is the word on the command line")]
pub(crate) enum Way {
    /// Our end is set down (real nodes).
    Admin,
    /// No carrier.
    Carrier,
    /// Pulled.
    Unplug,
    /// Looks fine, carries nothing.
    Silent,
    /// Carries nothing in one direction.
    OneWay,
    /// No carrier a second time, 3 s after a repair.
    Flap,
}

impl From<Way> for Kind {
    fn from(way: Way) -> Self {
        match way {
            Way::Admin => Self::Admin,
            Way::Carrier => Self::Carrier,
            Way::Unplug => Self::Unplug,
            Way::Silent => Self::Silent,
            Way::OneWay => Self::OneWay,
            Way::Flap => Self::Flap,
        }
    }
}

/// Arguments of `drill`.
#[derive(Debug, Args)]
pub(crate) struct DrillArgs {
    /// What to break
    #[arg(value_enum, default_value_t = Target::Cable)]
    pub(crate) target: Target,
    /// The node to lose; the last of the spec when absent
    #[arg(value_name = "NODE")]
    pub(crate) node: Option<String>,
    /// Only the cable between these two nodes
    #[arg(long, num_args = 2, value_names = ["A", "B"])]
    pub(crate) between: Vec<String>,
    /// Only these kinds of cut
    #[arg(long, value_enum, value_delimiter = ',', value_name = "KIND")]
    pub(crate) kind: Vec<Way>,
    /// Needed on real nodes: traffic over each cable stops for a moment
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// End with status 7 when a target is missed, not only when traffic did not survive
    #[arg(long)]
    pub(crate) strict: bool,
    /// Write the outcomes as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) lock: StealArgs,
}

impl DrillArgs {
    /// The wish for the cluster's lock.
    fn wish(&self, global: &Global, style: Style) -> Wish {
        let (steal, json) = (self.lock.steal, self.json);
        Wish { purpose: "drill", steal, quiet: global.quiet, json, style }
    }
}

/// Breaks cables and shows what it cost.
pub(crate) fn run(
    args: &DrillArgs,
    global: &Global,
    out: &mut dyn Write,
    style: Style,
) -> Result<Exit, Trouble> {
    block_on(async {
        let session = Session::open(global, style)?;
        let survey = session.survey().await?;
        if args.target == Target::Node {
            return node::run(args, global, &session, &survey, out, style).await;
        }
        if let Some(name) = &args.node {
            return Err(Trouble::usage(
                format!("{name} is a node, and `drill cable` cuts cables"),
                format!("`ringbolt drill node {name}`, or `ringbolt drill cable --between {name} OTHER`"),
            ));
        }
        if survey.spec.fabric.transport == Transport::Switch {
            return Err(Trouble::usage(
                "there is nothing to pull on a switch: each node has one cable",
                "without a second way no routing helps; two switches and OpenFabric would",
            ));
        }
        let mut breaker = breaker(&session, args)?;
        let cables = cables(&survey, args)?;
        let kinds = kinds(&survey, args, breaker.as_ref())?;
        let told = if args.json {
            Told::Nothing
        } else if global.quiet {
            Told::Failures
        } else {
            Told::All
        };
        let wish = args.wish(global, style);
        let _here = hold::here(&session, wish)?;
        let lock = hold::hold(&session, wish, None).await?;
        let outcomes = all(&session, &survey, breaker.as_mut(), &cables, &kinds, told, out, style).await?;
        if let Some(by) = lock.ousting() {
            return Err(hold::ousted(by.as_ref()));
        }
        if args.json {
            write_json(out, &outcomes)?;
        } else if told == Told::All || !outcomes.iter().all(|o| o.ok) {
            write!(out, "{}", closing(&outcomes, style))?;
        }
        let passed = |o: &Outcome| if args.strict { o.ok } else { o.survived };
        Ok(if outcomes.iter().all(passed) { Exit::Done } else { Exit::NotVerified })
    })
}

/// What of a drill is shown line by line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Nothing,
    Failures,
    All,
}

#[expect(clippy::too_many_arguments, reason = "one loop over everything a drill is made of")]
async fn all(
    session: &Session,
    survey: &Survey,
    breaker: &mut dyn Breaker,
    cables: &[Cable],
    kinds: &[Kind],
    told: Told,
    out: &mut dyn Write,
    style: Style,
) -> Result<Vec<Outcome>, Trouble> {
    let stop = stop::on_signals()?;
    let settled = survey.goals();
    let mut outcomes = Vec::new();
    // Refused before a heading promises lines.
    drill::settle(&session.fleet, &settled).await.map_err(trouble)?;
    let mut heading = Some(heading(style));
    for cable in cables {
        for kind in kinds {
            if session.fleet.is_ousted() {
                return Ok(outcomes);
            }
            if stop.urgency() != Urgency::None {
                if told == Told::All {
                    writeln!(out, "stopped; every cable is mended")?;
                }
                return Ok(outcomes);
            }
            out.flush()?;
            let outcome = drill::cable(&session.fleet, &survey.addresses, breaker, cable, *kind, &settled)
                .await
                .map_err(trouble)?;
            if told == Told::All || (told == Told::Failures && !outcome.ok) {
                write!(out, "{}{}", heading.take().unwrap_or_default(), line(&outcome, style))?;
                out.flush()?;
            }
            outcomes.push(outcome);
        }
    }
    Ok(outcomes)
}

#[expect(clippy::needless_pass_by_value, reason = "maps errors")]
fn trouble(error: drill::DrillError) -> Trouble {
    let hint = match &error {
        drill::DrillError::Node { failure, .. } => failure.hint.clone(),
        _ => None,
    };
    Trouble { message: error.to_string(), hint, exit: Exit::NotVerified }
}

/// Cables that can be pulled without splitting the mesh, or the one that was named.
fn cables(survey: &Survey, args: &DrillArgs) -> Result<Vec<Cable>, Trouble> {
    let joins = |cable: &Cable, names: &[String]| {
        let ends = [cable.a.0.as_str(), cable.b.0.as_str()];
        names.iter().all(|n| ends.contains(&n.as_str())) && ends.iter().all(|e| names.iter().any(|n| n == e))
    };
    let wanted: Vec<Cable> = survey
        .binding
        .cables
        .iter()
        .filter(|c| args.between.is_empty() || joins(c, &args.between))
        .cloned()
        .collect();
    if wanted.is_empty() {
        let all: Vec<String> = survey.binding.cables.iter().map(|c| format!("{} {}", c.a.0, c.b.0)).collect();
        return Err(Trouble::usage(
            format!("there is no cable between {}", args.between.join(" and ")),
            format!("there are: {}", all.join(", ")),
        ));
    }
    let bridges = survey.topology.bridges();
    let splits = |cable: &Cable| {
        let place = |end: &(NodeName, ringbolt_core::name::PortName)| Place {
            node: end.0.clone(),
            port: Some(end.1.clone()),
        };
        let link = Link::new(place(&cable.a), place(&cable.b));
        bridges.iter().any(|id| *survey.topology.link(*id) == link)
    };
    let safe: Vec<Cable> = wanted.iter().filter(|c| !splits(c)).cloned().collect();
    if let (true, Some(Silent { node, why, cure, .. })) = (safe.is_empty(), survey.silent.first()) {
        return Err(Trouble {
            message: format!(
                "{node} does not answer ({why}): what its cables join is not known, and each of those left holds the rest together alone"
            ),
            hint: Some(cure.clone()),
            exit: Exit::Unreachable,
        });
    }
    if safe.is_empty() {
        return Err(Trouble::usage(
            "every one of these cables holds the mesh together alone: pulling one splits it, and nothing is there to measure",
            format!("a second way is needed: {}", survey.topology.survives().sentence),
        ));
    }
    Ok(safe)
}

fn kinds(survey: &Survey, args: &DrillArgs, breaker: &dyn Breaker) -> Result<Vec<Kind>, Trouble> {
    let can = breaker.kinds();
    if let Some(way) = args.kind.iter().find(|w| !can.contains(&Kind::from(**w))) {
        let words: Vec<&str> = can.iter().map(|k| k.word()).collect();
        return Err(Trouble::usage(
            format!("a cable cannot be made \"{}\" here", Kind::from(*way).word()),
            format!("here it can be: {}", words.join(", ")),
        ));
    }
    if !args.kind.is_empty() {
        return Ok(args.kind.iter().map(|w| Kind::from(*w)).collect());
    }
    // Static routes see carrier and nothing else: a silent cable is not theirs to survive.
    let openfabric = survey.spec.fabric.routing == Routing::Openfabric;
    Ok(can.iter().copied().filter(|k| openfabric || !matches!(k, Kind::Silent | Kind::OneWay)).collect())
}

fn breaker(session: &Session, args: &DrillArgs) -> Result<Box<dyn Breaker>, Trouble> {
    if let Some(name) = &session.loaded.source.lab {
        let lab = ringbolt_lab::open(name)
            .map_err(|e| Trouble::usage(e.to_string(), "`ringbolt lab status` lists the labs that are up"))?;
        return Ok(Box::new(LabBreaker { lab }));
    }
    if !args.yes {
        return Err(Trouble::usage(
            "on real nodes a drill stops the traffic of each cable for a moment",
            "add --yes when that is fine now",
        ));
    }
    Ok(Box::new(drill::PortBreaker::new(std::sync::Arc::clone(&session.fleet))))
}

/// The lab's hands at its cables.
struct LabBreaker {
    lab: Lab,
}

impl Breaker for LabBreaker {
    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Carrier, Kind::Unplug, Kind::Silent, Kind::OneWay, Kind::Flap]
    }

    fn cut(&mut self, cable: &Cable, kind: Kind) -> Result<(), String> {
        let (a, b) = (cable.a.0.as_str(), cable.b.0.as_str());
        let fault = match kind {
            Kind::Admin | Kind::Carrier | Kind::Flap => Fault::Carrier(b.to_owned()),
            Kind::Unplug => Fault::Unplugged,
            Kind::Silent => Fault::Silent,
            Kind::OneWay => Fault::OneWay(a.to_owned()),
        };
        self.lab.cut(a, b, &fault).map_err(|e| e.to_string())
    }

    fn mend(&mut self, cable: &Cable, _: Kind) -> Result<(), String> {
        self.lab.mend(cable.a.0.as_str(), cable.b.0.as_str()).map_err(|e| e.to_string())
    }
}

const WIDTHS: [usize; 4] = [22, 17, 20, 22];

fn heading(style: Style) -> String {
    let [a, b, c, d] = WIDTHS;
    style.bold(&format!("{:a$}{:b$}{:c$}{:d$}", "cable", "cut", "traffic lost for", "direct way back in"))
        + "\n"
}

fn line(outcome: &Outcome, style: Style) -> String {
    let [a, b, c, d] = WIDTHS;
    let cable = format!("{}–{}", outcome.cable.a.0, outcome.cable.b.0);
    let lost = if outcome.directions.iter().all(|d| d.detour) {
        against(outcome.outage, outcome.target, c, style)
    } else {
        style.red(&format!("{:c$}", "no detour seen"))
    };
    let back = match outcome.back {
        Some(back) => against(back, BACK_TARGET, d, style),
        None => style.red(&format!("{:d$}", "not within 20 s")),
    };
    let mark = match (outcome.survived, outcome.ok) {
        (_, true) => style.green("ok"),
        (true, false) => style.yellow("slow"),
        (false, _) => style.red("no"),
    };
    format!("{cable:a$}{:b$}{lost}{back}{mark}\n", outcome.kind.word())
}

/// Seconds beside their target, in a column of its own.
fn against(seconds: f64, target: f64, width: usize, style: Style) -> String {
    if seconds <= target {
        format!("{:width$}", format!("{seconds:.2} s (≤ {target:.1})"))
    } else {
        style.red(&format!("{:width$}", format!("{seconds:.2} s (> {target:.1})")))
    }
}

fn closing(outcomes: &[Outcome], style: Style) -> String {
    let worst = outcomes.iter().map(|o| o.outage).fold(0.0, f64::max);
    let failed = outcomes.iter().filter(|o| !o.ok).count();
    let resolution =
        outcomes.iter().flat_map(|o| &o.directions).map(|d| d.resolution).fold(0.0, f64::max) * 1000.0;
    let cuts = count(outcomes.len(), "cut");
    let each = if outcomes.len() == 1 { "the cut".into() } else { format!("each of {cuts}") };
    let gap = format!("longest gap {worst:.2} s (known to {resolution:.0} ms)");
    let dead = outcomes.iter().filter(|o| !o.survived).count();
    let (word, text) = if dead > 0 {
        let text = format!(
            "{dead} of {cuts} traffic did not survive, or did not come back to the cable; {gap}. `ringbolt verify` shows what is not as it should be."
        );
        (style.red("not survived:"), text)
    } else if failed > 0 {
        let text = format!(
            "traffic went on after {each}; {gap}. {failed} took longer than the target (>): on a machine under load that says little, so try again when it is quiet."
        );
        (style.yellow("survived, slowly:"), text)
    } else {
        (style.green("survived:"), format!("traffic went on after {each}; {gap}."))
    };
    format!("\n{}", hang(&format!("{word} "), &style.paste(&text), style.width))
}
