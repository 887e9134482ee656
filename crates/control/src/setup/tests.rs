//! First contact, as far as it goes without a node.
