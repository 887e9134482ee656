//! Units, read from `systemctl show -p Id,LoadState,ActiveState,UnitFileState UNIT…`.

use std::collections::BTreeMap;

use super::UnitFact;

/// Properties to ask for, as `-p` takes them.
pub const PROPERTIES: &str = "Id,LoadState,ActiveState,UnitFileState";

/// Reads the blocks `systemctl show` prints, one a unit, in the order of `asked`; an alias comes
/// under the name it was asked by. Should a block be missing, those with an `Id` are kept by it.
pub fn shown(text: &str, asked: &[&str]) -> BTreeMap<String, UnitFact> {
    let blocks: Vec<&str> = text.split("\n\n").filter(|block| !block.trim().is_empty()).collect();
    let complete = blocks.len() == asked.len();
    let mut units = BTreeMap::new();
    for (index, block) in blocks.iter().enumerate() {
        let (id, fact) = unit(block);
        let name = if complete { asked[index].to_owned() } else { id };
        if !name.is_empty() {
            units.insert(name, fact);
        }
    }
    units
}

fn unit(block: &str) -> (String, UnitFact) {
    let mut id = String::new();
    let mut fact = UnitFact::default();
    for (key, value) in block.lines().filter_map(|line| line.split_once('=')) {
        match key {
            "Id" => value.clone_into(&mut id),
            "LoadState" => value.clone_into(&mut fact.load),
            "ActiveState" => value.clone_into(&mut fact.active),
            "UnitFileState" => value.clone_into(&mut fact.enabled),
            _ => {}
        }
    }
    (id, fact)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Id=frr.service\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\n\nId=nope.service\nLoadState=not-found\nActiveState=inactive\nUnitFileState=\n\nId=ssh.service\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\n";

    #[test]
    fn blocks_belong_to_the_units_in_the_order_asked() {
        let read = shown(TEXT, &["frr.service", "nope.service", "sshd.service"]);
        assert_eq!(read["frr.service"].active, "active");
        assert_eq!(read["nope.service"].load, "not-found");
        assert_eq!(read["nope.service"].enabled, "");
        assert_eq!(read["sshd.service"].enabled, "enabled");
    }

    #[test]
    fn with_a_block_missing_the_rest_keeps_its_own_names() {
        let read = shown(TEXT, &["frr.service", "bad name", "nope.service", "ssh.service"]);
        assert_eq!(read.keys().collect::<Vec<_>>(), ["frr.service", "nope.service", "ssh.service"]);
    }
}
