//! Small plots as SVG within a page: values over time, and values side by side.
//!
//! Used by `bench report`. Colours come from the page, so that light and dark need no second picture; numbers are
//! written with one digit, so that equal runs give equal pages.

use std::fmt::Write as _;

use crate::render::bench::number;

/// Width and height of a plot over time.
const OVER_TIME: (f64, f64) = (220.0, 36.0);
/// The same of a plot from run to run.
const TREND: (f64, f64) = (260.0, 56.0);
/// Room beside them for the scale.
const SCALE: f64 = 52.0;
/// Room around lines and dots.
const EDGE: f64 = 4.0;
/// Width of a full bar, and of a wide letter beside it.
const BAR: f64 = 180.0;
const LETTER: f64 = 7.0;
/// Letters of a label for which there is always room, so that plots below each other begin at one place.
const LABEL: usize = 5;
/// Width of a step of a histogram.
const STEP: f64 = 9.0;

/// Text as it may stand in a page and in quotes.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe += "&amp;",
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            '"' => safe += "&quot;",
            '\'' => safe += "&#39;",
            c => safe.push(c),
        }
    }
    safe
}

/// Places of values in a plot, from nothing to the greatest.
fn places(values: &[f64], (width, height): (f64, f64)) -> Vec<(f64, f64)> {
    let top = values.iter().copied().fold(0.0, f64::max);
    let step = (width - 2.0 * EDGE) / (values.len().max(2) - 1) as f64;
    let share = |value: f64| if top > 0.0 { value / top } else { 0.0 };
    let place = |(n, value): (usize, &f64)| {
        (EDGE + step * n as f64, height - EDGE - share(*value) * (height - 2.0 * EDGE))
    };
    values.iter().enumerate().map(place).collect()
}

fn path(places: &[(f64, f64)]) -> String {
    let mut text = String::new();
    for (n, (x, y)) in places.iter().enumerate() {
        let _ = write!(text, "{}{x:.1} {y:.1}", if n == 0 { "M" } else { " L" });
    }
    text
}

fn open((width, height): (f64, f64), title: &str) -> String {
    let title = escaped(title);
    format!(
        r#"<svg viewBox="0 0 {width:.0} {height:.0}" width="{width:.0}" height="{height:.0}" role="img" aria-label="{title}"><title>{title}</title>"#
    )
}

/// The greatest value and nothing, at the right of a plot that reaches from one to the other.
fn scale(values: &[f64], (width, height): (f64, f64)) -> String {
    let top = number(values.iter().copied().fold(0.0, f64::max));
    let floor = height - EDGE;
    format!(
        r#"<text class="scale" x="{width:.0}" y="{:.0}">{top}</text><text class="scale" x="{width:.0}" y="{floor:.0}">0</text>"#,
        EDGE + 7.0
    )
}

