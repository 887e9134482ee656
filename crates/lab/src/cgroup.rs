//! One cgroup (version 2) a node and one for the lab's keepers: how a lab finds, freezes and ends its processes
//! without remembering a single process id. Used by nodes, status and `down`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Where the hierarchy of version 2 can be seen from the host, if anywhere.
pub(crate) fn mounted() -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    mounts.lines().find_map(|line| {
        let (left, right) = line.split_once(" - ")?;
        let mut fields = left.split(' ').skip(3);
        let (root, point) = (fields.next()?, fields.next()?);
        (right.starts_with("cgroup2 ") && root == "/").then(|| PathBuf::from(point))
    })
}

/// One cgroup of a lab.
#[derive(Debug, Clone)]
pub(crate) struct Cgroup(PathBuf);

impl Cgroup {
    /// The cgroup `name` below the root; it need not exist yet.
    pub(crate) fn new(root: &Path, name: &str) -> Self {
        Self(root.join(name))
    }

    /// Makes it, if need be.
    pub(crate) fn create(&self) -> io::Result<()> {
        fs::create_dir_all(&self.0)
    }

    /// Moves the calling process into it; fails where it was removed, and so the lab with it.
    pub(crate) fn join(&self) -> io::Result<()> {
        fs::write(self.0.join("cgroup.procs"), "0")
    }

    /// Whether any process lives in it or below.
    pub(crate) fn is_populated(&self) -> bool {
        fs::read_to_string(self.0.join("cgroup.events")).is_ok_and(|text| text.contains("populated 1"))
    }

    /// Whether it is stopped.
    pub(crate) fn is_frozen(&self) -> bool {
        fs::read_to_string(self.0.join("cgroup.events")).is_ok_and(|text| text.contains("frozen 1"))
    }

    /// Stops all processes, or lets them go on.
    pub(crate) fn freeze(&self, frozen: bool) -> io::Result<()> {
        fs::write(self.0.join("cgroup.freeze"), if frozen { "1" } else { "0" })?;
        let deadline = Instant::now() + Duration::from_secs(5);
        while self.is_frozen() != frozen && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// Ends all processes at once and waits until they are gone.
    pub(crate) fn kill(&self) -> io::Result<()> {
        if !self.0.exists() {
            return Ok(());
        }
        fs::write(self.0.join("cgroup.kill"), "1")?;
        if self.wait_empty(Duration::from_secs(20)) {
            return Ok(());
        }
        Err(io::Error::new(io::ErrorKind::TimedOut, format!("processes in {} do not end", self.0.display())))
    }

    /// Waits until no process is left; false when time ran out.
    pub(crate) fn wait_empty(&self, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        while self.is_populated() {
            if Instant::now() > deadline {
                return false;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        true
    }

    /// Ends all processes and removes it. One that joined in the same moment is ended as well.
    pub(crate) fn end(&self) -> io::Result<()> {
        let mut last = Ok(());
        for _ in 0..5 {
            last = self.kill().and_then(|()| self.remove());
            if last.is_ok() {
                break;
            }
        }
        last
    }

    /// Removes it with everything below, deepest first.
    pub(crate) fn remove(&self) -> io::Result<()> {
        match remove_below(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    /// The first process of the node inside: the one that is number 1 in a process namespace one level down.
    pub(crate) fn init(&self) -> Option<u32> {
        let own_depth = depth(&fs::read_to_string("/proc/self/status").ok()?)?.0;
        let mut folders = vec![self.0.join("payload/init.scope"), self.0.join("payload")];
        folders.push(self.0.clone());
        folders.into_iter().find_map(|folder| {
            let list = fs::read_to_string(folder.join("cgroup.procs")).ok()?;
            list.lines().filter_map(|line| line.parse().ok()).find(|pid: &u32| {
                let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
                depth(&status).is_some_and(|(levels, last)| levels == own_depth + 1 && last == 1)
            })
        })
    }
}

/// How many process namespaces a process is in, and its number in the innermost.
fn depth(status: &str) -> Option<(usize, u32)> {
    let line = status.lines().find_map(|line| line.strip_prefix("NSpid:"))?;
    let numbers: Vec<&str> = line.split_whitespace().collect();
    Some((numbers.len(), numbers.last()?.parse().ok()?))
}

fn remove_below(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_below(&entry.path())?;
        }
    }
    fs::remove_dir(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn process_namespaces_are_counted() {
        assert_eq!(depth("Name:\tx\nNSpid:\t4711\t1\n"), Some((2, 1)));
        assert_eq!(depth("NSpid:\t12\n"), Some((1, 12)));
        assert_eq!(depth("Name: x\n"), None);
    }

    #[test]
    fn a_cgroup_that_is_not_there_is_empty_and_removable() {
        let group = Cgroup::new(Path::new("/nowhere"), "x");
        assert!(!group.is_populated() && !group.is_frozen());
        assert!(group.init().is_none());
        assert!(group.remove().is_ok() && group.kill().is_ok());
    }
}
