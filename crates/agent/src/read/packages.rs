//! Installed packages, from dpkg's list.

use std::collections::{BTreeMap, BTreeSet};

use super::ReadError;
use crate::root::Root;

/// dpkg's list.
const STATUS: &str = "/var/lib/dpkg/status";

/// Versions of those wanted packages that are installed.
pub(crate) fn installed(
    root: &Root,
    wanted: &BTreeSet<String>,
) -> Result<BTreeMap<String, String>, ReadError> {
    if wanted.is_empty() {
        return Ok(BTreeMap::new());
    }
    Ok(ringbolt_core::facts::packages::installed(&status(root)?, wanted))
}

/// Names of all installed packages.
pub(crate) fn names(root: &Root) -> Result<BTreeSet<String>, ReadError> {
    Ok(ringbolt_core::facts::packages::names(&status(root)?))
}

fn status(root: &Root) -> Result<String, ReadError> {
    let bytes = std::fs::read(root.at(STATUS))
        .map_err(|source| ReadError::File { path: STATUS.to_owned(), source })?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
