//! Reads `[[pool]]` and `[[filesystem]]`. What they have to do with nodes and each other is checked in `check_ceph`.

use super::ceph::default_min_size;
use super::tree::{At, Faults, Span, Table};
use super::{Compression, Filesystem, Keeping, Pool, osd};
use crate::diagnostic::Diagnostic;
use crate::explain::ceph as code;

/// One `[[pool]]` as read; what is absent here was absent in the file or reported.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) header: Span,
    pub(super) name: Option<At<String>>,
    /// With the place to point at; `None` if it was reported.
    pub(super) keeping: Option<At<Keeping>>,
    pub(super) pg_num: Option<At<u32>>,
    /// Percent.
    pub(super) share: Option<At<u32>>,
    pub(super) class: Option<At<String>>,
    pub(super) storage: bool,
    accept_data_loss: bool,
    compression: Option<Compression>,
}

/// One `[[filesystem]]` as read.
#[derive(Debug)]
pub(super) struct FilesystemDraft {
    pub(super) header: Span,
    pub(super) name: Option<At<String>>,
    pub(super) pg_num: Option<At<u32>>,
    pub(super) storage: bool,
}

/// What Proxmox VE takes (`pveceph pool create --size`).
const MOST_COPIES: i64 = 7;
/// More groups than this no cluster of this size has.
const MOST_GROUPS: i64 = 65536;

const ALGORITHMS: [(&str, &str); 4] =
    [("lz4", "lz4"), ("snappy", "snappy"), ("zstd", "zstd"), ("zlib", "zlib")];
const MODES: [(&str, &str); 3] = [("aggressive", "aggressive"), ("passive", "passive"), ("force", "force")];

/// Compresses unless a client says that it is no use.
pub(super) const DEFAULT_MODE: &str = "aggressive";

pub(super) fn read(table: &Table<'_>, faults: &mut Faults) -> Draft {
    table.unknown_keys(faults);
    let name = name(table, "pool", faults);
    let keeping = keeping(table, faults);
    let accepted = table.switch("i_accept_data_loss", faults);
    if let Some(keeping) = &keeping {
        data_loss(keeping, accepted.as_ref(), faults);
    }
    Draft {
        header: table.header.clone(),
        name,
        keeping,
        pg_num: pg_num(table, faults),
        share: table.number("target_share", 1..=100, code::TARGET_SHARE, " percent", faults),
        class: table.text("class", faults).and_then(|text| osd::class(&text, faults)),
        storage: table.switch("storage", faults).is_none_or(|s| s.value),
        accept_data_loss: accepted.is_some_and(|a| a.value),
        compression: compression(table, faults),
    }
}

pub(super) fn read_filesystem(table: &Table<'_>, faults: &mut Faults) -> FilesystemDraft {
    table.unknown_keys(faults);
    FilesystemDraft {
        header: table.header.clone(),
        name: name(table, "filesystem", faults),
        pg_num: pg_num(table, faults),
        storage: table.switch("storage", faults).is_none_or(|s| s.value),
    }
}

/// A name that Ceph takes for a pool and Proxmox VE for a storage.
fn name(table: &Table<'_>, what: &str, faults: &mut Faults) -> Option<At<String>> {
    let text = table.required_text("name", faults)?;
    if is_storage_id(text.value) {
        return Some(At { value: text.value.to_owned(), span: text.span });
    }
    let plain: String = text
        .value
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' })
        .collect();
    let plain = plain.trim_start_matches(|c: char| !c.is_ascii_alphabetic());
    let plain = plain.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
    let better = if is_storage_id(plain) { plain } else { "vm" };
    faults.push(
        Diagnostic::error(
            code::POOL_NAME,
            text.span,
            format!("{:?} cannot be the name of a {what}", text.value),
        )
        .label("letters, digits, dots, dashes and underscores; a letter first, a letter or digit last")
        .help(format!("for instance: name = \"{better}\"")),
    );
    None
}

