//! A person's word about data that a workload left in a cluster: it may run on it again.
//!
//! The word names the epoch of that data, so that it says nothing of what is left there later. Whoever does not want the
//! data deletes its claims in the member first; the operator deletes no data.

use jiuzhou_api::meta;
use jiuzhou_engine::decide::WorkloadKey;
use kube::{Client, ResourceExt as _};
use serde_json::json;

use super::{change, read};
use crate::error::Error;

/// Lets a workload run on the data it left in a cluster. Returns the epoch of that data.
///
/// # Errors
/// When the hub does not answer or refuses, and when the workload left no data there.
pub async fn reuse(client: &Client, key: &WorkloadKey, cluster: &str) -> Result<i64, Error> {
    let (api, workload, placement) = read(client, key).await?;
    let left = placement.map(|placement| placement.spec.left).unwrap_or_default();
    let Some(epoch) = left.iter().find(|one| *one.name == *cluster).map(|one| one.epoch) else {
        let places: Vec<String> = left.iter().map(|one| format!("{}@{}", &*one.name, one.epoch)).collect();
        let places = if places.is_empty() { "-".to_owned() } else { places.join(", ") };
        return Err(Error::Order(
            format!("{key} left no data in {cluster}; it left some in: {places}."),
            format!("{key} 未在 {cluster} 留下数据；留有数据的集群：{places}。"),
        ));
    };
    let stated = workload.annotations().get(meta::ANNOTATION_REUSE_DATA).map(String::as_str).unwrap_or_default();
    let about = |one: &str| one.split('@').next() == Some(cluster);
    let mut words: Vec<String> =
        stated.split(',').map(str::trim).filter(|one| !one.is_empty() && !about(one)).map(str::to_owned).collect();
    words.push(format!("{cluster}@{epoch}"));
    let word = json!({ "metadata": { "annotations": { meta::ANNOTATION_REUSE_DATA: words.join(",") } } });
    change(&api, &workload, word).await?;
    Ok(epoch)
}
