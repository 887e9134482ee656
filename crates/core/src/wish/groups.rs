//! How many placement groups a pool gets: about a hundred a disk, as Ceph's own autoscaler counts them.

/// Placement groups each OSD should have (`mon_target_pg_per_osd`).
const TARGET: u64 = 100;
/// Placement groups an OSD may have (`mon_max_pg_per_osd`).
const MOST: u64 = 250;
/// Placement groups of the smallest pool.
const LEAST: u64 = 8;

/// Placement groups for a pool that takes `share` thousandths of `osds` disks with `copies` of each object:
/// the power of two that is nearest, and no disk gets more than it may have.
pub(super) fn count(osds: u32, copies: u32, share: u32) -> u32 {
    let (osds, copies, share) = (u64::from(osds.max(1)), u64::from(copies.max(1)), u64::from(share));
    let ideal = osds * TARGET * share / 1000 / copies;
    let most = osds * MOST * share / 1000 / copies;
    let mut count = LEAST;
    while (count * 2).abs_diff(ideal) <= count.abs_diff(ideal) {
        count *= 2;
    }
    while count > most && count > LEAST {
        count /= 2;
    }
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The pools' shares in thousandths of all of them together, as Ceph weighs target ratios: those without
/// one get an equal part of what the others leave.
pub(super) fn shares(wished: &[Option<u32>]) -> Vec<u32> {
    let said: u32 = wished.iter().flatten().sum();
    let open = u32::try_from(wished.iter().filter(|w| w.is_none()).count()).unwrap_or(1);
    let rest = 1000_u32.saturating_sub(said).checked_div(open).unwrap_or(0).max(1);
    wished.iter().map(|w| w.unwrap_or(rest)).collect()
}

/// A share as part of all of them, in thousandths.
pub(super) fn part(share: u32, all: &[u32]) -> u32 {
    let sum: u32 = all.iter().sum();
    (share * 1000).checked_div(sum).unwrap_or(1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn about_a_hundred_a_disk() {
        // OSDs, copies, share: groups. The first is three nodes with two disks each.
        for (osds, copies, share, want) in [
            (6, 3, 1000, 256),
            (6, 2, 1000, 256),
            (3, 3, 1000, 128),
            (12, 3, 1000, 512),
            (6, 3, 500, 128),
            (1, 3, 1000, 32),
            (6, 3, 1, 8),
            (4, 4, 1000, 128),
        ] {
            assert_eq!(count(osds, copies, share), want, "{osds} OSDs, {copies} copies, {share}");
        }
    }

    #[test]
    fn no_disk_gets_more_than_it_may() {
        for osds in 1..100 {
            for copies in 1..8 {
                let each = u64::from(count(osds, copies, 1000)) * u64::from(copies) / u64::from(osds);
                assert!(each <= MOST || osds < 3, "{osds} OSDs with {copies} copies: {each}");
            }
        }
    }

    #[test]
    fn pools_without_a_share_divide_what_is_left() {
        assert_eq!(shares(&[None]), [1000]);
        assert_eq!(shares(&[Some(500), None, None]), [500, 250, 250]);
        assert_eq!(part(200, &[200]), 1000);
        assert_eq!(part(250, &[500, 250, 250]), 250);
    }
}
