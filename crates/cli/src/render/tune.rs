//! Tunings as text: the audit by verdicts, what undo will do, one option explained.

use ringbolt_core::action::{Action, CephDeed};
use ringbolt_core::arrange::Arrange;
use ringbolt_core::name::NodeName;
use ringbolt_core::plan::Plan;
use ringbolt_core::plan::settings::{Which, heir};
use ringbolt_core::tune::{self, Audit, Audited, Known, Place, RELEASES, Setting, Verdict};

use super::text::{hang, shown};
use super::{Style, count};

/// Names of the table's releases.
const NAMES: [&str; 3] = ["Reef", "Squid", "Tentacle"];

/// The audit: a block for each verdict, the worst first, one line for each setting.
pub(crate) fn audit(audit: &Audit, silent: &[(NodeName, String)], quiet: bool, style: Style) -> String {
    let mut text = String::new();
    let rows = merged(&audit.settings);
    for verdict in Verdict::ALL {
        if quiet && !verdict.is_alarming() {
            continue;
        }
        let mut of: Vec<&Row<'_>> = rows.iter().filter(|r| r.setting.verdict == verdict).collect();
        if of.is_empty() {
            continue;
        }
        of.arrange_by_key(|r| (r.setting.name.clone(), r.setting.place.to_string()));
        let heading = paint(verdict, &format!("{} ({})", verdict.word(), of.len()), style);
        text += &format!("{heading}\n{}", block(&of, style));
    }
    if quiet {
        return text;
    }
    for missing in &audit.missing {
        text += &hang(
            &format!("{} ", style.yellow("not set:")),
            &format!("{missing} of the profile"),
            style.width,
        );
    }
    for remark in &audit.remarks {
        text += &hang(&format!("{} ", style.yellow("note:")), remark, style.width);
    }
    for (node, why) in silent {
        text +=
            &hang(&format!("{} ", style.red(&format!("{node}:"))), &format!("not heard: {why}"), style.width);
    }
    text + &closing(audit, style)
}

fn closing(audit: &Audit, style: Style) -> String {
    let release = release(audit.release);
    let bad = audit.settings.iter().filter(|s| s.verdict.is_undone()).count();
    if bad == 0 {
        let kept = audit.count(Verdict::Ours);
        return format!(
            "\n{}: {release}, {}, {} from the profile.\n",
            style.green("clean"),
            count(audit.settings.len(), "setting"),
            kept
        );
    }
    let alarms = audit.settings.iter().filter(|s| s.verdict.is_alarming()).count();
    let sum = format!(
        "{release}: {} of {} could go, {alarms} should.",
        bad,
        count(audit.settings.len(), "setting")
    );
    format!(
        "\n{}{}",
        hang("", &sum, style.width),
        hang(
            "Next: ",
            &style.paste(
                "`ringbolt tune undo` takes them away, `ringbolt tune explain OPTION` tells more about one."
            ),
            style.width
        )
    )
}

fn release(major: u32) -> String {
    match RELEASES.iter().position(|r| *r == major) {
        Some(at) => format!("Ceph {} ({major})", NAMES[at]),
        None => format!("Ceph {major}"),
    }
}

fn paint(verdict: Verdict, text: &str, style: Style) -> String {
    match verdict {
        Verdict::Harmful | Verdict::Risky => style.red(text),
        Verdict::Useful | Verdict::Ours => style.green(text),
        Verdict::Equal | Verdict::Unknown => style.bold(text),
        _ => style.yellow(text),
    }
}

/// A setting, with all the places that have it alike.
struct Row<'a> {
    setting: &'a Audited,
    places: Vec<String>,
}

/// The same setting on several nodes is one row.
fn merged(settings: &[Audited]) -> Vec<Row<'_>> {
    let mut rows: Vec<Row<'_>> = Vec::new();
    for setting in settings {
        let alike = rows.iter_mut().find(|r| {
            let (a, b) = (r.setting, setting);
            (a.verdict, &a.name, &a.value, &a.why) == (b.verdict, &b.name, &b.value, &b.why)
                && suffix(&a.place) == suffix(&b.place)
                && suffix(&a.place).is_some()
        });
        match (alike, node(&setting.place)) {
            (Some(row), Some(node)) => row.places.push(node),
            _ => rows.push(Row { setting, places: node(&setting.place).into_iter().collect() }),
        }
    }
    rows
}

