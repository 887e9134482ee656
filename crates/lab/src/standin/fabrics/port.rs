//! An interface entry of a fabric node: `name=en05,hello_multiplier=3,ip=…`.
//!
//! Used by the parser of `fabrics.cfg` and by the API. The API's own, stricter
//! check of the same text is in `schema`.

use std::fmt;

use ipnet::{Ipv4Net, Ipv6Net};

/// One interface of a fabric node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// Interface name, 1 to 15 ASCII characters.
    pub name: String,
    /// Hellos missed until a neighbour is dead.
    pub hello_multiplier: Option<u16>,
    /// Address of its own instead of the node's.
    pub ip: Option<Ipv4Net>,
    /// IPv6 address of its own.
    pub ip6: Option<Ipv6Net>,
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "name={}", self.name)?;
        if let Some(multiplier) = self.hello_multiplier {
            write!(f, ",hello_multiplier={multiplier}")?;
        }
        if let Some(ip) = self.ip {
            write!(f, ",ip={ip}")?;
        }
        if let Some(ip6) = self.ip6 {
            write!(f, ",ip6={ip6}")?;
        }
        Ok(())
    }
}

impl Port {
    /// Reads an entry; a trailing comma is accepted, as Proxmox does.
    ///
    /// # Errors
    /// The text Proxmox puts after `property 'interfaces': `.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut port = Self { name: String::new(), hello_multiplier: None, ip: None, ip6: None };
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let Some((key, value)) = part.split_once('=') else {
                return Err(failed("value without key, but schema does not define a default key"));
            };
            port.set(key, value)?;
        }
        if port.name.is_empty() {
            return Err(failed("'name': property is missing and it is not optional"));
        }
        Ok(port)
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        match key {
            "name" => {
                if value.len() > 15 {
                    return Err(bad(key, "value may only be 15 characters long"));
                }
                if value.is_empty() || !value.is_ascii() {
                    return Err(bad(key, "value does not match the regex pattern"));
                }
                value.clone_into(&mut self.name);
            }
            "hello_multiplier" => {
                let number: i64 = value.parse().map_err(|_| bad(key, "expected an integer"))?;
                self.hello_multiplier = Some(in_range(number, 2, 100).map_err(|e| bad(key, &e))?);
            }
            "ip" => self.ip = Some(address(value).ok_or_else(|| bad(key, PATTERN))?),
            "ip6" => self.ip6 = Some(address(value).ok_or_else(|| bad(key, PATTERN))?),
            _ => {
                return Err(failed(&format!("'{key}': schema does not allow additional properties")));
            }
        }
        Ok(())
    }
}

pub(crate) const PATTERN: &str = "value does not match the regex pattern";

fn address<T: std::str::FromStr>(value: &str) -> Option<T> {
    if value.contains('/') { value.parse().ok() } else { None }
}

fn failed(what: &str) -> String {
    format!("parameter verification failed - {what}")
}

fn bad(key: &str, what: &str) -> String {
    failed(&format!("'{key}': schema validation failed: {what}"))
}

/// A number within bounds, else Proxmox's words for it.
pub(crate) fn in_range(number: i64, min: u16, max: u16) -> Result<u16, String> {
    if number < i64::from(min) {
        return Err(format!("value must have a minimum value of {min} (got {number})"));
    }
    u16::try_from(number)
        .ok()
        .filter(|n| *n <= max)
        .ok_or_else(|| format!("value must have a maximum value of {max} (got {number})"))
}
