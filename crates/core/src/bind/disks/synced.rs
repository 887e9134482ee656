//! How fast a drive takes synced writes, and what that says of it. The agent measures it on the blank disk right before
//! it becomes an OSD; `apply` shows the words. The model's name says what a drive should be, this what it is.

/// How the words begin, by which a screen knows them among other progress.
pub const SYNCED: &str = "synced writes: ";

/// Writes a second from which on a drive behaves as one that need not flush.
const PROTECTED: f64 = 8000.0;

/// Writes a second below which a flash drive behaves as one that flushes each time.
const FLUSHES: f64 = 3000.0;

/// The verdict on `rate` writes of 4 KiB a second, one after the other, each safe before the next is begun.
///
/// A consumer drive does some hundred to two thousand, one with power-loss protection ten thousand and more, a turning
/// disk about a hundred. `turns`: whether it is one of those.
pub fn verdict(rate: f64, turns: bool) -> String {
    let like = match rate {
        _ if turns => "a turning disk: give it a `db` on flash for busy guests",
        r if r >= PROTECTED => "as a drive with power-loss protection",
        r if r >= FLUSHES => "between drives with and without power-loss protection",
        _ => "as a drive without power-loss protection: busy databases in guests will be slow",
    };
    format!("{SYNCED}{rate:.0} a second, {like}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verdict_follows_the_rate() {
        for (rate, turns, word) in [
            (400.0, false, "without power-loss"),
            (5000.0, false, "between"),
            (31_000.0, false, "with power-loss"),
            (90.0, true, "turning"),
        ] {
            let text = verdict(rate, turns);
            assert!(
                text.starts_with(&format!("{SYNCED}{rate:.0} a second")) && text.contains(word),
                "{text}"
            );
        }
    }
}
