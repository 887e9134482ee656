//! Tables of text: columns as wide as their widest cell, two blanks between, and no wider than the screen.
//!
//! Used by every renderer of rows. Colour codes do not count as width.

use super::text::{broken, shown};

/// A column of more than these columns is one of sentences, which may be broken.
const SENTENCE: usize = 24;

/// A table that is filled row by row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with its heading.
    pub(crate) fn new(heading: &[&str]) -> Self {
        Self { rows: vec![heading.iter().map(|s| (*s).to_owned()).collect()] }
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// The text in at most `width` columns as far as that can be had: by breaking sentences at blanks, the widest
    /// column first, by leaving out these columns, in this order, and at last by breaking everything at blanks.
    pub(crate) fn within(self, width: usize, spare: &[usize]) -> String {
        self.inset(0, width, spare)
    }

    /// The same, every line indented by `by` blanks.
    pub(crate) fn inset(mut self, by: usize, width: usize, spare: &[usize]) -> String {
        let room = width.saturating_sub(by);
        let mut gone: Vec<usize> = Vec::new();
        for column in spare {
            if taken(&self.squeezed(room, SENTENCE)) <= room {
                break;
            }
            let at = column - gone.iter().filter(|other| *other < column).count();
            self.rows.iter_mut().filter(|row| row.len() > at).for_each(|row| drop(row.remove(at)));
            gone.push(*column);
        }
        let widths = self.squeezed(room, SENTENCE);
        let widths = if taken(&widths) <= room { widths } else { self.squeezed(room, 0) };
        self.render(by, &widths)
    }

    /// Whether no line is longer.
    pub(crate) fn fits(&self, width: usize) -> bool {
        taken(&self.widths()) <= width
    }

    /// Widths of columns that take at most `room` together, or as little as blanks allow; a column of `enough` or
    /// less is left alone.
    fn squeezed(&self, room: usize, enough: usize) -> Vec<usize> {
        let mut widths = self.widths();
        let least = self.columns(|cell| Cell::of(cell).least().max(enough));
        while let Some(excess) = taken(&widths).checked_sub(room).filter(|excess| *excess > 0) {
            let wide = (0..widths.len()).filter(|at| widths[*at] > least[*at]).max_by_key(|at| widths[*at]);
            let Some(wide) = wide else { break };
            widths[wide] = least[wide].max(widths[wide].saturating_sub(excess));
        }
        widths
    }

    fn render(&self, by: usize, widths: &[usize]) -> String {
        let mut text = String::new();
        for row in &self.rows {
            let cells: Vec<Vec<String>> =
                row.iter().zip(widths).map(|(cell, width)| Cell::of(cell).pieces(*width)).collect();
            for at in 0..cells.iter().map(Vec::len).max().unwrap_or(0).max(1) {
                let mut line = " ".repeat(by);
                for (pieces, width) in cells.iter().zip(widths) {
                    let piece = pieces.get(at).map_or("", String::as_str);
                    line += piece;
                    line += &" ".repeat(width.saturating_sub(shown(piece)) + 2);
                }
                text += line.trim_end();
                text.push('\n');
            }
        }
        text
    }

    fn widths(&self) -> Vec<usize> {
        self.columns(shown)
    }

    /// The largest measure of a cell, column by column.
    fn columns(&self, measure: impl Fn(&str) -> usize) -> Vec<usize> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let largest = |column: usize| {
            self.rows.iter().filter_map(|row| row.get(column)).map(|cell| measure(cell)).max().unwrap_or(0)
        };
        (0..columns).map(largest).collect()
    }
}

/// Columns a line takes.
fn taken(widths: &[usize]) -> usize {
    widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1)
}

/// A cell as far as it can be broken into lines.
enum Cell<'a> {
    /// In one colour, begun by this escape sequence, or in none.
    Words(&'a str, &'a str),
    /// Colours within: it stays whole.
    Whole(&'a str),
}

const END: &str = "\x1b[0m";

impl<'a> Cell<'a> {
    fn of(cell: &'a str) -> Self {
        let inner = cell.strip_suffix(END).and_then(|rest| Some(rest.split_at(rest.find('m')? + 1)));
        match inner {
            Some((escape, words)) if escape.starts_with("\x1b[") && !words.contains('\x1b') => {
                Self::Words(escape, words)
            }
            _ if cell.contains('\x1b') => Self::Whole(cell),
            _ => Self::Words("", cell),
        }
    }

    /// Columns it needs at least.
    fn least(&self) -> usize {
        match self {
            Self::Words(_, words) => words.split(' ').map(shown).max().unwrap_or(0),
            Self::Whole(cell) => shown(cell),
        }
    }

    fn pieces(&self, width: usize) -> Vec<String> {
        match self {
            Self::Words("", words) => broken(words, width),
            Self::Words(escape, words) => {
                broken(words, width).iter().map(|piece| format!("{escape}{piece}{END}")).collect()
            }
            Self::Whole(cell) => vec![(*cell).to_owned()],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_whatever_the_colour() {
        let mut table = Table::new(&["a", "bb"]);
        table.row(vec!["\x1b[32mxyz\x1b[0m".into(), "1".into()]);
        assert_eq!(table.inset(1, 80, &[]), " a    bb\n \x1b[32mxyz\x1b[0m  1\n");
    }
    #[test]
    fn columns_are_left_out_in_their_order_until_it_fits() {
        let table = || {
            let mut table = Table::new(&["a", "bbb", "c", "ddd"]);
            table.row(vec!["1".into(), "2".into()]);
            table
        };
        assert_eq!(table().within(14, &[1, 3]), "a  bbb  c  ddd\n1  2\n");
        assert_eq!(table().within(13, &[1, 3]), "a  c  ddd\n1\n");
        assert_eq!(table().within(1, &[1, 3]), "a  c\n1\n");
        assert!(table().fits(14) && !table().fits(13));
    }

    #[test]
    fn what_is_still_too_wide_is_broken_at_blanks() {
        let table = || {
            let mut table = Table::new(&["folder", "what becomes of it"]);
            table.row(vec!["/var/lib".into(), "\x1b[31mno use\x1b[0m any more".into()]);
            table.row(vec!["/etc".into(), "\x1b[31mtaken by the next\x1b[0m".into()]);
            table
        };
        let lines = "folder    what becomes of\n          it\n\
                     /var/lib  \x1b[31mno use\x1b[0m any more\n\
                     /etc      \x1b[31mtaken by the\x1b[0m\n          \x1b[31mnext\x1b[0m\n";
        assert_eq!(table().within(25, &[]), lines);
        assert_eq!(table().within(1, &[]), lines, "a cell of several colours stays whole");
        assert_eq!(table().within(40, &[]).lines().count(), 3);
    }
}