fn is_storage_id(text: &str) -> bool {
    (2..=63).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.ends_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

fn pg_num(table: &Table<'_>, faults: &mut Faults) -> Option<At<u32>> {
    let found = table.number("pg_num", 1..=MOST_GROUPS, code::PG_NUM, " placement groups", faults)?;
    if !found.value.is_power_of_two() {
        let above = found.value.next_power_of_two();
        faults.push(
            Diagnostic::error(code::PG_NUM, found.span, format!("`pg_num` cannot be {}", found.value))
                .label("not a power of two: some groups would be twice as large as others")
                .help(format!("write: pg_num = {} or pg_num = {above}", above / 2)),
        );
        return None;
    }
    Some(found)
}

fn keeping(table: &Table<'_>, faults: &mut Faults) -> Option<At<Keeping>> {
    let before = faults.0.len();
    let size = table.number("size", 1..=MOST_COPIES, code::POOL_SIZE, " copies", faults);
    let min_size = table.number("min_size", 1..=MOST_COPIES, code::POOL_SIZE, " copies", faults);
    let erasure = table.text("erasure", faults).and_then(|text| erasure(&text, faults));
    if table.value("erasure").is_some() {
        for key in ["size", "min_size"] {
            let Some(place) = table.key_span(key) else { continue };
            faults.push(
                Diagnostic::error(code::ERASURE, place, format!("`{key}` does not go with `erasure`"))
                    .label("this counts whole copies, and an erasure-coded pool has none")
                    .help("remove it: the pieces say how many failures the pool survives"),
            );
        }
        return erasure.filter(|_| faults.0.len() == before);
    }
    if faults.0.len() != before {
        return None;
    }
    let copies = size.as_ref().map_or(3, |s| s.value);
    let place = [&size, &min_size].into_iter().flatten().next().map(|n| n.span.clone());
    if let Some(min) = &min_size
        && min.value > copies
    {
        let fault = Diagnostic::error(
            code::POOL_SIZE,
            min.span.clone(),
            format!("`min_size` {} is above the {copies} copies there are", min.value),
        )
        .help(format!("write: min_size = {}", default_min_size(copies)));
        faults.push(match &size {
            Some(size) => fault.also(size.span.clone(), "the copies"),
            None => fault.label("`size` is 3 unless the pool says otherwise"),
        });
        return None;
    }
    let min_size = min_size.map_or_else(|| default_min_size(copies), |m| m.value);
    let value = Keeping::Copies { size: copies, min_size };
    Some(At { value, span: place.unwrap_or_else(|| table.header.clone()) })
}

fn erasure(text: &At<&str>, faults: &mut Faults) -> Option<At<Keeping>> {
    let number = |t: &str| t.trim().parse::<u32>().ok();
    let pieces = text.value.split_once('+').and_then(|(k, m)| Some((number(k)?, number(m)?)));
    match pieces {
        Some((k @ 2..=16, m @ 1..=8)) => {
            Some(At { value: Keeping::Erasure { k, m }, span: text.span.clone() })
        }
        _ => {
            faults.push(
                Diagnostic::error(
                    code::ERASURE,
                    text.span.clone(),
                    format!("{:?} is no way to code a pool", text.value),
                )
                .label("pieces of data (2 to 16) + pieces of redundancy (1 to 8)")
                .help("write: erasure = \"2+2\""),
            );
            None
        }
    }
}

fn data_loss(keeping: &At<Keeping>, accepted: Option<&At<bool>>, faults: &mut Faults) {
    let risk = match keeping.value {
        Keeping::Copies { size: 1, .. } => "with one copy the first dead disk takes data with it",
        Keeping::Copies { min_size: 1, .. } => {
            "writes go on with one copy: whatever it took alone is lost with its disk"
        }
        Keeping::Copies { .. } => "with two copies a second failure during recovery takes data with it",
        Keeping::Erasure { .. } => {
            "with one piece of redundancy a second failure during recovery takes data with it"
        }
    };
    match (keeping.value.is_risky(), accepted) {
        (true, Some(At { value: true, span })) => faults.push(
            Diagnostic::warning(code::DATA_LOSS_ACCEPTED, span.clone(), "this pool may lose data, and you said so")
                .label(risk)
                .help("every status report says it again, until the pool has three copies and min_size 2"),
        ),
        (true, _) => faults.push(
            Diagnostic::error(code::DATA_LOSS, keeping.span.clone(), "this pool would lose data sooner or later")
                .label(risk)
                .help("use size = 3 and min_size = 2 (erasure: 2 pieces of redundancy), or add: i_accept_data_loss = true"),
        ),
        (false, Some(At { value: true, span })) => faults.push(
            Diagnostic::warning(code::DATA_LOSS_ACCEPTED, span.clone(), "nothing here asks for accepting data loss")
                .help("remove it, so that it does not stand there when the pool is changed"),
        ),
        (false, _) => {}
    }
}

fn compression(table: &Table<'_>, faults: &mut Faults) -> Option<Compression> {
    let algorithm = table.choice("compression", &ALGORITHMS, faults);
    let mode = table.choice("compression_mode", &MODES, faults);
    if let Some(place) = table.key_span("compression_mode")
        && table.value("compression").is_none()
    {
        faults.push(
            Diagnostic::error(code::COMPRESSION, place, "`compression_mode` without `compression`")
                .label("nothing is compressed")
                .help("add: compression = \"lz4\", or remove it"),
        );
    }
    Some(Compression {
        algorithm: algorithm?.value.to_owned(),
        mode: mode.map_or(DEFAULT_MODE, |m| m.value).to_owned(),
    })
}

impl Draft {
    /// The pool, if nothing is missing.
    pub(super) fn finish(self) -> Option<Pool> {
        Some(Pool {
            name: self.name?.value,
            keeping: self.keeping?.value,
            pg_num: self.pg_num.map(|n| n.value),
            target_share: self.share.map(|s| s.value * 10),
            compression: self.compression,
            class: self.class.map(|c| c.value),
            storage: self.storage,
            accept_data_loss: self.accept_data_loss,
        })
    }
}

impl FilesystemDraft {
    /// The file system, if nothing is missing.
    pub(super) fn finish(self) -> Option<Filesystem> {
        Some(Filesystem {
            name: self.name?.value,
            pg_num: self.pg_num.map(|n| n.value),
            storage: self.storage,
        })
    }
}
