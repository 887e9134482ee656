//! Reads what the node is and does now, one file per fact area, all in one exchange.
//!
//! Programs are started first and collected last, so that files are read meanwhile. It changes
//! nothing and starts no Perl.

use ringbolt_core::check::Check;
use ringbolt_core::facts::network::{Interfaces, KernelRoute, NetworkError};
use ringbolt_core::facts::{Facts, Inventory, Known, Question, State, not_asked};
use ringbolt_core::wire::Failure;

use crate::exec::ExecError;
use crate::root::Root;

pub(crate) use files::file;
pub(crate) mod ceph;
pub(crate) mod disks;
mod files;
mod frr;
mod guests;
pub(crate) mod kernel;
pub(crate) mod mounts;
pub(crate) mod network;
pub(crate) mod packages;
mod thunderbolt;
pub(crate) mod units;

pub(crate) use mounts::free;

/// Why facts could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// A program.
    #[error(transparent)]
    Exec(#[from] ExecError),
    /// Its answer.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// A file.
    #[error("cannot read {path}: {source}")]
    File {
        /// Which.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Exec(error) => error.into(),
            other => Self::broken(other.to_string()),
        }
    }
}

/// The areas that cost a program or many files; the rest is read by what the question names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Areas {
    /// Interfaces with their addresses.
    pub(crate) interfaces: bool,
    /// Routes.
    pub(crate) routes: bool,
    /// Controllers and peers.
    pub(crate) thunderbolt: bool,
    /// What FRR says.
    pub(crate) frr: bool,
}

impl Areas {
    /// Everything.
    pub(crate) const ALL: Self = Self { interfaces: true, routes: true, thunderbolt: true, frr: true };

    /// What these checks look at.
    pub(crate) fn of(checks: &[Check]) -> Self {
        let mut areas = Self { interfaces: false, routes: false, thunderbolt: false, frr: false };
        for check in checks {
            match check {
                Check::Port { .. }
                | Check::Mtu { .. }
                | Check::Member { .. }
                | Check::Carrier { .. }
                | Check::Address { .. } => areas.interfaces = true,
                Check::Neighbor { .. } | Check::Bfd { .. } | Check::FrrLoaded {} => areas.frr = true,
                Check::Route { hops, .. } => {
                    areas.routes = true;
                    areas.frr |= hops.is_some();
                }
                _ => {}
            }
        }
        areas
    }
}

/// Reads the facts of this node. Areas left out are empty.
pub(crate) fn facts(root: &Root, question: &Question, areas: Areas) -> Result<Facts, ReadError> {
    let links = areas.interfaces.then(network::ask_interfaces).transpose()?;
    let tables = areas.routes.then(network::ask_routes).transpose()?;
    let frr = if areas.frr { frr::ask(root) } else { Known::No("not asked for".into()) };
    let units = units::ask(&question.units)?;
    let disks = disks::ask(root, question.disks);
    let cluster = ceph::ask_cluster(root, question.ceph_cluster, question.ceph_options);

    let kernel = root.line("/proc/sys/kernel/osrelease").unwrap_or_default();
    let modules = kernel::modules(root, &kernel, &question.modules);
    let packages = packages::installed(root, &question.packages)?;
    let files = files::files(root, &question.files)?;
    let sysctl = kernel::sysctl(root, &question.sysctl);
    let thunderbolt = match areas.thunderbolt {
        true => thunderbolt::thunderbolt(&root.sysfs),
        false => Known::No("not asked for".into()),
    };

    let interfaces = links.map_or_else(|| Ok(Interfaces::new()), |asked| network::interfaces(root, asked))?;
    let routes = tables.map_or_else(|| Ok(Vec::<KernelRoute>::new()), network::routes)?;
    Ok(Facts {
        hostname: root.line("/proc/sys/kernel/hostname").unwrap_or_default(),
        realm: root.realm.clone(),
        inventory: Inventory {
            kernel,
            arch: std::env::consts::ARCH.to_owned(),
            boot_id: root.line("/proc/sys/kernel/random/boot_id").unwrap_or_default(),
            packages,
            thunderbolt,
            interfaces,
            disks: disks::collect(disks),
        },
        state: State {
            files,
            units: units::collect(units)?,
            sysctl,
            modules,
            routes,
            frr: frr::collect(frr),
            root_free: mounts::free(&root.at("/")),
            pve_writable: mounts::pve_writable(root),
            ceph: if question.ceph { ceph::node(root, question.ceph_options) } else { not_asked() },
            ceph_cluster: ceph::collect_cluster(cluster),
            guests: if question.guests { guests::guests(root) } else { not_asked() },
            clock: None,
        },
    })
}
