//! From arguments or a spec to the lab that is wanted, and making it.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::time::Instant;

use ringbolt_core::into_map::IntoMap;
use ringbolt_core::spec::{self, Spec};
use ringbolt_lab::{CableWish, NodeWish, Progress, Shape, Transport, UpRequest};

use super::{ShapeName, TransportName, UpArgs};
use crate::exit::Exit;
use crate::global::Global;
use crate::render::{Style, count, diagnostic};
use crate::session::Trouble;
use crate::spec_file;

/// Makes a lab and says what is next.
pub(super) fn up(args: &UpArgs, global: &Global, out: &mut dyn Write, style: Style) -> Result<Exit, Trouble> {
    let start = Instant::now();
    let request = request(args, global, style)?;
    let quiet = global.quiet;
    // Nothing is announced that is refused.
    let mut head = Some(headline(&request, style));
    let mut tell = |progress: Progress| {
        if !quiet {
            if let Some(head) = head.take() {
                let _ = writeln!(out, "{head}");
            }
            let time = if progress.begins {
                "     …".to_owned()
            } else {
                format!("{:4.1} s", progress.took.as_secs_f64())
            };
            let _ = writeln!(out, "  {}  {}", style.dim(&time), progress.what);
            let _ = out.flush();
        }
    };
    let lab = ringbolt_lab::up(&request, &mut tell)?;
    if !quiet {
        let keyless = request.without.iter().any(|part| part == "key");
        if keyless {
            writeln!(out, "  the nodes know no key of ours; root's password is `ringbolt`")?;
        }
        let option = if lab.name() == "lab" { String::new() } else { format!(" --lab {}", lab.name()) };
        let first =
            keyless.then(|| (format!("ringbolt ssh setup{option}"), "first contact: give them a key"));
        writeln!(
            out,
            "up in {:.1} s; its spec is {}\n",
            start.elapsed().as_secs_f64(),
            lab.spec().display()
        )?;
        for (command, what) in first.into_iter().chain([
            (format!("ringbolt plan{option}"), "what ringbolt would do to these nodes"),
            (format!("ringbolt apply{option}"), "do it"),
            (format!("ringbolt lab status{option}"), "what is real here and what is stood in for"),
            (format!("ringbolt lab down{option}"), "remove everything again"),
        ]) {
            writeln!(out, "  {command:34} {}", style.dim(what))?;
        }
    }
    Ok(Exit::Done)
}

fn headline(request: &UpRequest, style: Style) -> String {
    let cables = match request.transport {
        Transport::Thunderbolt => count(request.cables.len(), "Thunderbolt cable"),
        Transport::Ethernet => count(request.cables.len(), "Ethernet cable"),
        Transport::Switch => "a switch".to_owned(),
    };
    let nodes = count(request.nodes.len(), "node");
    let (name, release) = (style.bold(&request.name), request.pve.as_str());
    format!("lab {name}: {nodes}, {cables}, as Proxmox VE {release}")
}

fn request(args: &UpArgs, global: &Global, style: Style) -> Result<UpRequest, Trouble> {
    let binary = std::env::current_exe()?;
    if let (Some(name), Some(lab)) = (&args.name, &global.lab)
        && name != lab
    {
        return Err(Trouble::usage(
            format!("--name {name} and --lab {lab} each name the lab"),
            "leave one of them out: here they mean the same",
        ));
    }
    let name = args.name.clone().or_else(|| global.lab.clone()).unwrap_or_else(|| "lab".to_owned());
    let wish = match &args.file {
        Some(file) => of_file(file, args.shape, style)?,
        None => of_numbers(args)?,
    };
    Ok(UpRequest {
        name,
        nodes: wish.nodes,
        cables: wish.cables,
        transport: wish.transport,
        pve: args.pve,
        binary,
        spec_text: wish.text,
        without: args.without.clone(),
        ceph: args.ceph,
        disks: args.disks,
        disk_size: args.disk_size,
    })
}

