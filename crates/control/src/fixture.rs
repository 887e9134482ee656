//! Values for the tests of this crate: a small spec, facts with nothing in them, and agents that speak frames
//! within the test.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use ringbolt_core::facts::{Facts, Inventory, Known, Realm, State, not_asked};
use ringbolt_core::name::NodeName;
use ringbolt_core::spec::Spec;
use ringbolt_core::wire::{Answer, Hello, Request, Say};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream};

use crate::transport::{Boxed, Channel, ConnectError, Ended, Start, Transport, Trouble};

/// A node name that is known to be good.
pub(crate) fn name(text: &str) -> NodeName {
    NodeName::new(text).expect("a good name")
}

/// A spec with these nodes, at 10.11.12.1 and up.
pub(crate) fn spec(names: &[&str]) -> Spec {
    let mut text = "[cluster]\nname = \"tb4\"\n[fabric]\nprefix = \"10.100.0.0/24\"\n".to_owned();
    for (index, node) in names.iter().enumerate() {
        text += &format!("[[node]]\nname = \"{node}\"\naddress = \"10.11.12.{}\"\n", index + 1);
    }
    ringbolt_core::spec::read(&text).spec.expect("a good spec")
}

/// What a node says that has nothing.
pub(crate) fn facts(hostname: &str, boot_id: &str) -> Facts {
    Facts {
        hostname: hostname.into(),
        realm: Realm::default(),
        inventory: Inventory {
            kernel: "6.14.8-2-pve".into(),
            arch: "x86_64".into(),
            boot_id: boot_id.into(),
            packages: BTreeMap::new(),
            thunderbolt: Known::No("none".into()),
            interfaces: BTreeMap::new(),
            disks: not_asked(),
        },
        state: State {
            files: BTreeMap::new(),
            units: BTreeMap::new(),
            sysctl: BTreeMap::new(),
            modules: BTreeSet::new(),
            routes: Vec::new(),
            frr: Known::No("none".into()),
            root_free: 0,
            pve_writable: None,
            ceph: not_asked(),
            ceph_cluster: not_asked(),
            guests: not_asked(),
            clock: None,
        },
    }
}

/// What a fake agent does with a request.
pub(crate) enum Reaction {
    /// Says these, and goes on.
    Say(Vec<Say>),
    /// Says nothing, ever.
    Nothing,
    /// Hangs up.
    HangUp,
}

type Script = dyn Fn(&NodeName, u32, &Request) -> Reaction + Send + Sync;

/// Fake agents: what they do is up to a function of the node, the number of its line (from 1) and the request.
pub(crate) struct Fake {
    script: Arc<Script>,
    /// What the first lines of every node end with, before any greeting.
    pub(crate) troubles: Mutex<Vec<Trouble>>,
    pub(crate) lines: Mutex<BTreeMap<NodeName, u32>>,
    pub(crate) starts: Mutex<Vec<Start>>,
    pub(crate) build: String,
}

impl Fake {
    pub(crate) fn new(script: impl Fn(&NodeName, u32, &Request) -> Reaction + Send + Sync + 'static) -> Self {
        Self {
            script: Arc::new(script),
            troubles: Mutex::default(),
            lines: Mutex::default(),
            starts: Mutex::default(),
            build: "b1".into(),
        }
    }
}

impl Transport for Fake {
    fn open(&self, node: &NodeName, start: &Start) -> Result<Channel, ConnectError> {
        let mut lines = self.lines.lock().expect("no panic");
        let number = lines.entry(node.clone()).or_insert(0);
        *number += 1;
        self.starts.lock().expect("no panic").push(start.clone());
        let (near, far) = tokio::io::duplex(4096);
        if self.troubles.lock().expect("no panic").is_empty() {
            tokio::spawn(agent(far, node.clone(), *number, Arc::clone(&self.script)));
        }
        let (reader, writer) = tokio::io::split(near);
        Ok(Channel { reader: Box::new(reader), writer: Box::new(writer), carrier: None })
    }

    fn upload<'a>(&'a self, _node: &'a NodeName, _nonce: &'a str) -> Boxed<'a, Result<(), ConnectError>> {
        Box::pin(async { Ok(()) })
    }

    fn explain(&self, node: &NodeName, _ended: &Ended) -> ConnectError {
        let mut troubles = self.troubles.lock().expect("no panic");
        let trouble = if troubles.is_empty() { Trouble::Closed } else { troubles.remove(0) };
        ConnectError::new(node, "fake".into(), trouble, "")
    }

    fn build(&self) -> Option<&str> {
        Some(&self.build)
    }
}

async fn agent(far: DuplexStream, node: NodeName, line: u32, script: Arc<Script>) {
    let (reader, mut writer) = tokio::io::split(far);
    let mut lines = BufReader::new(reader).lines();
    let hello = Say::Hello(Hello { version: "0".into(), build: "b1".into(), arch: "x86_64".into() });
    let mut say = vec![(0, hello)];
    loop {
        for (id, body) in say.drain(..) {
            let mut frame = serde_json::to_vec(&Answer { id, body }).expect("a frame");
            frame.push(b'\n');
            if writer.write_all(&frame).await.is_err() {
                return;
            }
        }
        let Ok(Some(text)) = lines.next_line().await else { return };
        let request: Request = serde_json::from_str(&text).expect("a request");
        match script(&node, line, &request) {
            Reaction::Say(bodies) => say.extend(bodies.into_iter().map(|b| (request.id, b))),
            Reaction::Nothing => {}
            Reaction::HangUp => return,
        }
    }
}
