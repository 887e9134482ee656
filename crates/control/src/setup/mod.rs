//! First contact.
