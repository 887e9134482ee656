//! What is worth knowing about disks without being in the way: passed over, worn, hot, without power-loss protection,
//! named in `wipe` to no effect.

use super::{Chosen, Fate, PowerLoss, Sight, fate, power_loss};
use crate::explain::disks as code;
use crate::facts::disk::{Disk, Medium};
use crate::obstacle::Obstacle;

/// Percent of its rated life from which on a disk counts as worn.
pub const WORN: u32 = 80;

/// Degrees Celsius from which on a disk counts as hot.
pub const HOT: i32 = 70;

impl Sight<'_> {
    /// A disk that fits the filter and cannot be had: a note.
    pub(super) fn pass_over(&mut self, disk: &Disk, refusal: Obstacle) {
        let message = format!("{} ({}) fits the filter and is left alone", disk.path, disk.described());
        let evidence = if disk.uses.is_empty() { refusal.message } else { fate::in_a_line(disk) };
        let cure = "nothing needs to be done".to_owned();
        let code = code::DISK_PASSED_OVER.to_string();
        self.choice.notes.push(Obstacle { code, message, evidence, cure, ..refusal });
    }

    /// Notes about everything that was chosen, and about `wipe`.
    pub(super) fn annotate(&mut self) {
        let choice = &self.choice;
        let all: Vec<&Chosen> = choice.chosen.iter().chain(&choice.db).chain(&choice.wal).collect();
        let mut notes = Vec::new();
        for chosen in &all {
            self.condition(chosen, &mut notes);
        }
        for serial in &self.node.osd.wipe {
            let wiped = |c: &Chosen| c.disk.serial == *serial && matches!(c.fate, Fate::Wipe(_));
            let refused = self
                .disks
                .iter()
                .any(|d| d.serial == *serial && choice.refused.iter().any(|r| r.message.contains(&d.path)));
            if !refused && !all.iter().any(|c| wiped(c)) {
                notes.push(self.idle(serial, &all));
            }
        }
        self.choice.notes.extend(notes);
    }

    fn condition(&self, chosen: &Chosen, notes: &mut Vec<Obstacle>) {
        let disk = &chosen.disk;
        let note = |code, what: &str, evidence: String, cure: &str| Obstacle {
            evidence,
            ..self.refusal(code, disk, what, cure)
        };
        let flash = disk.medium != Medium::Hdd;
        if flash && power_loss(&disk.model) == PowerLoss::Unprotected {
            notes.push(note(
                code::NO_POWER_LOSS_PROTECTION,
                "has no power-loss protection: small synchronous writes will be slow",
                "by the name of its model".to_owned(),
                "nothing needs to be done; for busy guests choose data-centre drives",
            ));
        }
        let Some(health) = disk.health.yes() else { return };
        if let Some(wear) = health.wear.filter(|w| *w >= WORN) {
            let evidence = format!("{wear} % of its rated life used");
            notes.push(note(code::DISK_WORN, "is worn", evidence, "plan its replacement"));
        }
        if let Some(heat) = health.temperature.filter(|t| *t >= HOT) {
            notes.push(note(code::DISK_HOT, "is hot", format!("{heat} °C"), "give it air or a heat sink"));
        }
        if health.passed == Some(false) && matches!(chosen.fate, Fate::Already(_)) {
            let evidence = "its own monitoring says so".to_owned();
            notes.push(note(code::DISK_FAILED, "calls itself failed", evidence, "replace the disk soon"));
        }
    }

    fn idle(&self, serial: &str, chosen: &[&Chosen]) -> Obstacle {
        let why = match chosen.iter().find(|c| c.disk.serial == serial) {
            Some(Chosen { fate: Fate::Already(_), .. }) => "that disk is an OSD of this cluster already",
            Some(_) => "that disk is free",
            None if self.disks.iter().any(|d| d.serial == serial) => "that disk is not asked for",
            None => "the node has no such disk",
        };
        Obstacle {
            code: code::WIPE_IDLE.to_string(),
            node: Some(self.name.clone()),
            message: format!("`wipe` names {serial}, and nothing is wiped: {why}"),
            evidence: String::new(),
            cure: "take the serial number out of `wipe`".to_owned(),
        }
    }
}
