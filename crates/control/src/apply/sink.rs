//! Where the events of a run go.
//!
//! The loop hands every event to one sink; the journal, channels to screens, and pairs of sinks are such.

use std::io;

use ringbolt_core::event::Event;
use tokio::sync::mpsc::UnboundedSender;

/// Takes events in order.
pub trait Sink: Send {
    /// Takes some events. When this returns, they are kept as safely as this sink keeps anything.
    ///
    /// # Errors
    /// They cannot be kept; the run then begins nothing new.
    fn record(&mut self, events: &[Event]) -> io::Result<()>;
}

/// A screen that has gone away is nobody's loss.
impl Sink for UnboundedSender<Event> {
    fn record(&mut self, events: &[Event]) -> io::Result<()> {
        for event in events {
            let _ = self.send(event.clone());
        }
        Ok(())
    }
}

impl Sink for Vec<Event> {
    fn record(&mut self, events: &[Event]) -> io::Result<()> {
        self.extend_from_slice(events);
        Ok(())
    }
}

/// Both, the first one first.
impl<A: Sink, B: Sink> Sink for (A, B) {
    fn record(&mut self, events: &[Event]) -> io::Result<()> {
        let first = self.0.record(events);
        self.1.record(events)?;
        first
    }
}

impl<S: Sink + ?Sized> Sink for &mut S {
    fn record(&mut self, events: &[Event]) -> io::Result<()> {
        (**self).record(events)
    }
}
