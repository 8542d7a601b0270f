//! Carrying out one delivery: as far as it goes now, without waiting, telling exactly how far that was.
//!
//! Calling it again is always right: it reads, decides and writes only what differs, so the caller needs no memory but
//! the status that comes back. It never fails; a member that does not answer is a status too, in which everything that
//! was known before stays.

use std::collections::BTreeMap;

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use jiff::Timestamp;
use jiuzhou_api::v1alpha1::{DeliverySpec, DeliveryState, DeliveryStatus, ObjectObservation, ObjectState};
use jiuzhou_objects::object::Object;
use jiuzhou_objects::secrets::SecretManifest;

use crate::apply::{Order, Silent, observation, present};
use crate::call::Caller;
use crate::member::Member;
use crate::namespace::{self, Ground};
use crate::order::{apply_order, is_ready, is_there};
use crate::pods;
use crate::removal::{self, Fate};
use crate::status::{self, Course};
use crate::words::{Censor, Refusal};

/// Secrets of a delivery by the name under which it refers to them.
pub type Secrets = BTreeMap<String, SecretManifest>;

/// Objects of one batch that are asked about at the same time.
const AT_ONCE: usize = 4;

/// Carries out a delivery in a member and says how it stands afterwards. `recorded` is the status of the last time, or
/// an empty one.
pub async fn deliver(
    member: &Member,
    spec: &DeliverySpec,
    secrets: &Secrets,
    recorded: &DeliveryStatus,
    now: Timestamp,
) -> DeliveryStatus {
    let censor = Censor::new(secrets.values());
    let mut course = Course::new(recorded);
    if *spec.cluster != *member.cluster() {
        course.refuse(format!("the order is for {}, this is {}", spec.cluster, member.cluster()));
        return status::compose(spec, recorded, course, now);
    }
    if let Some(done) = recorded.epoch.filter(|done| *done > spec.epoch) {
        course.superseded(done);
        return status::compose(spec, recorded, course, now);
    }
    let witness = member.witness.as_deref().map(|witness| (witness, spec));
    let own = Caller { client: member.client.clone(), limit: member.limit, censor: &censor, witness };
    let client = match member.client_for(&spec.tenant) {
        Ok(client) => client,
        Err(why) => {
            course.refuse(censor.clean(&why));
            return status::compose(spec, recorded, course, now);
        }
    };
    let order = Order {
        member,
        spec,
        owner: format!("{}/{}", spec.workload.namespace, spec.workload.name),
        secrets,
        caller: Caller { client, limit: member.limit, censor: &censor, witness },
        expired: spec.not_after.as_ref().is_some_and(|end| now > end.0),
    };
    course.expired = order.expired;
    match spec.state {
        DeliveryState::Present => there(&order, &own, recorded, &mut course).await,
        DeliveryState::Removing => end(&order, recorded, &mut course, Fate::Remove).await,
        DeliveryState::Orphan => end(&order, recorded, &mut course, Fate::LetGo).await,
    }
    status::compose(spec, recorded, course, now)
}

/// Everything of the order is there, then what is to go goes.
async fn there(order: &Order<'_>, own: &Caller<'_>, recorded: &DeliveryStatus, course: &mut Course) {
    let spec = order.spec;
    let place = (&*spec.workload.namespace, &*spec.tenant, &spec.quota);
    let impersonates = order.member.actors.is_some();
    if !order.member.knows_ground(place) {
        match namespace::prepare(own, &order.member.kinds, place, impersonates, order.expired).await {
            Ok(Ground::Ready) => order.member.note_ground(place, !order.expired),
            Ok(ground) => return course.no_ground(&spec.workload.namespace, &ground),
            Err(silent) => return course.silent(silent),
        }
    }
    let before = |name: &str| recorded.objects.iter().find(|one| *one.name == *name);
    let mut seen: BTreeMap<usize, ObjectObservation> = BTreeMap::new();
    let mut hold = None;
    let mut wave = None;
    let batches = apply_order(&spec.objects, &order.member.knowledge.profiles);
    'batches: for batch in &batches {
        // A wave waits until the one before does what it is for, a rank until the one before is there.
        let new_wave = wave.is_some_and(|wave| wave != batch.wave);
        wave = Some(batch.wave);
        if hold.is_none() {
            let blocks = |one: &&ObjectObservation| !(if new_wave { is_ready(one.state) } else { is_there(one.state) });
            hold = seen.values().find(blocks).map(|one| format!("waits for {}", one.name));
        }
        let mut asked: Vec<BoxFuture<'_, (usize, Result<ObjectObservation, Silent>)>> = Vec::new();
        for index in batch.objects.iter().copied() {
            let Some(object) = spec.objects.get(index) else { continue };
            let (hold, recorded) = (hold.as_deref(), before(&object.name));
            asked.push(async move { (index, present(order, object, recorded, hold).await) }.boxed());
        }
        for (index, answer) in futures::stream::iter(asked).buffered(AT_ONCE).collect::<Vec<_>>().await {
            match answer {
                Ok(observation) => drop(seen.insert(index, observation)),
                Err(silent) => course.silent(silent),
            }
        }
        if course.is_silent() {
            break 'batches;
        }
    }
    for (index, object) in spec.objects.iter().enumerate() {
        let known = || before(&object.name).cloned();
        let unseen = || observation(object, None, None, ObjectState::Waiting, None);
        course.objects.push(seen.remove(&index).or_else(known).unwrap_or_else(unseen));
    }
    if !course.is_silent() {
        count(order, course).await;
    }
    // What does not get on may be the namespace's doing: it is looked at next time.
    if course.is_silent() || !course.objects.iter().all(|one| is_there(one.state)) {
        order.member.note_ground(place, false);
    }
    leave(order, recorded, course).await;
}

