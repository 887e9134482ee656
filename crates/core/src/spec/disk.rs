//! Which disks of a node become OSDs: by path, or by what they are. Reads `osds`.

use serde::Serialize;
use toml::de::DeValue;

use super::tree::{At, Faults, Table};
use crate::diagnostic::{Code, Diagnostic};
use crate::explain::{address as code, file};
use crate::facts::disk::{Disk, Medium};

/// Which disks of a node become OSDs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Osds {
    /// These, by path below `/dev`; empty for a node without OSDs.
    Paths(Vec<String>),
    /// Every free disk that fits.
    Filter(DiskFilter),
}

impl Default for Osds {
    fn default() -> Self {
        Self::Paths(Vec::new())
    }
}

impl Osds {
    /// Whether the node gets no OSD at all.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Paths(paths) if paths.is_empty())
    }
}

/// What a disk must be like; all that is given must fit, and at least one key is given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DiskFilter {
    /// Part of the model's name; upper and lower case are equal.
    pub model: Option<String>,
    /// Serial numbers; empty for any.
    pub serial: Vec<String>,
    /// Least size in bytes.
    pub min_size: Option<u64>,
    /// Largest size in bytes.
    pub max_size: Option<u64>,
    /// What it is made of.
    pub medium: Option<Medium>,
    /// How many disks must fit.
    pub count: Option<u32>,
}

impl DiskFilter {
    /// Whether a disk fits, whatever stands on it.
    pub fn fits(&self, disk: &Disk) -> bool {
        self.model.as_ref().is_none_or(|m| disk.model.to_lowercase().contains(&m.to_lowercase()))
            && (self.serial.is_empty() || self.serial.contains(&disk.serial))
            && self.min_size.is_none_or(|min| disk.size >= min)
            && self.max_size.is_none_or(|max| disk.size <= max)
            && self.medium.is_none_or(|medium| disk.medium == medium)
    }
}

/// The words of a medium in the spec.
pub(super) const MEDIA: [(&str, Medium); 3] =
    [("nvme", Medium::Nvme), ("ssd", Medium::Ssd), ("hdd", Medium::Hdd)];

/// Reads `osds`; `None` if it was reported.
pub(super) fn read(node: &Table<'_>, faults: &mut Faults) -> Option<Osds> {
    let Some(found) = node.value("osds") else { return Some(Osds::default()) };
    match found.value {
        DeValue::Array(_) => node.texts("osds", faults).and_then(|list| paths(&list.value, faults)),
        DeValue::Table(map) => filter(&node.inner("node.osds", map, found.span), faults),
        _ => {
            node.wrong_type(&found, "osds", "a list", faults);
            None
        }
    }
}

fn paths(list: &[At<&str>], faults: &mut Faults) -> Option<Osds> {
    let before = faults.0.len();
    for (n, path) in list.iter().enumerate() {
        if let Some(first) = list[..n].iter().find(|p| p.value == path.value) {
            faults.push(
                Diagnostic::error(
                    code::DISK_TWICE,
                    path.span.clone(),
                    format!("{} is listed twice", path.value),
                )
                .also(first.span.clone(), "first here")
                .help("correct one of the two, or remove it"),
            );
        } else {
            path_of_disk(path, faults);
        }
    }
    (faults.0.len() == before).then(|| Osds::Paths(list.iter().map(|p| p.value.to_owned()).collect()))
}

/// The path of a disk; another text is reported.
pub(super) fn path_of_disk(path: &At<&str>, faults: &mut Faults) -> Option<At<String>> {
    if is_disk_path(path.value) {
        return Some(At { value: path.value.to_owned(), span: path.span.clone() });
    }
    let fault = Diagnostic::error(
        code::DISK_PATH,
        path.span.clone(),
        format!("{:?} is not the path of a disk", path.value),
    )
    .label("a path below /dev");
    let better = format!("/dev/{}", path.value);
    faults.push(if !path.value.starts_with('/') && is_disk_path(&better) {
        fault.help(format!("write: \"{better}\""))
    } else {
        fault.help("for instance \"/dev/nvme1n1\", or a path below /dev/disk/by-id")
    });
    None
}

/// A path below `/dev` that means the same wherever it is read.
fn is_disk_path(path: &str) -> bool {
    path.strip_prefix("/dev/").is_some_and(|rest| {
        !rest.is_empty()
            && rest.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
            && rest.bytes().all(|b| b.is_ascii_graphic())
    })
}

fn filter(table: &Table<'_>, faults: &mut Faults) -> Option<Osds> {
    let before = faults.0.len();
    table.unknown_keys(faults);
    let min = table.text("min_size", faults).and_then(|t| size(&t, code::DISK_FILTER, faults));
    let max = table.text("max_size", faults).and_then(|t| size(&t, code::DISK_FILTER, faults));
    if let (Some(min), Some(max)) = (&min, &max)
        && min.value > max.value
    {
        faults.push(
            Diagnostic::error(
                code::DISK_FILTER,
                min.span.clone(),
                "no disk can fit: min_size is above max_size",
            )
            .also(max.span.clone(), "max_size is here")
            .help("correct one of the two"),
        );
    }
    let filter = DiskFilter {
        model: table.text("model", faults).map(|t| t.value.to_owned()),
        serial: serials(table, faults),
        min_size: min.map(|m| m.value),
        max_size: max.map(|m| m.value),
        medium: table.choice("type", &MEDIA, faults).map(|t| t.value),
        count: table.number("count", 1..=64, file::OUT_OF_RANGE, " disks", faults).map(|n| n.value),
    };
    if faults.0.len() != before {
        return None;
    }
    if filter == (DiskFilter { count: filter.count, ..DiskFilter::default() }) {
        faults.push(
            Diagnostic::error(code::DISK_FILTER, table.header.clone(), "this filter fits every disk")
                .label("which disks are meant?")
                .help("add a model, serial, min_size or max_size: the disks that fit are erased"),
        );
        return None;
    }
    Some(Osds::Filter(filter))
}

