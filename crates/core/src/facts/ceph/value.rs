//! Values of options as text: what is equal, and what they are as numbers. Used wherever two values of
//! an option are compared. Never rounds what it cannot read.

/// A number with Ceph's binary units (`4G`, `256Mi`) or a plain one, signs and fractions allowed.
pub(crate) fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let end = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let factor = match unit.trim_end_matches('B').trim_end_matches('i').to_ascii_uppercase().as_str() {
        "" => 1.0,
        "K" => 1024.0,
        "M" => 1_048_576.0,
        "G" => 1_073_741_824.0,
        "T" => 1_099_511_627_776.0,
        _ => return None,
    };
    digits.trim().parse::<f64>().ok().map(|n| n * factor)
}

/// `true`, `yes`, `on` and their opposites.
fn truth(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Some(true),
        "false" | "no" | "off" | "0" => Some(false),
        _ => None,
    }
}

/// Whether two values of an option mean the same: `0.700000` and `0.7`, `4G` and `4294967296`, `true`
/// and `1`. Whole numbers (bytes, counts) are the same only when they are equal; fractions are printed
/// rounded, so they may differ in the sixth digit.
pub fn same(a: &str, b: &str) -> bool {
    if a.trim() == b.trim() {
        return true;
    }
    if let (Some(a), Some(b)) = (number(a), number(b)) {
        let whole = a.fract() == 0.0 && b.fract() == 0.0;
        let room = if whole { 0.0 } else { 1e-6 * a.abs().max(b.abs()).max(1e-3) };
        return (a - b).abs() <= room;
    }
    matches!((truth(a), truth(b)), (Some(a), Some(b)) if a == b)
}
