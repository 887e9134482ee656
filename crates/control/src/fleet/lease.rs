//! What the fleet keeps of the cluster's lock, for lines that are made anew. Who gets the lock: `crate::hold`.

use std::sync::{Mutex, PoisonError};

use ringbolt_core::lock::{Claim, Holder};
use tokio::sync::watch;

/// A claim, and whether it was taken away.
#[derive(Debug)]
pub(crate) struct Lease {
    claim: Mutex<Option<Claim>>,
    ousted: watch::Sender<Option<Option<Holder>>>,
}

impl Default for Lease {
    fn default() -> Self {
        Self { claim: Mutex::default(), ousted: watch::channel(None).0 }
    }
}

impl Lease {
    /// What a new line says first.
    pub(crate) fn claim(&self) -> Option<Claim> {
        self.claim.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until the lock was taken away; for ever where there is none.
    pub(crate) async fn ousted(&self) {
        let mut seen = self.ousted.subscribe();
        if seen.wait_for(Option::is_some).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Whether the lock was taken away, and by whom where that is known.
    pub(crate) fn ousting(&self) -> Option<Option<Holder>> {
        self.ousted.borrow().clone()
    }

    /// From here on new lines say this claim, or none.
    pub(crate) fn set(&self, claim: Option<Claim>) {
        *self.claim.lock().unwrap_or_else(PoisonError::into_inner) = claim;
    }

    /// Notes that it was taken away; the first word about it, or the first that names somebody, counts.
    pub(crate) fn oust(&self, by: Option<Holder>) {
        self.ousted.send_if_modified(|seen| {
            let news = seen.as_ref().is_none_or(|known| known.is_none() && by.is_some());
            if news {
                *seen = Some(by);
            }
            news
        });
    }
}
