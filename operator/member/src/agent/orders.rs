//! The deliveries of this member: read from its namespace on the hub, carried out here, told back.
//!
//! What was read last is what holds: an order that vanished from the hub orders nothing, and a hub that is silent changes
//! nothing but what a workload declared for that case. Carrying out again is always right, so every order is looked at
//! when it changes, when something of it changes in the member, and now and then.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::StreamExt;
use jiff::Timestamp;
use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::{Delivery, DeliverySpec, DeliveryStatus, HubClaim};
use jiuzhou_objects::object::Object;
use jiuzhou_objects::secrets::SecretManifest;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::api::{Api, Patch, PatchParams};
use kube::core::DeserializeGuard;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, watcher};
use kube::{Client, ResourceExt};
use serde_json::json;
use tokio::sync::watch;
use tokio::time::{Instant, interval};

use super::blobs::Blobs;
use super::fence::fenced;
use super::{Settings, report};
use crate::claim::{self, Found, Standing};
use crate::connection::Trouble;
use crate::deliver::{Secrets, deliver};
use crate::member::Member;
use crate::watch::{Notice, Watches};

/// Every order is looked at again after this time.
const SWEEP: Duration = Duration::from_secs(60);
/// How often is looked whether the hub still hears us.
const LOOK: Duration = Duration::from_secs(5);

/// How far the hub is away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// It answers.
    Heard,
    /// It has not answered for so long that it may have given the workloads to another cluster.
    CutOff,
    /// It has not answered for so long that what it ordered is out of date.
    OutOfDate,
}

impl Reach {
    fn after(silence: Duration, fence_after: Duration, hold: Duration) -> Self {
        match () {
            () if silence > hold => Self::OutOfDate,
            () if silence > fence_after => Self::CutOff,
            () => Self::Heard,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Heard => "the hub answers",
            Self::CutOff => "cut off from the hub: what was ordered holds on",
            Self::OutOfDate => "orders are out of date: nothing new is started",
        }
    }

    /// The order as it holds now; `None` for one that holds as it stands.
    fn order(self, spec: &DeliverySpec, now: Timestamp) -> Option<DeliverySpec> {
        match self {
            Self::Heard => None,
            Self::CutOff => fenced(spec),
            Self::OutOfDate => {
                let mut late = fenced(spec).unwrap_or_else(|| spec.clone());
                // An end of its own that has passed already stays what it is.
                let ended = now - Duration::from_secs(1);
                late.not_after = Some(Time(late.not_after.map_or(ended, |end| end.0.min(ended))));
                Some(late)
            }
        }
    }
}

/// An order and what came of it.
struct Known {
    uid: Option<String>,
    spec: DeliverySpec,
    generation: Option<i64>,
    status: DeliveryStatus,
}

pub(super) struct Orders {
    hub: Client,
    member: Member,
    client: Client,
    namespace: String,
    settings: watch::Receiver<Settings>,
    beats: watch::Receiver<Instant>,
    known: BTreeMap<String, Known>,
    secrets: BTreeMap<(String, String), SecretManifest>,
    blobs: Blobs,
    claim: Option<Found>,
}

impl Orders {
    pub(super) fn new(
        hub: Client,
        member: Member,
        client: Client,
        namespace: String,
        settings: watch::Receiver<Settings>,
        beats: watch::Receiver<Instant>,
    ) -> Self {
        let (known, secrets) = (BTreeMap::new(), BTreeMap::new());
        Self { hub, member, client, namespace, settings, beats, known, secrets, blobs: Blobs::default(), claim: None }
    }

    /// Carries orders out for ever. `fence_after` without an answer of the hub the agent counts as cut off; after `hold`
    /// its orders are out of date.
    pub(super) async fn carry_out(mut self, fence_after: Duration, hold: Duration) {
        let api: Api<DeserializeGuard<Delivery>> = Api::namespaced(self.hub.clone(), &self.namespace);
        let mut events = watcher(api, watcher::Config::default()).default_backoff().boxed();
        let (mut watches, mut notices) = Watches::new(self.member.clone());
        let (mut sweep, mut look) = (interval(SWEEP), interval(LOOK));
        let mut listed: BTreeSet<String> = BTreeSet::new();
        let mut reach = Reach::Heard;
        loop {
            let mut due: BTreeSet<String> = BTreeSet::new();
            tokio::select! {
                Some(event) = events.next() => due.extend(self.heard(event, &mut listed)),
                Some(notice) = notices.recv() => due.extend(self.noticed(notice)),
                _ = sweep.tick() => due.extend(self.known.keys().cloned()),
                _ = look.tick() => {
                    let now = Reach::after(self.beats.borrow().elapsed(), fence_after, hold);
                    if now != reach {
                        reach = now;
                        tracing::warn!(?reach, "{}", reach.words());
                        due.extend(self.known.keys().cloned());
                    }
                }
            }
            for name in due {
                self.carry(&name, reach, &mut watches).await;
            }
        }
    }