fn node(place: &Place) -> Option<String> {
    match place {
        Place::File { node, .. } | Place::Live { node } => Some(node.to_string()),
        _ => None,
    }
}

fn suffix(place: &Place) -> Option<&str> {
    match place {
        Place::File { path, .. } => Some(path),
        Place::Live { .. } => Some("live"),
        _ => None,
    }
}

fn block(rows: &[&Row<'_>], style: Style) -> String {
    let place = |row: &Row<'_>| match suffix(&row.setting.place) {
        Some(suffix) => format!("{} {suffix}", row.places.join(" ")),
        None => row.setting.place.to_string(),
    };
    let width = |of: &dyn Fn(&Row<'_>) -> usize| rows.iter().map(|r| of(r)).max().unwrap_or(0);
    let (names, values, places) = (
        width(&|r| shown(&r.setting.name)),
        width(&|r| shown(&value(r.setting))),
        width(&|r| shown(&place(r))),
    );
    let mut text = String::new();
    let mut last = ("", "");
    for row in rows {
        let head = format!(
            "  {:names$}  {:values$}  {:places$}  ",
            row.setting.name,
            value(row.setting),
            place(row)
        );
        // One reason for several daemons is told once.
        let told = (row.setting.name.as_str(), row.setting.why.as_str());
        if std::mem::replace(&mut last, told) == told {
            text += head.trim_end();
            text.push('\n');
            continue;
        }
        // Where columns and reasons do not fit beside each other, reasons go below.
        if shown(&head) + 30 <= style.width {
            text += &hang(&head, &row.setting.why, style.width);
        } else {
            text += head.trim_end();
            text.push('\n');
            text += &hang("      ", &row.setting.why, style.width);
        }
    }
    text
}

/// The value without digits that say nothing.
fn value(setting: &Audited) -> String {
    short(&setting.value)
}

fn short(value: &str) -> String {
    match value.split_once('.') {
        Some((whole, rest)) if rest.bytes().all(|b| b.is_ascii_digit()) => {
            let rest = if whole.len() > 3 { "" } else { rest.trim_end_matches('0') };
            if rest.is_empty() { whole.to_owned() } else { format!("{whole}.{rest}") }
        }
        _ => value.to_owned(),
    }
}

/// What undo will do, before it is asked for.
pub(crate) fn undo(plan: &Plan, audit: &Audit, which: &Which, style: Style) -> String {
    let mut text = String::new();
    for step in plan.deeds() {
        let node = step.node.as_ref().map(ToString::to_string).unwrap_or_default();
        text += &format!("{} {}\n", style.bold(&format!("{node}:")), step.title);
        if let Some(Action::Ceph(CephDeed::Config { set, remove })) = &step.action {
            text += &database(set, remove, audit);
        } else if let Some(change) = &step.change {
            let before = change.before.as_deref().unwrap_or("");
            let after = change.after.as_deref().unwrap_or("");
            let gone = before.lines().filter(|line| !after.lines().any(|l| l == *line));
            text.extend(gone.map(|line| format!("  - {line}\n")));
        }
    }
    let manual =
        audit.settings.iter().filter(|s| *which == Which::Bad && s.verdict.is_undone() && by_hand(&s.place));
    for setting in manual {
        let what = format!("{} in {}: {}", setting.name, setting.place, setting.cure);
        text += &hang(&format!("{} ", style.yellow("by hand:")), &what, style.width);
    }
    text
}

/// Whether nothing of ringbolt takes a setting there away.
fn by_hand(place: &Place) -> bool {
    match place {
        Place::Conf(_) => true,
        Place::File { path, .. } => {
            ["/etc/sysctl.d/", "/etc/udev/rules.d/"].iter().any(|folder| path.starts_with(folder))
        }
        _ => false,
    }
}

fn database(set: &[(String, String, String)], remove: &[(String, String)], audit: &Audit) -> String {
    let of = |section: &str, name: &str| {
        let place = Place::Database(section.to_owned());
        audit.settings.iter().find(|s| s.name == *name && s.place == place)
    };
    let mut lines = Vec::new();
    for (section, name) in remove {
        let found = of(section, name);
        let default = found.map(|s| s.default.as_str()).filter(|d| !d.is_empty());
        let after = match (heir(audit, (section, name), set, remove), default) {
            (Some((value, place)), _) => format!("{}, from {place}", short(value)),
            (None, Some(default)) if tune::is_automatic(name, default) => "chosen by Ceph".to_owned(),
            (None, Some(default)) => short(default),
            (None, None) => "Ceph's default".to_owned(),
        };
        let was = found.map(value).unwrap_or_default();
        let verdict = found.map_or("", |s| s.verdict.word());
        lines.push((format!("remove {section} {name}"), format!("{was} → {after}"), verdict));
    }
    for (section, name, value_) in set {
        let was = of(section, name).map_or_else(|| "not set".to_owned(), value);
        lines.push((
            format!("set    {section} {name}"),
            format!("{was} → {}", short(value_)),
            "as the profile has it",
        ));
    }
    let names = lines.iter().map(|l| shown(&l.0)).max().unwrap_or(0);
    let values = lines.iter().map(|l| shown(&l.1)).max().unwrap_or(0);
    lines.iter().map(|(a, b, c)| format!("  {a:names$}  {b:values$}  {c}\n")).collect()
}

/// The last words of undo.
pub(crate) fn after(audit: &Audit, style: Style) -> String {
    let left: Vec<&str> =
        audit.settings.iter().filter(|s| s.verdict.is_undone()).map(|s| s.name.as_str()).collect();
    if left.is_empty() {
        return format!("{}: a second look finds nothing to take away.\n", style.green("clean"));
    }
    hang(&format!("{} ", style.yellow("left:")), &left.join(", "), style.width)
}

/// One option: what it does, and what the cluster has.
pub(crate) fn explain(option: &str, audit: Option<&Audit>, profile: &[Setting], style: Style) -> String {
    let mut text = format!("{}\n", style.bold(option));
    match tune::known(option) {
        Some(known) => text += &table(known, audit, style),
        None => {
            text +=
                "  not in the table: nothing is said of it, and nothing is done to it unless it is named\n";
        }
    }
    for setting in profile.iter().filter(|s| s.name == option) {
        let what = format!("{} in {}: {}", setting.value, setting.section, setting.reason);
        text += &hang("  profile   ", &what, style.width);
        text += &hang("  source    ", setting.source, style.width);
        text += &hang("  undo      ", &setting.undo, style.width);
    }
    let Some(audit) = audit else { return text };
    let mut set = audit.settings.iter().filter(|s| s.name == option).peekable();
    if audit.release == 0 {
        text += "  here      no node tells what Ceph is set to\n";
    } else if set.peek().is_none() {
        text += "  here      not set\n";
    }
    for setting in set {
        let word = paint(setting.verdict, setting.verdict.word(), style);
        let what = format!("{} in {}: {word}: {}", value(setting), setting.place, setting.why);
        text += &hang("  here      ", &what, style.width);
        if !setting.cure.is_empty() {
            text += &hang("  cure      ", &setting.cure, style.width);
        }
    }
    text
}

fn table(known: &Known, audit: Option<&Audit>, style: Style) -> String {
    let running = audit.map(|a| a.release).filter(|r| *r > 0);
    let default = match running {
        Some(major) => format!("{} on {}", said(known.default_in(major)), release(major)),
        None if known.default[0] == known.default[2] => said(known.default[0]).to_owned(),
        None => {
            let each = RELEASES.iter().zip(known.default).zip(NAMES);
            each.map(|((_, default), name)| format!("{default} on {name}")).collect::<Vec<_>>().join(", ")
        }
    };
    [
        ("  does      ", known.what),
        ("  default   ", default.as_str()),
        ("  belongs   ", known.home.words()),
        ("  counts    ", known.applies.words()),
        ("  set       ", known.finding),
    ]
    .iter()
    .map(|(first, words)| hang(first, words, style.width))
    .collect()
}

fn said(default: &str) -> &str {
    if default.is_empty() { "not set" } else { default }
}

/// Options of the table in short.
pub(crate) fn list(options: impl IntoIterator<Item = &'static Known>, style: Style) -> String {
    let options: Vec<&Known> = options.into_iter().collect();
    let width = options.iter().map(|k| shown(k.name)).max().unwrap_or(0);
    options.iter().map(|k| hang(&format!("{:width$}  ", k.name), k.what, style.width)).collect()
}
