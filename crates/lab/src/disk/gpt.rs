//! A GUID partition table, byte for byte: what the lab's system disks begin and end with. Used when such a disk
//! is made; everything later is the business of real programs.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use sha2::{Digest as _, Sha256};

const SECTOR: u64 = 512;
/// Bytes of the table of entries: 128 of 128 bytes.
const ENTRIES: usize = 128 * 128;
/// First sector behind the table at the beginning.
const FIRST: u64 = 34;

/// One partition.
pub(super) struct Entry {
    kind: [u8; 16],
    id: [u8; 16],
    first: u64,
    last: u64,
}

/// As Proxmox's installer divides a disk: BIOS boot, EFI system, and the rest for the system.
pub(super) fn os_layout(size: u64, seed: &str) -> Vec<Entry> {
    let end = size / SECTOR - FIRST;
    let gib = (1 << 30) / SECTOR;
    let entry = |number: u32, kind: &str, first: u64, last: u64| Entry {
        kind: guid(kind),
        id: derived(&format!("{seed}/{number}")),
        first,
        last,
    };
    vec![
        entry(1, "21686148-6449-6E6F-744E-656564454649", FIRST, 2047),
        entry(2, "C12A7328-F81F-11D2-BA4B-00A0C93EC93B", 2048, 2047 + gib),
        entry(3, "0FC63DAF-8483-4772-8E79-3D69D8477DE4", 2048 + gib, end),
    ]
}

/// Writes protective MBR, both headers and both tables.
pub(super) fn write(file: &File, size: u64, entries: &[Entry], seed: &str) -> io::Result<()> {
    let sectors = size / SECTOR;
    let mut table = vec![0_u8; ENTRIES];
    for (slot, entry) in table.chunks_mut(128).zip(entries) {
        slot[..16].copy_from_slice(&entry.kind);
        slot[16..32].copy_from_slice(&entry.id);
        slot[32..40].copy_from_slice(&entry.first.to_le_bytes());
        slot[40..48].copy_from_slice(&entry.last.to_le_bytes());
    }
    let header = |own: u64, other: u64, table_at: u64| {
        let mut text = vec![0_u8; 512];
        text[..8].copy_from_slice(b"EFI PART");
        text[8..12].copy_from_slice(&0x0001_0000_u32.to_le_bytes());
        text[12..16].copy_from_slice(&92_u32.to_le_bytes());
        for (at, value) in [(24, own), (32, other), (40, FIRST), (48, sectors - FIRST), (72, table_at)] {
            text[at..at + 8].copy_from_slice(&value.to_le_bytes());
        }
        text[56..72].copy_from_slice(&derived(seed));
        for (at, value) in [(80, 128), (84, 128), (88, crc32(&table))] {
            text[at..at + 4].copy_from_slice(&u32::to_le_bytes(value));
        }
        let sum = crc32(&text[..92]);
        text[16..20].copy_from_slice(&sum.to_le_bytes());
        text
    };
    let mut mbr = vec![0_u8; 512];
    mbr[446..462].copy_from_slice(&[0, 0, 2, 0, 0xee, 0xff, 0xff, 0xff, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
    let span = u32::try_from(sectors - 1).unwrap_or(u32::MAX);
    mbr[458..462].copy_from_slice(&span.to_le_bytes());
    mbr[510..].copy_from_slice(&[0x55, 0xaa]);
    file.write_all_at(&mbr, 0)?;
    file.write_all_at(&header(1, sectors - 1, 2), SECTOR)?;
    file.write_all_at(&table, 2 * SECTOR)?;
    file.write_all_at(&table, (sectors - 33) * SECTOR)?;
    file.write_all_at(&header(sectors - 1, 1, sectors - 33), (sectors - 1) * SECTOR)
}

/// The bytes of a GUID as the table has them: the first three groups the wrong way round.
fn guid(text: &str) -> [u8; 16] {
    let hex: Vec<u8> = text.bytes().filter(|byte| *byte != b'-').collect();
    let mut bytes = [0_u8; 16];
    for (byte, pair) in bytes.iter_mut().zip(hex.chunks(2)) {
        *byte =
            std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()).unwrap_or(0);
    }
    bytes[..4].reverse();
    bytes[4..6].reverse();
    bytes[6..8].reverse();
    bytes
}

fn derived(words: &str) -> [u8; 16] {
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&Sha256::digest(words)[..16]);
    bytes[7] = 0x40 | (bytes[7] & 0x0f);
    bytes[8] = 0x80 | (bytes[8] & 0x3f);
    bytes
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_the_usual_one() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn groups_of_a_guid_are_turned() {
        let bytes = guid("C12A7328-F81F-11D2-BA4B-00A0C93EC93B");
        assert_eq!(bytes[..8], [0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11]);
        assert_eq!(bytes[8..10], [0xba, 0x4b]);
    }
}
