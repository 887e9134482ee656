//! Labs for real: made, broken and removed on this machine, in a folder of their own. Needs root and the
//! programs the lab names; says so and passes where they are missing. Never touches a lab of somebody else.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A lab of one test; taken down at its end.
struct Rig {
    dir: tempfile::TempDir,
    name: String,
}

impl Rig {
    /// None, with a message, where no lab can be made.
    fn new(name: &str) -> Option<Self> {
        let missing = ringbolt_lab::missing_packages();
        if !rustix::process::geteuid().is_root() || !missing.is_empty() {
            eprintln!("skipped: needs root and {missing:?}");
            return None;
        }
        fs::create_dir_all("/var/lib/ringbolt-lab").unwrap();
        let dir = tempfile::Builder::new().prefix(".test-").tempdir_in("/var/lib/ringbolt-lab").unwrap();
        Some(Self { dir, name: format!("{name}{}", std::process::id() % 100_000) })
    }

    fn command(&self, args: &[&str]) -> Command {
        let binary = std::env::current_exe().unwrap().parent().unwrap().join("../examples/labctl");
        let mut command = Command::new(binary);
        command.args(args).env("RINGBOLT_LAB_DIR", self.dir.path()).env("LAB", &self.name);
        command.stdin(Stdio::null());
        command
    }

    fn try_labctl(&self, args: &[&str]) -> Output {
        let why = "labctl runs; `cargo build -p ringbolt-lab --example labctl` makes it";
        self.command(args).output().expect(why)
    }

