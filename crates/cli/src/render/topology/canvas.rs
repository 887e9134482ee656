//! A sheet of characters on which lines know how they join.
//!
//! Used by the drawings of topologies; knows nothing of them.

use super::length;

/// Which characters a drawing may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Charset {
    /// Box-drawing characters.
    Unicode,
    /// Plain ASCII, for terminals and files that are not UTF-8.
    Ascii,
}

impl Charset {
    /// A text in this set.
    pub(super) fn apply(self, text: &str) -> String {
        if self == Self::Unicode {
            return text.to_owned();
        }
        let plain = |c: char| match c {
            '×' => 'x',
            '–' | '─' => '-',
            '│' => '|',
            '·' => '.',
            c if c.is_ascii() => c,
            _ => '?',
        };
        text.chars().map(plain).collect()
    }
}

const UP: u8 = 1;
const RIGHT: u8 = 2;
const DOWN: u8 = 4;
const LEFT: u8 = 8;

/// By the directions lines leave a cell in: UP 1, RIGHT 2, DOWN 4, LEFT 8.
const JOINTS: [char; 16] = [' ', '╵', '╶', '└', '╷', '│', '┌', '├', '╴', '┘', '─', '┴', '┐', '┤', '┬', '┼'];

#[derive(Clone, Copy)]
enum Cell {
    Lines(u8),
    Text(char),
}

/// The sheet; it grows as it is drawn on.
#[derive(Default)]
pub(super) struct Canvas {
    rows: Vec<Vec<Cell>>,
}

impl Canvas {
    /// Columns in use.
    pub(super) fn width(&self) -> usize {
        self.rows.iter().map(Vec::len).max().unwrap_or_default()
    }

    /// Text from a column on; it covers what is there.
    pub(super) fn write(&mut self, x: usize, y: usize, text: &str) {
        for (at, c) in text.chars().enumerate() {
            *self.cell(x + at, y) = Cell::Text(c);
        }
    }

    /// A line from one column to another; it joins the lines it meets.
    pub(super) fn level(&mut self, left: usize, right: usize, y: usize) {
        for x in left..right {
            self.join(x, y, RIGHT);
            self.join(x + 1, y, LEFT);
        }
    }

    /// A line from one row down to another; it joins the lines it meets.
    pub(super) fn upright(&mut self, x: usize, top: usize, bottom: usize) {
        for y in top..bottom {
            self.join(x, y, DOWN);
            self.join(x, y + 1, UP);
        }
    }

    /// A box with its top left corner at a place and lines of text centred in it.
    pub(super) fn card(&mut self, x: usize, y: usize, (width, height): (usize, usize), lines: &[String]) {
        let (right, bottom) = (x + width - 1, y + height - 1);
        self.level(x, right, y);
        self.level(x, right, bottom);
        self.upright(x, y, bottom);
        self.upright(right, y, bottom);
        let first = y + 1 + (height - 2).saturating_sub(lines.len()) / 2;
        for (at, line) in lines.iter().enumerate() {
            self.write(x + 2 + (width - 4).saturating_sub(length(line)) / 2, first + at, line);
        }
    }

    /// All of it as text, without blanks at the ends of lines.
    pub(super) fn text(&self, charset: Charset) -> String {
        let mut text = String::new();
        for row in &self.rows {
            let line: String = row.iter().map(|cell| cell.character(charset)).collect();
            text.push_str(&charset.apply(line.trim_end()));
            text.push('\n');
        }
        text
    }

    fn join(&mut self, x: usize, y: usize, direction: u8) {
        let cell = self.cell(x, y);
        *cell = match *cell {
            Cell::Lines(lines) => Cell::Lines(lines | direction),
            Cell::Text(_) => Cell::Lines(direction),
        };
    }

    fn cell(&mut self, x: usize, y: usize) -> &mut Cell {
        if self.rows.len() <= y {
            self.rows.resize_with(y + 1, Vec::new);
        }
        let row = &mut self.rows[y];
        if row.len() <= x {
            row.resize(x + 1, Cell::Lines(0));
        }
        &mut row[x]
    }
}

impl Cell {
    fn character(self, charset: Charset) -> char {
        match (self, charset) {
            (Self::Text(c), _) => c,
            (Self::Lines(lines), Charset::Unicode) => JOINTS[usize::from(lines)],
            (Self::Lines(lines), Charset::Ascii) => {
                let (level, upright) = (lines & (LEFT | RIGHT), lines & (UP | DOWN));
                match (level, upright) {
                    (0, 0) => ' ',
                    (_, 0) => '-',
                    (0, _) => '|',
                    _ => '+',
                }
            }
        }
    }
}
