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
        let widths = self.widths();
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

    /// The text in at most `width` columns as far as that can be had by leaving out these columns, in this order.
    pub(crate) fn within(mut self, width: usize, spare: &[usize]) -> String {
        let mut gone: Vec<usize> = Vec::new();
        for column in spare {
            if self.fits(width) {
                break;
            }
            let at = column - gone.iter().filter(|other| *other < column).count();
            self.rows.iter_mut().filter(|row| row.len() > at).for_each(|row| drop(row.remove(at)));
            gone.push(*column);
        }
        self.render(0)
    }

    /// Whether no line is longer.
    pub(crate) fn fits(&self, width: usize) -> bool {
        let widths = self.widths();
        widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1) <= width
    }

    fn widths(&self) -> Vec<usize> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            self.rows.iter().filter_map(|r| r.get(column)).map(|c| shown(c)).max().unwrap_or(0)
        };
        (0..columns).map(width).collect()
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
}
