//! `/nodes/{node}/network`: the host's interfaces and their reload.

use std::io::Write;

use serde_json::Value;

use super::super::host_network::{self, Interfaces};
use super::super::reload;
use super::super::schema::Params;
use super::super::task::Task;
use super::{Fail, Host, Method, flag, text};

pub(super) fn call(
    host: &Host,
    method: &Method,
    params: &Params,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Value, Fail> {
    match method.name {
        "reload_network_config" => {
            if !host.root.usr.join("share/ifupdown2").exists() {
                return Err(Fail::die("you need ifupdown2 to reload networking"));
            }
            let mut task = Task::start(host, "srvreload", "networking", out)?;
            let result = reload::node(host, flag(params, "regenerate-frr"), &mut task);
            task.finish(host, result, err)
        }
        "revert_network_changes" => match std::fs::remove_file(host_network::new_path(host)) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e.into()),
            _ => Ok(Value::Null),
        },
        "create_network" => change(host, params, |interfaces, name| interfaces.create(name, params)),
        "update_network" => change(host, params, |interfaces, name| interfaces.update(name, params)),
        "delete_network" => change(host, params, Interfaces::delete),
        "network_config" => {
            let interfaces = Interfaces::read(host);
            interfaces.shown(text(params, "iface"))
        }
        _ => Ok(Interfaces::read(host).list(text(params, "type"))),
    }
}

fn change(
    host: &Host,
    params: &Params,
    edit: impl FnOnce(&mut Interfaces, &str) -> Result<(), Fail>,
) -> Result<Value, Fail> {
    let mut interfaces = Interfaces::read(host);
    edit(&mut interfaces, text(params, "iface"))?;
    host.write(&host_network::new_path(host), &interfaces.text())?;
    Ok(Value::Null)
}
