//! Files by path, or by a folder and a name pattern with one `*`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use ringbolt_core::facts::FileFact;
use sha2::{Digest, Sha256};

use super::ReadError;
use crate::root::Root;

/// Above this a file's text is not reported, its digest still is.
const TEXT_LIMIT: u64 = 256 * 1024;

/// Those files that exist, by absolute path.
pub(super) fn files(root: &Root, asked: &BTreeSet<String>) -> Result<BTreeMap<String, FileFact>, ReadError> {
    let mut found = BTreeMap::new();
    for path in asked.iter().flat_map(|pattern| expand(root, pattern)) {
        let fact = file(&root.at(&path)).map_err(|source| ReadError::File { path: path.clone(), source })?;
        found.extend(fact.map(|fact| (path, fact)));
    }
    Ok(found)
}

/// A pattern's files, or the path itself.
fn expand(root: &Root, pattern: &str) -> Vec<String> {
    let Some((folder, name)) = pattern.rsplit_once('/') else { return Vec::new() };
    let Some((before, after)) = name.split_once('*') else { return vec![pattern.to_owned()] };
    let fits = |name: &String| {
        name.len() >= before.len() + after.len() && name.starts_with(before) && name.ends_with(after)
    };
    let entries = std::fs::read_dir(root.at(folder)).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| !name.starts_with('.')).filter(fits).map(|name| format!("{folder}/{name}")).collect()
}

/// One regular file; `None` when there is none. Links are followed.
pub(crate) fn file(path: &Path) -> std::io::Result<Option<FileFact>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let about = file.metadata()?;
    if !about.is_file() {
        return Ok(None);
    }
    let (digest, text) =
        if about.len() > TEXT_LIMIT { (stream(&mut file)?, None) } else { whole(&mut file)? };
    Ok(Some(FileFact { digest, mode: about.mode() & 0o7777, uid: about.uid(), gid: about.gid(), text }))
}

fn whole(file: &mut File) -> std::io::Result<(String, Option<String>)> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok((ringbolt_core::digest::of(&bytes), String::from_utf8(bytes).ok()))
}

/// Digest of what is too long to hold.
fn stream(file: &mut File) -> std::io::Result<String> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            count => hash.update(&buffer[..count]),
        }
    }
    Ok(hash.finalize().iter().map(|b| format!("{b:02x}")).collect())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn paths_patterns_and_what_is_no_text() {
        let folder = tempfile::tempdir().unwrap();
        let etc = folder.path().join("etc");
        std::fs::create_dir(&etc).unwrap();
        std::fs::write(etc.join("a.link"), "one").unwrap();
        std::fs::write(etc.join("b.link"), [0xff, 0xfe]).unwrap();
        std::fs::write(etc.join(".c.link"), "hidden").unwrap();
        std::fs::write(etc.join("big.conf"), vec![b'x'; 300 * 1024]).unwrap();
        std::fs::create_dir(etc.join("d.link")).unwrap();
        let root = Root::open(folder.path(), None);
        let asked = ["/etc/*.link", "/etc/big.conf", "/etc/none", "/etc/a.link/below"];
        let read = files(&root, &asked.iter().map(|s| (*s).to_owned()).collect()).unwrap();
        assert_eq!(read.keys().collect::<Vec<_>>(), ["/etc/a.link", "/etc/b.link", "/etc/big.conf"]);
        assert_eq!(read["/etc/a.link"].text.as_deref(), Some("one"));
        assert_eq!(read["/etc/a.link"].digest, ringbolt_core::digest::of("one"));
        assert_eq!(read["/etc/b.link"].text, None);
        assert_eq!(read["/etc/big.conf"].text, None);
        assert_eq!(read["/etc/big.conf"].digest, ringbolt_core::digest::of(vec![b'x'; 300 * 1024]));
    }
}
