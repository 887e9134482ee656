//! Whether a drive saves its write cache when power fails, by the name of its model. Used for a note only.
//!
//! Series of well-known makers; a model that is in no series is unknown, and nothing is said about it.

use serde::Serialize;

/// Whether a drive has power-loss protection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PowerLoss {
    /// It has: a data-centre series.
    Protected,
    /// It has not: a series for PCs.
    Unprotected,
    /// The model is in no series known here.
    Unknown,
}

/// Beginnings of words in model names of data-centre series, upper case.
const PROTECTED: &[&str] = &[
    // Samsung PM883 to PM9D3, SM883 to SM963, 983 DCT.
    "MZ1L",
    "MZ3L",
    "MZ7KH",
    "MZ7KM",
    "MZ7L3",
    "MZ7LH",
    "MZ7LM",
    "MZPL",
    "MZQL",
    "MZWL",
    "MZXL",
    "SSD 983 DCT",
    "SSD 883 DCT", // Intel and Solidigm S3500 to S4620, P3600 to P5620, D5, D7, Optane P4800X and P5800X.
    "SSDSC2BA",
    "SSDSC2BB",
    "SSDSC2BX",
    "SSDSC2KB",
    "SSDSC2KG",
    "SSDPE2",
    "SSDPEDK",
    "SSDPEDM",
    "SSDPF2",
    "SBFPF", // Micron 5100 to 5400, 6500, 7300 to 7600, 9100 to 9550.
    "MICRON_51",
    "MICRON_52",
    "MICRON_53",
    "MICRON_54",
    "MICRON_65",
    "MICRON_73",
    "MICRON_74",
    "MICRON_75",
    "MICRON_76",
    "MICRON_91",
    "MICRON_92",
    "MICRON_93",
    "MICRON_94",
    "MICRON_95",
    // Kioxia CD, CM, PM; Western Digital and HGST Ultrastar; Kingston DC; Seagate Nytro.
    "KCD",
    "KCM",
    "KPM",
    "WUS4",
    "WUS5",
    "HUSMR",
    "HUSMM",
    "HUSPR",
    "ULTRASTAR",
    "SEDC",
    "NYTRO",
    // Drives under a server maker's name.
    "DELL ENT NVME",
];

/// Beginnings of words in model names of series for PCs, upper case.
const UNPROTECTED: &[&str] = &[
    // Samsung 840 to 990, and the same under OEM names.
    "SSD 840",
    "SSD 850",
    "SSD 860",
    "SSD 870",
    "SSD 950",
    "SSD 960",
    "SSD 970",
    "SSD 980",
    "SSD 990",
    "SSD 9100",
    "MZVL",
    "MZVLB",
    "MZVLW",
    "MZVPV",
    "MZVKW",
    "MZALQ",
    "MZAL8",
    "MZNLN",
    // Western Digital and SanDisk.
    "WD_BLACK",
    "WD BLACK",
    "WD BLUE",
    "WD GREEN",
    "WD RED SN",
    "WDS",
    "PC SN",
    "SDSSD",
    "SANDISK EXTREME",
    // Crucial, Micron's client series.
    "CT250",
    "CT480",
    "CT500",
    "CT1000",
    "CT2000",
    "CT4000",
    "MICRON_22",
    "MICRON_23",
    "MICRON_24",
    "MICRON_25",
    "MICRON_26",
    "MICRON_34",
    "MICRON_35",
    "MICRON_46",
    // Kingston; DC450R is its one data-centre drive without.
    "SA400",
    "SA2000",
    "SNV",
    "SKC",
    "SFYR",
    "OM8",
    "SEDC450R",
    // Intel, Solidigm and SK hynix client series.
    "SSDPEKNW",
    "SSDPEKKW",
    "SSDPEKNU",
    "SSDPFKNU",
    "SSDPFKKW",
    "SHGP31",
    "SHPP41",
    "SHGS31",
    "SOLIDIGM P4",
    // Kioxia and Toshiba client series.
    "KIOXIA-EXCERIA",
    "EXCERIA",
    "KXG",
    "KBG",
    "THNS",
    // Makers that sell to PCs only.
    "SPCC",
    "SABRENT",
    "ADATA",
    "XPG",
    "LEXAR",
    "TEAM T",
    "CORSAIR",
    "FORCE MP",
    "PATRIOT",
    "FIRECUDA",
    "ZP500GM",
    "ZP1000GM",
    "ZP2000GM",
    "ZP4000GM",
    "NETAC",
    "FANXIANG",
    "HP SSD EX",
    "INTENSO",
    "GIGABYTE",
    "PNY",
];

/// What the name of a model says of power-loss protection. The longest series that fits decides.
pub fn power_loss(model: &str) -> PowerLoss {
    let model = model.to_ascii_uppercase();
    let longest = |series: &[&str]| series.iter().filter(|s| begins_word(&model, s)).map(|s| s.len()).max();
    match (longest(PROTECTED), longest(UNPROTECTED)) {
        (None, None) => PowerLoss::Unknown,
        (has, lacks) if has > lacks => PowerLoss::Protected,
        _ => PowerLoss::Unprotected,
    }
}

fn begins_word(model: &str, series: &str) -> bool {
    model
        .match_indices(series)
        .any(|(at, _)| model[..at].chars().next_back().is_none_or(|c| !c.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_are_known_by_name() {
        for (model, verdict) in [
            ("Samsung SSD 990 PRO 2TB", PowerLoss::Unprotected),
            ("Samsung SSD 990 EVO Plus 2TB", PowerLoss::Unprotected),
            ("SAMSUNG MZVL21T0HCLR-00B00", PowerLoss::Unprotected),
            ("SAMSUNG MZQL2960HCJR-00A07", PowerLoss::Protected),
            ("SAMSUNG MZ1LB960HAJQ-00007", PowerLoss::Protected),
            ("Samsung SSD 983 DCT 960GB", PowerLoss::Protected),
            ("WD_BLACK SN850X 2000GB", PowerLoss::Unprotected),
            ("WDC WDS500G2B0A", PowerLoss::Unprotected),
            ("WUS4BB019D7P3E3", PowerLoss::Protected),
            ("KINGSTON SEDC2000BM8480G", PowerLoss::Protected),
            ("KINGSTON SEDC450R480G", PowerLoss::Unprotected),
            ("KINGSTON SNV2S1000G", PowerLoss::Unprotected),
            ("Micron_7450_MTFDKBA960TFR", PowerLoss::Protected),
            ("Micron_3400_MTFDKBA1T0TFH", PowerLoss::Unprotected),
            ("INTEL SSDPE2KX010T8", PowerLoss::Protected),
            ("INTEL SSDPEKNW010T8", PowerLoss::Unprotected),
            ("KIOXIA KCD61LUL960G", PowerLoss::Protected),
            ("CT1000P3PSSD8", PowerLoss::Unprotected),
            ("SPCC M.2 PCIe SSD", PowerLoss::Unprotected),
            ("QEMU HARDDISK", PowerLoss::Unknown),
            ("", PowerLoss::Unknown),
        ] {
            assert_eq!(power_loss(model), verdict, "{model}");
        }
    }
}
