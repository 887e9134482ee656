//! Reads the keys of a node that say how its disks become OSDs, and their defaults in `[ceph]`.

use super::tree::{At, Faults, Span, Table};
use super::{OsdOptions, disk};
use crate::diagnostic::Diagnostic;
use crate::explain::{address, ceph as code};

/// The keys of a node that mean nothing without `osds`.
const KEYS: [&str; 6] = ["wipe", "db", "wal", "osds_per_device", "encrypted", "class"];

/// Most OSDs on one device: more than a handful only cost memory.
const MOST_PER_DEVICE: i64 = 16;

/// The keys as read; what is absent here was absent in the file or reported.
#[derive(Debug, Default)]
pub(super) struct Draft {
    wipe: Vec<String>,
    pub(super) db: Option<At<String>>,
    pub(super) wal: Option<At<String>>,
    pub(super) shape: Defaults,
    /// Which of the keys are written, and where.
    pub(super) written: Vec<(&'static str, Span)>,
}

/// What `[ceph]` may say for all nodes.
#[derive(Clone, Debug, Default)]
pub(super) struct Defaults {
    pub(super) per_device: Option<At<u32>>,
    pub(super) encrypted: Option<bool>,
    pub(super) class: Option<At<String>>,
}

pub(super) fn read(table: &Table<'_>, faults: &mut Faults) -> Draft {
    let path = |name, faults: &mut Faults| {
        table.text(name, faults).and_then(|text| disk::path_of_disk(&text, faults))
    };
    let written = KEYS.iter().filter_map(|key| Some((*key, table.key_span(key)?)));
    Draft {
        wipe: wipe(table, faults),
        db: path("db", faults),
        wal: path("wal", faults),
        shape: read_defaults(table, faults),
        written: written.collect(),
    }
}

pub(super) fn read_defaults(table: &Table<'_>, faults: &mut Faults) -> Defaults {
    let range = crate::explain::file::OUT_OF_RANGE;
    Defaults {
        per_device: table.number("osds_per_device", 1..=MOST_PER_DEVICE, range, " OSDs", faults),
        encrypted: table.switch("encrypted", faults).map(|e| e.value),
        class: table.text("class", faults).and_then(|text| class(&text, faults)),
    }
}

fn wipe(table: &Table<'_>, faults: &mut Faults) -> Vec<String> {
    let Some(list) = table.texts("wipe", faults) else { return Vec::new() };
    for (n, serial) in list.value.iter().enumerate() {
        if let Some(first) = list.value[..n].iter().find(|s| s.value == serial.value) {
            let message = format!("{} is listed twice", serial.value);
            faults.push(
                Diagnostic::error(address::DISK_TWICE, serial.span.clone(), message)
                    .also(first.span.clone(), "first here")
                    .help("correct one of the two, or remove it"),
            );
        } else if serial.value.starts_with("/dev/") || serial.value.trim() != serial.value {
            faults.push(
                Diagnostic::error(
                    code::WIPE,
                    serial.span.clone(),
                    format!("{:?} is not a serial number", serial.value),
                )
                .help("`wipe` names disks by serial number only, as `ringbolt discover` shows it"),
            );
        }
    }
    list.value.into_iter().map(|s| s.value.to_owned()).collect()
}

/// The name of a device class.
pub(super) fn class(text: &At<&str>, faults: &mut Faults) -> Option<At<String>> {
    let fits = text.value.len() <= 63
        && text.value.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.value.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    if fits {
        return Some(At { value: text.value.to_owned(), span: text.span.clone() });
    }
    faults.push(
        Diagnostic::error(
            code::DEVICE_CLASS,
            text.span.clone(),
            format!("{:?} cannot be a device class", text.value),
        )
        .label("letters, digits, dots, dashes and underscores only, at most 63")
        .help("for instance: class = \"nvme\""),
    );
    None
}

impl Draft {
    /// The options of a node with OSDs.
    pub(super) fn finish(self, defaults: &Defaults) -> OsdOptions {
        let value =
            |own: Option<At<u32>>, all: &Option<At<u32>>| own.or_else(|| all.clone()).map_or(0, |n| n.value);
        OsdOptions {
            wipe: self.wipe,
            db: self.db.map(|d| d.value),
            wal: self.wal.map(|w| w.value),
            per_device: value(self.shape.per_device, &defaults.per_device),
            encrypted: self.shape.encrypted.or(defaults.encrypted).unwrap_or(false),
            class: self.shape.class.or_else(|| defaults.class.clone()).map(|c| c.value),
        }
    }
}
