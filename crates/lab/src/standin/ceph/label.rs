//! The label at the beginning of a BlueStore device: which OSD of which cluster it is, and what part of it.
//! Read when OSDs are activated and disks are listed.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// What a label says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Label {
    /// Identity of the OSD, shared by its devices.
    pub(crate) osd: String,
    /// `main`, `bluefs db` or `bluefs wal`.
    pub(crate) part: String,
    /// More: `whoami`, `ceph_fsid`, …; on the main device only.
    pub(crate) meta: BTreeMap<String, String>,
}

const MAGIC: &[u8] = b"bluestore block device\n";

/// Reads the label of a device; none where there is none that can be read.
pub(crate) fn read(device: &Path) -> Option<Label> {
    let mut bytes = vec![0; 4096];
    File::open(device).ok()?.read_exact(&mut bytes).ok()?;
    parse(&bytes)
}

fn parse(bytes: &[u8]) -> Option<Label> {
    let rest = bytes.strip_prefix(MAGIC)?;
    let osd = std::str::from_utf8(rest.get(..36)?).ok()?.to_owned();
    // Newline, version, compatible version, length; then identity, size and time of birth.
    let mut rest = rest.get(37 + 6 + 16 + 8 + 8..)?;
    let part = text(&mut rest)?;
    let mut meta = BTreeMap::new();
    for _ in 0..number(&mut rest)?.min(64) {
        meta.insert(text(&mut rest)?, text(&mut rest)?);
    }
    Some(Label { osd, part, meta })
}

fn number(rest: &mut &[u8]) -> Option<u32> {
    let (head, tail) = rest.split_first_chunk::<4>()?;
    *rest = tail;
    Some(u32::from_le_bytes(*head))
}

fn text(rest: &mut &[u8]) -> Option<String> {
    let length = number(rest)? as usize;
    let text = String::from_utf8(rest.get(..length)?.to_vec()).ok()?;
    *rest = &rest[length..];
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_label_is_none() {
        assert_eq!(parse(&[0; 4096]), None);
        assert_eq!(parse(MAGIC), None);
        let mut broken = MAGIC.to_vec();
        broken.resize(4096, 0xff);
        assert_eq!(parse(&broken), None);
    }
}
