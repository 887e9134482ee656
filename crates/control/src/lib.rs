//! ringbolt-control.
