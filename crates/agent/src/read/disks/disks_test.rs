//! The reader on real loop devices with real signatures. Their names in the tree are those of
//! NVMe disks: loop devices themselves are passed over. Skipped with a word where there is no root.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::*;

const MIB: u64 = 1 << 20;

/// A file tree with `sys`, `dev` and `proc` of its own, and loop devices that end with it.
struct Bench {
    top: TempDir,
    loops: Vec<String>,
    /// Partitions told to the kernel where it does not read tables itself: first sector, sectors.
    partitions: Vec<(u64, u64)>,
}

impl Bench {
    /// `None`, with a word, where loop devices cannot be made.
    fn new() -> Option<Self> {
        if !rustix::process::geteuid().is_root() || !Path::new("/dev/loop-control").exists() {
            return skip("disks on loop devices need root and /dev/loop-control");
        }
        let top = tempfile::Builder::new().prefix("ringbolt-agent-disks-").tempdir().unwrap();
        for folder in ["dev/disk/by-id", "sys/block", "proc/self", "run/udev/data", "images"] {
            std::fs::create_dir_all(top.path().join(folder)).unwrap();
        }
        let bench = Self { top, loops: Vec::new(), partitions: Vec::new() };
        bench.write("proc/self/mountinfo", "");
        Some(bench)
    }

