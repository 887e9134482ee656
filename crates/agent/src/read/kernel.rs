//! Kernel parameters and modules, from `/proc`, `/sys/module` and the list of built-in modules.

use std::collections::{BTreeMap, BTreeSet};

use ringbolt_core::into_map::IntoMap;

use crate::root::Root;

/// Live values of those keys that exist; runs of blanks are one blank, as `sysctl.d` files write
/// them.
pub(crate) fn sysctl(root: &Root, keys: &BTreeSet<String>) -> BTreeMap<String, String> {
    let value = |key: &String| {
        // Two in a row would be a way out of the folder.
        if key.contains("//") || key.contains("..") {
            return None;
        }
        let text = std::fs::read_to_string(root.at(sysctl_path(key))).ok()?;
        Some((key.clone(), text.split_whitespace().collect::<Vec<_>>().join(" ")))
    };
    keys.iter().filter_map(value).into_map()
}

/// `net.ipv4.ip_forward` → its file. As with `sysctl`, a slash in a key stands for a dot in a name.
fn sysctl_path(key: &str) -> String {
    let swapped = key.chars().map(|c| match c {
        '.' => '/',
        '/' => '.',
        other => other,
    });
    format!("/proc/sys/{}", swapped.collect::<String>())
}

/// Those wanted modules that are loaded or built in, with underscores. On a lab node the stand-in's
/// own `module` folder counts as well.
pub(crate) fn modules(root: &Root, release: &str, wanted: &BTreeSet<String>) -> BTreeSet<String> {
    if wanted.is_empty() {
        return BTreeSet::new();
    }
    let loaded = std::fs::read_to_string(root.at("/proc/modules")).unwrap_or_default();
    let built_in = root.at(format!("/lib/modules/{release}/modules.builtin"));
    let built_in = std::fs::read_to_string(built_in).unwrap_or_default();
    let there = |name: &str| {
        loaded.lines().any(|line| line.split(' ').next() == Some(name))
            || root.at("/sys/module").join(name).is_dir()
            || root.sysfs.join("module").join(name).is_dir()
            || built_in.lines().any(|line| is_module_file(line, name))
    };
    wanted.iter().filter(|name| there(&name.replace('-', "_"))).cloned().collect()
}

/// Whether `kernel/net/dummy-net.ko` is the module `dummy_net`.
fn is_module_file(path: &str, name: &str) -> bool {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.strip_suffix(".ko").is_some_and(|stem| stem.replace('-', "_") == name)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|n| (*n).to_owned()).collect()
    }

    #[test]
    fn loaded_present_and_built_in_modules_count() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("proc/modules", "thunderbolt_net 32768 0 - Live 0x0\nveth 40960 0 - Live 0x0\n");
        write("sys/module/dummy/refcnt", "0");
        write("lib/modules/6.14/modules.builtin", "kernel/net/ipv4/tcp-bbr.ko\n");
        let root = Root::open(folder.path(), None);
        let found = modules(&root, "6.14", &set(&["thunderbolt_net", "dummy", "tcp_bbr", "veth2"]));
        assert_eq!(found, set(&["thunderbolt_net", "dummy", "tcp_bbr"]));
    }

    #[test]
    fn values_with_tabs_read_as_they_are_written_in_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("proc/sys/net/ipv4/conf/en05.7");
        std::fs::create_dir_all(&path).unwrap();
        std::fs::write(path.join("rp_filter"), "4096\t131072\t6291456\n").unwrap();
        let root = Root::open(folder.path(), None);
        let read = sysctl(&root, &set(&["net.ipv4.conf.en05/7.rp_filter", "net.nothing"]));
        assert_eq!(read["net.ipv4.conf.en05/7.rp_filter"], "4096 131072 6291456");
        assert_eq!(read.len(), 1);
    }
}
