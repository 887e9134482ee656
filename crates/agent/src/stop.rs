//! A request to stop that can be seen from several threads and waited for.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Set once, never unset.
#[derive(Debug, Default)]
pub(crate) struct Stop {
    set: Mutex<bool>,
    bell: Condvar,
}

impl Stop {
    /// Asks for the stop.
    pub(crate) fn set(&self) {
        *self.set.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.bell.notify_all();
    }

    /// Whether it was asked for.
    pub(crate) fn is_set(&self) -> bool {
        *self.set.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sleeps, less long when the stop comes; says whether it came.
    pub(crate) fn sleep(&self, time: Duration) -> bool {
        let guard = self.set.lock().unwrap_or_else(PoisonError::into_inner);
        match self.bell.wait_timeout_while(guard, time, |set| !*set) {
            Ok((set, _)) => *set,
            Err(_) => true,
        }
    }
}