    fn heard(
        &mut self,
        event: Result<watcher::Event<DeserializeGuard<Delivery>>, watcher::Error>,
        listed: &mut BTreeSet<String>,
    ) -> Option<String> {
        match event {
            Ok(watcher::Event::Init) => listed.clear(),
            Ok(watcher::Event::InitApply(object) | watcher::Event::Apply(object)) => {
                let name = object.name_any();
                listed.insert(name.clone());
                match object.0 {
                    Ok(delivery) => return self.take(delivery),
                    Err(error) => {
                        tracing::error!(delivery = %name, %error, "failed to read an order; the last one holds");
                    }
                }
            }
            // Gone is no order: it is not looked after any more, and stays as it is.
            Ok(watcher::Event::InitDone) => self.known.retain(|name, _| listed.contains(name)),
            Ok(watcher::Event::Delete(object)) => drop(self.known.remove(&object.name_any())),
            Err(error) => tracing::debug!(%error, "failed to watch the orders; trying again"),
        }
        None
    }

    /// Takes an order; returns its name when it says something new.
    fn take(&mut self, delivery: Delivery) -> Option<String> {
        let name = delivery.name_any();
        let generation = delivery.metadata.generation;
        let uid = delivery.metadata.uid.clone();
        match self.known.get_mut(&name) {
            Some(known) if known.uid == uid && known.generation == generation => return None,
            Some(known) if known.uid == uid => (known.spec, known.generation) = (delivery.spec, generation),
            _ => {
                let status = delivery.status.unwrap_or_default();
                self.known.insert(name.clone(), Known { uid, spec: delivery.spec, generation, status });
            }
        }
        Some(name)
    }

    fn noticed(&self, notice: Notice) -> Option<String> {
        match notice {
            Notice::Changed(workload) => {
                let name = meta::delivery_name(&workload.namespace, &workload.name);
                self.known.contains_key(&name).then_some(name)
            }
            Notice::Complete { .. } => None,
            Notice::Broken { kind, why } => {
                tracing::debug!(%kind, %why, "failed to watch in the member; trying again");
                None
            }
        }
    }

    async fn carry(&mut self, name: &str, reach: Reach, watches: &mut Watches) {
        let Some(known) = self.known.get(name) else { return };
        let (spec, recorded, generation) = (known.spec.clone(), known.status.clone(), known.generation);
        let spec = self.blobs.whole(&self.hub, &self.namespace, &spec).await.unwrap_or(spec);
        self.blobs.retain(self.known.values().map(|known| &known.spec));
        let order = reach.order(&spec, Timestamp::now());
        if let Err(trouble) = self.commanded(spec.epoch).await {
            tracing::warn!(delivery = %name, %trouble, "nothing is done in this member");
            return;
        }
        let secrets = self.secrets_of(&spec).await;
        let now = Timestamp::now();
        let mut status = deliver(&self.member, order.as_ref().unwrap_or(&spec), &secrets, &recorded, now).await;
        status.observed_generation = generation;
        self.follow(&spec, watches).await;
        let Some(known) = self.known.get_mut(name) else { return };
        if status == recorded {
            return;
        }
        known.status = status.clone();
        let uid = known.uid.clone();
        if let Err(error) = self.tell(name, uid.as_deref(), &status).await {
            tracing::debug!(delivery = %name, %error, "failed to tell how an order stands; trying again");
            // Unequal to what comes next time, so that it is told then.
            if let Some(known) = self.known.get_mut(name) {
                known.status = recorded;
            }
        }
    }

