//! Tables of text: columns as wide as their widest cell, two blanks between. Colour codes do not
//! count as width.

use super::text::shown;

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

    /// The text, every line indented by `by` blanks.
    pub(crate) fn render(&self, by: usize) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            self.rows.iter().filter_map(|r| r.get(column)).map(|c| shown(c)).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut text = String::new();
        for row in &self.rows {
            let mut line = " ".repeat(by);
            for (cell, width) in row.iter().zip(&widths) {
                line += cell;
                line += &" ".repeat(width - shown(cell) + 2);
            }
            text += line.trim_end();
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_whatever_the_colour() {
        let mut table = Table::new(&["a", "bb"]);
        table.row(vec!["\x1b[32mxyz\x1b[0m".into(), "1".into()]);
        assert_eq!(table.render(1), " a    bb\n \x1b[32mxyz\x1b[0m  1\n");
    }
}
