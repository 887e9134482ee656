//! Makes udev read its rules and `.link` files anew.

use super::Outcome;
use crate::exec::call;

/// `udevadm control --reload`.
pub(super) fn reload() -> Outcome {
    call("udevadm", ["control", "--reload"]).joined().must()?;
    Ok(String::new())
}
