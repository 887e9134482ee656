//! Rehearsals as a person sees them: one folder each in `scenarios/sim` with `script.txt`, whose first
//! line gives the arguments, and the transcript in `expected.txt`.
//!
//! `BLESS=1 cargo test -p ringbolt --test sim` writes the transcripts anew.

use std::path::Path;
use std::process::{Command, Output};

/// Runs a rehearsal in a folder, with no state of this machine.
fn sim(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ringbolt"))
        .arg("sim")
        .args(args)
        .current_dir(folder)
        .env_remove("RINGBOLT_CONFIG")
        .env("RINGBOLT_STATE", folder.join("no-state"))
        .env("NO_COLOR", "1")
        .env("COLUMNS", "100")
        .env("LC_ALL", "C.UTF-8")
        .stdin(std::process::Stdio::null())
        .output()
        .expect("the program runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The names of runs are made of the time of day.
fn timeless(text: &str) -> String {
    let run = |word: &str| {
        let word = word.trim_end_matches([',', '.', ':', ';']);
        word.len() > 9 && word.starts_with("20") && word[..8].bytes().all(|b| b.is_ascii_digit())
    };
    let line = |line: &str| {
        let words: Vec<&str> = line.split(' ').map(|word| if run(word) { "RUN" } else { word }).collect();
        format!("{}\n", words.join(" "))
    };
    text.lines().map(line).collect()
}

#[test]
fn transcripts_are_as_they_were() {
    let scenes = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/sim");
    let mut wrong = Vec::new();
    let mut count = 0;
    for entry in std::fs::read_dir(&scenes).expect("scenarios are there") {
        let folder = entry.expect("a folder").path();
        let script = std::fs::read_to_string(folder.join("script.txt")).expect("a script");
        let args =
            script.lines().next().and_then(|l| l.strip_prefix("#!")).expect("arguments in the first line");
        let mut args: Vec<&str> = args.split_whitespace().collect();
        args.push("script.txt");
        let output = sim(&folder, &args);
        let ended = output.status.code().map_or("a signal".to_owned(), |code| code.to_string());
        let said = format!(
            "{}{}ended with {ended}\n",
            timeless(&text(&output.stdout)),
            timeless(&text(&output.stderr))
        );
        let path = folder.join("expected.txt");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&path, &said).expect("the transcript can be written");
        }
        let expected = std::fs::read_to_string(&path).unwrap_or_default();
        if said != expected {
            wrong.push(format!("{}:\n{said}", folder.display()));
        }
        count += 1;
    }
    assert!(wrong.is_empty(), "{}\nBLESS=1 takes them as they are", wrong.join("\n"));
    assert!(count >= 4, "only {count} rehearsals");
}

const SPEC: &str = "[cluster]\nname = \"tb4\"\n\n[fabric]\nprefix = \"10.100.0.0/24\"\n\n\
    [[node]]\nname = \"n1\"\naddress = \"10.11.0.1\"\n\n[[node]]\nname = \"n2\"\naddress = \"10.11.0.2\"\n\n\
    [[node]]\nname = \"n3\"\naddress = \"10.11.0.3\"\n";

#[test]
fn captured_facts_are_rehearsed_on_where_they_left_off() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    std::fs::write(at.join("make.txt"), "apply -q\ndiscover --json\n").expect("a script");
    let made = text(&sim(at, &["--shape", "ring", "--nodes", "3", "make.txt"]).stdout);
    let facts = made.split_once("> discover --json\n").expect("facts").1;
    std::fs::write(at.join("facts.json"), facts).expect("facts can be written");
    std::fs::write(at.join("ringbolt.toml"), SPEC).expect("a spec");
    let script = "plan --detect\nverify\ncut n1 n3\nverify\nmend n1 n3\nverify\nrollback\n";
    std::fs::write(at.join("script.txt"), script).expect("a script");
    let output = sim(at, &["--facts", "facts.json", "script.txt"]);
    let said = text(&output.stdout);
    assert!(
        said.contains("> plan --detect") && said.contains("nothing to do"),
        "{said}{}",
        text(&output.stderr)
    );
    let verdicts = (said.matches("\nverified: ").count(), said.matches("\nnot verified: ").count());
    assert_eq!(verdicts, (2, 1), "{said}");
    assert!(said.contains("cut: 1 cable between n1 and n3."), "{said}");
    assert!(said.contains("there is nothing to take back"), "past runs are not captured: {said}");
}

#[test]
fn without_nodes_and_with_strange_lines_it_says_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    std::fs::write(at.join("a.txt"), "plan\n").expect("a script");
    let output = sim(at, &["a.txt"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("--facts FILE"), "{}", text(&output.stderr));
    std::fs::write(at.join("b.txt"), "cut n1 n9\n").expect("a script");
    let output = sim(at, &["--shape", "line", "b.txt"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stdout).contains("there is no node n9"), "{}", text(&output.stdout));
    // A script with a line that is none is not begun; every such line is named.
    std::fs::write(at.join("c.txt"), "plan\nfly\nwait long\n").expect("a script");
    let output = sim(at, &["--shape", "line", "c.txt"]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), String::new()));
    let told = text(&output.stderr);
    assert!(told.contains("c.txt:2: not a line of a rehearsal: fly"), "{told}");
    assert!(told.contains("c.txt:3: long is not a number"), "{told}");
    assert!(!told.contains("c.txt:1"), "{told}");
}

#[test]
fn a_fault_that_no_step_meets_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let script = "fault broken at n1/sdm\nfault cut-off at n1/sysctl\nfault again at n1/sysctl\napply -q\n\
                  fault broken at n2/rebot\nreboot n2\napply until n9/sysctl\n";
    std::fs::write(at.join("a.txt"), script).expect("a script");
    let said = text(&sim(at, &["--shape", "ring", "--nodes", "3", "a.txt"]).stdout);
    for told in [
        "fault: an apply has no step n1/sdm now: is n1/sdn meant?",
        "fault: n1/sysctl is no step that can be befallen by cut-off",
        "fault: n1: n1/sysctl: try again",
        "fault: waits still: no step n2/rebot was begun: is n2/reboot meant?",
    ] {
        assert_eq!(said.matches(told).count(), 1, "{told}: {said}");
    }
    assert_eq!(said.matches("fault: ").count(), 4, "{said}");
}