fn serials(table: &Table<'_>, faults: &mut Faults) -> Vec<String> {
    match table.value("serial").map(|v| v.value) {
        Some(DeValue::Array(_)) => table
            .texts("serial", faults)
            .map_or_else(Vec::new, |list| list.value.iter().map(|t| t.value.to_owned()).collect()),
        Some(_) => table.text("serial", faults).map_or_else(Vec::new, |t| vec![t.value.to_owned()]),
        None => Vec::new(),
    }
}

/// A size in bytes; another text is a fault with the given code.
pub(super) fn size(text: &At<&str>, fault: Code, faults: &mut Faults) -> Option<At<u64>> {
    if let Some(value) = parse_size(text.value) {
        return Some(At { value, span: text.span.clone() });
    }
    faults.push(
        Diagnostic::error(fault, text.span.clone(), format!("{:?} is not a size", text.value))
            .help("a size is a number with a unit: 900G, 3.8T (powers of 1000) or 800Gi (powers of 1024)"),
    );
    None
}

const UNITS: [(&str, u64); 9] = [
    ("ki", 1 << 10),
    ("mi", 1 << 20),
    ("gi", 1 << 30),
    ("ti", 1 << 40),
    ("k", 1_000),
    ("m", 1_000_000),
    ("g", 1_000_000_000),
    ("t", 1_000_000_000_000),
    ("", 1),
];

/// A size such as `900G`, `3.8TB`, `800Gi` or `512110190592` in bytes.
fn parse_size(text: &str) -> Option<u64> {
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let unit = unit.trim().to_ascii_lowercase();
    let unit = unit.strip_suffix('b').unwrap_or(&unit);
    let factor = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, f)| u128::from(*f))?;
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    if whole.is_empty() || part.is_empty() || part.len() > 12 || part.contains('.') {
        return None;
    }
    let scale = 10u128.pow(u32::try_from(part.len()).ok()?);
    let bytes = whole
        .parse::<u64>()
        .ok()
        .and_then(|w| u128::from(w).checked_mul(factor))?
        .checked_add(part.parse::<u128>().ok()?.checked_mul(factor)? / scale)?;
    u64::try_from(bytes).ok()
}

/// A size as it is written in a spec, such that reading it gives the same number.
pub(super) fn write_size(bytes: u64) -> String {
    let unit = UNITS
        .iter()
        .filter(|(_, factor)| bytes != 0 && bytes.is_multiple_of(*factor))
        .max_by_key(|(_, factor)| *factor);
    match unit {
        Some((name, factor)) => {
            let mut name = name.to_uppercase();
            if name.len() == 2 {
                name = name.replace('I', "i");
            }
            format!("{}{name}", bytes / factor)
        }
        None => bytes.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_disk_makers_write_them() {
        for (text, bytes) in [
            ("900G", 900_000_000_000),
            ("900 GB", 900_000_000_000),
            ("3.84T", 3_840_000_000_000),
            ("1.5Ti", 1_649_267_441_664),
            ("800Gi", 858_993_459_200),
            ("512110190592", 512_110_190_592),
        ] {
            assert_eq!(parse_size(text), Some(bytes), "{text}");
        }
        for text in ["", "G", "1.", ".5T", "1,5T", "-1G", "1P5", "99999999999999999999", "1e9", "1..2T"] {
            assert_eq!(parse_size(text), None, "{text}");
        }
    }

    #[test]
    fn sizes_are_written_so_that_they_read_the_same() {
        for bytes in [0, 1, 1024, 1000, 900_000_000_000, 858_993_459_200, u64::MAX, 512_110_190_592] {
            assert_eq!(parse_size(&write_size(bytes)), Some(bytes), "{}", write_size(bytes));
        }
        assert_eq!(write_size(900_000_000_000), "900G");
    }

    #[test]
    fn a_filter_fits_when_all_of_it_does() {
        let filter = DiskFilter {
            model: Some("ssd 990".to_owned()),
            min_size: Some(900_000_000_000),
            ..DiskFilter::default()
        };
        let disk = |model: &str, size| Disk {
            name: "sda".to_owned(),
            path: "/dev/sda".to_owned(),
            links: Vec::new(),
            model: model.to_owned(),
            serial: "S7".to_owned(),
            size,
            medium: Medium::Nvme,
            removable: false,
            read_only: false,
            uses: Vec::new(),
            health: crate::facts::not_asked(),
            nr_requests: None,
            volumes: 0,
        };
        assert!(filter.fits(&disk("Samsung SSD 990 PRO 1TB", 1_000_204_886_016)));
        assert!(!filter.fits(&disk("Samsung SSD 990 PRO 500GB", 500_107_862_016)));
        assert!(!filter.fits(&disk("WD_BLACK SN850X", 1_000_204_886_016)));
        let other = DiskFilter { medium: Some(Medium::Hdd), ..filter };
        assert!(!other.fits(&disk("Samsung SSD 990 PRO 1TB", 1_000_204_886_016)));
    }
}
