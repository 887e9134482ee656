//! `pvecm status` and `pvecm nodes`, in the form of the real command.

use std::io::Write;

use super::{Host, say};

/// Prints what was asked for.
pub(crate) fn run(host: &Host, args: &[String], out: &mut dyn Write, err: &mut dyn Write) -> i32 {
    match args.first().map(String::as_str) {
        Some("status") => say(out, &status(host)),
        Some("nodes") => say(out, &nodes(host)),
        other => {
            let what = other.unwrap_or_default();
            say(err, &format!("ERROR: unknown command 'pvecm {what}'"));
            return 255;
        }
    }
    0
}

fn status(host: &Host) -> String {
    let members = host.members();
    let online: Vec<_> = members.iter().filter(|m| host.online(&m.name)).collect();
    let own = members.iter().find(|m| m.name == host.node).map_or(0, |m| m.id);
    let quorate = host.quorate();
    let mut lines = vec![
        "Cluster information".to_owned(),
        "-------------------".to_owned(),
        format!("Name:             {}", host.cluster()),
        format!("Config Version:   {}", members.len()),
        "Transport:        knet".to_owned(),
        "Secure auth:      on".to_owned(),
        String::new(),
        "Quorum information".to_owned(),
        "------------------".to_owned(),
        format!("Date:             {}", date(host)),
        "Quorum provider:  corosync_votequorum".to_owned(),
        format!("Nodes:            {}", online.len()),
        format!("Node ID:          0x{own:08x}"),
        "Ring ID:          1.1".to_owned(),
        format!("Quorate:          {}", if quorate { "Yes" } else { "No" }),
        String::new(),
        "Votequorum information".to_owned(),
        "----------------------".to_owned(),
        format!("Expected votes:   {}", members.len()),
        format!("Highest expected: {}", members.len()),
        format!("Total votes:      {}", online.len()),
        format!(
            "Quorum:           {}{}",
            members.len() / 2 + 1,
            if quorate { "  " } else { " Activity blocked" }
        ),
        format!("Flags:            {}", if quorate { "Quorate " } else { "" }),
        String::new(),
        "Membership information".to_owned(),
        "----------------------".to_owned(),
        "    Nodeid      Votes Name".to_owned(),
    ];
    for member in online {
        let local = if member.name == host.node { " (local)" } else { "" };
        lines.push(format!("0x{:08x}          1 {}{local}", member.id, member.address));
    }
    lines.join("\n")
}

fn nodes(host: &Host) -> String {
    let mut text =
        String::from("\nMembership information\n----------------------\n    Nodeid      Votes Name");
    for member in host.members().iter().filter(|m| host.online(&m.name)) {
        let local = if member.name == host.node { " (local)" } else { "" };
        text.push_str(&format!("\n{:>10}          1 {}{local}", member.id, member.name));
    }
    text
}

fn date(host: &Host) -> String {
    host.exec.run(&["date", "+%a %b %e %H:%M:%S %Y"]).stdout.trim().to_owned()
}