/// Values over time as a line over a shaded ground, from nothing to the greatest; none for fewer than two.
pub(super) fn over_time(values: &[f64], title: &str) -> String {
    if values.len() < 2 {
        return String::new();
    }
    let places = places(values, OVER_TIME);
    let line = path(&places);
    let floor = OVER_TIME.1 - EDGE;
    let (first, last) = (EDGE, places.last().map_or(EDGE, |p| p.0));
    let mut text = open((OVER_TIME.0 + SCALE, OVER_TIME.1), title) + &scale(values, OVER_TIME);
    let _ =
        write!(text, r#"<path class="ground" d="{line} L{last:.1} {floor:.1} L{first:.1} {floor:.1} Z"/>"#);
    let _ = write!(text, r#"<path class="line" d="{line}"/></svg>"#);
    text
}

/// One value of each run, the oldest first, as dots on a line. Each has its own label.
pub(super) fn trend(points: &[(String, f64)], title: &str) -> String {
    let values: Vec<f64> = points.iter().map(|p| p.1).collect();
    let places = places(&values, TREND);
    let mut text = open((TREND.0 + SCALE, TREND.1), title) + &scale(&values, TREND);
    let (right, floor) = (TREND.0 - EDGE, TREND.1 - EDGE);
    let _ = write!(text, r#"<path class="axis" d="M{EDGE:.1} {floor:.1} L{right:.1} {floor:.1}"/>"#);
    let _ = write!(text, r#"<path class="line" d="{}"/>"#, path(&places));
    for ((x, y), (label, _)) in places.iter().zip(points) {
        let label = escaped(label);
        let _ = write!(
            text,
            r#"<circle class="dot" cx="{x:.1}" cy="{y:.1}" r="3"><title>{label}</title></circle>"#
        );
    }
    text + "</svg>"
}

/// How many of each, from left to right. By square roots: the few slow ones are what one looks for.
pub(super) fn histogram(counts: &[u32], title: &str) -> String {
    let top = f64::from(counts.iter().copied().max().unwrap_or(0)).sqrt();
    let height = OVER_TIME.1;
    let mut text = open((STEP * counts.len() as f64, height), title);
    for (n, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let tall = (f64::from(*count).sqrt() / top * (height - EDGE)).max(1.5);
        let _ = write!(
            text,
            r#"<rect class="bar" x="{:.0}" y="{:.1}" width="{:.0}" height="{tall:.1}"/>"#,
            STEP * n as f64,
            height - tall,
            STEP - 2.0
        );
    }
    text + "</svg>"
}

/// Values side by side as bars, each with its label and its value in words. A full bar is `top`, or the greatest
/// of them where that is more.
pub(super) fn bars(rows: &[(&str, f64, String)], top: f64, title: &str) -> String {
    let top = rows.iter().map(|r| r.1).fold(top, f64::max);
    let height = 18.0 * rows.len() as f64;
    let widest = |text: usize| LETTER * text as f64;
    let left = 6.0 + widest(rows.iter().map(|r| r.0.chars().count()).max().unwrap_or(0).max(LABEL));
    let right = 12.0 + widest(rows.iter().map(|r| r.2.chars().count()).max().unwrap_or(0));
    let mut text = open((left + BAR + right, height), title);
    for (n, (label, value, words)) in rows.iter().enumerate() {
        let y = 18.0 * n as f64;
        let width = if top > 0.0 { (value / top * BAR).max(1.0) } else { 0.0 };
        let (ends, base, after) = (left - 6.0, y + 13.0, left + width + 6.0);
        let _ =
            write!(text, r#"<text x="{ends:.0}" y="{base:.0}" text-anchor="end">{}</text>"#, escaped(label));
        let _ = write!(
            text,
            r#"<rect class="bar" x="{left:.0}" y="{:.0}" width="{width:.1}" height="12"/>"#,
            y + 3.0
        );
        let _ = write!(text, r#"<text x="{after:.1}" y="{base:.0}">{}</text>"#, escaped(words));
    }
    text + "</svg>"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_begin_at_nothing_and_stay_inside() {
        let seen = places(&[0.0, 5.0, 10.0], OVER_TIME);
        assert_eq!(path(&seen), "M4.0 32.0 L110.0 18.0 L216.0 4.0");
        assert_eq!(path(&places(&[0.0, 0.0], OVER_TIME)), "M4.0 32.0 L216.0 32.0");
        assert!(over_time(&[1.0], "x").is_empty());
    }

    #[test]
    fn one_of_many_is_seen_and_bars_share_a_scale() {
        let text = histogram(&[10_000, 0, 1], "");
        assert_eq!(text.matches("<rect").count(), 2);
        let width = |top| bars(&[("p50", 5.0, String::new())], top, "").contains(r#"width="90.0""#);
        assert!(width(10.0) && !width(0.0));
        assert!(over_time(&[1.0, 250.0], "x").contains(">250</text>"));
    }

    #[test]
    fn what_is_said_never_becomes_markup() {
        let text = trend(&[("a<b>".into(), 1.0)], "\"x' & y");
        assert!(
            text.contains("a&lt;b&gt;") && text.contains("&quot;x&#39; &amp; y") && !text.contains("<b>")
        );
        assert!(bars(&[("p50", 1.0, "1 < 2".into())], 0.0, "").contains("1 &lt; 2"));
    }
}
