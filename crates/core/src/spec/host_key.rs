//! Checks that a pinned ssh host key is whole: a type and the key of that type in base64.

use super::tree::{At, Faults};
use crate::diagnostic::Diagnostic;
use crate::explain::address as code;

const TYPES: [&str; 7] = [
    "ssh-ed25519",
    "ssh-rsa",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
];

/// The key as `TYPE BASE64`, without a comment.
pub(super) fn read(text: &At<&str>, faults: &mut Faults) -> Option<String> {
    match parse(text.value) {
        Ok(key) => Some(key),
        Err(why) => {
            faults.push(
                Diagnostic::error(
                    code::HOST_KEY,
                    text.span.clone(),
                    "this is not an ssh host key",
                )
                .label(why)
                .help("use the line in /etc/ssh/ssh_host_ed25519_key.pub on the node: ssh-ed25519 AAAA\u{2026}"),
            );
            None
        }
    }
}

fn parse(text: &str) -> Result<String, &'static str> {
    if text.starts_with("SHA256:") || text.starts_with("MD5:") {
        return Err("this is a fingerprint, not the key");
    }
    let mut words = text.split_whitespace();
    let (Some(kind), Some(body)) = (words.next(), words.next()) else {
        return Err("a key is a type, a blank and the key in base64");
    };
    if !TYPES.contains(&kind) {
        return Err("the first word is not a type of host key");
    }
    let bytes = base64(body).ok_or("the second word is not base64")?;
    let name = kind.as_bytes();
    let length = u32::try_from(name.len()).unwrap_or_default().to_be_bytes();
    let rest = bytes
        .strip_prefix(&length)
        .and_then(|b| b.strip_prefix(name))
        .ok_or("the key is of another type than the first word says")?;
    if rest.len() < 36 || (kind == "ssh-ed25519" && rest.len() != 36) {
        return Err("the key is cut off or too long");
    }
    Ok(format!("{kind} {body}"))
}

fn base64(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=');
    if !text.len().is_multiple_of(4) || text.len() - digits.len() > 2 {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut held, mut bits) = (0u32, 0u32);
    for b in digits.bytes() {
        let six = match b {
            b'A'..=b'Z' => b - b'A',
            b'a'..=b'z' => b - b'a' + 26,
            b'0'..=b'9' => b - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        held = (held << 6) | u32::from(six);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((held >> bits) & 0xff).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAswVXqfxOkOM1h9osfsETZbgKXK7xQ5XoOozfIXPGGG";

    #[test]
    fn a_whole_key_is_taken_without_its_comment() {
        assert_eq!(parse(KEY).as_deref(), Ok(KEY));
        assert_eq!(parse(&format!("{KEY} root@n2")).as_deref(), Ok(KEY));
    }

    #[test]
    fn a_broken_key_is_refused() {
        let body = KEY.split_once(' ').map_or("", |(_, b)| b);
        for bad in [
            "",
            "ssh-ed25519",
            body,
            "SHA256:uNiVztksCsDhcc0u9e8BrqJrqmWQ5Jb0QzR2i8c3x1k",
            &KEY[..KEY.len() - 4],
            &KEY[..KEY.len() - 1],
            &format!("ssh-rsa {body}"),
            &KEY.replace("AAAA", "AA*A"),
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
