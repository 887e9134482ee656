//! FRR's daemons on one simulated node: which run, and what they have loaded.

use super::node::DAEMONS_PATH;
use super::{Node, file};
use crate::facts::{Known, frr};
use crate::resource::reload::FRR_CONF;
use crate::wire::Failure;

impl Node {
    /// The service starts (again): daemons by its file, configuration from `frr.conf`.
    pub(super) fn start_frr(&mut self) {
        let listed = self.facts.text(DAEMONS_PATH).unwrap_or("");
        let on = listed.lines().filter_map(|l| l.strip_suffix("=yes")).filter(|n| n.ends_with('d'));
        let mut daemons: Vec<String> = ["zebra", "mgmtd", "staticd", "watchfrr"].map(str::to_owned).to_vec();
        daemons.extend(on.map(str::to_owned));
        self.loaded = self.facts.text(FRR_CONF).unwrap_or("").to_owned();
        self.facts.state.frr = Known::Yes(frr::Frr { daemons, ..frr::Frr::default() });
    }

    /// Whether a daemon runs.
    pub(super) fn runs(&self, daemon: &str) -> bool {
        self.frr_active() && self.facts.state.frr.yes().is_some_and(|f| f.daemons.iter().any(|d| d == daemon))
    }

    /// Whether the service runs.
    pub(super) fn frr_active(&self) -> bool {
        self.facts.state.units.get("frr.service").is_some_and(|u| u.active == "active")
    }

    /// FRR's part of a reload by Proxmox VE: `frr.conf`, the daemons it manages, the service.
    pub(super) fn regenerate_frr(&mut self, conf: &str, fabricd: bool) -> Result<(), Failure> {
        // Without FRR it says so, and that is all.
        let Some(daemons) = self.facts.text(DAEMONS_PATH).map(str::to_owned) else { return Ok(()) };
        let line = |line: &str| match line.split_once('=').map(|(key, _)| key) {
            Some("fabricd") => format!("fabricd={}\n", if fabricd { "yes" } else { "no" }),
            Some("ospfd") => "ospfd=no\n".to_owned(),
            _ => format!("{line}\n"),
        };
        let wanted: String = daemons.lines().map(line).collect();
        let switched = wanted != daemons;
        self.put(DAEMONS_PATH, &wanted, 0o644);
        self.put(FRR_CONF, conf, 0o644);
        let enabled = self.facts.state.units.get("frr.service").is_some_and(|u| u.enabled == "enabled");
        if !enabled {
            self.enable("frr.service", true)?;
        }
        if switched || !self.frr_active() || !self.facts.has_package("frr-pythontools") {
            return self.start("frr.service");
        }
        conf.clone_into(&mut self.loaded);
        // The reload takes the missing `ipv6 forwarding` for a wish: FRR shows `no …` where it found it off.
        for key in ["net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"] {
            if let Some(value) = self.facts.state.sysctl.get_mut(key) {
                "1".clone_into(value);
            }
        }
        Ok(())
    }

    /// What FRR has loaded.
    pub(super) fn loaded(&self) -> &str {
        &self.loaded
    }

    /// Puts a file in place, whatever was there.
    pub(super) fn put(&mut self, path: &str, text: &str, mode: u32) {
        self.facts.state.files.insert(path.to_owned(), file(text, mode));
    }
}
