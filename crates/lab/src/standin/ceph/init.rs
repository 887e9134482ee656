//! `pveceph init`: the cluster's configuration and the admin's key.

use std::fs;

use serde_json::Value;

use super::super::Host;
use super::super::fail::Fail;
use super::super::handlers::{flag, text};
use super::super::quorum;
use super::super::schema::Params;
use super::{check_installed, conf, link_conf, quietly};

const KEYRING: &str = "/etc/pve/priv/$cluster.$name.keyring";

pub(super) fn init(host: &Host, params: &Params) -> Result<Value, Fail> {
    check_installed(host, "ceph-mon")?;
    quorum::check(host)?;
    {
        let _lock = conf::lock(host)?;
        let mut conf = conf::load(host);
        if !conf.has("global") {
            let auth = if flag(params, "disable_cephx") { "none" } else { "cephx" };
            let or = |name: &str, default: &'static str| match text(params, name) {
                "" => default.to_owned(),
                value => value.to_owned(),
            };
            for (key, value) in [
                ("fsid", uuid()?),
                ("auth_cluster_required", auth.to_owned()),
                ("auth_service_required", auth.to_owned()),
                ("auth_client_required", auth.to_owned()),
                ("osd_pool_default_size", or("size", "3")),
                ("osd_pool_default_min_size", or("min_size", "2")),
                ("mon_allow_pool_delete", "true".to_owned()),
            ] {
                conf.set("global", key, &value);
            }
        }
        if conf.get("client", "keyring").is_none() {
            conf.set("client", "keyring", KEYRING);
        }
        let (network, cluster) = (text(params, "network"), text(params, "cluster-network"));
        if !network.is_empty() {
            conf.set("global", "public_network", network);
            conf.set("global", "cluster_network", network);
        }
        if !cluster.is_empty() {
            conf.set("global", "cluster_network", cluster);
        }
        fs::create_dir_all(host.root.etc_pve.join("priv"))?;
        fs::create_dir_all(host.root.etc_pve.join("ceph"))?;
        conf::save(host, &conf)?;
        admin_keyring(host)?;
    }
    link_conf(host)?;
    Ok(Value::Null)
}

/// A fresh identity.
pub(super) fn uuid() -> Result<String, Fail> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/uuid")?.trim().to_owned())
}

/// The admin's key, made where there is none.
pub(super) fn admin_keyring(host: &Host) -> Result<(), Fail> {
    let path = host.root.etc_pve.join("priv/ceph.client.admin.keyring");
    if path.exists() {
        return Ok(());
    }
    let place = path.to_string_lossy().into_owned();
    let mut argv = vec!["ceph-authtool", "--create-keyring", &place, "--gen-key", "-n", "client.admin"];
    for kind in ["mon", "osd", "mds", "mgr"] {
        argv.extend(["--cap", kind, "allow *"]);
    }
    quietly(host, &argv)?;
    Ok(())
}
