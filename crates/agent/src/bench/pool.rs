//! Names of pools as they may stand in an argument vector, for the tools that measure Ceph.

use ringbolt_core::wire::Failure;

/// Refuses what is no plain name.
pub(super) fn checked(pool: &str) -> Result<(), Failure> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if pool.is_empty() || pool.starts_with('-') || !pool.chars().all(plain) {
        return Err(Failure::refused(format!("{pool:?} is no name of a pool")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_and_paths_are_no_names() {
        assert!(checked("vm-1.fast_").is_ok() && checked(".mgr").is_ok());
        for bad in ["", "-p", "a/b", "a b", "a\n"] {
            assert!(checked(bad).is_err(), "{bad:?}");
        }
    }
}
