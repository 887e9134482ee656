//! ringbolt-agent.
