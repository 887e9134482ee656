//! What the tools that measure a pool have in common: its name in an argument vector, the word for being stopped.

use ringbolt_core::wire::Failure;

/// Refuses what is no plain name.
pub(super) fn checked(pool: &str) -> Result<(), Failure> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if pool.is_empty() || pool.starts_with('-') || !pool.chars().all(plain) {
        return Err(Failure::refused(format!("{pool:?} is no name of a pool")));
    }
    Ok(())
}

/// The answer of a measurement that was stopped: nothing is left of it, or this is.
pub(super) fn stopped(left: Option<String>) -> Failure {
    left.map_or_else(|| Failure::refused("cancelled"), Failure::broken)
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
