//! `ssh setup` with a password typed at a terminal, to real sshd: where the password can be seen on the way, and what is
//! kept of it.

use std::io::{Read, Write};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use crate::rig::Rig;

/// A password that stands nowhere else.
const CANARY: &str = "canary-81c5e0d7";

#[test]
fn a_password_goes_from_the_person_to_ssh_and_nowhere_else() {
    let Some(rig) = Rig::new("pass") else { return };
    rig.ok(&["lab", "up", "--nodes", "2", "--shape", "line", "--without", "key"]);
    rig.exec("n1", &["sh", "-c", &format!("echo root:{CANARY} | chpasswd")]);

    let ended = AtomicBool::new(false);
    let (seen, looks) = std::thread::scope(|scope| {
        let watch = scope.spawn(|| watch(&ended));
        let said = log_in(&mut rig.on_terminal(&["ssh", "setup", "--yes", "--node", "n1"]));
        ended.store(true, Ordering::Relaxed);
        assert!(said.contains("works now") && !said.contains(CANARY), "{said}");
        watch.join().unwrap()
    });
    assert!(looks > 3, "only {looks} looks at the processes");
    assert_eq!(seen, [""; 0], "the password was in a command line or an environment");

    let kept = Command::new("grep").args(["-rlF", CANARY]).arg(rig.state()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&kept.stdout), "", "kept on the controller");
    let places = format!(
        "grep -rlF {CANARY} /var/lib/ringbolt /root /tmp /var/tmp; journalctl --no-pager | grep -F {CANARY}; true"
    );
    assert_eq!(rig.exec("n1", &["sh", "-c", &places]).trim(), "", "kept on the node");
    // From now on without it; and another host key is not taken, whatever the configuration would have.
    // The other node has no key of ours yet, and is silent both times.
    let (_, said) = rig.run(&["discover", "--node", "n1"]);
    assert!(!said.contains("silent: n1"), "{said}");
    rig.exec("n1", &["sh", "-c", "rm /etc/ssh/ssh_host_*; ssh-keygen -qA; systemctl restart ssh"]);
    let (status, said) = rig.run(&["discover", "--node", "n1"]);
    assert!(status != 0 && said.contains("silent: n1") && said.contains("host key"), "{status}: {said}");
}

/// Runs it and types the password when it is asked for; what was on the screen.
fn log_in(terminal: &mut Command) -> String {
    let mut child = terminal.spawn().unwrap();
    let mut keys = child.stdin.take().unwrap();
    let (mut screen, mut typed) = (String::new(), false);
    let words = follow(&mut child);
    let end = Instant::now() + Duration::from_secs(180);
    while let Ok(more) = words.recv_timeout(end.saturating_duration_since(Instant::now())) {
        screen += &more;
        if !typed && screen.contains("assword:") {
            // Long enough at the question for the processes to be looked at.
            std::thread::sleep(Duration::from_secs(1));
            keys.write_all(format!("{CANARY}\r").as_bytes()).unwrap();
            typed = true;
        }
    }
    if child.try_wait().unwrap().is_none() && Instant::now() > end {
        child.kill().unwrap();
    }
    assert!(child.wait().unwrap().success() && typed, "{screen}");
    screen
}

/// What it prints, piece by piece.
fn follow(child: &mut Child) -> Receiver<String> {
    let mut stdout = child.stdout.take().unwrap();
    let (send, words) = channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = stdout.read(&mut buffer) {
            if send.send(String::from_utf8_lossy(&buffer[..count]).into_owned()).is_err() {
                return;
            }
        }
    });
    words
}

/// Looks at all processes of this machine, the nodes' included, again and again: those that show the password, and how
/// many looks there were.
fn watch(ended: &AtomicBool) -> (Vec<String>, u32) {
    let mut found = Vec::new();
    let mut looks = 0;
    while !ended.load(Ordering::Relaxed) {
        for process in std::fs::read_dir("/proc").unwrap().flatten() {
            for file in ["cmdline", "environ"] {
                let bytes = std::fs::read(process.path().join(file)).unwrap_or_default();
                let text = String::from_utf8_lossy(&bytes).replace('\0', " ");
                if text.contains(CANARY) && !found.contains(&text) {
                    found.push(text);
                }
            }
        }
        looks += 1;
        std::thread::sleep(Duration::from_millis(30));
    }
    (found, looks)
}
