//! Commands in texts, made so that they work when they are pasted: they name the lab this call was given.
//!
//! Used by [`super::Style::paste`] for hints, cures and what is next. Never looks at anything but the text.

/// Commands that work on the nodes of a spec, as they begin.
const ABOUT_NODES: [&str; 14] = [
    "apply",
    "bench ceph",
    "bench mesh",
    "discover",
    "drill",
    "lab down",
    "lab power-on",
    "lab thaw",
    "maintain",
    "plan",
    "reboot",
    "rollback",
    "ssh",
    "verify",
];

/// The text with `--lab NAME` at the end of each such command in backquotes.
pub(super) fn with_lab(text: &str, lab: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (n, piece) in text.split('`').enumerate() {
        if n > 0 {
            out.push('`');
        }
        out += piece;
        let command = (n % 2 == 1).then(|| piece.strip_prefix("ringbolt ")).flatten();
        if command.is_some_and(is_about_nodes) && !piece.contains("--lab") {
            out += " --lab ";
            out += lab;
        }
    }
    out
}

fn is_about_nodes(command: &str) -> bool {
    let begins =
        |word: &str| command.strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '));
    ABOUT_NODES.iter().any(|word| begins(word)) || command.starts_with("tune ")
}

#[cfg(test)]
mod tests {
    use super::*;

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
            ("`ringbolt tune audit`", "`ringbolt tune audit --lab two`"),
            ("no command: ringbolt plan", "no command: ringbolt plan"),
            ("", ""),
        ] {
            assert_eq!(with_lab(text, "two"), pasted);
        }
    }
}
