//! Small plots in a line of text: values over time, and how many of each.
//!
//! Used by the screens of `bench`. Without Unicode they are made of punctuation.

use super::topology::Charset;

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const MARKS: [char; 8] = ['_', '.', ':', '-', '=', '+', '*', '#'];

fn levels(charset: Charset) -> [char; 8] {
    if charset == Charset::Unicode { BLOCKS } else { MARKS }
}

/// Values in order, from nothing to the greatest, at most `width` of them (neighbours are averaged).
pub(crate) fn spark(values: &[f64], width: usize, charset: Charset) -> String {
    let top = values.iter().copied().fold(0.0, f64::max);
    let per = values.len().div_ceil(width.max(1)).max(1);
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    values.chunks(per).map(|part| level(mean(part), top, charset)).collect()
}

/// Counts side by side; an empty one is a blank, one that has anything is seen.
pub(crate) fn bars(counts: &[u32], charset: Charset) -> String {
    let top = f64::from(counts.iter().copied().max().unwrap_or(0));
    // By square roots: the few slow ones are what one looks for.
    let bar = |count: &u32| match count {
        0 => ' ',
        count => level(f64::from(*count).sqrt(), top.sqrt(), charset),
    };
    counts.iter().map(bar).collect()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 7")]
fn level(value: f64, top: f64, charset: Charset) -> char {
    let share = if top > 0.0 { (value / top).clamp(0.0, 1.0) } else { 0.0 };
    levels(charset)[(share * 7.0).round() as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_over_time_begin_at_nothing() {
        assert_eq!(spark(&[0.0, 5.0, 10.0, 10.0], 10, Charset::Unicode), "▁▅██");
        assert_eq!(spark(&[1.0; 40], 10, Charset::Unicode).chars().count(), 10);
        assert_eq!(spark(&[], 10, Charset::Unicode), "");
        assert_eq!(spark(&[0.0, 0.0], 10, Charset::Ascii), "__");
    }

    #[test]
    fn one_of_a_thousand_is_seen_and_none_is_not() {
        assert_eq!(bars(&[0, 1000, 1, 0], Charset::Unicode), " █▁ ");
        assert_eq!(bars(&[0, 4, 1], Charset::Ascii), " #=");
    }
}