    /// Whether this hub commands here, and the member knows of this epoch before anything of it is done.
    async fn commanded(&mut self, epoch: i64) -> Result<(), Trouble> {
        if self.claim.as_ref().is_some_and(|found| found.claim.highest_epoch >= epoch) {
            return Ok(());
        }
        let settings = self.settings.borrow().clone();
        if settings.hub.is_empty() {
            return Err(Trouble::Nonsense("the hub did not say who it is yet".to_owned()));
        }
        // The hub tells its epoch now and then; its orders tell it at once.
        let ordered = self.known.values().map(|known| known.spec.epoch).max().unwrap_or(epoch);
        let settings = Settings { epoch: settings.epoch.max(ordered), ..settings };
        match report::standing(&self.client, &settings).await? {
            Standing::Free | Standing::Ours { .. } | Standing::Former { .. } => {}
            other => return Err(Trouble::Conflict(format!("the member's claim says {other:?}"))),
        }
        let found = claim::read(&self.client).await?;
        let highest = found.as_ref().map_or(0, |found| found.claim.highest_epoch).max(epoch);
        let claim = HubClaim { hub: settings.hub.as_str().into(), term: settings.term, highest_epoch: highest };
        self.claim = Some(claim::write(&self.client, &claim, found.as_ref()).await?);
        Ok(())
    }

    /// Secrets that an order names. One that was read before is used while the hub is silent.
    async fn secrets_of(&mut self, spec: &DeliverySpec) -> Secrets {
        let api: Api<Secret> = Api::namespaced(self.hub.clone(), &self.namespace);
        let mut secrets = Secrets::new();
        for wanted in spec.objects.iter().filter_map(|object| object.secret.as_ref()) {
            let key = (wanted.name.to_string(), wanted.digest.to_string());
            if !self.secrets.contains_key(&key)
                && let Ok(Some(stored)) = api.get_opt(&wanted.name).await
                && let Ok(stored) = serde_json::to_value(&stored)
                && let Ok(secret) = SecretManifest::read(&stored)
                && secret.digest().to_string() == *wanted.digest
            {
                self.secrets.insert(key.clone(), secret);
            }
            if let Some(secret) = self.secrets.get(&key) {
                secrets.insert(wanted.name.to_string(), secret.clone());
            }
        }
        // What no order names any more is not kept in memory.
        let named: BTreeSet<(String, String)> = self
            .known
            .values()
            .flat_map(|known| known.spec.objects.iter().filter_map(|object| object.secret.as_ref()))
            .map(|secret| (secret.name.to_string(), secret.digest.to_string()))
            .collect();
        self.secrets.retain(|key, _| named.contains(key));
        secrets
    }

    /// Watches the kinds of an order, so that what changes in the member is seen at once.
    async fn follow(&self, spec: &DeliverySpec, watches: &mut Watches) {
        let manifests = spec.objects.iter().filter_map(|object| object.manifest.as_ref());
        let kinds: BTreeSet<(String, String)> = manifests
            .map(|manifest| {
                let object = Object::new(manifest);
                (object.api_version().to_owned(), object.kind().to_owned())
            })
            .collect();
        for (api_version, kind) in kinds {
            if let Ok(Some(served)) = self.member.kinds().find(&self.client, &api_version, &kind).await {
                watches.ensure(&served);
            }
        }
    }

    async fn tell(&self, name: &str, uid: Option<&str>, status: &DeliveryStatus) -> Result<(), kube::Error> {
        let api: Api<Delivery> = Api::namespaced(self.hub.clone(), &self.namespace);
        let patch = json!({
            "apiVersion": meta::API_VERSION, "kind": "Delivery",
            "metadata": { "name": name, "uid": uid },
            "status": status,
        });
        let params = PatchParams::apply(meta::FIELD_MANAGER).force();
        api.patch_status(name, &params, &Patch::Apply(&patch)).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_first_fences_who_asked_for_it_and_then_ends_every_order() {
        let seconds = Duration::from_secs;
        let reach = |silence| Reach::after(seconds(silence), seconds(60), seconds(3600));
        assert_eq!([60, 61, 3600, 3601].map(reach), [Reach::Heard, Reach::CutOff, Reach::CutOff, Reach::OutOfDate]);
        let now = Timestamp::from_second(1000).unwrap();
        let spec = DeliverySpec { replicas: Some(3), ..DeliverySpec::default() };
        assert_eq!(Reach::Heard.order(&spec, now), None);
        assert_eq!(Reach::CutOff.order(&spec, now), None, "nobody asked to be fenced");
        let late = Reach::OutOfDate.order(&spec, now).unwrap();
        assert!(late.not_after.as_ref().is_some_and(|end| end.0 < now) && late.replicas == Some(3));
        let ended = Some(Time(Timestamp::from_second(5).unwrap()));
        let own = DeliverySpec { not_after: ended.clone(), ..spec };
        assert_eq!(Reach::OutOfDate.order(&own, now).unwrap().not_after, ended);
    }
}
