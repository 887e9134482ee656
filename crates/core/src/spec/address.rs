//! Reads addresses and prefixes, and says of each what it cannot be used for.
//!
//! Used by the sections; what addresses mean to each other is `check_addresses`' business.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::tree::{At, Faults};
use crate::diagnostic::Diagnostic;
use crate::explain::{address as code, fabric};

/// Ranges no node and no router can have an address of its own in.
const UNUSABLE: [(&str, &str); 9] = [
    ("0.0.0.0/8", "unspecified"),
    ("127.0.0.0/8", "loopback"),
    ("169.254.0.0/16", "link-local"),
    ("224.0.0.0/4", "multicast"),
    ("240.0.0.0/4", "reserved"),
    ("::/127", "loopback"),
    ("::ffff:0:0/96", "IPv4-mapped"),
    ("fe80::/10", "link-local"),
    ("ff00::/8", "multicast"),
];

/// Ranges that belong to nobody in particular.
const PRIVATE: [&str; 6] =
    ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "198.18.0.0/15", "fc00::/7"];

fn net(text: &str) -> Option<IpNet> {
    text.parse().ok()
}

/// Whether two networks have an address in common.
pub(super) fn overlap(a: IpNet, b: IpNet) -> bool {
    a.contains(&b.network()) || b.contains(&a.network())
}

/// What kind of unusable range the network touches.
fn unusable(range: IpNet) -> Option<&'static str> {
    UNUSABLE.iter().find(|(r, _)| net(r).is_some_and(|r| overlap(r, range))).map(|(_, word)| *word)
}

/// An address a node can be reached at.
pub(super) fn management(text: &At<&str>, faults: &mut Faults) -> Option<At<IpAddr>> {
    let address = any::<IpAddr>(text, "address", faults)?;
    let host = IpNet::from(address.value);
    if let Some(word) = unusable(host) {
        let article = if word.starts_with(['u', 'I']) { "an" } else { "a" };
        faults.push(
            Diagnostic::error(
                code::ADDRESS_UNUSABLE,
                address.span,
                format!("no node can be reached at {}", address.value),
            )
            .label(format!("this is {article} {word} address"))
            .help("give the node's address in the management network"),
        );
        return None;
    }
    Some(address)
}

/// A router ID of one family.
pub(super) fn router_id<T: FromStr>(text: &At<&str>, name: &str, faults: &mut Faults) -> Option<At<T>> {
    if text.value.parse::<T>().is_err() && text.value.parse::<IpAddr>().is_ok() {
        let (is, other) = if name == "router_id" { ("IPv6", "router_id6") } else { ("IPv4", "router_id") };
        faults.push(
            Diagnostic::error(code::ADDRESS, text.span.clone(), format!("`{name}` cannot be {}", text.value))
                .label(format!("this is an {is} address"))
                .help(format!("write: {other} = \"{}\"", text.value)),
        );
        return None;
    }
    any(text, name, faults)
}

fn any<T: FromStr>(text: &At<&str>, name: &str, faults: &mut Faults) -> Option<At<T>> {
    if let Ok(value) = text.value.parse::<T>() {
        return Some(At { value, span: text.span.clone() });
    }
    let bare = text.value.split('/').next().unwrap_or_default();
    let place = text.span.clone();
    let fault = if bare != text.value && bare.parse::<IpAddr>().is_ok() {
        Diagnostic::error(code::ADDRESS_WITH_MASK, place, format!("`{name}` takes an address without a mask"))
            .help(format!("write: {name} = \"{bare}\""))
    } else if looks_like_name(text.value) {
        Diagnostic::error(
            code::ADDRESS_IS_NAME,
            place,
            format!("`{name}` takes an address, and {:?} is a name", text.value),
        )
        .help(format!("give the address itself; `getent ahosts {}` shows it", text.value))
    } else {
        let fault = Diagnostic::error(code::ADDRESS, place, format!("{:?} is not an IP address", text.value));
        match why_not(text.value) {
            Some((why, Some(cure))) => fault.label(why).help(format!("write: {name} = \"{cure}\"")),
            Some((why, None)) => fault.label(why).help("an address looks like 10.11.12.12 or fd00:11::12"),
            None => fault.help("an address looks like 10.11.12.12 or fd00:11::12"),
        }
    };
    faults.push(fault);
    None
}