    fn labctl(&self, args: &[&str]) -> String {
        let output = self.try_labctl(args);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "labctl {args:?}: {text}");
        text
    }

    fn path(&self, file: &str) -> PathBuf {
        self.dir.path().join(&self.name).join(file)
    }

    fn try_ssh(&self, node: &str, command: &str) -> Output {
        Command::new("ssh")
            .args(["-o", "BatchMode=yes", "-o", "ConnectTimeout=5", "-F"])
            .arg(self.path("ssh_config"))
            .args([node, command])
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    fn ssh(&self, node: &str, command: &str) -> String {
        let output = self.try_ssh(node, command);
        assert!(output.status.success(), "{node}: {command}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What is left on the machine that bears this lab's name.
    fn traces(&self) -> Vec<String> {
        let prefix = format!("rb-{}-", self.name);
        let mut found = Vec::new();
        for folder in
            ["/run/netns", "/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/run/systemd/nspawn/propagate"]
        {
            let entries = fs::read_dir(folder).into_iter().flatten().flatten();
            let names = entries.map(|entry| entry.path().display().to_string());
            found.extend(names.filter(|name| name.contains(&prefix)));
        }
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        found.extend(mounts.lines().filter(|line| line.contains(&prefix)).map(str::to_owned));
        let lab = self.dir.path().join(&self.name);
        if lab.exists() {
            found.push(lab.display().to_string());
        }
        found
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        // A test that failed half way must not leave a lab behind.
        let _ = self.try_labctl(&["down"]);
    }
}

/// Asks until the answer is yes, at most ten seconds.
fn soon(what: &str, mut ask: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !ask() {
        assert!(Instant::now() < deadline, "not within ten seconds: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn host_links() -> String {
    let output = Command::new("ip").args(["-br", "address"]).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

const LINK: &str = "printf '[Match]\\nPath=pci-0000:00:0d.2\\nDriver=thunderbolt-net\\n[Link]\\nName=en05\\n\
                    MTUBytes=65520\\n' > /etc/systemd/network/00-test.link && udevadm control --reload";

#[test]
fn two_nodes_and_a_cable() {
    let Some(rig) = Rig::new("c") else { return };
    let before = host_links();
    rig.labctl(&["up", "2", "ring", "thunderbolt", "9.1"]);
    assert_eq!(host_links(), before, "the host's own network changed");
    assert_eq!(rig.ssh("n1", "systemctl is-system-running --wait").trim(), "running");
    assert!(rig.ssh("10.11.12.12", "pveversion").starts_with("pve-manager/9.1"));
    assert_eq!(rig.ssh("n1", "ssh -o BatchMode=yes 10.11.12.12 hostname").trim(), "n2");
    let ids = ["n1", "n2"].map(|node| rig.ssh(node, "cat /etc/machine-id /proc/sys/kernel/random/boot_id"));
    assert_ne!(ids[0], ids[1]);
    plug_and_rename(&rig);
    faults(&rig);
    power(&rig);
    rig.labctl(&["down"]);
    assert_eq!(rig.traces(), Vec::<String>::new());
    assert_eq!(host_links(), before);
}

fn plug_and_rename(rig: &Rig) {
    rig.ssh("n1", LINK);
    rig.labctl(&["cut", "n1", "n2", "unplug"]);
    assert!(!rig.ssh("n1", "ls /sys/class/net").contains("thunderbolt"));
    assert!(!rig.ssh("n2", "ls /sys/class/net").contains("thunderbolt"));
    assert!(!rig.ssh("n2", "ls /opt/ringbolt-lab/sys/bus/thunderbolt/devices").contains("0-1"));
    rig.labctl(&["mend", "n2", "n1"]);
    soon("udev renames the port", || rig.ssh("n1", "cat /sys/class/net/en05/mtu || true").trim() == "65520");
    let devices = "/opt/ringbolt-lab/sys/bus/thunderbolt/devices";
    soon("sysfs names the interface", || rig.ssh("n1", &format!("ls {devices}/0-1.0/net")).trim() == "en05");
    assert_eq!(rig.ssh("n1", &format!("cat {devices}/0-1/device_name")).trim(), "n2");
    assert_eq!(rig.ssh("n2", "cat /sys/class/net/thunderbolt0/mtu").trim(), "1500");
}

fn faults(rig: &Rig) {
    rig.ssh("n1", "ip link set en05 up && ip address add 10.9.9.1/24 dev en05");
    rig.ssh("n2", "ip link set thunderbolt0 up mtu 65520 && ip address add 10.9.9.2/24 dev thunderbolt0");
    rig.ssh("n2", "ip route add 10.9.8.0/24 via 10.9.9.1 proto static");
    let ping =
        |count: &str| rig.try_ssh("n1", &format!("ping -q -c{count} -i0.1 -W1 10.9.9.2")).status.success();
    let carrier = || rig.ssh("n1", "cat /sys/class/net/en05/carrier").trim() == "1";
    soon("the cable carries", || ping("1"));
    for (kind, dark) in [("carrier", true), ("silent", false), ("one-way", false)] {
        rig.labctl(&["cut", "n1", "n2", kind]);
        assert!(!ping("2"), "{kind}");
        assert_eq!(carrier(), !dark, "{kind}");
        rig.labctl(&["mend", "n1", "n2"]);
        soon("the mended cable carries", || ping("1"));
    }
    assert!(rig.ssh("n2", "ip route show 10.9.8.0/24").contains("thunderbolt0"), "a cut lost a route");
    rig.labctl(&["freeze", "n2"]);
    assert!(rig.labctl(&["status"]).contains("\"power\": \"frozen\""));
    rig.labctl(&["thaw", "n2"]);
    assert!(rig.try_ssh("n2", "true").status.success());
}

fn power(rig: &Rig) {
    let boot = "cat /proc/sys/kernel/random/boot_id";
    let first = rig.ssh("n1", boot);
    let _ = rig.try_ssh("n1", "systemctl reboot");
    soon("a reboot", || {
        let answer = rig.try_ssh("n1", boot);
        answer.status.success() && String::from_utf8_lossy(&answer.stdout) != first
    });
    // The name is given at boot, too, and nothing of the old network is left.
    assert_eq!(rig.ssh("n1", "cat /sys/class/net/en05/mtu").trim(), "65520");
    assert!(!rig.ssh("n1", "ip -br address show en05").contains("10.9.9.1"));
    rig.labctl(&["power-off", "n1"]);
    assert!(!rig.ssh("n2", "ls /sys/class/net").contains("thunderbolt"), "the cable outlived its node");
    assert!(!rig.try_ssh("n1", "true").status.success());
    rig.labctl(&["power-on", "n1"]);
    assert!(rig.ssh("n2", "ls /sys/class/net").contains("thunderbolt0"));
    rig.labctl(&["shut-down", "n2"]);
    assert!(!rig.ssh("n1", "ls /sys/class/net").contains("en05"));
}

#[test]
fn ethernet_switch_and_a_bare_node() {
    let Some(rig) = Rig::new("s") else { return };
    rig.labctl(&["up", "2", "switch", "-", "9.0", "frr"]);
    let spec = fs::read_to_string(rig.path("ringbolt.toml")).unwrap();
    assert!(spec.contains("transport = \"switch\"") && spec.contains("ports = [\"enp1s0\"]"), "{spec}");
    assert!(!rig.try_ssh("n1", "command -v vtysh").status.success(), "a bare node has no FRR");
    rig.ssh(
        "n1",
        "apt-get -qq check && DEBIAN_FRONTEND=noninteractive apt-get -qq install frr frr-pythontools",
    );
    assert_eq!(rig.ssh("n1", "command -v vtysh").trim(), "/usr/bin/vtysh");
    rig.labctl(&["power-off", "n2"]);
    let ports = || rig.ssh("n1", "cat /sys/class/net/enp1s0/carrier");
    rig.ssh("n1", "ip link set enp1s0 up");
    assert_eq!(ports().trim(), "1", "the switch is there without the other node");
    rig.labctl(&["cut", "n1", "switch", "carrier"]);
    assert_eq!(ports().trim(), "0");
    rig.labctl(&["mend", "n1", "switch"]);
    assert_eq!(ports().trim(), "1");
    rig.labctl(&["power-on", "n2"]);
    assert!(rig.ssh("n2", "ls /sys/class/net").contains("enp1s0"));
    rig.labctl(&["down"]);
    assert_eq!(rig.traces(), Vec::<String>::new());
}

#[test]
fn an_up_cut_short_can_be_taken_down() {
    let Some(rig) = Rig::new("k") else { return };
    for delay in [120, 250, 400, 600, 900, 1500] {
        let mut child = rig
            .command(&["up", "2", "line", "thunderbolt", "9.2"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(delay));
        child.kill().unwrap();
        child.wait().unwrap();
        if rig.path("").exists() {
            rig.labctl(&["down"]);
        }
        assert_eq!(rig.traces(), Vec::<String>::new(), "after {delay} ms");
        assert_no_process(&rig.path("nodes"));
    }
    assert!(!rig.try_labctl(&["down"]).status.success(), "there is nothing left to take down");
}

/// No process was started from this lab's folder.
fn assert_no_process(folder: &Path) {
    let folder = folder.parent().unwrap().to_string_lossy().into_owned();
    soon("processes end", || {
        let processes = fs::read_dir("/proc").unwrap().flatten();
        let lines = processes.filter_map(|entry| fs::read_to_string(entry.path().join("cmdline")).ok());
        !lines.into_iter().any(|line| line.contains(&folder))
    });
}

/// What a node without a fabric needs of Ceph, over the management network; every step as a person types it.
#[test]
fn ceph_on_three_nodes_and_a_loss_of_power() {
    let Some(rig) = Rig::new("o") else { return };
    let start = Instant::now();
    rig.labctl(&["up", "3", "ring", "thunderbolt", "9.2"]);
    let nodes = ["n1", "n2", "n3"];
    disks_refuse(&rig);
    assert!(!rig.try_ssh("n1", "pveceph init --network 10.11.12.0/24").status.success(), "not installed");
    assert!(
        !rig.try_ssh("n1", "pveceph install --repository test < /dev/null").status.success(),
        "no answer"
    );
    everywhere(&rig, "echo y | pveceph install --repository no-subscription --version squid");
    rig.ssh("n1", "pveceph init --network 10.11.12.0/24 && pveceph mon create");
    let quorum = |count: usize| {
        let text = rig.ssh("n1", "ceph mon stat --format json");
        serde_json::from_str::<serde_json::Value>(&text).unwrap()["quorum"].as_array().map_or(0, Vec::len)
            == count
    };
    for (node, count) in [("n2", 2), ("n3", 3)] {
        rig.ssh(node, "pveceph mon create");
        long("the mon joins", || quorum(count));
        rig.ssh(node, "pveceph mgr create");
    }
    assert!(!rig.try_ssh("n2", "pveceph mon create").status.success(), "it is there already");
    everywhere(&rig, "pveceph osd create /dev/nvme1n1 && pveceph osd create /dev/nvme2n1");
    let again = rig.try_ssh("n1", "pveceph osd create /dev/nvme1n1");
    assert!(String::from_utf8_lossy(&again.stderr).contains("'/dev/nvme1n1' is already in use"), "{again:?}");
    rig.ssh("n1", "pveceph pool create vm --add_storages 1 --pg_num 32 --pg_autoscale_mode on");
    rig.ssh("n1", "ceph config set mon auth_allow_insecure_global_id_reclaim false");
    let healthy = || {
        rig.ssh("n1", "ceph health").trim() == "HEALTH_OK" && rig.ssh("n1", "ceph osd stat").contains("6 up")
    };
    long("the cluster is healthy", healthy);
    eprintln!("healthy after {:.1} s", start.elapsed().as_secs_f64());
    rig.ssh("n2", "rados -p vm put there /etc/hostname");
    assert!(
        rig.ssh("n2", "pvesm status").lines().any(|line| line.starts_with("vm ") && line.contains("active"))
    );
    rig.labctl(&["power-off", "n3"]);
    rig.labctl(&["power-on", "n3"]);
    long("all is as it was", healthy);
    assert_eq!(rig.ssh("n3", "rados -p vm get there -").trim(), "n2");
    assert_eq!(rig.ssh(nodes[0], "ceph crash ls-new").trim(), "");
    rig.labctl(&["down"]);
    assert_eq!(rig.traces(), Vec::<String>::new());
    let loops = fs::read_dir("/sys/block").unwrap().flatten();
    let files = loops.filter_map(|entry| fs::read_to_string(entry.path().join("loop/backing_file")).ok());
    let ours = rig.path("disks").display().to_string();
    assert!(!files.into_iter().any(|file| file.starts_with(&ours)), "a loop device is left");
    eprintln!("all of it in {:.1} s", start.elapsed().as_secs_f64());
}

/// Real signatures are seen for what they are, and a disk that goes is gone.
fn disks_refuse(rig: &Rig) {
    let used = || {
        let line = "pvesh get /nodes/n1/disks/list --skipsmart 1 --output-format json";
        let all: serde_json::Value = serde_json::from_str(&rig.ssh("n1", line)).unwrap();
        let found = all.as_array().unwrap().iter().find(|disk| disk["devpath"] == "/dev/nvme1n1").cloned();
        found.map(|disk| disk["used"].as_str().unwrap_or("").to_owned())
    };
    let contents = [
        ("ext4", "ext4"),
        ("xfs", "xfs"),
        ("gpt", "partitions"),
        ("lvm", "LVM"),
        ("zfs", "ZFS"),
        ("mdraid", "linux_raid_member"),
        ("bluestore", "ceph_bluestore"),
        ("swap", "swap"),
        ("mounted", "mounted"),
        ("blank", ""),
    ];
    for (content, word) in contents {
        rig.labctl(&["disk", "n1", "nvme1n1", content]);
        assert_eq!(used().as_deref(), Some(word), "{content}");
    }
    rig.labctl(&["disk", "n1", "nvme1n1", "vanish"]);
    assert_eq!(used(), None);
    assert!(!rig.ssh("n1", "ls /dev /dev/disk/by-id").contains("nvme1n1"));
    rig.labctl(&["disk", "n1", "nvme1n1", "return"]);
    assert_eq!(used().as_deref(), Some(""));
    assert!(rig.ssh("n1", "smartctl -j -a /dev/nvme1n1").contains("\"passed\": true"));
}

/// Runs a command on all three nodes at once.
fn everywhere(rig: &Rig, command: &str) {
    std::thread::scope(|scope| {
        for node in ["n1", "n2", "n3"] {
            scope.spawn(move || rig.ssh(node, command));
        }
    });
}

/// Asks until the answer is yes, at most a minute.
fn long(what: &str, mut ask: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !ask() {
        assert!(Instant::now() < deadline, "not within a minute: {what}");
        std::thread::sleep(Duration::from_millis(300));
    }
}