/// Nodes, cables and transport of the lab to be.
struct Wish {
    nodes: Vec<NodeWish>,
    cables: Vec<CableWish>,
    transport: Transport,
    text: Option<String>,
}

fn of_numbers(args: &UpArgs) -> Result<Wish, Trouble> {
    let nodes = (1..=args.nodes)
        .map(|id| NodeWish {
            name: format!("n{id}"),
            address: Ipv4Addr::new(10, 11, 12, 10 + id),
            ports: Vec::new(),
        })
        .collect::<Vec<_>>();
    let transport = match (args.shape, args.transport) {
        (Some(ShapeName::Switch), Some(TransportName::Thunderbolt)) => {
            return Err(Trouble::usage(
                "there is no Thunderbolt switch",
                "use --transport ethernet, or none",
            ));
        }
        (Some(ShapeName::Switch), _) => Transport::Switch,
        (_, Some(TransportName::Ethernet)) => Transport::Ethernet,
        _ => Transport::Thunderbolt,
    };
    let cables = of_shape(args.shape, &nodes);
    Ok(Wish { nodes, cables, transport, text: None })
}

fn of_shape(name: Option<ShapeName>, nodes: &[NodeWish]) -> Vec<CableWish> {
    let kind = match name.unwrap_or(ShapeName::Ring) {
        ShapeName::Ring => Shape::Ring,
        ShapeName::Line => Shape::Line,
        ShapeName::Mesh => Shape::Mesh,
        ShapeName::Star => Shape::Star,
        ShapeName::Switch => Shape::Switch,
    };
    let at = |(node, port): (usize, u32)| (nodes[node].name.clone(), port);
    let pairs = ringbolt_lab::shape(kind, nodes.len());
    pairs.into_iter().map(|(a, b)| CableWish { a: at(a), b: at(b) }).collect()
}

fn of_file(file: &Path, shape: Option<ShapeName>, style: Style) -> Result<Wish, Trouble> {
    let shown = file.display().to_string();
    let text = spec_file::read(file)?;
    let outcome = spec::read(&text);
    for fault in &outcome.diagnostics {
        let text = outcome.shown(&text);
        let _ =
            writeln!(std::io::stderr(), "{}\n", diagnostic::diagnostic(fault, &shown, &text, style.err()));
    }
    let Some(spec) = &outcome.spec else {
        return Err(Trouble::usage(format!("{shown} cannot be used"), "see above"));
    };
    let mut ports = Ports::of(spec);
    let transport = match spec.fabric.transport {
        spec::Transport::Thunderbolt => Transport::Thunderbolt,
        spec::Transport::Ethernet => Transport::Ethernet,
        spec::Transport::Switch => Transport::Switch,
    };
    let cables = if transport == Transport::Switch {
        Vec::new()
    } else if spec.links.is_empty() {
        of_shape(shape.or_else(|| natural(spec)), &nodes(spec, &ports, transport)?)
    } else {
        let links = spec.links.iter().map(|link| {
            let [a, b] = [&link.ends[0], &link.ends[1]].map(|end| ports.take(end));
            CableWish { a, b }
        });
        links.collect()
    };
    Ok(Wish { nodes: nodes(spec, &ports, transport)?, cables, transport, text: Some(text) })
}

/// The shape a spec without links speaks of: a full mesh where every node lists ports enough for one.
fn natural(spec: &Spec) -> Option<ShapeName> {
    let others = spec.nodes.len() - 1;
    let enough = |node: &spec::Node| node.ports.as_ref().is_some_and(|ports| ports.len() >= others);
    spec.nodes.iter().all(enough).then_some(ShapeName::Mesh)
}