    fn at(&self, path: &str) -> PathBuf {
        self.top.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.at(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// A disk of this size whose image `prepare` fills before it becomes a device.
    fn disk(&mut self, name: &str, mib: u64, prepare: impl FnOnce(&Path)) -> PathBuf {
        let image = self.at(&format!("images/{name}"));
        File::create(&image).unwrap().set_len(mib * MIB).unwrap();
        prepare(&image);
        let device = attach(&image);
        self.loops.push(device.clone());
        for (number, (first, count)) in (1..).zip(&self.partitions) {
            let words = [number, *first, *count].map(|word| word.to_string());
            let _ = call("addpart", [vec![device.clone()], words.to_vec()].concat()).run();
        }
        let real = PathBuf::from("/sys/block").join(device.trim_start_matches("/dev/"));
        let dev = self.entry(&format!("sys/block/{name}"), &real, name);
        for (file, text) in [("device/model", "RB TEST 1"), ("device/serial", " S-"), ("ro", "0")] {
            let tail = if file == "device/serial" { name } else { "" };
            self.write(&format!("sys/block/{name}/{file}"), &format!("{text}{tail}\n"));
        }
        self.write(&format!("sys/block/{name}/queue/nr_requests"), "1023\n");
        self.write(&format!("sys/block/{name}/queue/rotational"), "0\n");
        let link = self.at(&format!("dev/disk/by-id/nvme-RB_{name}"));
        std::os::unix::fs::symlink(format!("../../{name}"), link).unwrap();
        let below = std::fs::read_dir(&real).unwrap().flatten();
        for part in below.filter(|part| part.path().join("partition").exists()) {
            let number = std::fs::read_to_string(part.path().join("partition")).unwrap();
            let part_name = format!("{name}p{}", number.trim());
            let folder = format!("sys/block/{name}/{part_name}");
            self.entry(&folder, &part.path(), &part_name);
            self.write(&format!("{folder}/partition"), &number);
        }
        self.at(&format!("dev/{name}")).canonicalize().unwrap_or_else(|_| panic!("no node for {dev}"))
    }

    /// Number, size and node of one device.
    fn entry(&self, folder: &str, real: &Path, name: &str) -> String {
        let dev = std::fs::read_to_string(real.join("dev")).unwrap().trim().to_owned();
        self.write(&format!("{folder}/dev"), &dev);
        self.write(&format!("{folder}/size"), &std::fs::read_to_string(real.join("size")).unwrap());
        let (major, minor) = dev.split_once(':').unwrap();
        let node = self.at(&format!("dev/{name}")).to_string_lossy().into_owned();
        call("mknod", ["-m", "600", &node, "b", major, minor]).must().unwrap();
        dev
    }

    fn read(&self) -> Vec<Disk> {
        disks(&Root::open(self.top.path(), None), Disks::Uses).yes().unwrap().clone()
    }

    /// What stands on the only disk; and that looking leaves every byte as it was.
    fn uses(&self, node: &Path) -> Vec<Use> {
        let before = digest(node);
        let read = self.read();
        assert_eq!(before, digest(node), "looking changed the device");
        assert_eq!(read.len(), 1);
        read[0].uses.clone()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        for device in &self.loops {
            let _ = call("losetup", ["--detach", device]).run();
        }
    }
}

#[expect(clippy::print_stderr, reason = "a skipped test must say so")]
fn skip<T>(why: &str) -> Option<T> {
    eprintln!("skipped: {why}");
    None
}

/// Makes a loop device of an image; where nobody makes device nodes, its node as well.
fn attach(image: &Path) -> String {
    let image = image.to_string_lossy().into_owned();
    for _ in 0..20 {
        let free = call("losetup", ["--find"]).run().unwrap().out.trim().to_owned();
        if let Some(minor) = free.strip_prefix("/dev/loop").filter(|_| !Path::new(&free).exists()) {
            let _ = call("mknod", ["-m", "660", &free, "b", "7", minor]).run();
        }
        // Somebody else may take it first.
        let words = ["--direct-io=off", "--partscan", free.as_str(), image.as_str()];
        if call("losetup", words).run().unwrap().status.success() {
            return free;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("no free loop device");
}

fn digest(node: &Path) -> String {
    let mut hash = Sha256::new();
    let mut file = File::open(node).unwrap();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer).unwrap() {
            0 => break,
            count => hash.update(&buffer[..count]),
        }
    }
    hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
}

fn put(image: &Path, at: u64, bytes: &[u8]) {
    let mut file = OpenOptions::new().write(true).open(image).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(bytes).unwrap();
}

fn tool(name: &str, words: &[&str], image: &Path) {
    let words = words.iter().map(|w| (*w).to_owned()).chain([image.to_string_lossy().into_owned()]);
    call(name, words).limit(60).must().unwrap();
}

fn ext4(image: &Path) {
    tool("mkfs.ext4", &["-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0"], image);
}

/// LVM's label: in the second sector, with LVM's own kind of CRC-32.
fn lvm_label(image: &Path) {
    let mut sector = [0; 512];
    sector[..8].copy_from_slice(b"LABELONE");
    sector[8] = 1;
    sector[20] = 32;
    sector[24..32].copy_from_slice(b"LVM2 001");
    sector[32..64].copy_from_slice(b"abcdefghijklmnopqrstuvwxyz012345");
    let mut crc = 0xf597_a6cf_u32;
    for byte in &sector[20..] {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    sector[16..20].copy_from_slice(&crc.to_le_bytes());
    put(image, 512, &sector);
}

/// A superblock of Linux RAID, version 1.2, at 4 KiB.
fn raid_superblock(image: &Path) {
    let mut block = [0; 256];
    block[..4].copy_from_slice(&0xa92b_4efc_u32.to_le_bytes());
    block[4] = 1;
    block[16..32].copy_from_slice(b"0123456789abcdef");
    block[32..38].copy_from_slice(b"pve1:0");
    block[144] = 8;
    let sum: u64 = block.chunks(4).map(|w| u64::from(u32::from_le_bytes(w.try_into().unwrap()))).sum();
    let sum = u32::try_from((sum & 0xffff_ffff) + (sum >> 32)).unwrap();
    block[216..220].copy_from_slice(&sum.to_le_bytes());
    put(image, 4096, &block);
}

/// Uberblocks in the first of a ZFS member's labels.
fn zfs_label(image: &Path) {
    for n in 0..16 {
        let mut block = [0; 40];
        block[..8].copy_from_slice(&0x00ba_b10c_u64.to_le_bytes());
        block[8] = 50;
        put(image, 128 * 1024 + n * 1024, &block);
    }
}

const OSD: &str = "8b3c3a54-0d8a-4f43-9d1a-0c0f4c0b8f10";

fn bluestore(image: &Path) {
    put(image, 0, format!("bluestore block device\n{OSD}\n\x02\x01\x26\x01\0\0").as_bytes());
}

fn signature(kind: &str) -> Vec<Use> {
    vec![Use::Signature(kind.into())]
}

#[test]
fn a_blank_disk_is_free_and_fully_described() {
    let Some(mut bench) = Bench::new() else { return };
    let node = bench.disk("nvme1n1", 64, |_| {});
    assert_eq!(bench.uses(&node), []);
    let disk = bench.read().remove(0);
    assert_eq!((disk.model.as_str(), disk.serial.as_str()), ("RB TEST 1", "S-nvme1n1"));
    assert_eq!((disk.size, disk.nr_requests), (64 * MIB, Some(1023)));
    assert_eq!(disk.links, ["/dev/disk/by-id/nvme-RB_nvme1n1"]);
    assert!(disk.answers_to("/dev/nvme1n1") && !disk.read_only && !disk.removable);
}

#[test]
fn every_signature_is_found_and_nothing_is_written() {
    type Case = (&'static str, u64, fn(&Path), Vec<Use>);
    let osd = Use::Ceph { osd: None, fsid: Some(OSD.into()), cluster: None };
    let cases: [Case; 6] = [
        ("ext4", 32, ext4, signature("ext4")),
        ("swap", 32, |image| tool("mkswap", &["-q"], image), signature("swap")),
        ("LVM", 32, lvm_label, signature("LVM2_member")),
        ("RAID", 32, raid_superblock, signature("linux_raid_member")),
        ("ZFS", 80, zfs_label, signature("zfs_member")),
        ("bluestore", 32, bluestore, vec![osd]),
    ];
    for (what, mib, prepare, expected) in cases {
        let Some(mut bench) = Bench::new() else { return };
        let node = bench.disk("nvme1n1", mib, prepare);
        assert_eq!(bench.uses(&node), expected, "{what}");
    }
}

#[test]
fn xfs_is_found() {
    let Some(mut bench) = Bench::new() else { return };
    if find("mkfs.xfs").is_none() {
        return skip("mkfs.xfs is not installed").unwrap_or_default();
    }
    let node = bench.disk("nvme1n1", 320, |image| tool("mkfs.xfs", &["-q"], image));
    assert_eq!(bench.uses(&node), signature("xfs"));
}

#[test]
fn a_table_with_partitions_and_what_is_on_them() {
    let Some(mut bench) = Bench::new() else { return };
    if find("sgdisk").is_none() {
        return skip("sgdisk is not installed").unwrap_or_default();
    }
    bench.partitions = vec![(2048, 16384), (20480, 20480)];
    let table = ["--clear", "--new=1:2048:18431", "--new=2:20480:40959"];
    let node = bench.disk("nvme1n1", 32, |image| {
        tool("sgdisk", &table, image);
        let swap = image.with_extension("swap");
        File::create(&swap).unwrap().set_len(8 * MIB).unwrap();
        tool("mkswap", &["-q"], &swap);
        put(image, 2048 * 512, &std::fs::read(&swap).unwrap());
    });
    let expected = [
        Use::Table("gpt".into()),
        Use::Partition("nvme1n1p1".into()),
        Use::Signature("swap".into()),
        Use::Partition("nvme1n1p2".into()),
    ];
    assert_eq!(bench.uses(&node), expected);
}

/// A program in a mount namespace of its own, ended with this.
struct Elsewhere(Child);

impl Elsewhere {
    /// Runs a fixed script with these words until the test ends; returns once it said a line.
    fn run(script: &str, words: &[&Path]) -> Self {
        let mut child = Command::new("unshare")
            .args(["--mount", "--propagation", "private", "--", "sh", "-ec", script, "sh"])
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut said).unwrap();
        assert_eq!(said.trim(), "ready");
        Self(child)
    }

    fn mounts(&self) -> String {
        std::fs::read_to_string(format!("/proc/{}/mountinfo", self.0.id())).unwrap()
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

const MOUNT: &str = "mount -o ro,noload \"$1\" \"$2\"; echo ready; read -r line || true";

#[test]
fn a_mounted_disk_says_where_and_one_mounted_out_of_sight_is_busy() {
    let Some(mut bench) = Bench::new() else { return };
    let node = bench.disk("nvme1n1", 32, ext4);
    let place = bench.at("images/mnt");
    std::fs::create_dir(&place).unwrap();
    let other = Elsewhere::run(MOUNT, &[&node, &place]);
    let busy = [signature("ext4"), vec![Use::Busy]].concat();
    assert_eq!(bench.uses(&node), busy);
    bench.write("proc/self/mountinfo", &other.mounts());
    let mounted = Use::Mounted(place.to_string_lossy().into_owned());
    assert_eq!(bench.uses(&node), [signature("ext4"), vec![mounted]].concat());
}

/// The mounted disk becomes `/` of the program.
const ROOT: &str = "mount -o ro,noload \"$1\" \"$2\"; for d in usr dev; do mount --rbind /$d \"$2/$d\"; done
exec chroot \"$2\" /bin/sh -c 'echo ready; read -r line || true'";

#[test]
fn the_disk_of_the_operating_system_is_known_as_such() {
    let Some(mut bench) = Bench::new() else { return };
    let tree = bench.at("images/tree");
    for folder in ["usr", "dev", "proc", "etc"] {
        std::fs::create_dir_all(tree.join(folder)).unwrap();
    }
    for link in ["bin", "lib", "lib64"] {
        std::os::unix::fs::symlink(format!("usr/{link}"), tree.join(link)).unwrap();
    }
    let tree = tree.to_string_lossy().into_owned();
    let node = bench.disk("nvme1n1", 32, |image| tool("mkfs.ext4", &["-q", "-F", "-d", &tree], image));
    let place = bench.at("images/mnt");
    std::fs::create_dir(&place).unwrap();
    let other = Elsewhere::run(ROOT, &[&node, &place]);
    bench.write("proc/self/mountinfo", &other.mounts());
    let uses = bench.uses(&node);
    assert_eq!(uses.first(), Some(&Use::System), "{uses:?}");
    assert!(uses.contains(&Use::Mounted("/".into())));
    assert!(bench.read()[0].is_system());
}

#[test]
fn an_osd_is_known_by_its_folder_and_swap_in_use_is_the_systems() {
    let Some(mut bench) = Bench::new() else { return };
    let node = bench.disk("nvme1n1", 32, bluestore);
    bench.write("var/lib/ceph/osd/ceph-7/fsid", &format!("{OSD}\n"));
    bench.write("var/lib/ceph/osd/ceph-7/ceph_fsid", "c1\n");
    let link = bench.at("var/lib/ceph/osd/ceph-7/block");
    std::os::unix::fs::symlink("../../../../../dev/nvme1n1", link).unwrap();
    let osd = Use::Ceph { osd: Some(7), fsid: Some(OSD.into()), cluster: Some("c1".into()) };
    assert_eq!(bench.uses(&node), std::slice::from_ref(&osd));
    bench.write("proc/swaps", "Filename Type Size Used Priority\n/dev/nvme1n1 partition 8 0 -2\n");
    assert_eq!(bench.uses(&node), [Use::System, Use::Swap, osd]);
}

#[test]
fn what_cannot_be_looked_at_is_never_free_and_harms_no_other() {
    let Some(mut bench) = Bench::new() else { return };
    bench.disk("nvme1n1", 16, |_| {});
    bench.disk("nvme2n1", 16, ext4);
    std::fs::remove_file(bench.at("dev/nvme1n1")).unwrap();
    let read = bench.read();
    assert!(matches!(read[0].uses.as_slice(), [Use::Unknown(_), ..]), "{:?}", read[0].uses);
    assert_eq!(read[1].uses, signature("ext4"));
    // Another device under the disk's name.
    std::fs::copy(bench.at("sys/block/nvme2n1/dev"), bench.at("sys/block/nvme1n1/dev")).unwrap();
    let null = bench.at("dev/nvme1n1").to_string_lossy().into_owned();
    call("mknod", [null.as_str(), "b", "7", "254"]).must().unwrap();
    let uses = &bench.read()[0].uses;
    assert!(uses.iter().any(|u| matches!(u, Use::Unknown(why) if why.contains("7:254"))), "{uses:?}");
    std::fs::remove_file(bench.at("proc/self/mountinfo")).unwrap();
    let blind = |d: &Disk| d.uses.iter().any(|u| matches!(u, Use::Unknown(why) if why.contains("mountinfo")));
    assert!(bench.read().iter().all(blind));
}

#[test]
fn volumes_built_on_a_disk_are_summed_each_once() {
    let Some(mut bench) = Bench::new() else { return };
    bench.disk("nvme1n1", 16, |_| {});
    assert_eq!(bench.read()[0].volumes, 0);
    let holder = |place: &str, size: &str| bench.write(&format!("sys/block/nvme1n1/{place}/size"), size);
    holder("holders/dm-0", "2048\n");
    holder("holders/dm-1", "4096\n");
    // Two parts of one volume, and one on a partition of the disk.
    bench.write("sys/block/nvme1n1/nvme1n1p1/partition", "1\n");
    holder("nvme1n1p1/holders/dm-1", "4096\n");
    holder("nvme1n1p1/holders/dm-2", "8\n");
    holder("holders/md0", "99999\n");
    assert_eq!(bench.read()[0].volumes, (2048 + 4096 + 8) * 512);
}

#[test]
fn what_is_no_disk_is_passed_over_and_serials_are_found_elsewhere() {
    let Some(mut bench) = Bench::new() else { return };
    bench.disk("sda", 16, |_| {});
    std::fs::remove_file(bench.at("sys/block/sda/device/serial")).unwrap();
    let mut page = vec![0, 0x80, 0, 8];
    page.extend_from_slice(b"  WD-123");
    std::fs::write(bench.at("sys/block/sda/device/vpd_pg80"), page).unwrap();
    for (name, file, text) in [
        ("loop3", "size", "10"),
        ("sr0", "size", "10"),
        ("dm-0", "size", "10"),
        ("nvme0c0n1", "hidden", "1"),
        ("sdb", "size", "0"),
        ("mmcblk0boot0", "size", "10"),
    ] {
        bench.write(&format!("sys/block/{name}/{file}"), text);
    }
    let read = bench.read();
    assert_eq!(read.len(), 1);
    assert_eq!(
        (read[0].serial.as_str(), read[0].medium),
        ("WD-123", ringbolt_core::facts::disk::Medium::Ssd)
    );
    let dev = std::fs::read_to_string(bench.at("sys/block/sda/dev")).unwrap();
    bench.write("sys/block/sda/device/model", "Samsung SSD 870 \n");
    let known = "E:ID_MODEL=Samsung_SSD_870_EVO_1TB\nE:ID_SERIAL_SHORT=S6P\n";
    bench.write(&format!("run/udev/data/b{dev}"), known);
    let disk = bench.read().remove(0);
    assert_eq!((disk.model.as_str(), disk.serial.as_str()), ("Samsung SSD 870 EVO 1TB", "S6P"));
}
