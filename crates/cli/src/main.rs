//! The `ringbolt` command.

fn main() {}
