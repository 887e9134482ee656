//! What the methods of the API do.
//!
//! Called by `pvesh` with values that were checked. One file for each group
//! of paths.

use std::io::Write;

use serde_json::Value;

use super::api::Method;
use super::fail::Fail;
use super::schema::Params;
use super::{Host, ceph, disks, storage};

mod cluster;
mod fabric;
mod fabric_node;
mod network;
mod sdn;
pub mod status;
mod tasks;

pub(crate) use status::fabric_states;

/// Calls the handler of a method.
pub(crate) fn call(
    host: &Host,
    method: &Method,
    params: &Params,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Value, Fail> {
    let path = method.path;
    if path.starts_with("/cluster/sdn/fabrics/node") {
        fabric_node::call(host, method, params)
    } else if path.starts_with("/cluster/sdn/fabrics") {
        fabric::call(host, method, params)
    } else if path.starts_with("/cluster/sdn") {
        sdn::call(host, method, params, out, err)
    } else if path.starts_with("/nodes/{node}/network") {
        network::call(host, method, params, out, err)
    } else if path.starts_with("/nodes/{node}/sdn") {
        status::call(host, method, params)
    } else if path.starts_with("/nodes/{node}/tasks") {
        tasks::call(host, method, params)
    } else if path.contains("/ceph") {
        ceph::call(host, method, params, out, err)
    } else if path.starts_with("/nodes/{node}/disks") {
        disks::call(host, method, params, out, err)
    } else if path.contains("/storage") {
        storage::call(host, method, params)
    } else {
        cluster::call(host, method, params)
    }
}

/// A text parameter; empty where absent.
pub(super) fn text<'a>(params: &'a Params, name: &str) -> &'a str {
    params.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A boolean parameter; false where absent. Documented defaults are not
/// filled in, here as there.
pub(super) fn flag(params: &Params, name: &str) -> bool {
    params.get(name).and_then(Value::as_u64) == Some(1)
}

/// The lock token of a call.
fn token(params: &Params) -> Option<&str> {
    params.get("lock-token").and_then(Value::as_str)
}

/// Refuses if the configuration is not the one the caller saw.
fn check_digest(params: &Params, current: &str) -> Result<(), Fail> {
    match params.get("digest").and_then(Value::as_str) {
        Some(seen) if seen != current => {
            Err(Fail::die("detected modified configuration - file changed by other user? Try again."))
        }
        _ => Ok(()),
    }
}
