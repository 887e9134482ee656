//! Whether `/etc/pve` may be written.
//!
//! Used before every write.

use super::Host;
use super::fail::Fail;

/// Refuses without a majority.
pub(crate) fn check(host: &Host) -> Result<(), Fail> {
    if host.quorate() { Ok(()) } else { Err(Fail::die("cluster not ready - no quorum?")) }
}
