//! What is written on a device: signatures as `wipefs --json` finds them, and the label Ceph's OSDs
//! leave at its beginning.
//!
//! The agent gets the bytes, `reading` judges by what is found.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::json;

/// Columns asked of wipefs.
pub const COLUMNS: &str = "DEVICE,TYPE,USAGE,UUID,LABEL";

/// One signature.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Signature {
    /// Kernel name of the device it is on.
    pub device: String,
    /// libblkid's name: `ext4`, `gpt`, `LVM2_member`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// `filesystem`, `raid`, `crypto`, `partition-table`, `other`; empty when not told.
    #[serde(default, deserialize_with = "text")]
    pub usage: String,
    /// The file system's id; the same on all members of a btrfs.
    #[serde(default, deserialize_with = "text")]
    pub uuid: String,
    /// Its label; of a ZFS member the pool's name.
    #[serde(default, deserialize_with = "text")]
    pub label: String,
}

fn text<'de, D: serde::Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    Ok(Option::<String>::deserialize(from)?.unwrap_or_default())
}

impl Signature {
    /// Whether it is a partition table.
    pub fn is_table(&self) -> bool {
        self.usage == "partition-table" || ["gpt", "dos", "PMBR"].contains(&self.kind.as_str())
    }
}

/// The answer of `wipefs --json`, by device; copies of one signature (a GPT's second table, a ZFS
/// member's many) count once. A protective MBR beside a GPT is part of it.
///
/// # Errors
///
/// When the text is not what wipefs prints.
pub fn signatures(text: &str) -> Result<BTreeMap<String, Vec<Signature>>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Answer {
        signatures: Vec<Signature>,
    }
    if text.trim().is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut found: BTreeMap<String, Vec<Signature>> = BTreeMap::new();
    for signature in json::read::<Answer>(text.as_bytes())?.signatures {
        let known = found.entry(signature.device.clone()).or_default();
        if !known.iter().any(|k| k.kind == signature.kind) {
            known.push(signature);
        }
    }
    for known in found.values_mut() {
        let gpt = known.iter().any(|s| s.kind == "gpt");
        known.retain(|s| !(gpt && s.kind == "PMBR"));
    }
    Ok(found)
}

/// What an OSD's label says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Label {
    /// The OSD's own UUID.
    pub fsid: String,
    /// Number of the OSD; only the main device tells it.
    pub osd: Option<u32>,
    /// The cluster it belongs to; only the main device tells it.
    pub cluster: Option<String>,
}

/// Bytes at the beginning of a device that hold the label.
pub const LABEL_BYTES: usize = 4096;

/// First line of the label.
const LABEL: &[u8] = b"bluestore block device\n";

/// The label at the beginning of a device; `None` when there is none. After two lines for people it
/// holds a list of names and values, each with its length before it.
pub fn label(bytes: &[u8]) -> Option<Label> {
    let rest = bytes.strip_prefix(LABEL)?;
    let (fsid, rest) = rest.split_at_checked(36)?;
    let fsid = std::str::from_utf8(fsid).ok()?.to_owned();
    let value = |name: &str| Some(std::str::from_utf8(entry(rest, name.as_bytes())?).ok()?.to_owned());
    let osd = value("whoami").and_then(|number| number.parse().ok());
    Some(Label { fsid, osd, cluster: value("ceph_fsid").filter(|id| id.len() == 36) })
}

/// The value that follows a name: both have a little-endian length of four bytes before them.
fn entry<'a>(bytes: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let mut key = u32::try_from(name.len()).ok()?.to_le_bytes().to_vec();
    key.extend_from_slice(name);
    let at = bytes.windows(key.len()).position(|window| window == key)? + key.len();
    let (length, rest) = bytes.get(at..)?.split_first_chunk()?;
    rest.get(..usize::try_from(u32::from_le_bytes(*length)).ok()?)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn copies_count_once_and_a_protective_table_is_part_of_its_gpt() {
        let text = r#"{"signatures": [
            {"device":"nvme1n1","type":"gpt","usage":"partition-table","uuid":"x","label":null},
            {"device":"nvme1n1","type":"gpt","usage":"partition-table","uuid":"x","label":null},
            {"device":"nvme1n1","type":"PMBR","usage":"partition-table","uuid":null,"label":null},
            {"device":"nvme1n1p1","type":"zfs_member","usage":"filesystem","uuid":"1","label":"rpool"},
            {"device":"nvme1n1p1","type":"zfs_member","usage":"filesystem","uuid":"1","label":"rpool"}]}"#;
        let read = signatures(text).unwrap();
        assert_eq!(read["nvme1n1"].len(), 1);
        assert!(read["nvme1n1"][0].is_table());
        assert_eq!((read["nvme1n1p1"].len(), read["nvme1n1p1"][0].label.as_str()), (1, "rpool"));
        assert!(signatures("").unwrap().is_empty());
        assert!(signatures("wipefs: error").is_err());
    }

    #[test]
    fn an_osd_label_tells_number_and_cluster() {
        let id = "8b3c3a54-0d8a-4f43-9d1a-0c0f4c0b8f10";
        let cluster = "5f4c2b6e-1111-2222-3333-444455556666";
        let mut bytes = format!("bluestore block device\n{id}\n").into_bytes();
        bytes.extend_from_slice(&[2, 1, 0x26, 1, 0, 0]);
        for (name, value) in [("ceph_fsid", cluster), ("whoami", "12")] {
            for word in [name, value] {
                bytes.extend_from_slice(&u32::try_from(word.len()).unwrap().to_le_bytes());
                bytes.extend_from_slice(word.as_bytes());
            }
        }
        let told = Label { fsid: id.into(), osd: Some(12), cluster: Some(cluster.into()) };
        assert_eq!(label(&bytes), Some(told.clone()));
        // Cut short anywhere it is at worst a label that tells less.
        for end in 0..bytes.len() {
            assert!(label(&bytes[..end]).is_none_or(|label| label.fsid == told.fsid));
        }
        assert_eq!(label(b"XFSB"), None);
    }
}
