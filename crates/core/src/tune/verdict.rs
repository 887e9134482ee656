//! What can be said of a setting, in one word. Used by the audit and by everything that shows it.

use serde::Serialize;

/// The word for a setting, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It does damage: slow operations, lost data, an overloaded node.
    Harmful,
    /// It costs safety or memory, and nobody has measured a gain.
    Risky,
    /// This Ceph, or this kernel, does not look at it.
    Ignored,
    /// It is stored where not everybody who reads it looks.
    WrongSection,
    /// Something else wins over it.
    Overruled,
    /// It differs from our profile.
    OffProfile,
    /// It counts only once a daemon is started again.
    NeedsRestart,
    /// It is in force until the next boot.
    LostAtBoot,
    /// It says what would be so without it.
    Equal,
    /// Not in the table: nothing is said of it and nothing is done to it.
    Unknown,
    /// It does something; whether it is wanted is the user's choice.
    Useful,
    /// From our profile.
    Ours,
}

impl Verdict {
    /// All of them, the worst first.
    pub const ALL: [Self; 12] = [
        Self::Harmful,
        Self::Risky,
        Self::Ignored,
        Self::WrongSection,
        Self::Overruled,
        Self::OffProfile,
        Self::NeedsRestart,
        Self::LostAtBoot,
        Self::Equal,
        Self::Unknown,
        Self::Useful,
        Self::Ours,
    ];

    /// The word in the UI.
    pub fn word(self) -> &'static str {
        match self {
            Self::Harmful => "harmful",
            Self::Risky => "risky",
            Self::Ignored => "ignored",
            Self::WrongSection => "wrong section",
            Self::Overruled => "overruled",
            Self::OffProfile => "off profile",
            Self::NeedsRestart => "needs restart",
            Self::LostAtBoot => "lost at boot",
            Self::Equal => "equal to default",
            Self::Unknown => "not in the table",
            Self::Useful => "useful",
            Self::Ours => "profile",
        }
    }

    /// Whether `tune undo` takes such a setting away without being told its name.
    pub fn is_undone(self) -> bool {
        matches!(
            self,
            Self::Harmful
                | Self::Risky
                | Self::Ignored
                | Self::WrongSection
                | Self::Overruled
                | Self::OffProfile
                | Self::Equal
        )
    }

    /// Whether it is something to act on.
    pub fn is_alarming(self) -> bool {
        matches!(self, Self::Harmful | Self::Risky)
    }
}
