//! Compiles the small shared object that lab nodes load into udev, so that the crate can carry it inside.

use std::path::PathBuf;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=shim/ethtool.rs");
    println!("cargo::rerun-if-changed=build.rs");
    let var = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("cargo sets {name}"));
    let target = PathBuf::from(var("OUT_DIR")).join("ethtool.so");
    let status = Command::new(var("RUSTC"))
        .args(["shim/ethtool.rs", "--edition=2024", "--crate-type=cdylib", "--crate-name=ethtool"])
        .args(["-Cpanic=abort", "-Copt-level=s", "-Cstrip=symbols", "-Clink-arg=-nostartfiles", "-lc"])
        .arg(format!("--target={}", var("TARGET")))
        .arg("-o")
        .arg(&target)
        .status();
    match status {
        Ok(status) if status.success() => {}
        other => panic!("compiling shim/ethtool.rs failed: {other:?}"),
    }
}
