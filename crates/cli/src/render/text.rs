//! Lines of text that fit the terminal: how wide it is, how wide a text is, where it breaks.
//!
//! Used by every renderer. Escape sequences count as nothing, every other character as one column.

/// Columns of a line where there is no terminal to ask.
pub(crate) const WIDTH: usize = 100;

/// Columns of the terminal on standard output; [`WIDTH`] without one.
pub(crate) fn terminal_width() -> usize {
    rustix::termios::tcgetwinsize(std::io::stdout())
        .ok()
        .map(|size| usize::from(size.ws_col))
        .filter(|columns| *columns > 0)
        .map_or(WIDTH, |columns| columns.max(40))
}

/// Columns a text takes on the screen: escape sequences take none.
pub(crate) fn shown(text: &str) -> usize {
    let mut width = 0;
    let mut escape = false;
    for c in text.chars() {
        match (escape, c) {
            (false, '\x1b') => escape = true,
            (true, 'm') => escape = false,
            (true, _) => {}
            (false, _) => width += 1,
        }
    }
    width
}

/// Lines of at most `width` columns: the first begins with `first`, the others with as many blanks.
///
/// Breaks at blanks only, so a long word stays whole; line breaks of the text stay.
pub(crate) fn hang(first: &str, text: &str, width: usize) -> String {
    let by = " ".repeat(shown(first));
    let room = width.saturating_sub(by.len()).max(20);
    let mut out = String::new();
    for (n, line) in text.lines().flat_map(|line| broken(line, room)).enumerate() {
        // Blanks that carry nothing are left out.
        let indent = if n == 0 { first } else { by.as_str() };
        out += if line.is_empty() { indent.trim_end() } else { indent };
        out += &line;
        out.push('\n');
    }
    if out.is_empty() { format!("{}\n", first.trim_end()) } else { out }
}

/// The pieces of one line, each of at most `room` columns where blanks allow it.
pub(super) fn broken(line: &str, room: usize) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut at = 0;
    for word in line.split(' ') {
        let long = shown(word);
        match pieces.last_mut() {
            Some(piece) if at + 1 + long <= room => {
                piece.push(' ');
                piece.push_str(word);
                at += 1 + long;
            }
            _ => {
                pieces.push(word.to_owned());
                at = long;
            }
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_hang_below_their_first_word() {
        assert_eq!(hang("  - ", "one two three four five", 24), "  - one two three four\n    five\n");
        assert_eq!(hang("+ ", "a\nb", 80), "+ a\n  b\n");
        assert_eq!(hang("+ ", "", 80), "+\n");
    }

    #[test]
    fn what_has_no_blank_stays_whole_and_colour_takes_no_room() {
        let long = "x".repeat(50);
        assert_eq!(hang("", &format!("a {long} b"), 30), format!("a\n{long}\nb\n"));
        let red = "\x1b[1;31mred\x1b[0m word";
        assert_eq!(hang("", red, 20), format!("{red}\n"));
        assert_eq!(shown(red), 8);
    }
}
