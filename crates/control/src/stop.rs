//! How a run is told to stop: once for "begin nothing new", twice for "now".
//!
//! Used by the command line, which ties it to Ctrl-C, and by tests.

use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// How urgent it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// Go on.
    #[default]
    None,
    /// Finish what is under way, begin nothing new.
    Gently,
    /// End at once.
    Now,
}

/// The button.
#[derive(Clone, Debug)]
pub struct Stopper(Arc<watch::Sender<Urgency>>);

/// What a run looks at.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<Urgency>);

/// A button and what it is tied to.
pub fn stop() -> (Stopper, Stop) {
    let (sender, receiver) = watch::channel(Urgency::None);
    (Stopper(Arc::new(sender)), Stop(receiver))
}

/// Ties a stop to SIGINT and SIGTERM. From here on these signals no longer end the program by themselves.
///
/// # Errors
/// The handlers cannot be put in place.
pub fn on_signals() -> std::io::Result<Stop> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let (stopper, stop) = stop();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => stopper.press(),
                _ = terminate.recv() => stopper.press(),
            }
        }
    });
    Ok(stop)
}

impl Stopper {
    /// The first press asks to stop, the next to end at once.
    pub fn press(&self) {
        self.0.send_modify(|u| *u = if *u == Urgency::None { Urgency::Gently } else { Urgency::Now });
    }
}

impl Stop {
    /// How urgent it is now.
    pub fn urgency(&self) -> Urgency {
        *self.0.borrow()
    }

    /// Waits until it is more urgent than `than`; for ever when nobody can press.
    pub async fn more(&mut self, than: Urgency) -> Urgency {
        match self.0.wait_for(|u| *u > than).await {
            Ok(urgency) => *urgency,
            Err(_) => std::future::pending().await,
        }
    }
}
