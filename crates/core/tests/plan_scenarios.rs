//! Whole plans as text, one folder each in `scenarios/plan`: `spec.toml`, a recipe of what the nodes
//! are like in `nodes.txt`, and the plans that follow in `expected.txt`.
//!
//! `BLESS=1 cargo test -p ringbolt-core --test plan_scenarios` writes `expected.txt` anew. A recipe has
//! one line a statement: `shape ring 3`, `frr absent|installed|running`, `apply` (carry plans out until
//! nothing is left), `spec OLD NEW` (a change of mind in the spec), `write NODE PATH TEXT`,
//! `remove NODE PATH`, `replace NODE PATH OLD NEW`, `silent NODE`, `reboot`, `plan` (show it).
//! `\n` and `\t` in a text are a line end and a tab, `\_` a blank.
//!
//! About Ceph: `disks COUNT` (free ones a node), `disk NODE NAME use|free|model|serial|size|removable|failed|wear|heat
//! VALUE`, `disk NODE NAME vanish`, `disks-unknown|ceph-unknown NODE WHY`, `memory NODE GIB`, `left-over NODE mon|mgr|mds
//! ID`, `stop NODE mon|mgr`, `stop-osd NODE N`, `monitor NODE STATE`, `reinstall NODE`, `unit NODE UNIT STATE`, `clock NODE MILLISECONDS`,
//! `address NODE INTERFACE ADDRESS`, `no-address NODE INTERFACE`; of the cluster `pool NAME new`, `pool NAME KEY VALUE`,
//! `option SECTION NAME VALUE`, `osd N up|in 0|1`, `complaint CODE TEXT`, `filled PERCENT TERABYTES`, `running COUNT
//! VERSION`, `health HEALTH_ERR` (till the next of these), `monitors-silent WHY`. `ceph-plan` shows Ceph's steps with their deeds, and of the others only that there are some.
#![expect(clippy::disallowed_methods, reason = "the test reads folders; the core does not")]

#[path = "scene/ceph.rs"]
mod ceph;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use ringbolt_core::explain;
use ringbolt_core::name::NodeName;
use ringbolt_core::obstacle::Obstacle;
use ringbolt_core::plan::{Plan, Policy, lint};
use ringbolt_core::sim::{self, Cluster, Frr, Options};
use ringbolt_core::spec::{self, Spec};
use ringbolt_core::step::Risk;
use ringbolt_core::survey::{Silent, Survey};
use ringbolt_core::topology::{Topology, generate};

struct Scene {
    text: String,
    topology: Topology,
    options: Options,
    cluster: Option<Cluster>,
    silent: Vec<Silent>,
    out: String,
}

impl Scene {
    fn spec(&self) -> Spec {
        let read = spec::read(&self.text);
        read.spec.unwrap_or_else(|| panic!("the spec is not valid: {:?}", read.diagnostics))
    }

    fn cluster(&mut self) -> &mut Cluster {
        let transport = self.spec().fabric.transport;
        self.cluster.get_or_insert_with(|| sim::fresh(&self.topology, transport, &self.options))
    }

    fn plan(&mut self) -> Plan {
        let (spec, fleet) = (self.spec(), self.cluster().fleet());
        let survey = Survey::new(spec, fleet, self.silent.clone()).expect("addresses for all");
        let plan = survey.plan(&Policy::default());
        assert_eq!(lint(&plan), Vec::<String>::new());
        plan
    }

    fn apply(&mut self) {
        for _ in 0..5 {
            let plan = self.plan();
            if plan.deeds().next().is_none() || !plan.obstacles.is_empty() {
                return;
            }
            self.cluster().run(&plan, plan.steps.len()).expect("every step proven");
        }
        panic!("never done");
    }

    fn statement(&mut self, line: &str) {
        let words: Vec<String> = line.split(' ').map(plain).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["shape", shape, count] => {
                let count = count.parse().expect("a number");
                self.topology = match *shape {
                    "ring" => generate::ring(count),
                    "line" => generate::line(count),
                    "mesh" => generate::mesh(count),
                    "star" => generate::star(count),
                    "switch" => generate::switch(count),
                    other => panic!("no shape {other}"),
                };
            }
            ["disks", count] => self.options.disks = count.parse().expect("a number"),
            ["frr", "absent"] => self.options.frr = Frr::Absent,
            ["frr", "installed"] => self.options.frr = Frr::Installed,
            ["frr", "running"] => self.options.frr = Frr::Running,
            ["apply"] => self.apply(),
            ["spec", old, new] => {
                assert!(self.text.contains(old), "the spec has no {old:?}");
                self.text = self.text.replacen(old, new, 1);
            }
            ["write", node, path, text] => {
                self.facts(node).state.files.insert((*path).to_owned(), sim::file(text, 0o644));
            }
            ["remove", node, path] => drop(self.facts(node).state.files.remove(*path)),
            ["replace", node, path, old, new] => {
                let text = self.facts(node).text(path).expect("the file").to_owned();
                assert!(text.contains(old), "{path} has no {old:?}");
                self.facts(node)
                    .state
                    .files
                    .insert((*path).to_owned(), sim::file(&text.replace(old, new), 0o644));
            }
            ["silent", node] => {
                self.cluster().nodes.retain(|n, _| n.as_str() != *node);
                let node = NodeName::new(node).expect("a node name");
                let (why, cure) = ("no route to host".into(), "switch it on".into());
                self.silent.push(Silent { node, why, cure, full: false });
            }
            ["reboot"] => {
                let names: Vec<NodeName> = self.cluster().nodes.keys().cloned().collect();
                self.cluster().reboot(&names);
            }
            ["plan"] => {
                let plan = self.plan();
                show(&plan, &mut self.out);
            }
            ["ceph-plan"] => {
                let plan = self.plan();
                ceph::heading(&plan, &mut self.out);
                remarks(&plan, &mut self.out);
                ceph::steps(&plan, &mut self.out);
            }
            [_, node, ..] if self.names(node) => {
                assert!(ceph::on_node(self.facts(node), &words), "not understood: {line}");
            }
            _ => assert!(ceph::on_cluster(self.cluster(), &words), "not understood: {line}"),
        }
    }

    fn names(&mut self, node: &str) -> bool {
        self.cluster().nodes.keys().any(|n| n.as_str() == node)
    }

    fn facts(&mut self, node: &str) -> &mut ringbolt_core::facts::Facts {
        &mut self.cluster().nodes.get_mut(node).expect("a node").facts
    }
}

