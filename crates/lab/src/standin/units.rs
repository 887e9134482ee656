//! The systemd units of the stand-in, for the lab to install in a node.
//!
//! Used by the lab's layer. The program must be at `/usr/bin` under the names
//! of [`super::NAMES`] (links to one file), `/etc/pve` a mount point of its
//! own, and `/etc/pve/.members`, `/etc/pve/.version` and `/etc/pve/local`
//! links to the files of those names below `/run/ringbolt-lab`.

/// Path and content of each unit.
pub const UNITS: &[(&str, &str)] = &[
    (
        "/etc/systemd/system/ringbolt-standin-prepare.service",
        "[Unit]
Description=Devices the lab's kernel lacks a driver for
DefaultDependencies=no
After=local-fs.target
Before=networking.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/bin/ringbolt-standin-pmxcfs --prepare

[Install]
WantedBy=networking.service
",
    ),
    (
        "/etc/systemd/system/pvenetcommit.service",
        "[Unit]
Description=Commit edited network configuration
DefaultDependencies=no
After=local-fs.target
Before=networking.service ringbolt-standin-prepare.service
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
        "/etc/systemd/system/pve-cluster.service",
        "[Unit]
Description=Membership of the lab, in place of pmxcfs and corosync
After=networking.service
Wants=networking.service
StartLimitIntervalSec=0

[Service]
Type=notify
ExecStart=/usr/bin/ringbolt-standin-pmxcfs
Restart=always
RestartSec=200ms

[Install]
WantedBy=multi-user.target
",
    ),
    (
        "/etc/systemd/system/pve-sdn-commit.service",
        "[Unit]
Description=Commit SDN edits at boot
After=frr.service networking.service pve-cluster.service
Wants=pve-cluster.service

[Service]
Type=oneshot
RemainAfterExit=yes
TimeoutStartSec=infinity
ExecStart=/usr/bin/ringbolt-standin-pmxcfs --sdn-commit

[Install]
WantedBy=multi-user.target
",
    ),
];

/// The links that enable them: path of the link, path it points to.
pub const ENABLED: &[(&str, &str)] = &[
    (
        "/etc/systemd/system/networking.service.wants/ringbolt-standin-prepare.service",
        "/etc/systemd/system/ringbolt-standin-prepare.service",
    ),
    (
        "/etc/systemd/system/networking.service.wants/pvenetcommit.service",
        "/etc/systemd/system/pvenetcommit.service",
    ),
    (
        "/etc/systemd/system/multi-user.target.wants/pve-cluster.service",
        "/etc/systemd/system/pve-cluster.service",
    ),
    (
        "/etc/systemd/system/multi-user.target.wants/pve-sdn-commit.service",
        "/etc/systemd/system/pve-sdn-commit.service",
    ),
];
