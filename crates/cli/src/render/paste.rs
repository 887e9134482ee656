//! Commands in texts, made so that they work when they are pasted: they name the lab, the spec and the ssh
//! configuration this call was given.
//!
//! Used by [`super::Style::paste`] for hints, cures and what is next. Never looks at anything but the text.

use std::ffi::OsStr;
use std::path::Path;

use crate::global::Global;

/// Commands that work on the nodes of a spec, as they begin.
const ABOUT_NODES: [&str; 12] = [
    "apply",
    "bench ceph",
    "bench mesh",
    "discover",
    "drill",
    "maintain",
    "plan",
    "reboot",
    "rollback",
    "ssh",
    "tune",
    "verify",
];

/// Commands that work on a lab and read no spec.
const ABOUT_LABS: [&str; 3] = ["lab down", "lab power-on", "lab thaw"];

/// What a command must name again to be about the same nodes as this call. Made once, as long as the program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Again {
    /// The lab of `--lab`.
    lab: Option<&'static str>,
    /// Spec and ssh configuration, where the next call would not take the same by itself: options for a shell.
    files: Option<&'static str>,
}

impl Again {
    /// Nothing, for tests.
    #[cfg(test)]
    pub(crate) const NOTHING: Self = Self { lab: None, files: None };

    /// What this call was given; `config` is the spec the environment names.
    pub(crate) fn of(global: &Global, config: Option<&OsStr>) -> Self {
        let mut files = String::new();
        // A lab wins over the file of the environment, and stands beside no other.
        if let Some(path) = global.config.as_deref().filter(|_| global.lab.is_none()) {
            let here = path.strip_prefix(".").unwrap_or(path) == Path::new("ringbolt.toml");
            let taken = config.map_or(here, |named| named == path.as_os_str());
            if !taken {
                files += &format!(" -c {}", word(path));
            }
        }
        if let Some(path) = &global.ssh_config {
            files += &format!(" --ssh-config {}", word(path));
        }
        let kept = |text: String| -> &'static str { text.leak() };
        Self { lab: global.lab.clone().map(kept), files: Some(files).filter(|f| !f.is_empty()).map(kept) }
    }

    /// The text with these options at the end of each command in backquotes that needs them.
    pub(super) fn in_text(self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for (n, piece) in text.split('`').enumerate() {
            if n > 0 {
                out.push('`');
            }
            out += piece;
            let Some(command) = (n % 2 == 1).then(|| piece.strip_prefix("ringbolt ")).flatten() else {
                continue;
            };
            let nodes = begins(command, &ABOUT_NODES);
            let lab = self.lab.filter(|_| nodes || begins(command, &ABOUT_LABS));
            if let Some(lab) = lab.filter(|_| !command.contains("--lab")) {
                out += " --lab ";
                out += lab;
            }
            out += self.files.filter(|_| nodes).unwrap_or_default();
        }
        out
    }
}

fn begins(command: &str, words: &[&str]) -> bool {
    let begins = |word: &&str| {
        command.strip_prefix(*word).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    };
    words.iter().any(begins)
}

/// A path as one word of a shell.
fn word(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-+:@%,=".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::Cli;

    /// What is named again after a call with these words.
    fn after(words: &str, config: Option<&str>) -> Again {
        let words = ["ringbolt", "plan"].into_iter().chain(words.split_whitespace());
        let cli = Cli::try_parse_from(words).unwrap_or_else(|e| panic!("{e}"));
        Again::of(&cli.global, config.map(OsStr::new))
    }

    #[test]
    fn commands_about_nodes_name_the_lab_and_others_do_not() {
        for (text, pasted) in [
            ("`ringbolt verify` proves it", "`ringbolt verify --lab two` proves it"),
            ("a `ringbolt maintain exit n2 --now` b", "a `ringbolt maintain exit n2 --now --lab two` b"),
            (
                "`ringbolt explain RB0501`, `ringbolt plan`",
                "`ringbolt explain RB0501`, `ringbolt plan --lab two`",
            ),
            ("`ringbolt lab up --nodes 3`; `ceph -s`", "`ringbolt lab up --nodes 3`; `ceph -s`"),
            ("`ringbolt lab down --lab two`", "`ringbolt lab down --lab two`"),
            ("`ringbolt lab down`", "`ringbolt lab down --lab two`"),
            ("`ringbolt tune audit`", "`ringbolt tune audit --lab two`"),
            ("no command: ringbolt plan", "no command: ringbolt plan"),
            ("", ""),
        ] {
            assert_eq!(after("--lab two", None).in_text(text), pasted);
        }
    }

    #[test]
    fn files_the_next_call_would_not_take_by_itself_are_named() {
        for (words, config, pasted) in [
            ("-c other.toml", None, "`ringbolt verify -c other.toml`, `ringbolt lab down`"),
            ("-c ringbolt.toml", None, "`ringbolt verify`, `ringbolt lab down`"),
            ("-c ./ringbolt.toml", None, "`ringbolt verify`, `ringbolt lab down`"),
            ("-c a/ringbolt.toml", None, "`ringbolt verify -c a/ringbolt.toml`, `ringbolt lab down`"),
            // The environment's file is taken again; what stands against it is not.
            ("-c other.toml", Some("other.toml"), "`ringbolt verify`, `ringbolt lab down`"),
            (
                "-c ringbolt.toml",
                Some("other.toml"),
                "`ringbolt verify -c ringbolt.toml`, `ringbolt lab down`",
            ),
            (
                "-c other.toml --lab two",
                Some("other.toml"),
                "`ringbolt verify --lab two`, `ringbolt lab down --lab two`",
            ),
            ("--ssh-config s", None, "`ringbolt verify --ssh-config s`, `ringbolt lab down`"),
            ("", None, "`ringbolt verify`, `ringbolt lab down`"),
        ] {
            let text = "`ringbolt verify`, `ringbolt lab down`";
            assert_eq!(after(words, config).in_text(text), pasted, "{words} {config:?}");
        }
    }

    #[test]
    fn a_path_is_one_word_of_a_shell() {
        for (path, shown) in
            [("/a/b-1.toml", "/a/b-1.toml"), ("my mesh.toml", "'my mesh.toml'"), ("a'b", r"'a'\''b'")]
        {
            assert_eq!(word(Path::new(path)), shown);
        }
    }
}
