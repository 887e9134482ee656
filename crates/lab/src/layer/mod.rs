//! The read-only layer between the image and a node: what makes a plain Debian a node of the lab. Units masked
//! because they reach for the host's hardware, stand-ins for Proxmox's commands, the fixes a shared kernel
//! needs, and the packages a chosen Proxmox release has. Kept by digest beside the image.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use crate::image::{self, ImageError, lock_cache, remove, short_digest};
use crate::probe::Features;
use crate::program;
use crate::standin::units::{ENABLED, UNITS};
use crate::state::{PveRelease, file_error};

mod held;

/// Raise it when the way the layer is built changes.
const VERSION: u32 = 2;

/// Commands of Proxmox that the lab's own executable stands in for.
pub const STAND_INS: &[&str] = &["pvesh", "pveceph", "pvesm", "pvecm", "pveversion", "ha-manager"];

/// The folder of the lab inside a node.
pub const HOME: &str = "/opt/ringbolt-lab";

/// The shared object that lets udev see a Thunderbolt driver.
const SHIM: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/ethtool.so"));

const SCRIPT: &str = include_str!("../../assets/build-layer");

/// Kernel modules a node may ask for; all count as built in, since a node loads none.
const MODULES: &[&str] = &[
    "drivers/thunderbolt/thunderbolt.ko",
    "drivers/net/thunderbolt/thunderbolt_net.ko",
    "drivers/net/dummy.ko",
    "net/8021q/8021q.ko",
    "net/bridge/bridge.ko",
    "net/bridge/br_netfilter.ko",
    "net/sched/sch_fq.ko",
    "net/ipv4/tcp_bbr.ko",
];

/// Files of the layer: place, mode, content.
const FILES: &[(&str, u32, &str)] = &[
    ("opt/ringbolt-lab/guard", 0o755, include_str!("../../assets/guard")),
    ("opt/ringbolt-lab/net-name", 0o755, include_str!("../../assets/net-name")),
    ("opt/ringbolt-lab/ringbolt", 0o755, ""),
    ("usr/sbin/update-initramfs", 0o755, include_str!("../../assets/update-initramfs")),
    (
        "usr/lib/systemd/system/ringbolt-lab-guard.service",
        0o644,
        include_str!("../../assets/ringbolt-lab-guard.service"),
    ),
    (
        "usr/lib/systemd/system/ringbolt-lab-pmxcfs.service",
        0o644,
        include_str!("../../assets/ringbolt-lab-pmxcfs.service"),
    ),
    (
        "usr/lib/systemd/system/systemd-udev-trigger.service.d/ringbolt-lab.conf",
        0o644,
        include_str!("../../assets/udev-trigger.conf"),
    ),
    (
        "usr/lib/systemd/system/user@.service.d/ringbolt-lab.conf",
        0o644,
        include_str!("../../assets/user-manager.conf"),
    ),
    ("opt/ringbolt-lab/disks", 0o755, include_str!("../../assets/disks")),
    ("opt/ringbolt-lab/mon-commands", 0o755, include_str!("../../assets/mon-commands")),
    (
        "usr/lib/systemd/system/ringbolt-lab-disks.service",
        0o644,
        include_str!("../../assets/ringbolt-lab-disks.service"),
    ),
    (
        "usr/lib/systemd/system/ringbolt-lab-osds.service",
        0o644,
        include_str!("../../assets/ringbolt-lab-osds.service"),
    ),
    (
        "usr/lib/systemd/system/ceph-mon@.service.d/ringbolt-lab.conf",
        0o644,
        include_str!("../../assets/ceph-daemon.conf"),
    ),
    (
        "usr/lib/systemd/system/ceph-mgr@.service.d/ringbolt-lab.conf",
        0o644,
        include_str!("../../assets/ceph-daemon.conf"),
    ),
    ("etc/locale.conf", 0o644, "LANG=C.UTF-8\n"),
    ("usr/share/ceph/mgr/bcrypt.py", 0o644, include_str!("../../assets/bcrypt.py")),
    ("usr/lib/tmpfiles.d/ringbolt-lab.conf", 0o644, include_str!("../../assets/tmpfiles.conf")),
    ("etc/ssh/sshd_config.d/ringbolt-lab.conf", 0o644, "PermitRootLogin yes\nUseDNS no\n"),
    ("etc/resolv.conf", 0o644, "# The lab has no name server.\n"),
    ("etc/apt/sources.list", 0o644, "deb [trusted=yes] file:/opt/ringbolt-lab/apt ./\n"),
];

