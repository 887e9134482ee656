//! Applies a file of kernel parameters now, as it will be applied at boot.

use std::collections::{BTreeMap, BTreeSet};

use ringbolt_core::into_set::IntoSet;
use ringbolt_core::paths::is_writable;
use ringbolt_core::wire::Failure;

use super::{Outcome, Scene};
use crate::exec::call;
use crate::read::kernel;
use crate::undo::Was;

/// Applies the file; what the settings were is kept.
pub(super) fn load(scene: &Scene<'_>, path: &str) -> Outcome {
    if !path.starts_with("/etc/sysctl.d/") || !is_writable(path) {
        return Err(Failure::refused(format!("{path} is no file of kernel parameters of ours")));
    }
    let text = std::fs::read_to_string(scene.root.at(path))
        .map_err(|e| Failure::broken(format!("cannot read {path}: {e}")))?;
    scene.keep(Was::Sysctl { values: kernel::sysctl(scene.root, &keys(&text)) })?;
    call("sysctl", ["-q", &format!("--load={path}")]).joined().must()?;
    Ok(String::new())
}

/// The keys a file sets, with dots.
pub(crate) fn keys(text: &str) -> BTreeSet<String> {
    let lines = text.lines().map(str::trim).filter(|l| !l.starts_with(['#', ';']));
    lines.filter_map(|l| l.split_once('=')).map(|(key, _)| key.trim().replace('/', ".")).into_set()
}

/// Sets them to what they were.
pub(super) fn put_back(values: &BTreeMap<String, String>) -> Outcome {
    for (key, value) in values {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        if key.is_empty()
            || !key.bytes().next().is_some_and(|b| b.is_ascii_lowercase())
            || !key.bytes().all(plain)
        {
            return Err(Failure::refused(format!("{key:?} is no kernel setting")));
        }
        call("sysctl", ["-q", "-w", &format!("{key}={value}")]).joined().must()?;
    }
    Ok(String::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_a_file_are_found_whatever_its_spacing() {
        let text =
            "# a = 1\n; b = 2\nnet.ipv4.ip_forward = 1\n net/ipv6/conf/all/forwarding=1\nvm.swappiness\n";
        let found = keys(text);
        let found: Vec<&str> = found.iter().map(String::as_str).collect();
        assert_eq!(found, ["net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"]);
    }
}