fn looks_like_name(text: &str) -> bool {
    text.len() <= 253
        && text.bytes().any(|b| b.is_ascii_alphabetic())
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
}

/// What is wrong with a text that was meant to be an address, and what would be right.
fn why_not(text: &str) -> Option<(&'static str, Option<String>)> {
    let trimmed = text.trim();
    if trimmed != text && trimmed.parse::<IpAddr>().is_ok() {
        return Some(("there are blanks around the address", Some(trimmed.to_owned())));
    }
    if text.contains('%') {
        return Some(("a zone (%) means something on one machine only", None));
    }
    let parts: Vec<&str> = text.split('.').collect();
    if !parts.iter().all(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit())) {
        return None;
    }
    if parts.len() != 4 {
        return Some(("an IPv4 address has four numbers", None));
    }
    let numbers: Option<Vec<u8>> = parts.iter().map(|p| p.parse().ok()).collect();
    let Some(n) = numbers else { return Some(("each number is at most 255", None)) };
    Some(("leading zeros are not clear", Some(format!("{}.{}.{}.{}", n[0], n[1], n[2], n[3]))))
}

/// The fabric's IPv4 prefix.
pub(super) fn prefix4(text: &At<&str>, faults: &mut Faults) -> Option<At<Ipv4Net>> {
    let found = prefix(text, "prefix", faults)?;
    match found.value {
        IpNet::V4(value) => Some(At { value, span: found.span }),
        IpNet::V6(_) => {
            wrong_family(&found, "prefix", "IPv6", "prefix6", faults);
            None
        }
    }
}

/// The fabric's IPv6 prefix.
pub(super) fn prefix6(text: &At<&str>, faults: &mut Faults) -> Option<At<Ipv6Net>> {
    let found = prefix(text, "prefix6", faults)?;
    match found.value {
        IpNet::V6(value) => Some(At { value, span: found.span }),
        IpNet::V4(_) => {
            wrong_family(&found, "prefix6", "IPv4", "prefix", faults);
            None
        }
    }
}

fn wrong_family(found: &At<IpNet>, name: &str, is: &str, other: &str, faults: &mut Faults) {
    let message = format!("`{name}` cannot be {}", found.value);
    faults.push(
        Diagnostic::error(fabric::PREFIX, found.span.clone(), message)
            .label(format!("this is an {is} prefix"))
            .help(format!("write: {other} = \"{}\"", found.value)),
    );
}

/// A prefix of the fabric: without host bits, and of a range that can be routed.
fn prefix(text: &At<&str>, name: &str, faults: &mut Faults) -> Option<At<IpNet>> {
    let found = parse_net(text, name, faults)?;
    if let Some(word) = unusable(found.value) {
        faults.push(
            Diagnostic::error(
                fabric::PREFIX_UNUSABLE,
                found.span,
                format!("{} cannot be used for a fabric", found.value),
            )
            .label(format!("{word} addresses are not routed"))
            .help("use a part of 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or fd00::/8"),
        );
        return None;
    }
    if !PRIVATE.iter().any(|p| net(p).is_some_and(|p| p.contains(&found.value))) {
        faults.push(
            Diagnostic::warning(
                fabric::PREFIX_PUBLIC,
                found.span.clone(),
                format!("{} is not private space", found.value),
            )
            .label("somebody else may own these addresses")
            .help("use a part of 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or fd00::/8, unless it is yours"),
        );
    }
    Some(found)
}

/// A network in use elsewhere.
pub(super) fn network(text: &At<&str>, faults: &mut Faults) -> Option<At<IpNet>> {
    parse_net(text, "networks", faults)
}