/// The layer for a release, without the named packages; built now (a few seconds) if the cache lacks it.
/// Returns the folders below a node's overlay, topmost first.
///
/// # Errors
/// The image cannot be built, a program is missing, or the cache cannot be written.
pub fn ensure(
    release: PveRelease,
    without: &[String],
    features: &Features,
) -> Result<Vec<PathBuf>, ImageError> {
    let base = image::ensure()?;
    let (kernel, without) = (kernel(), left_out(without));
    let wish = Wish { release, without: &without, kernel: &kernel, dummy: features.dummy_kind() };
    let folder = base.with_file_name(format!("layer-{}", digest(&wish)));
    let _lock = lock_cache()?;
    if !folder.exists() {
        build(&base, &folder, &wish)?;
    }
    Ok(vec![folder, base])
}

/// Where that layer is, built or not.
pub(crate) fn folder(release: PveRelease, without: &[String], features: &Features) -> PathBuf {
    let (kernel, without) = (kernel(), left_out(without));
    let wish = Wish { release, without: &without, kernel: &kernel, dummy: features.dummy_kind() };
    image::cache().join(format!("layer-{}", digest(&wish)))
}

fn kernel() -> String {
    fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned()
}

/// The parts that make a layer of their own when they are left out.
fn left_out(without: &[String]) -> Vec<&str> {
    without.iter().map(String::as_str).filter(|part| *part == "frr").collect()
}

/// What tells one layer from another.
struct Wish<'a> {
    release: PveRelease,
    without: &'a [&'a str],
    kernel: &'a str,
    dummy: &'a str,
}

fn digest(wish: &Wish<'_>) -> String {
    let Wish { release, without, kernel, dummy } = wish;
    let (image, release, without) = (image::digest(), release.as_str(), without.join(","));
    let words = format!("{VERSION} {image} {release} {without} {kernel} {dummy}");
    let lists = [STAND_INS.join(","), MODULES.join(","), held::PACKAGES.join(",")];
    let files = FILES.iter().flat_map(|(path, _, content)| [path.as_bytes(), content.as_bytes()]);
    let units = UNITS.iter().chain(ENABLED).flat_map(|(path, text)| [path.as_bytes(), text.as_bytes()]);
    short_digest(
        [words.as_bytes(), SHIM, SCRIPT.as_bytes()]
            .into_iter()
            .chain(files)
            .chain(units)
            .chain(lists.iter().map(String::as_bytes)),
    )
}

fn build(base: &Path, folder: &Path, wish: &Wish<'_>) -> Result<(), ImageError> {
    let partial = folder.with_extension("partial");
    remove(&partial)?;
    let [upper, work, root] = ["upper", "work", "root"].map(|name| partial.join(name));
    for path in [&upper, &work, &root] {
        fs::create_dir_all(path).map_err(file_error(path))?;
    }
    write_files(&upper, wish.kernel).map_err(file_error(&upper))?;
    let mut args = vec!["-m".into(), "sh".into(), "-ec".into(), SCRIPT.into(), "build-layer".into()];
    args.extend([base, &upper, &work, &root].map(|path| path.as_os_str().to_owned()));
    args.push(wish.dummy.into());
    if wish.without.contains(&"frr") {
        args.extend(["frr".into(), "frr-pythontools".into()]);
    }
    program::run("unshare", &args)?;
    // Last, so that the package manager itself never saw these.
    add_packages(base, &upper, wish.release).map_err(file_error(&upper))?;
    held::hold(base, &upper).map_err(file_error(&upper))?;
    fs::rename(&upper, folder).map_err(file_error(folder))?;
    Ok(remove(&partial)?)
}

