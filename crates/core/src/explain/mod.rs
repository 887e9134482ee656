//! The registry of codes: what each `RB0xxx` means, why it matters and what to do.
//!
//! Used by `ringbolt explain`, by the generated reference page and by everything that reports a
//! fault, which takes its code from here and never writes one by hand. To add a code, add one
//! entry to the file of its area: `file` (RB01xx), `address` (RB02xx), `fabric` (RB03xx),
//! `cabling` (RB04xx), `nodes` (RB05xx: what is found on nodes, said by `bind`, `resource`, `plan` and `survey`),
//! `ceph` (RB0601 to RB0640: Ceph in the spec), `disks` (RB0641 to RB0659: what `bind::disks` says of disks),
//! `storage` (RB0660 to RB0699: what is found of Ceph on the nodes), `bench` (RB09xx).

pub mod address;
pub mod bench;
pub mod cabling;
pub mod ceph;
pub mod disks;
pub mod fabric;
pub mod file;
pub mod nodes;
pub mod storage;

use crate::diagnostic::{Code, Severity};

/// All that is to be said about one code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The code.
    pub code: Code,
    /// Error or warning.
    pub severity: Severity,
    /// The fault in a few words.
    pub title: &'static str,
    /// What is wrong and why it matters.
    pub why: &'static str,
    /// What to do about it.
    pub cure: &'static str,
    /// A piece of a spec that has the fault; empty where a spec cannot show it.
    pub wrong: &'static str,
    /// The same piece put right.
    pub right: &'static str,
}

/// Declares the codes of one area: a constant for each, and `ENTRIES` with all of them.
macro_rules! explanations {
    ($($name:ident = $severity:ident $code:literal {
        title: $title:literal,
        why: $why:literal,
        cure: $cure:literal,
        wrong: $wrong:literal,
        right: $right:literal $(,)?
    })*) => {
        $(
            #[doc = $title]
            pub const $name: $crate::diagnostic::Code = $crate::diagnostic::Code($code);
        )*
        /// The explanations of this area, in order of their codes.
        pub const ENTRIES: &[$crate::explain::Explanation] = &[$(
            $crate::explain::Explanation {
                code: $name,
                severity: $crate::diagnostic::Severity::$severity,
                title: $title,
                why: $why,
                cure: $cure,
                wrong: $wrong,
                right: $right,
            },
        )*];
    };
}
pub(crate) use explanations;

/// An area of codes.
#[derive(Clone, Copy, Debug)]
pub struct Area {
    /// What the codes of the area have in common, as a heading.
    pub title: &'static str,
    /// The codes, in order.
    pub entries: &'static [Explanation],
}

/// All areas, in order of their codes.
pub const AREAS: &[Area] = &[
    Area { title: "The file", entries: file::ENTRIES },
    Area { title: "Names and addresses", entries: address::ENTRIES },
    Area { title: "The fabric", entries: fabric::ENTRIES },
    Area { title: "Links and ports", entries: cabling::ENTRIES },
    Area { title: "The nodes", entries: nodes::ENTRIES },
    Area { title: "Ceph", entries: ceph::ENTRIES },
    Area { title: "Disks", entries: disks::ENTRIES },
    Area { title: "Ceph on the nodes", entries: storage::ENTRIES },
    Area { title: "Benchmarks", entries: bench::ENTRIES },
];

/// Every explanation, in order of the codes.
pub fn all() -> impl Iterator<Item = &'static Explanation> {
    AREAS.iter().flat_map(|area| area.entries)
}

/// The explanation of a code such as `RB0103`; upper or lower case, with or without `RB`.
pub fn lookup(code: &str) -> Option<&'static Explanation> {
    let wanted = code.to_ascii_uppercase();
    let digits = wanted.strip_prefix("RB").unwrap_or(&wanted);
    all().find(|e| e.code.0.strip_prefix("RB") == Some(digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_in_order_and_used_once() {
        let codes: Vec<&str> = all().map(|e| e.code.0).collect();
        let mut sorted = codes.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(codes, sorted);
        assert!(codes.iter().all(|c| c.len() == 6 && c.starts_with("RB")));
    }

    #[test]
    fn a_code_is_found_in_any_spelling() {
        assert_eq!(lookup("rb0101").map(|e| e.code), Some(file::SYNTAX));
        assert_eq!(lookup("0101").map(|e| e.code), Some(file::SYNTAX));
        assert_eq!(lookup("RB9999"), None);
        assert_eq!(lookup(""), None);
    }

    #[test]
    fn every_explanation_is_written_out() {
        for e in all() {
            for text in [e.title, e.why, e.cure] {
                assert!(!text.is_empty(), "{}", e.code);
                assert_eq!(text.trim(), text, "{}", e.code);
            }
            assert!(!e.title.ends_with('.'), "{}", e.code);
            assert!(e.why.ends_with('.') && e.cure.ends_with('.'), "{}", e.code);
            assert_eq!(e.wrong.is_empty(), e.right.is_empty(), "{}", e.code);
        }
    }
}
