//! How ssh reaches the lab: keys, known hosts and an ssh config whose proxy command enters the lab's own
//! management network. Written once at `up`; used by ringbolt and by people with `ssh -F`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::lab::{Lab, LabError};
use crate::program;
use crate::state::{Record, file_error, write_atomic};

/// Makes a key pair without a passphrase and returns the public half.
pub(crate) fn key_pair(path: &Path, comment: &str) -> Result<String, LabError> {
    let args: [&std::ffi::OsStr; 9] = [
        "-q".as_ref(),
        "-t".as_ref(),
        "ed25519".as_ref(),
        "-N".as_ref(),
        "".as_ref(),
        "-C".as_ref(),
        comment.as_ref(),
        "-f".as_ref(),
        path.as_ref(),
    ];
    program::run("ssh-keygen", &args)?;
    let public = PathBuf::from(format!("{}.pub", path.display()));
    Ok(fs::read_to_string(&public).map_err(file_error(&public))?.trim().to_owned())
}

/// Lines of a known-hosts file: every node by name and by address. `keys` has one public key a node.
#[must_use]
pub fn known_hosts(record: &Record, keys: &[String]) -> String {
    let lines = record.nodes.iter().zip(keys).map(|(node, key)| {
        let key: Vec<&str> = key.split(' ').take(2).collect();
        format!("{},{} {}\n", node.name, node.address, key.join(" "))
    });
    lines.collect()
}

/// The ssh configuration of a lab.
#[must_use]
pub fn ssh_config(lab: &Lab, record: &Record) -> String {
    let dir = lab.dir();
    let dir = dir.display();
    let name = &lab.name;
    let strict = if record.without.iter().any(|part| part == "key") { "ask" } else { "yes" };
    let mut text =
        format!("# Reaches the nodes of the rehearsal lab `{name}`, through its own network only.\n");
    for node in &record.nodes {
        text.push_str(&format!("\nHost {} {}\n    HostName {}\n", node.name, node.address, node.address));
    }
    let hosts: Vec<String> =
        record.nodes.iter().map(|node| format!("{} {}", node.name, node.address)).collect();
    text.push_str(&format!(
        "\nHost {}\n    User root\n    IdentityFile \"{dir}/id_ed25519\"\n    IdentitiesOnly yes\n    \
         UserKnownHostsFile \"{dir}/known_hosts\"\n    GlobalKnownHostsFile /dev/null\n    \
         StrictHostKeyChecking {strict}\n    UpdateHostKeys no\n    \
         ProxyCommand '{dir}/bin/ringbolt' lab proxy {name} %h %p\n    ProxyUseFdpass yes\n",
        hosts.join(" ")
    ));
    text
}

/// Writes config and known hosts into the lab's folder.
pub(crate) fn write(lab: &Lab, record: &Record, known: &str) -> Result<(), LabError> {
    let known = if record.without.iter().any(|part| part == "key") { "" } else { known };
    write_atomic(&lab.dir().join("known_hosts"), known.as_bytes(), 0o644)?;
    write_atomic(&lab.ssh_config(), ssh_config(lab, record).as_bytes(), 0o644)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::lab;
    use crate::state::Transport;

    #[test]
    fn hosts_are_known_by_name_and_address() {
        let (_, record) = lab(Transport::Thunderbolt);
        let keys = ["ssh-ed25519 AAA1 root@n1".to_owned(), "ssh-ed25519 AAA2 root@n2".to_owned()];
        let text = known_hosts(&record, &keys);
        assert_eq!(text, "n1,10.11.12.11 ssh-ed25519 AAA1\nn2,10.11.12.12 ssh-ed25519 AAA2\n");
    }

    #[test]
    fn every_node_is_reached_by_name_and_by_address() {
        let (lab, mut record) = lab(Transport::Thunderbolt);
        let text = ssh_config(&lab, &record);
        assert!(text.contains("\nHost n1 10.11.12.11\n    HostName 10.11.12.11\n"), "{text}");
        assert!(text.contains("\nHost n1 10.11.12.11 n2 10.11.12.12\n    User root\n"), "{text}");
        assert!(
            text.contains("ProxyCommand '/x/t/bin/ringbolt' lab proxy t %h %p\n    ProxyUseFdpass yes\n")
        );
        assert!(text.contains("StrictHostKeyChecking yes\n"));
        record.without.push("key".into());
        assert!(ssh_config(&lab, &record).contains("StrictHostKeyChecking ask\n"));
    }

    #[test]
    fn ssh_itself_reads_the_config() {
        let (lab, record) = lab(Transport::Thunderbolt);
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("ssh_config");
        fs::write(&path, ssh_config(&lab, &record)).expect("it is ours");
        let args = ["-G".as_ref(), "-F".as_ref(), path.as_os_str(), "n2".as_ref()];
        let text = program::run("ssh", &args).expect("ssh accepts it");
        for line in ["hostname 10.11.12.12", "user root", "stricthostkeychecking true", "proxyusefdpass yes"]
        {
            assert!(text.lines().any(|have| have == line), "{line} in {text}");
        }
    }
}
