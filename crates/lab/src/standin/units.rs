//! The systemd units of the stand-in, for the lab to install in a node.
//!
//! Used by the lab's layer, which has a unit of its own for the membership
//! service.

/// Path and content of each unit.
pub const UNITS: &[(&str, &str)] = &[
    (
        "/usr/lib/systemd/system/pvenetcommit.service",
        "[Unit]
Description=Commit edited network configuration (stand-in)
DefaultDependencies=no
After=local-fs.target
Before=networking.service
ConditionPathExists=/etc/network/interfaces.new

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/bin/mv /etc/network/interfaces.new /etc/network/interfaces

[Install]
WantedBy=networking.service
",
    ),
    (
        "/usr/lib/systemd/system/pve-sdn-commit.service",
        "[Unit]
Description=Commit SDN edits at boot (stand-in)
After=frr.service networking.service ringbolt-lab-pmxcfs.service

[Service]
Type=oneshot
RemainAfterExit=yes
TimeoutStartSec=infinity
ExecStart=/opt/ringbolt-lab/ringbolt-standin-pmxcfs --sdn-commit

[Install]
WantedBy=multi-user.target
",
    ),
];

/// The links that enable them: path of the link, path it points to.
pub const ENABLED: &[(&str, &str)] = &[
    (
        "/etc/systemd/system/networking.service.wants/pvenetcommit.service",
        "/usr/lib/systemd/system/pvenetcommit.service",
    ),
    (
        "/etc/systemd/system/multi-user.target.wants/pve-sdn-commit.service",
        "/usr/lib/systemd/system/pve-sdn-commit.service",
    ),
];