fn write_files(root: &Path, kernel: &str) -> std::io::Result<()> {
    let modules = format!("usr/lib/modules/{kernel}");
    let builtin: String = MODULES.iter().map(|module| format!("kernel/{module}\n")).collect();
    let own = [
        (format!("{modules}/modules.builtin"), builtin),
        (format!("{modules}/modules.order"), String::new()),
    ];
    for (path, content) in own {
        write(&root.join(path), 0o644, content.as_bytes())?;
    }
    for (path, mode, content) in FILES {
        write(&root.join(path), *mode, content.as_bytes())?;
    }
    write(&root.join("opt/ringbolt-lab/ethtool.so"), 0o755, SHIM)?;
    for (path, content) in UNITS {
        write(&root.join(&path[1..]), 0o644, content.as_bytes())?;
    }
    for (link, to) in ENABLED {
        let link = root.join(&link[1..]);
        fs::create_dir_all(link.parent().unwrap_or(root))?;
        symlink(to, link)?;
    }
    for folder in [
        "etc/pve",
        "etc/ringbolt",
        "etc/iproute2/rt_tables.d",
        "etc/network/interfaces.d",
        "opt/ringbolt-lab/sys",
        "opt/ringbolt-lab/image",
        "usr/bin",
    ] {
        fs::create_dir_all(root.join(folder))?;
    }
    for command in STAND_INS {
        symlink(format!("{HOME}/ringbolt"), root.join("usr/bin").join(command))?;
    }
    fs::create_dir_all(root.join("usr/sbin"))?;
    symlink(format!("{HOME}/ringbolt"), root.join("usr/sbin/smartctl"))?;
    symlink("ringbolt", root.join("opt/ringbolt-lab/ringbolt-standin-pmxcfs"))
}

fn write(path: &Path, mode: u32, content: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, content)?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

/// Packages of Proxmox a release has, as far as ringbolt asks for them.
fn packages(release: PveRelease) -> [(&'static str, &'static str); 4] {
    let (manager, network, bindings, meta) = match release {
        PveRelease::V9_0 => ("9.0.3", "1.1.6", "0.10.10", "9.0.0"),
        PveRelease::V9_1 => ("9.1.2", "1.2.3", "0.11.3", "9.1.0"),
        PveRelease::V9_2 => ("9.2.4", "1.5.0", "0.14.0", "9.2.0"),
    };
    [
        ("pve-manager", manager),
        ("libpve-network-perl", network),
        ("libpve-rs-perl", bindings),
        ("proxmox-ve", meta),
    ]
}

fn stanza(package: &str, version: &str) -> String {
    format!(
        "\nPackage: {package}\nStatus: install ok installed\nPriority: optional\nSection: admin\n\
         Maintainer: ringbolt lab <lab@localhost>\nArchitecture: all\nVersion: {version}\n\
         Description: stand-in of the ringbolt lab\n"
    )
}

/// Appends Proxmox's packages to the node's package list.
fn add_packages(base: &Path, upper: &Path, release: PveRelease) -> std::io::Result<()> {
    const STATUS: &str = "var/lib/dpkg/status";
    let changed = upper.join(STATUS);
    let current = if changed.exists() { changed.clone() } else { base.join(STATUS) };
    let mut text = fs::read_to_string(current)?.trim_end().to_owned();
    text.push('\n');
    for (package, version) in packages(release) {
        text.push_str(&stanza(package, version));
        for suffix in ["list", "md5sums"] {
            write(&upper.join(format!("var/lib/dpkg/info/{package}.{suffix}")), 0o644, b"")?;
        }
    }
    text.push('\n');
    write(&changed, 0o644, text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_release_and_variant_has_its_own_layer() {
        let wish = || Wish { release: PveRelease::V9_2, without: &[], kernel: "6.1", dummy: "dummy" };
        let one = digest(&wish());
        assert_eq!(one, digest(&wish()));
        assert_ne!(one, digest(&Wish { release: PveRelease::V9_1, ..wish() }));
        assert_ne!(one, digest(&Wish { without: &["frr"], ..wish() }));
        assert_ne!(one, digest(&Wish { kernel: "6.2", ..wish() }));
        assert_ne!(one, digest(&Wish { dummy: "ifb", ..wish() }));
    }

    #[test]
    fn stanzas_are_complete() {
        for release in [PveRelease::V9_0, PveRelease::V9_1, PveRelease::V9_2] {
            for (package, version) in packages(release) {
                let text = stanza(package, version);
                assert!(text.starts_with("\nPackage: ") && text.ends_with("lab\n"), "{text}");
                assert!(text.contains(&format!("Version: {version}\n")), "{text}");
            }
        }
    }
}
