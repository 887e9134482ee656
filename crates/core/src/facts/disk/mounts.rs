//! What is mounted, swapped to and joined by the kernel's RAID: `/proc/self/mountinfo`,
//! `/proc/swaps`, `/proc/mdstat`.
//!
//! The agent reads the files, `reading` judges by them. Nothing here touches a device.

/// Places that make a disk the system's.
const SYSTEM: [&str; 8] = ["/", "/boot", "/boot/efi", "/efi", "/etc", "/usr", "/var", "/var/lib"];

/// One mount.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mount {
    /// Device number as the kernel prints it: `259:3`; `0:N` for what has no device of its own.
    pub dev: String,
    /// Where it is mounted.
    pub place: String,
    /// Type of the file system.
    pub kind: String,
    /// What is mounted: a device node, or a data set of ZFS (`rpool/ROOT/pve-1`).
    pub source: String,
}

impl Mount {
    /// Whether the operating system stands on it.
    pub fn is_system(&self) -> bool {
        SYSTEM.contains(&self.place.as_str())
    }

    /// The pool of a ZFS mount.
    pub fn zfs_pool(&self) -> Option<&str> {
        (self.kind == "zfs").then(|| self.source.split('/').next().unwrap_or_default())
    }
}

/// All mounts of `/proc/self/mountinfo`; lines that do not fit are passed over.
pub fn mounts(text: &str) -> Vec<Mount> {
    let mount = |line: &str| {
        let (mount, system) = line.split_once(" - ")?;
        let mut words = mount.split(' ').skip(2);
        let dev = words.next()?.to_owned();
        let place = plain(words.nth(1)?);
        let mut words = system.split(' ');
        let kind = words.next()?.to_owned();
        Some(Mount { dev, place, kind, source: plain(words.next()?) })
    };
    text.lines().filter_map(mount).collect()
}

/// Files and devices of `/proc/swaps`.
pub fn swaps(text: &str) -> Vec<String> {
    let name = |line: &str| Some(plain(line.split_whitespace().next()?));
    text.lines().skip(1).filter_map(name).filter(|name| name.starts_with('/')).collect()
}

/// Arrays of `/proc/mdstat` with their members, all by kernel name.
pub fn arrays(text: &str) -> Vec<(String, Vec<String>)> {
    let array = |line: &str| {
        let (name, rest) = line.split_once(" : ")?;
        let member = |word: &str| Some(word.split_once('[')?.0.to_owned());
        name.starts_with("md").then(|| (name.to_owned(), rest.split(' ').filter_map(member).collect()))
    };
    text.lines().filter_map(array).collect()
}

/// A word with the kernel's octal escapes (`\040` for a blank) undone.
fn plain(word: &str) -> String {
    let mut parts = word.split('\\');
    let mut text = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        match part.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                text.push(byte);
                text.extend_from_slice(&part.as_bytes()[3..]);
            }
            None => {
                text.push(b'\\');
                text.extend_from_slice(part.as_bytes());
            }
        }
    }
    String::from_utf8_lossy(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_with_and_without_optional_fields() {
        let text = "25 1 0:22 / / rw,relatime shared:1 - zfs rpool/ROOT/pve-1 rw,xattr\n\
                    30 25 259:3 / /mnt/a\\040b rw - ext4 /dev/nvme0n1p3 rw\nodd\n";
        let read = mounts(text);
        assert_eq!(read.len(), 2);
        assert_eq!((read[0].zfs_pool(), read[0].is_system()), (Some("rpool"), true));
        assert_eq!((read[1].dev.as_str(), read[1].place.as_str()), ("259:3", "/mnt/a b"));
        assert_eq!((read[1].source.as_str(), read[1].zfs_pool()), ("/dev/nvme0n1p3", None));
    }

    #[test]
    fn swaps_and_arrays() {
        let text = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n\
                    /dev/dm-0                               partition\t8388604\t\t0\t\t-2\n";
        assert_eq!(swaps(text), ["/dev/dm-0"]);
        let text = "Personalities : [raid1]\nmd0 : active raid1 sdb1[1] sda1[0](F)\n      1046528 blocks [2/2] [UU]\n\nunused devices: <none>\n";
        assert_eq!(arrays(text), [("md0".to_owned(), vec!["sdb1".to_owned(), "sda1".to_owned()])]);
    }

    #[test]
    fn escapes_are_undone() {
        assert_eq!(plain("a\\134b\\040c\\x"), "a\\b c\\x");
    }
}
