//! ringbolt-lab.