/// Counts pods where an object runs them. What cannot be counted stays unknown.
async fn count(order: &Order<'_>, course: &mut Course) {
    let runs_pods = |name: &str| {
        let object = order.spec.objects.iter().find(|object| *object.name == *name);
        let manifest = object.and_then(|object| object.manifest.as_ref());
        let profile = manifest.and_then(|manifest| order.member.knowledge.profiles.of(Object::new(manifest)));
        profile.is_some_and(jiuzhou_objects::profile::Profile::runs_pods)
    };
    if !course.objects.iter().any(|one| runs_pods(&one.name)) {
        return;
    }
    let counts = match pods::present(order, &pods::taken_over(&course.objects)).await {
        Ok(counts) => counts,
        Err(Refusal::Silence(why)) => return course.silent(Silent::Member(why)),
        Err(_) => return, // without the right to list pods their number is unknown
    };
    for one in course.objects.iter_mut().filter(|one| runs_pods(&one.name)) {
        // A kind whose pods are not followed has some without our labels after a take-over; its controller counts them.
        let counted = counts.get(&*one.name).copied().unwrap_or(0);
        one.present = Some(counted.max(one.ready.unwrap_or(0)));
    }
}

/// What the order removes while the workload stays goes last, when everything else is ready. What left the workload
/// without an order stays in the inventory.
async fn leave(order: &Order<'_>, recorded: &DeliveryStatus, course: &mut Course) {
    let named = &order.spec.removing;
    let listed = |one: &&ObjectObservation| {
        !order.spec.objects.iter().any(|object| object.name == one.name)
            && one.identity.as_ref().is_some_and(|identity| !named.contains(identity))
            && one.state != ObjectState::Gone
    };
    let left: Vec<ObjectObservation> = recorded.objects.iter().filter(listed).cloned().collect();
    course.left.extend(left);
    if named.is_empty() {
        return;
    }
    let ready = course.objects.iter().all(|one| is_ready(one.state)) && !course.is_silent();
    if ready {
        let (gone, silent) = removal::all(order, named, &recorded.objects, Fate::Remove).await;
        course.left.extend(gone);
        silent.into_iter().for_each(|silent| course.silent(silent));
        return;
    }
    let before = |identity| recorded.objects.iter().find(|one| one.identity.as_ref() == Some(identity)).cloned();
    course.left.extend(named.iter().filter_map(before));
}

/// The workload leaves this member, or is let go there.
async fn end(order: &Order<'_>, recorded: &DeliveryStatus, course: &mut Course, fate: Fate) {
    let mut named = order.spec.removing.clone();
    if fate == Fate::LetGo {
        // Letting go needs no list: what we know to be ours is let go.
        let known = recorded.objects.iter().filter_map(|one| one.identity.clone());
        named.extend(known.filter(|identity| !order.spec.removing.contains(identity)));
    }
    let (objects, silent) = removal::all(order, &named, &recorded.objects, fate).await;
    course.objects = objects;
    silent.into_iter().for_each(|silent| course.silent(silent));
    let kept = recorded.objects.iter().filter(|one| {
        one.identity.as_ref().is_some_and(|identity| !named.contains(identity)) && one.state != ObjectState::Gone
    });
    course.left.extend(kept.cloned());
}
