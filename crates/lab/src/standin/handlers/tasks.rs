//! `/nodes/{node}/tasks`: what tasks ran and how they ended.

use serde_json::{Value, json};

use super::super::schema::Params;
use super::super::task;
use super::{Fail, Host, Method, flag, text};

pub(super) fn call(host: &Host, method: &Method, params: &Params) -> Result<Value, Fail> {
    let upid = text(params, "upid");
    match (method.verb, method.name) {
        ("GET", "read_task_status") => task::status(host, upid),
        ("GET", "read_task_log") => {
            task::log(host, upid, number(params, "start").unwrap_or(0), number(params, "limit").unwrap_or(50))
        }
        ("GET", "upid_index") => Ok(json!([{ "name": "log" }, { "name": "status" }])),
        _ => Ok(list(host, params)),
    }
}

fn number(params: &Params, name: &str) -> Option<usize> {
    text(params, name).parse().ok()
}

fn list(host: &Host, params: &Params) -> Value {
    let source = text(params, "source");
    let kind = text(params, "typefilter");
    let since = number(params, "since").unwrap_or(0) as u64;
    let until = number(params, "until").map_or(u64::MAX, |n| n as u64);
    let failed = |task: &Value| task["status"].as_str().is_none_or(|status| status != "OK");
    task::list(host, source == "active", matches!(source, "active" | "all"))
        .into_iter()
        .filter(|task| kind.is_empty() || task["type"] == kind)
        .filter(|task| !flag(params, "errors") || failed(task))
        .filter(|task| (since..=until).contains(&task["starttime"].as_u64().unwrap_or(0)))
        .skip(number(params, "start").unwrap_or(0))
        .take(number(params, "limit").unwrap_or(50))
        .collect()
}
