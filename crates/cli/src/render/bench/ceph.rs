//! The tables of `bench ceph`: objects, and requests to an image.

use ringbolt_core::bench::ceph::rados::Phase;
use ringbolt_core::bench::ceph::verdict::sides;
use ringbolt_core::bench::ceph::{CephResult, Setup};
use ringbolt_core::bench::{Run, What};

use super::{Screen, fitting, number};
use crate::render::plot::spark;
use crate::render::table::Table;
use crate::render::text::hang;

/// Columns of a plot over time, and those in narrower windows.
const OVER_TIME: [usize; 3] = [20, 14, 9];

impl Screen {
    /// All tables of a run.
    pub(crate) fn ceph(self, run: &Run) -> String {
        let What::Ceph { setup, result } = &run.what else { return String::new() };
        let mut text = hang("pool      ", &about(setup), self.style.width);
        text.push('\n');
        if !result.rados.is_empty() {
            text += &fitting(self.style.width, &OVER_TIME, |columns| self.objects(result, columns));
            text.push('\n');
        }
        if !result.fio.is_empty() {
            text += &fitting(self.style.width, &OVER_TIME, |columns| self.requests(result, columns));
            text.push('\n');
        }
        text
    }

    fn objects(self, result: &CephResult, columns: usize) -> Table {
        let heading = ["rados bench, 4 MiB, 16 at a time", "MB/s", "op/s", "mean", "max ms", "over time"];
        let mut table = Table::new(&heading);
        for phase in &result.rados {
            let Phase { kind, mb, iops, mean_ms, max_ms, samples, .. } = phase;
            let mut cells = vec![kind.word().to_owned()];
            cells.extend([*mb, *iops, *mean_ms, *max_ms].map(number));
            cells.push(spark(samples, columns, self.charset));
            table.row(cells);
        }
        table
    }

    fn requests(self, result: &CephResult, columns: usize) -> Table {
        let mut table =
            Table::new(&["image", "MB/s", "op/s", "p50", "p95", "p99", "p99.9", "max ms", "over time"]);
        for (name, side) in sides(result) {
            let mut cells = vec![name];
            cells.extend([side.mb, side.iops, side.p50, side.p95, side.p99].map(number));
            cells.push(side.p999.map_or_else(|| self.style.dim("–"), number));
            cells.push(number(side.max));
            cells.push(spark(&side.samples, columns, self.charset));
            table.row(cells);
        }
        table
    }
}

/// The pool in a line.
pub(super) fn about(setup: &Setup) -> String {
    let Setup { client, pool, size, min_size, pg_num, compression, osds, .. } = setup;
    let compression =
        if compression == "none" { "no compression".into() } else { format!("compression {compression}") };
    let memory = setup.osd_memory >> 30;
    format!(
        "{pool} from {client}: {size} copies (at least {min_size}), {pg_num} placement groups, {compression}; {osds} OSDs with \
         {memory} GiB of memory, Ceph {}; {} s each on {} MiB",
        setup.version,
        setup.seconds,
        setup.bytes >> 20
    )
}

/// `rados write 812 MB/s, rand 1201 MB/s`.
pub(super) fn summary(setup: &Setup, result: &CephResult) -> String {
    let phase = |p: &Phase| format!("{} {:.0} MB/s", p.kind.word(), p.mb);
    let parts: Vec<String> = result.rados.iter().map(phase).collect();
    format!("pool {}: {}", setup.pool, if parts.is_empty() { "no objects".into() } else { parts.join(", ") })
}