fn plain(word: &str) -> String {
    word.replace("\\n", "\n").replace("\\t", "\t").replace("\\_", " ")
}

/// What stands in the way, and what is to be known.
fn remarks(plan: &Plan, out: &mut String) {
    for line in &plan.waiting {
        let _ = writeln!(out, "waiting: {line}");
    }
    for (kind, list) in [("obstacle", &plan.obstacles), ("note", &plan.notes)] {
        for about in list {
            remark(kind, about, out);
        }
    }
}

/// A plan in compact lines: what, why, how dangerous, after what, and the diff of a file.
fn show(plan: &Plan, out: &mut String) {
    let _ =
        writeln!(out, "== {} steps, {} resources as they should be", plan.deeds().count(), plan.satisfied);
    remarks(plan, out);
    for step in &plan.steps {
        let risk = match step.risk {
            Risk::Safe => "",
            Risk::Disruptive => " [disruptive]",
            Risk::Destructive => " [DESTRUCTIVE]",
        };
        let _ = writeln!(out, "{}{risk}: {}", step.id, step.title);
        if step.action.is_some() {
            let _ = writeln!(out, "    why: {}", step.why);
        }
        if !step.interrupts.is_empty() {
            let _ = writeln!(out, "    interrupts: {}", step.interrupts);
        }
        let after: Vec<&str> = step.after.iter().map(|id| &**id).collect();
        if !after.is_empty() {
            let _ = writeln!(out, "    after: {}", after.join(", "));
        }
        if let Some(change) = &step.change {
            let (before, after) =
                (change.before.as_deref().unwrap_or(""), change.after.as_deref().unwrap_or(""));
            let diff = similar::TextDiff::from_lines(before, after);
            for line in diff.unified_diff().context_radius(1).to_string().lines() {
                let _ = writeln!(out, "    | {line}");
            }
        }
    }
}

fn remark(kind: &str, about: &Obstacle, out: &mut String) {
    let node = about.node.as_ref().map(|n| format!(" {n}")).unwrap_or_default();
    let _ = writeln!(out, "{kind} {}{node}: {}", about.code, about.message);
    for line in about.evidence.lines() {
        let _ = writeln!(out, "    | {line}");
    }
    let _ = writeln!(out, "    cure: {}", about.cure);
}

fn play(folder: &Path) -> String {
    let read =
        |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
    let mut scene = Scene {
        text: read("spec.toml"),
        topology: generate::ring(3),
        options: Options::default(),
        cluster: None,
        silent: Vec::new(),
        out: String::new(),
    };
    for line in read("nodes.txt").lines().filter(|l| !l.is_empty() && !l.starts_with('#')) {
        if !scene.out.is_empty() || line.ends_with("plan") {
            let _ = writeln!(scene.out, "> {line}");
        }
        scene.statement(line);
    }
    scene.out
}

#[test]
fn plans_are_as_recorded() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/plan");
    let mut folders: Vec<_> =
        std::fs::read_dir(&top).expect("scenarios").map(|e| e.expect("a folder").path()).collect();
    folders.sort();
    assert!(folders.len() >= 8);
    let bless = std::env::var("BLESS").is_ok_and(|v| v == "1");
    let mut wrong = String::new();
    for folder in folders {
        let now = play(&folder);
        let place = folder.join("expected.txt");
        if bless {
            std::fs::write(&place, &now).expect("written");
        }
        let then = std::fs::read_to_string(&place).unwrap_or_default();
        if then != now {
            let diff = similar::TextDiff::from_lines(&then, &now);
            let _ = writeln!(wrong, "{}:\n{}", folder.display(), diff.unified_diff().context_radius(2));
        }
    }
    assert!(wrong.is_empty(), "BLESS=1 writes them anew, if this is what is meant:\n{wrong}");
}

/// Codes about Ceph that no spec alone can show stand in a recorded plan; those that one can are shown by their own
/// example (`spec_codes`).
#[test]
fn every_code_about_ceph_is_shown() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/plan");
    let recorded: String = std::fs::read_dir(&top)
        .expect("scenarios")
        .map(|e| std::fs::read_to_string(e.expect("a folder").path().join("expected.txt")).expect("recorded"))
        .collect();
    let said: BTreeSet<&str> = recorded
        .lines()
        .filter_map(|line| line.strip_prefix("obstacle ").or_else(|| line.strip_prefix("note ")))
        .filter_map(|rest| rest.split([' ', ':']).next())
        .collect();
    let ceph = || explain::all().filter(|e| e.code.0.starts_with("RB06"));
    let missing: Vec<&str> = ceph()
        .filter(|e| !explain::ceph::ENTRIES.iter().any(|own| own.code == e.code))
        .map(|e| e.code.0)
        .filter(|code| !said.contains(code))
        .collect();
    assert!(missing.is_empty(), "no folder of scenarios/plan shows {missing:?}");
    assert!(explain::ceph::ENTRIES.iter().all(|e| !e.wrong.is_empty()), "each has an example");
    assert!(ceph().count() > 60, "{}", ceph().count());
}
