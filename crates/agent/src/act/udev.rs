//! Makes udev read its rules and `.link` files anew.

use ringbolt_core::resource::owed::UDEV;

use super::{Outcome, Scene};
use crate::exec::call;
use crate::owed;

/// `udevadm control --reload`.
pub(super) fn reload(scene: &Scene<'_>) -> Outcome {
    call("udevadm", ["control", "--reload"]).joined().must()?;
    owed::paid(scene.root, UDEV);
    Ok(String::new())
}
