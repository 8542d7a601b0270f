//! What a person orders of a whole system: to stop everywhere, and to run again.
//!
//! Both are changes of the InformationSystem under the person's own rights; the operator commits what follows for every
//! workload of it. A stop stays in force until exactly it is lifted: the field cannot be dropped before.

use jiff::Timestamp;
use jiuzhou_api::v1alpha1::{FleetPlacement, FleetWorkload, InformationSystem, StopOrder};
use jiuzhou_engine::decide::WorkloadKey;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{Api, Client, ResourceExt as _};
use serde_json::json;

use super::change;
use crate::error::Error;

/// An order to stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// Its number.
    pub order: String,
    /// Why.
    pub reason: Option<String>,
    /// Who gives it, as the API server knows them.
    pub by: String,
    /// When; whole seconds, as objects hold them.
    pub at: Timestamp,
}

/// Orders a system to stop, once another person approves it. Returns the names of its workloads.
///
/// # Errors
/// When the hub does not answer or refuses, there is no such system, or another order stops it already.
pub async fn stop(client: &Client, key: &WorkloadKey, given: Given) -> Result<Vec<String>, Error> {
    let Given { order, reason, by, at } = given;
    let order = StopOrder {
        order: order.into(),
        reason: reason.map(Into::into),
        requested_by: by.into(),
        requested_at: Time(at),
        lifted: false,
    };
    let system = read(client, key).await?;
    if let Some(known) = system.spec.stop.as_ref().filter(|known| !known.lifted && known.order != order.order) {
        let number = &known.order;
        return Err(Error::Order(
            format!("{key} is stopped by order {number} already; lift it first."),
            format!("{key} 已按停用令 {number} 停用；请先解除。"),
        ));
    }
    write(client, key, &system, &order).await?;
    Ok(workloads(client, key).await?.into_iter().map(|workload| workload.name_any()).collect())
}

/// Lifts the order that stops a system, `by` a person. Returns its number.
///
/// # Errors
/// When the hub does not answer or refuses, there is no such system, or no order stops it.
pub async fn restore(client: &Client, key: &WorkloadKey, by: &str, at: Timestamp) -> Result<String, Error> {
    let system = read(client, key).await?;
    let order = match system.spec.stop.clone().filter(|stop| !stop.lifted) {
        Some(order) => order,
        // The system was made anew without its order, and its workloads are stopped all the same.
        None => match committed(client, key).await? {
            Some(number) => StopOrder {
                order: number.as_str().into(),
                reason: None,
                requested_by: by.into(),
                requested_at: Time(at),
                lifted: false,
            },
            None => {
                return Err(Error::Order(format!("no order stops {key}."), format!("{key} 没有生效的停用令。")));
            }
        },
    };
    let number = order.order.to_string();
    write(client, key, &system, &StopOrder { lifted: true, ..order }).await?;
    Ok(number)
}

async fn read(client: &Client, key: &WorkloadKey) -> Result<InformationSystem, Error> {
    let api: Api<InformationSystem> = Api::namespaced(client.clone(), &key.namespace);
    api.get(&key.name).await.map_err(|error| Error::api("read", format!("InformationSystem {key}"), error))
}

async fn workloads(client: &Client, key: &WorkloadKey) -> Result<Vec<FleetWorkload>, Error> {
    let all = super::workloads(client, &key.namespace).await?;
    Ok(all.into_iter().filter(|workload| *workload.spec.system == *key.name).collect())
}

/// The order by which workloads of a system are stopped, as their placements say.
async fn committed(client: &Client, key: &WorkloadKey) -> Result<Option<String>, Error> {
    let api: Api<FleetPlacement> = Api::namespaced(client.clone(), &key.namespace);
    for workload in workloads(client, key).await? {
        let name = workload.name_any();
        let placement = api.get_opt(&name).await;
        let placement = placement.map_err(|error| Error::api("read", format!("FleetPlacement {name}"), error))?;
        let stop = placement.and_then(|placement| placement.spec.stop).filter(|stop| !stop.lifted);
        if let Some(stop) = stop {
            return Ok(Some(stop.order.to_string()));
        }
    }
    Ok(None)
}

async fn write(client: &Client, key: &WorkloadKey, known: &InformationSystem, stop: &StopOrder) -> Result<(), Error> {
    let api: Api<InformationSystem> = Api::namespaced(client.clone(), &key.namespace);
    change(&api, known, json!({ "spec": { "stop": stop } })).await.map(drop)
}