/// A prefix; host bits are reported and dropped, so that further checks can go on.
fn parse_net(text: &At<&str>, name: &str, faults: &mut Faults) -> Option<At<IpNet>> {
    let place = text.span.clone();
    let Ok(value) = text.value.parse::<IpNet>() else {
        let fault = Diagnostic::error(fabric::PREFIX, place, format!("{:?} is not a prefix", text.value));
        faults.push(match text.value.parse::<IpAddr>() {
            Ok(IpAddr::V4(a)) => {
                let [x, y, z, _] = a.octets();
                let example = Ipv4Addr::new(x, y, z, 0);
                fault.label("the length is missing").help(format!("for instance {example}/24"))
            }
            Ok(IpAddr::V6(a)) => {
                let s = a.segments();
                let example = Ipv6Addr::new(s[0], s[1], s[2], s[3], 0, 0, 0, 0);
                fault.label("the length is missing").help(format!("for instance {example}/64"))
            }
            Err(_) => fault.help(if name == "prefix6" {
                "a prefix looks like fd00:100::/64"
            } else {
                "a prefix looks like 10.100.0.0/24"
            }),
        });
        return None;
    };
    let right = value.trunc();
    if right != value {
        faults.push(
            Diagnostic::error(fabric::HOST_BITS, place, format!("{value} has host bits"))
                .label(format!("the last {} bits must be zero", value.max_prefix_len() - value.prefix_len()))
                .help(if name == "networks" {
                    format!("write: \"{right}\"")
                } else {
                    format!("write: {name} = \"{right}\"")
                }),
        );
    }
    Some(At { value: right, span: text.span.clone() })
}

/// How many nodes the prefix has addresses for.
pub(super) fn room(prefix: IpNet) -> u128 {
    let bits = u32::from(prefix.max_prefix_len() - prefix.prefix_len());
    let all = 1u128.checked_shl(bits).unwrap_or(u128::MAX);
    match (prefix, bits) {
        (_, 0 | 1) => all,
        (IpNet::V4(_), _) => all - 2,
        (IpNet::V6(_), _) => all - 1,
    }
}

/// Whether an address of the prefix belongs to the network as a whole: `network` or `broadcast`.
pub(super) fn of_network(prefix: IpNet, address: IpAddr) -> Option<&'static str> {
    if prefix.max_prefix_len() - prefix.prefix_len() < 2 {
        None
    } else if address == prefix.network() {
        Some("network")
    } else if matches!(prefix, IpNet::V4(_)) && address == prefix.broadcast() {
        Some("broadcast")
    } else {
        None
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn net(text: &str) -> IpNet {
        text.parse().unwrap()
    }

    #[test]
    fn room_counts_what_nodes_can_have() {
        for (prefix, n) in [
            ("10.0.0.0/24", 254),
            ("10.0.0.0/30", 2),
            ("10.0.0.0/31", 2),
            ("10.0.0.0/32", 1),
            ("fd00::/64", (1u128 << 64) - 1),
            ("fd00::/126", 3),
            ("fd00::/127", 2),
            ("fd00::/128", 1),
            ("::/0", u128::MAX - 1),
        ] {
            assert_eq!(room(net(prefix)), n, "{prefix}");
        }
    }

    #[test]
    fn network_and_broadcast_are_told_apart() {
        let of = |p: &str, a: &str| of_network(net(p), a.parse().unwrap());
        assert_eq!(of("10.0.0.0/24", "10.0.0.0"), Some("network"));
        assert_eq!(of("10.0.0.0/24", "10.0.0.255"), Some("broadcast"));
        assert_eq!(of("10.0.0.0/24", "10.0.0.1"), None);
        assert_eq!(of("10.0.0.0/31", "10.0.0.0"), None);
        assert_eq!(of("fd00::/64", "fd00::"), Some("network"));
        assert_eq!(of("fd00::/64", "fd00::ffff:ffff:ffff:ffff"), None);
    }

    #[test]
    fn every_listed_range_parses() {
        assert!(UNUSABLE.iter().all(|(r, _)| super::net(r).is_some()));
        assert!(PRIVATE.iter().all(|r| super::net(r).is_some()));
    }
}