fn nodes(spec: &Spec, ports: &Ports, transport: Transport) -> Result<Vec<NodeWish>, Trouble> {
    let nodes = spec.nodes.iter().map(|node| {
        let IpAddr::V4(address) = node.address else {
            return Err(Trouble::usage(
                format!("{} has an IPv6 management address, which the lab does not make", node.name),
                "give it an IPv4 address for the rehearsal; the fabric may be IPv6",
            ));
        };
        let names = ports.names(node.name.as_str());
        let ports = if transport == Transport::Thunderbolt { Vec::new() } else { names };
        Ok(NodeWish { name: node.name.to_string(), address, ports })
    });
    nodes.collect()
}

/// Which number each port of a spec has on its node.
struct Ports {
    known: BTreeMap<String, Vec<Option<String>>>,
}

impl Ports {
    /// The ports a spec lists, in its order.
    fn of(spec: &Spec) -> Self {
        let known = spec.nodes.iter().map(|node| {
            let names = node.ports.iter().flatten().map(|port| Some(port.to_string())).collect();
            (node.name.to_string(), names)
        });
        let mut ports = Self { known: known.into_map() };
        // Ports named in links keep their place; ends without a port take what is left, later.
        for end in spec.links.iter().flat_map(|link| &link.ends).filter(|end| end.port.is_some()) {
            ports.place(end.node.as_str(), end.port.as_ref().map(ToString::to_string));
        }
        ports
    }

    fn place(&mut self, node: &str, port: Option<String>) -> usize {
        let ports = self.known.entry(node.to_owned()).or_default();
        if let Some(at) = ports.iter().position(|known| known.is_some() && *known == port) {
            return at;
        }
        ports.push(port);
        ports.len() - 1
    }

    /// Node and number of an end.
    fn take(&mut self, end: &spec::End) -> (String, u32) {
        let at = self.place(end.node.as_str(), end.port.as_ref().map(ToString::to_string));
        (end.node.to_string(), u32::try_from(at).unwrap_or(u32::MAX))
    }

    /// The names of a node's ports, by number.
    fn names(&self, node: &str) -> Vec<String> {
        let ports = self.known.get(node).map(Vec::as_slice).unwrap_or_default();
        let named = (1..).zip(ports).map(|(n, name)| name.clone().unwrap_or_else(|| format!("enp{n}s0")));
        named.collect()
    }
}

/// A lab a spec was read for; kept so that tests can look at it without making one.
#[cfg(test)]
fn cables_of(text: &str, folder: &Path) -> Vec<(String, u32, String, u32)> {
    let file = folder.join("spec.toml");
    std::fs::write(&file, text).expect("the folder is ours");
    let wish = of_file(&file, None, Style::plain(100)).map_err(|t| t.message).expect("a good spec");
    wish.cables.into_iter().map(|cable| (cable.a.0, cable.a.1, cable.b.0, cable.b.1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODES: &str = "[cluster]\nname = \"x\"\n\n[fabric]\nprefix = \"10.100.0.0/24\"\n";

    fn text(extra: &str, rest: &str) -> String {
        let nodes: String = (1..=3)
            .map(|id| format!("\n[[node]]\nname = \"p{id}\"\naddress = \"10.11.12.{id}\"\n"))
            .collect();
        format!("{NODES}{extra}{nodes}{rest}")
    }

    #[test]
    fn a_spec_without_links_becomes_a_ring() {
        let dir = tempfile::tempdir().expect("a folder");
        let cables = cables_of(&text("", ""), dir.path());
        assert_eq!(cables.len(), 3);
        assert_eq!(cables[0], ("p1".into(), 0, "p2".into(), 1));
    }

    #[test]
    fn declared_links_keep_their_ports() {
        let dir = tempfile::tempdir().expect("a folder");
        let links =
            "\n[[link]]\nends = [\"p1:ens1\", \"p2:ens9\"]\n\n[[link]]\nends = [\"p2:ens3\", \"p3:ens1\"]\n";
        let cables = cables_of(&text("transport = \"ethernet\"\n", links), dir.path());
        assert_eq!(cables, [("p1".into(), 0, "p2".into(), 0), ("p2".into(), 1, "p3".into(), 0)]);
    }
}
