//! The files say something else: clusters, rules and workloads of a stage take the place of those of the one before.

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_engine::decide::input::{ClusterInput, Reachability};
use jiuzhou_engine::decide::{FleetInput, Snapshot, Spec, WorkloadKey};

use super::{Run, SimulateError};
use crate::simulate::copies::Spread;
use crate::simulate::dice::Dice;
use crate::simulate::model::{FailureTimes, Stage};
use crate::simulate::queue::Event;

impl<'a> Run<'a> {
    /// Clusters of the stage: rules of failure begin for those that are new.
    pub(super) fn know_clusters(&mut self, now: i64) {
        let clusters = &self.stage.fleet.clusters;
        let unreached = clusters.iter().filter(|cluster| cluster.reachability != Reachability::Reachable);
        self.links.unreached = unreached.map(|cluster| cluster.name.clone()).collect();
        let before = std::mem::replace(
            &mut self.clusters,
            clusters.iter().map(|cluster| (cluster.name.clone(), cluster)).collect(),
        );
        for cluster in clusters.iter().filter(|cluster| !before.contains_key(&cluster.name)) {
            self.outcome.clusters.entry(cluster.name.clone()).or_default();
            for (number, rule) in self.failures.iter().enumerate() {
                if !rule.clusters.is_empty() && !rule.clusters.contains(&cluster.name) {
                    continue;
                }
                let name = cluster.name.clone();
                match &rule.when {
                    FailureTimes::Random { between, repair } => {
                        let mut dice = Dice::new(self.simulation.seed, &["failures", &rule.name, &name]);
                        let at = now + dice.exponential(*between).max(1);
                        let minutes = dice.exponential(*repair).max(1);
                        self.dice.insert((number, name.clone()), dice);
                        self.queue.push(at, Event::Fail { cluster: name, rule: number, minutes });
                    }
                    FailureTimes::Windows(windows) => {
                        for (from, minutes) in windows.iter().filter(|(from, _)| *from >= now) {
                            let event = Event::Fail { cluster: name.clone(), rule: number, minutes: (*minutes).max(1) };
                            self.queue.push(*from, event);
                        }
                    }
                }
            }
        }
    }

    /// The files say something else from now on.
    pub(super) fn enter_stage(&mut self, number: usize, now: i64) -> Result<(), SimulateError> {
        let Some(stage) = self.simulation.stages.get(number) else { return Ok(()) };
        // What was used until now was used at the rates before.
        let spent = self.ledger.settle(now, &self.stage.rates, self.stage.utilisation)?;
        self.spending.add(&spent)?;
        let before = std::mem::replace(&mut self.stage, stage);
        let (old, new) = (&before.fleet, &stage.fleet);
        let known: BTreeMap<String, &ClusterInput> = self.clusters.clone();
        self.know_clusters(now);
        let same_rules = (&old.tenants, &old.tiers, &old.freezes, &old.architecture, &old.catalogue, old.data)
            == (&new.tenants, &new.tiers, &new.freezes, &new.architecture, &new.catalogue, new.data);
        if !same_rules {
            let specs = self.snapshot.specs().map(|spec| (**spec).clone()).collect();
            self.snapshot = Snapshot::new(FleetInput { specs, ..new.clone() })?;
            self.asked = true;
        }
        let names: Vec<String> = self.clusters.keys().cloned().collect();
        for name in names {
            if !same_rules || known.get(&name) != self.clusters.get(&name) {
                self.tell_cluster(&name);
            }
        }
        for gone in known.keys().filter(|name| !self.clusters.contains_key(*name)) {
            self.snapshot.remove_cluster(gone);
            self.asked = true;
        }
        for lost in stage.lost.iter().filter(|lost| !before.lost.contains(*lost)) {
            self.lose(lost, now);
        }
        if let Some(specs) = &stage.specs {
            self.take_specs(specs, before, now);
        }
        Ok(())
    }

    /// The workloads of a stage: those that are new, those that are gone, those that ask for something else.
    fn take_specs(&mut self, specs: &[Spec], before: &Stage, now: i64) {
        let known: BTreeMap<&WorkloadKey, &Spec> =
            self.previous_specs(before).into_iter().flatten().map(|spec| (&spec.key, spec)).collect();
        let there: BTreeSet<&WorkloadKey> = specs.iter().map(|spec| &spec.key).collect();
        for gone in known.keys().filter(|key| !there.contains(*key)) {
            self.depart(gone, now);
        }
        for spec in specs.iter().filter(|spec| !spec.reserved) {
            let traits = self.stage.traits.get(&spec.key).copied().unwrap_or_default();
            if !self.lives.contains_key(&spec.key) {
                self.admitted += 1;
                let spec = Spec { admitted: self.admitted, current: Vec::new(), changed: true, ..spec.clone() };
                let curve = self.curve_of(&spec);
                self.enter(spec, Spread::default(), (traits, curve), now);
                self.activity.arrived += 1;
                self.asked = true;
                continue;
            }
            if known.get(&spec.key).is_some_and(|old| same_intent(old, spec)) {
                continue;
            }
            let (curve, tier) = (self.curve_of(spec), self.tier_of(spec));
            let Some(mut live) = self.lives.remove(&spec.key) else { continue };
            live.becomes(spec.clone(), traits, tier, now, &mut self.ledger);
            live.curve = curve;
            live.wanted = self.wanted(&live, now);
            let links = &self.links;
            live.count(now, |cluster| links.of(cluster), &mut self.flow, &mut self.ledger);
            if !live.failover.is_empty() {
                self.failing.insert(spec.key.clone(), None);
            }
            self.lives.insert(spec.key.clone(), live);
            self.touched.insert(spec.key.clone());
            self.asked = true;
        }
    }

    /// The workloads that the files had before.
    fn previous_specs(&self, before: &'a Stage) -> Option<&'a [Spec]> {
        let earlier = self.simulation.stages.iter().filter(|stage| stage.at <= before.at);
        earlier.filter_map(|stage| stage.specs.as_deref()).next_back()
    }
}

/// Whether two forms of a workload ask for the same.
fn same_intent(old: &Spec, new: &Spec) -> bool {
    let bare =
        |spec: &Spec| Spec { current: Vec::new(), admitted: 0, changed: false, rebalance: false, ..spec.clone() };
    bare(old) == bare(new)
}
