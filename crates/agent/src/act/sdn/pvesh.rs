//! Calls of `pvesh`: argument vectors as its own parser takes them, output told from nothing.

use ringbolt_core::action::PveCall;
use ringbolt_core::wire::Failure;
use serde_json::Value;

use crate::exec::{Call, call};

fn pvesh<'a>(words: impl IntoIterator<Item = &'a str>) -> Call {
    call("pvesh", words).public()
}

/// A reading call; its JSON.
pub(super) fn get(path: &str, options: &[(&str, &str)]) -> Result<Value, Failure> {
    let mut words = vec!["get".to_owned(), path.to_owned()];
    words.extend(options.iter().flat_map(|(name, value)| [format!("--{name}"), (*value).to_owned()]));
    words.extend(["--output-format".to_owned(), "json".to_owned()]);
    let call = pvesh(words.iter().map(String::as_str)).limit(60);
    let output = call.run()?;
    serde_json::from_str(output.out.trim()).map_err(|_| {
        let said = output.last(3);
        Failure::broken(format!("`{}` gave no JSON: {said}", call.line()))
    })
}

/// A call whose printed words matter, whatever its status.
pub(super) fn say(words: &[&str], seconds: u64) -> Result<String, Failure> {
    Ok(pvesh(words.iter().copied()).limit(seconds).joined().run()?.out.trim().to_owned())
}

/// One staged call; empty when Proxmox VE has nothing to say, which is when it worked.
pub(super) fn stage(call: &PveCall, token: Option<&str>) -> Result<String, Failure> {
    let mut words = arguments(call);
    if let Some(token) = token {
        words.extend(["--lock-token".to_owned(), token.to_owned()]);
    }
    let output = pvesh(words.iter().map(String::as_str)).limit(60).joined().run()?;
    let said = output.out.trim().to_owned();
    Ok(if said.is_empty() && !output.status.success() {
        format!("it ended with {}", output.status)
    } else {
        said
    })
}

/// The call as a person would type it, without a lock token.
pub(super) fn line(call: &PveCall) -> String {
    pvesh(arguments(call).iter().map(String::as_str)).line()
}

fn arguments(call: &PveCall) -> Vec<String> {
    let mut words = vec![call.verb.word().to_owned(), call.path.clone()];
    words.extend(call.options.iter().flat_map(|(name, value)| [format!("--{name}"), value.clone()]));
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringbolt_core::action::Verb;

    #[test]
    fn options_repeat_in_order() {
        let options = [
            ("protocol", "openfabric"),
            ("interfaces", "name=en05"),
            ("interfaces", "name=en06,hello_multiplier=3"),
        ];
        let call = PveCall {
            verb: Verb::Set,
            path: "/cluster/sdn/fabrics/node/mesh/pve1".into(),
            options: options.map(|(n, v)| (n.to_owned(), v.to_owned())).into(),
        };
        assert_eq!(
            line(&call),
            "pvesh set /cluster/sdn/fabrics/node/mesh/pve1 --protocol openfabric --interfaces name=en05 --interfaces name=en06,hello_multiplier=3"
        );
    }
}
