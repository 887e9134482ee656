//! Linker options that make the released program smaller, where the linker is the one rustc brings.
//! `docs/adr/0011-a-release-carries-no-unwind-tables.md` says why. Never changes what is compiled.

use std::env::{var, var_os};
use std::process::Command;

/// From this minor version on, rustc links x86_64 Linux programs with its own lld.
const OWN_LINKER_SINCE: u32 = 90;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=release.ld");
    if !released() || !default_linker() {
        return;
    }
    let script = format!("{}/release.ld", var("CARGO_MANIFEST_DIR").unwrap_or_default());
    for argument in
        ["-z,pack-relative-relocs", "--icf=all", "--no-eh-frame-hdr", &format!("--script={script}")]
    {
        println!("cargo::rustc-link-arg-bins=-Wl,{argument}");
    }
}

/// Whether this is a release build for the one target the script is written for.
fn released() -> bool {
    let is = |key: &str, value: &str| var(key).is_ok_and(|v| v == value);
    is("PROFILE", "release") && is("TARGET", "x86_64-unknown-linux-gnu")
}

/// Whether nobody chose another linker or other flags, and rustc is new enough to bring its own.
fn default_linker() -> bool {
    let chosen =
        var_os("RUSTC_LINKER").is_some() || var("CARGO_ENCODED_RUSTFLAGS").is_ok_and(|f| !f.is_empty());
    let version = var_os("RUSTC").and_then(|rustc| Command::new(rustc).arg("--version").output().ok());
    let minor = version
        .and_then(|output| String::from_utf8(output.stdout).ok()?.split('.').nth(1)?.parse::<u32>().ok());
    !chosen && minor.is_some_and(|minor| minor >= OWN_LINKER_SINCE)
}
