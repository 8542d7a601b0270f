//! What a node of a pool draws: stated by its administrator, by its server model, or guessed from its CPU's heat.

use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::terms::Milliwatts;
use jiuzhou_measure::energy::{LinearPower, PoolPower, Provenance};

use super::tables;
use crate::objects::{Items, named};

/// A pool as far as power is concerned.
pub(super) struct PoolSketch<'a> {
    /// Facts an administrator stated about it.
    pub(super) stated: Vec<&'a api::PoolFacts>,
    /// Server model its status names.
    pub(super) model: Option<&'a str>,
    /// Platform id.
    pub(super) platform: Option<&'a str>,
    /// Nodes.
    pub(super) nodes: i64,
    /// Millicores of all nodes.
    pub(super) millicores: i64,
}

/// The power of one node; `None` when nothing is known of it.
pub(super) fn of(pool: &PoolSketch<'_>, platforms: &Items<api::CpuPlatform>) -> Option<PoolPower> {
    let stated = pool.stated.iter().find_map(|facts| {
        let line = LinearPower { idle: watts(facts.idle_watts?)?, peak: watts(facts.busy_watts?)? };
        (line.idle <= line.peak && line.peak.0 > 0).then_some(PoolPower { line, provenance: Provenance::Modelled })
    });
    let model = pool.stated.iter().find_map(|facts| facts.server_model.as_deref()).or(pool.model);
    stated
        .or_else(|| model.and_then(tables::server).map(|(line, provenance)| PoolPower { line, provenance }))
        .or_else(|| by_heat(pool, platforms))
}

fn watts(watts: i32) -> Option<Milliwatts> {
    Milliwatts(i64::from(watts)).checked_mul(1000)
}

/// Sockets of a node from its CPUs, times the thermal design power the catalogue gives for one.
fn by_heat(pool: &PoolSketch<'_>, platforms: &Items<api::CpuPlatform>) -> Option<PoolPower> {
    let shape = named(platforms, pool.platform?)?.object.spec.shape.as_ref()?;
    let tdp = watts(shape.tdp_watts.as_ref()?.value)?;
    let cores = i64::from(shape.cores_per_socket.as_ref()?.value);
    let threads = shape.threads_per_core.as_ref().map_or(1, |threads| i64::from(threads.value));
    let per_socket = cores.checked_mul(threads)?.checked_mul(1000).filter(|per| *per > 0)?;
    if pool.nodes <= 0 || pool.millicores <= 0 {
        return None;
    }
    let node = pool.millicores / pool.nodes;
    // Allocatable is a little less than the machine has: a part of a socket is a socket.
    let sockets = node / per_socket + i64::from(node % per_socket > 0);
    let line = tables::server_defaults().server(tdp.checked_mul(sockets)?).ok()?;
    Some(PoolPower { line, provenance: Provenance::Default })
}
