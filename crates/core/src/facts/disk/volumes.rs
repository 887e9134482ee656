//! What LVM knows of Ceph's volumes: `lvs --readonly --reportformat json`. Ceph's tools write number, id and cluster of
//! the OSD to each volume's tags, also where the volume itself is encrypted or holds only a database.
//!
//! The agent asks for them where a volume is there and no OSD of the node leads to it; `reading` takes them as labels.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::signatures::Label;
use crate::into_map::IntoMap;
use crate::json;

/// Columns asked of lvs.
pub const COLUMNS: &str = "vg_name,lv_name,lv_tags";

#[derive(Deserialize)]
struct Answer {
    report: Vec<Report>,
}

#[derive(Deserialize)]
struct Report {
    #[serde(default)]
    lv: Vec<Volume>,
}

#[derive(Deserialize)]
struct Volume {
    vg_name: String,
    lv_name: String,
    lv_tags: String,
}

/// What the tags of each volume say of an OSD, by the volume's name in device-mapper; volumes without such tags are
/// left out.
///
/// # Errors
///
/// When the text is not what lvs prints.
pub fn labels(text: &str) -> Result<BTreeMap<String, Label>, serde_json::Error> {
    let volumes = json::read::<Answer>(text.as_bytes())?.report.into_iter().flat_map(|report| report.lv);
    let label = |volume: Volume| {
        let tag = |name: &str| {
            volume
                .lv_tags
                .split(',')
                .find_map(|tag| tag.strip_prefix(name)?.strip_prefix('=').map(str::to_owned))
        };
        let label = Label {
            fsid: tag("ceph.osd_fsid").filter(|id| id.len() == 36)?,
            osd: tag("ceph.osd_id").and_then(|number| number.parse().ok()),
            cluster: tag("ceph.cluster_fsid").filter(|id| id.len() == 36),
        };
        // Device-mapper doubles the dashes of both names and joins them by a single one.
        let own = [volume.vg_name, volume.lv_name].map(|name| name.replace('-', "--")).join("-");
        Some((own, label))
    };
    Ok(volumes.filter_map(label).into_map())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn tags_tell_number_and_cluster_and_other_volumes_nothing() {
        let text = r#"{"report": [{"lv": [
            {"vg_name":"ceph-1", "lv_name":"osd-db-2", "lv_tags":"ceph.cluster_fsid=5f4c2b6e-1111-2222-3333-444455556666,ceph.encrypted=1,ceph.osd_fsid=8b3c3a54-0d8a-4f43-9d1a-0c0f4c0b8f10,ceph.osd_id=4,ceph.type=db"},
            {"vg_name":"ceph-1", "lv_name":"osd-db-3", "lv_tags":""},
            {"vg_name":"pve", "lv_name":"root", "lv_tags":"ceph.osd_fsid=,other"}]}], "log": []}"#;
        let read = labels(text).unwrap();
        let label = Label {
            fsid: "8b3c3a54-0d8a-4f43-9d1a-0c0f4c0b8f10".into(),
            osd: Some(4),
            cluster: Some("5f4c2b6e-1111-2222-3333-444455556666".into()),
        };
        assert_eq!(read.into_iter().collect::<Vec<_>>(), [("ceph--1-osd--db--2".to_owned(), label)]);
        assert!(labels("").is_err() && labels("{}").is_err());
        assert!(labels(r#"{"report":[{}]}"#).unwrap().is_empty());
    }
}
