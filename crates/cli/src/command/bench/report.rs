//! `ringbolt bench report`: every kept benchmark of a cluster as one page of HTML. Asks no node.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use ringbolt_control::run::Runs;

use crate::exit::Exit;
use crate::global::Global;
use crate::render::Style;
use crate::render::bench::page;
use crate::session::{Trouble, load};

/// Arguments of `bench report`.
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Where to write it; `-` is standard output
    #[arg(long, value_name = "FILE", default_value = "ringbolt-bench.html")]
    pub(crate) out: PathBuf,
}

/// Writes the page.
pub(crate) fn run(
    args: &ReportArgs,
    global: &Global,
    out: &mut dyn Write,
    style: Style,
) -> Result<Exit, Trouble> {
    let loaded = load(global, style)?;
    let cluster = &loaded.spec.cluster.name;
    let runs = Runs::own().benches(cluster, loaded.source.lab.as_deref()).map_err(|e| Trouble {
        message: e.to_string(),
        hint: None,
        exit: Exit::Failed,
    })?;
    if runs.is_empty() {
        return Err(Trouble::usage(
            format!("no benchmark of cluster {cluster} is kept"),
            "`ringbolt bench mesh` and `ringbolt bench ceph` make and keep one; those of a lab are found by --lab",
        ));
    }
    let text = page(cluster, &runs);
    if args.out == Path::new("-") {
        out.write_all(text.as_bytes())?;
        return Ok(Exit::Done);
    }
    written(&args.out, &text).map_err(|e| {
        Trouble::usage(
            format!("cannot write {}: {e}", args.out.display()),
            "`--out FILE` names another place, `--out -` is standard output",
        )
    })?;
    if !global.quiet {
        let count = crate::render::count(runs.len(), "run");
        writeln!(out, "{} shows {count} of {cluster}", args.out.display())?;
    }
    Ok(Exit::Done)
}

/// Writes beside it and renames, so that there is never half a page.
fn written(path: &Path, text: &str) -> io::Result<()> {
    let mut name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
    name.push(format!(".{}", std::process::id()));
    let beside = path.with_file_name(name);
    let made = File::create_new(&beside).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, path)
    });
    if made.is_err() {
        let _ = fs::remove_file(&beside);
    }
    made
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn an_older_page_is_replaced_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("page.html");
        written(&path, "one").unwrap();
        written(&path, "two").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(written(&folder.path().join("none/page.html"), "x").is_err());
    }
}
