//! Names that cannot hold nonsense: nodes, ports, fabrics, steps.
//!
//! Used everywhere; parsing is the only way to make one. A copy shares the text: a plan for many
//! nodes holds each name hundreds of times.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Content-built name of a step: `n2/file:/etc/frr/daemons`, `gate:ports`.
pub type StepId = Arc<str>;

/// Why a text is not a valid name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NameError(pub &'static str);

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks the text and makes the name of it.
            pub fn new(text: &str) -> Result<Self, NameError> {
                let check: fn(&str) -> Result<(), NameError> = $check;
                check(text)?;
                Ok(Self(text.into()))
            }

            /// The text of the name.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                Self::new(&text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0.as_ref().to_owned()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.0)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

name_type!(
    /// The name of a node: a host name label (RFC 1123), as Proxmox VE requires it; 1 to 63
    /// letters, digits and dashes, no dash at either end, not digits only.
    NodeName,
    |t| {
        if t.is_empty() {
            Err(NameError("a node name cannot be empty"))
        } else if t.len() > 63 {
            Err(NameError("a node name has at most 63 characters"))
        } else if t.contains('.') {
            Err(NameError("a node name is the short host name, without a domain"))
        } else if !t.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            Err(NameError("a node name holds letters, digits and dashes only"))
        } else if t.starts_with('-') || t.ends_with('-') {
            Err(NameError("a node name neither begins nor ends with a dash"))
        } else if t.bytes().all(|b| b.is_ascii_digit()) {
            Err(NameError("a node name is not a number alone"))
        } else if t.eq_ignore_ascii_case("localhost") {
            Err(NameError("every machine calls itself localhost"))
        } else {
            Ok(())
        }
    }
);

name_type!(
    /// The name of a port: a network interface name that both the kernel (at most 15 bytes) and
    /// Proxmox VE's fabric API (`^[a-z][a-z0-9_]{1,20}([:\.]\d+)?$`) accept. VLANs and aliases are
    /// not ports.
    PortName,
    |t| {
        let mut bytes = t.bytes();
        if t.len() < 2 || t.len() > 15 {
            Err(NameError("a port name has 2 to 15 characters"))
        } else if !bytes.next().is_some_and(|b| b.is_ascii_alphabetic()) {
            Err(NameError("a port name begins with a letter"))
        } else if t.contains('-') {
            Err(NameError("Proxmox VE's fabrics refuse interface names with a dash"))
        } else if !bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            Err(NameError("a port name holds letters, digits and underscores only"))
        } else if t == "lo" {
            Err(NameError("lo is the loopback interface, not a port"))
        } else {
            Ok(())
        }
    }
);

name_type!(
    /// The id of a fabric in Proxmox VE's SDN: 2 to 8 letters, digits and dashes, no dash at
    /// either end (`[a-zA-Z0-9][a-zA-Z0-9-]{0,6}[a-zA-Z0-9]`).
    FabricId,
    |t| {
        if t.len() < 2 || t.len() > 8 {
            Err(NameError("a fabric id has 2 to 8 characters"))
        } else if !t.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            Err(NameError("a fabric id holds letters, digits and dashes only"))
        } else if t.starts_with('-') || t.ends_with('-') {
            Err(NameError("a fabric id neither begins nor ends with a dash"))
        } else {
            Ok(())
        }
    }
);

impl FabricId {
    /// The interface that holds the node's router ID: `dummy_<fabric>`, as Proxmox VE names it.
    pub fn dummy(&self) -> String {
        format!("dummy_{}", self.0)
    }
}
