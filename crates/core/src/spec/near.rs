//! The nearest of a few names to what the user wrote, for "did you mean".
//!
//! Used by the spec reader for keys, sections, choices and node names, and by `ringbolt explain`.

use crate::arrange::Arrange;

/// The candidate nearest to `written`, if one is near enough to be what was meant.
///
/// Upper and lower case, dashes and underscores count as equal. A name that holds the other
/// (`hello` and `hello_interval`) is near as well, but a small edit distance wins. Two that are
/// equally near are none: a guess between n2 and n3 helps nobody.
pub fn nearest<'c>(written: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let wanted = plain(written);
    let limit = (wanted.len() / 3).clamp(1, 3);
    let mut found: Vec<(usize, &str)> = candidates
        .into_iter()
        .filter_map(|candidate| {
            let other = plain(candidate);
            let edits = distance(&wanted, &other);
            let shorter = wanted.len().min(other.len());
            if edits <= limit && edits < shorter {
                Some((edits, candidate))
            } else if shorter >= 3 && (holds(&other, &wanted) || holds(&wanted, &other)) {
                Some((limit + edits, candidate))
            } else {
                None
            }
        })
        .collect();
    found.arrange();
    found.dedup();
    match found.as_slice() {
        [(best, _), (second, _), ..] if best == second => None,
        [(_, candidate), ..] => Some(candidate),
        [] => None,
    }
}

fn plain(text: &str) -> Vec<char> {
    text.chars().take(64).map(|c| if c == '-' { '_' } else { c.to_ascii_lowercase() }).collect()
}

fn holds(long: &[char], short: &[char]) -> bool {
    long.windows(short.len()).any(|w| w == short)
}

/// Insertions, deletions, replacements and swaps of neighbours that turn one text into the other.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let change = above[j] + usize::from(x != y);
            let mut best = change.min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i - 1] == *y && *x == b[j - 1] {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = above;
        above = row;
    }
    above.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 6] = ["hello_interval", "hello_multiplier", "mtu", "prefix", "prefix6", "osds"];

    #[test]
    fn finds_what_was_meant() {
        for (written, meant) in [
            ("helo_interval", "hello_interval"),
            ("hello-interval", "hello_interval"),
            ("HelloInterval", "hello_interval"),
            ("hello", "hello_interval"),
            ("mut", "mtu"),
            ("MTU", "mtu"),
            ("prefx", "prefix"),
            ("osd", "osds"),
        ] {
            assert_eq!(nearest(written, KEYS), Some(meant), "{written}");
        }
    }

    #[test]
    fn leaves_strangers_alone() {
        assert_eq!(nearest("n9", ["n2", "n3"]), None);
        for written in ["", "x", "ab", "colour", "ospf_area", "\u{1f980}"] {
            assert_eq!(nearest(written, KEYS), None, "{written}");
        }
    }
}
