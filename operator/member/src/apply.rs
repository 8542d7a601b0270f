//! One object as ordered: read, decide, write, read again when somebody was faster, a bounded number of times.
//!
//! The decision is [`crate::drift`]'s; what is here keeps the promises of the wire. An update names the uid it is meant
//! for, so that a vanished object is answered 409 and never made again by a stale write. A new object is applied without
//! force and looked at afterwards: if it was there before after all, what we put on it is taken off again.

use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::{DeliveredObject, DeliverySpec, ObjectIdentity, ObjectObservation, ObjectState, OnDrift};
use jiuzhou_objects::object::Object;
use jiuzhou_objects::profile::{Continuity, Profile};
use jiuzhou_objects::render::digest_of;
use serde_json::{Value, json};

use crate::call::{Caller, How, Place};
use crate::deliver::Secrets;
use crate::drift::{self, Facts, Step, decide};
use crate::member::Member;
use crate::words::Refusal;
use crate::{counted, found, health, state, takeover};

/// How often an object is read anew because somebody was faster.
const ATTEMPTS: usize = 4;

/// What carrying out one order needs.
pub(crate) struct Order<'a> {
    pub(crate) member: &'a Member,
    pub(crate) spec: &'a DeliverySpec,
    pub(crate) owner: String,
    pub(crate) secrets: &'a Secrets,
    /// Asks as the tenant.
    pub(crate) caller: Caller<'a>,
    /// It may start nothing new any more.
    pub(crate) expired: bool,
}

/// Nothing is known of the object but what was known before, and nothing more is tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Silent {
    /// The member did not answer.
    Member(String),
    /// We held a write back.
    Held(String),
}

/// An object as it is to be, before epoch, decision and digest are put on.
struct Wanted {
    manifest: Value,
    digest: String,
}

impl Order<'_> {
    fn wanted(&self, object: &DeliveredObject) -> Result<Wanted, String> {
        if let (None, Some(blob)) = (&object.manifest, &object.blob) {
            return Err(format!("its manifest {} is not there yet", blob.name));
        }
        let digest = digest_of(object).ok_or("it has neither a manifest nor a Secret")?.to_string();
        let manifest = match (&object.manifest, &object.secret) {
            (Some(manifest), _) => manifest.clone(),
            (None, Some(reference)) => {
                let secret = self
                    .secrets
                    .get(&*reference.name)
                    .filter(|secret| secret.digest().to_string() == *reference.digest);
                secret.ok_or_else(|| format!("its Secret {} is not there yet", reference.name))?.manifest().clone()
            }
            (None, None) => return Err("it has neither a manifest nor a Secret".to_owned()),
        };
        Ok(Wanted { manifest, digest })
    }

    /// What is sent: the object with the marks of this order.
    fn body(&self, mut body: Value, digest: &str, uid: Option<&str>) -> Value {
        mark(&mut body, &self.spec.epoch.to_string(), &self.spec.decision, digest);
        if let Some(uid) = uid {
            body["metadata"]["uid"] = uid.into();
        }
        body
    }
}

/// Puts epoch, decision and digest on an object.
fn mark(body: &mut Value, epoch: &str, decision: &str, digest: &str) {
    if !body["metadata"].is_object() {
        body["metadata"] = json!({});
    }
    if !body["metadata"]["annotations"].is_object() {
        body["metadata"]["annotations"] = json!({});
    }
    let annotations = &mut body["metadata"]["annotations"];
    annotations[meta::ANNOTATION_EPOCH] = epoch.into();
    annotations[meta::ANNOTATION_DECISION] = decision.into();
    annotations[meta::ANNOTATION_APPLIED] = digest.into();
}

/// Carries an order about one object out as far as it goes now. With `hold`, nothing new is started for that reason.
pub(crate) async fn present(
    order: &Order<'_>,
    object: &DeliveredObject,
    recorded: Option<&ObjectObservation>,
    hold: Option<&str>,
) -> Result<ObjectObservation, Silent> {
    let stays = |state, message: String| observation(object, recorded, None, state, Some(message));
    let wanted = match order.wanted(object) {
        Ok(wanted) => wanted,
        Err(why) => return Ok(stays(ObjectState::Waiting, why)),
    };
    let view = Object::new(&wanted.manifest);
    let (api_version, kind) = (view.api_version().to_owned(), view.kind().to_owned());
    let served = match order.caller.kind(&order.member.kinds, &api_version, &kind).await {
        Ok(Some(served)) => served,
        Ok(None) => return Ok(stays(ObjectState::Refused, format!("the member does not serve {api_version} {kind}"))),
        Err(refusal) => return refused(refusal, stays),
    };
    if !served.namespaced {
        let why = format!("{kind} is a kind of the whole cluster, and none is delivered for a tenant");
        return Ok(stays(ObjectState::Refused, why));
    }
    if view.namespace() != &*order.spec.workload.namespace {
        let why = format!("it names the namespace {}, its workload is in another", view.namespace());
        return Ok(stays(ObjectState::Refused, why));
    }
    let place = Place::new(&served, view.namespace(), view.name());
    let profile = order.member.knowledge.profiles.of(view);
    let mut last = String::new();
    for _ in 0..ATTEMPTS {
        let live = match order.caller.get(&place).await {
            Ok(live) => live,
            Err(refusal) => return refused(refusal, stays),
        };
        let one = One { order, object, recorded, wanted: &wanted, place: &place, profile, hold, live: live.as_ref() };
        match one.attempt().await {
            Ok(observation) => return Ok(observation),
            Err(Refusal::Changed | Refusal::NotFound) => {
                "somebody else changes it at the same time".clone_into(&mut last);
            }
            Err(refusal) => {
                let stays = |state, message| observation_of(&one, live.as_ref(), state, Some(message));
                return refused(refusal, stays);
            }
        }
    }
    Ok(stays(ObjectState::Waiting, last))
}

fn refused(
    refusal: Refusal,
    stays: impl Fn(ObjectState, String) -> ObjectObservation,
) -> Result<ObjectObservation, Silent> {
    match refusal {
        Refusal::Silence(why) => Err(Silent::Member(why)),
        Refusal::Held(why) => Err(Silent::Held(why)),
        Refusal::NotFound => Ok(stays(ObjectState::Refused, "the member says 404 to a write".to_owned())),
        Refusal::Changed => Ok(stays(ObjectState::Waiting, "somebody else changes it at the same time".to_owned())),
        Refusal::Fields(fields) => Ok(stays(ObjectState::Drifted, format!("others hold {}", fields.join("; ")))),
        Refusal::Immutable(words) | Refusal::Forbidden(words) | Refusal::Refused(words) => {
            Ok(stays(ObjectState::Refused, words))
        }
    }
}

/// One look at one object.
struct One<'a> {
    order: &'a Order<'a>,
    object: &'a DeliveredObject,
    recorded: Option<&'a ObjectObservation>,
    wanted: &'a Wanted,
    place: &'a Place,
    profile: Option<&'a Profile>,
    hold: Option<&'a str>,
    live: Option<&'a Value>,
}

impl One<'_> {
    async fn attempt(&self) -> Result<ObjectObservation, Refusal> {
        let compared = self.compared();
        let facts = Facts {
            wanted: &compared,
            digest: &self.wanted.digest,
            live: self.live,
            order: self.object,
            recorded: self.recorded,
            profile: self.profile,
            owner: &self.order.owner,
            epoch: self.order.spec.epoch,
            expired: self.order.expired,
        };
        let step = decide(&facts);
        let starts = matches!(step, Step::Create | Step::Update | Step::TakeOver | Step::Recreate(_));
        if let Some(hold) = self.hold.filter(|_| starts) {
            return Ok(self.stays(ObjectState::Waiting, hold.to_owned()));
        }
        match step {
            Step::Keep => Ok(self.seen(self.live)),
            Step::Stay(state, message) => Ok(self.stays(state, message)),
            Step::Create => self.create().await,
            Step::Update => self.update(&facts).await,
            Step::Compare(_) => self.compare(&facts).await,
            Step::Recreate(fields) => self.remove_to_recreate(&fields).await,
            Step::TakeOver => match self.live {
                Some(live) => self.take_over(live).await,
                None => Err(Refusal::Changed),
            },
        }
    }

    /// The object as it is to be, with pod templates that wait for their next change as they were found.
    fn kept(&self) -> Value {
        let Some(live) = self.live else { return self.wanted.manifest.clone() };
        let known = found::Known { live, recorded: self.recorded };
        found::kept(&self.wanted.manifest, self.object, self.profile, known)
    }

    /// What is held against the member's object: without replicas that another manager holds there.
    fn compared(&self) -> Value {
        let mut wanted = self.kept();
        self.leave_to_others(&mut wanted);
        self.leave_as_started(&mut wanted);
        wanted
    }

    /// Takes replicas out that another manager holds, unless they are to start from or to go to zero: there no
    /// autoscaler acts.
    fn leave_to_others(&self, body: &mut Value) {
        let (Some(live), Some(profile)) = (self.live, self.profile) else { return };
        let Some((_, pointer)) = drift::replicas_elsewhere(live, profile) else { return };
        let number = |value: &Value| value.pointer(&pointer).and_then(Value::as_i64);
        if number(body) == Some(0) || number(live) == Some(0) {
            return;
        }
        if let Some((parent, field)) = pointer.rsplit_once('/')
            && let Some(map) = body.pointer_mut(parent).and_then(Value::as_object_mut)
        {
            map.remove(field);
        }
    }

    /// What runs once keeps the fields it was started with.
    fn leave_as_started(&self, body: &mut Value) {
        let (Some(live), Some(profile)) = (self.live, self.profile) else { return };
        if profile.continuity != Continuity::RunOnce {
            return;
        }
        for path in &profile.immutable {
            for pointer in path.resolve(live) {
                if let (Some(have), Some(place)) = (live.pointer(&pointer), body.pointer_mut(&pointer)) {
                    *place = have.clone();
                }
            }
        }
    }

    async fn create(&self) -> Result<ObjectObservation, Refusal> {
        let body = self.order.body(self.wanted.manifest.clone(), &self.wanted.digest, None);
        let made = self.order.caller.apply(self.place, &body, How::default()).await?;
        // Status is written by controllers; anything else by another hand was there before us.
        let theirs = drift::managers(&made).find_map(|entry| {
            let text = |field: &str| entry.get(field).and_then(Value::as_str);
            let manager = text("manager")?;
            (manager != meta::FIELD_MANAGER && text("subresource").is_none()).then(|| manager.to_owned())
        });
        let Some(manager) = theirs else { return Ok(self.seen(Some(&made))) };
        let release = json!({"apiVersion": body["apiVersion"], "kind": body["kind"],
            "metadata": {"name": body["metadata"]["name"], "namespace": body["metadata"]["namespace"],
                "uid": made["metadata"]["uid"]}});
        self.order.caller.apply(self.place, &release, How::default()).await?;
        Ok(self.stays(ObjectState::Conflict, format!("{manager} made it at the same moment")))
    }

    async fn update(&self, facts: &Facts<'_>) -> Result<ObjectObservation, Refusal> {
        let force = self.object.on_drift == OnDrift::Correct;
        match self.order.caller.apply(self.place, &self.ours(), How { force, dry_run: false }).await {
            Ok(written) => Ok(self.seen(Some(&written))),
            Err(Refusal::Immutable(words)) => match drift::recreate(facts, std::slice::from_ref(&words)) {
                Ok(Step::Recreate(fields)) => self.remove_to_recreate(&fields).await,
                Ok(_) | Err(_) => Ok(self.stays(ObjectState::Refused, words)),
            },
            Err(refusal) => Err(refusal),
        }
    }

    /// The body of a write to what is ours already.
    fn ours(&self) -> Value {
        let uid = self.live.map(|live| Object::new(live).text("/metadata/uid"));
        let mut body = self.order.body(self.kept(), &self.wanted.digest, uid);
        self.leave_to_others(&mut body);
        self.leave_as_started(&mut body);
        body
    }

    /// A dry run tells whether what looks different is. Then it is set right, or reported.
    async fn compare(&self, facts: &Facts<'_>) -> Result<ObjectObservation, Refusal> {
        let Some(live) = self.live else { return Err(Refusal::Changed) };
        let view = Object::new(live);
        let (uid, version) = (view.text("/metadata/uid"), view.text("/metadata/resourceVersion"));
        if self.order.member.knows_equal(uid, version, facts.digest) {
            return Ok(self.seen(self.live));
        }
        let mut body = self.ours();
        // The marks of the last write stay as they are: a new decision without new content is no reason to write.
        let epoch = view.annotation(meta::ANNOTATION_EPOCH).unwrap_or_default();
        mark(&mut body, epoch, view.annotation(meta::ANNOTATION_DECISION).unwrap_or_default(), facts.digest);
        let result = self.order.caller.apply(self.place, &body, How { force: true, dry_run: true }).await?;
        let (result, have) = (takeover::plain(&result), takeover::plain(live));
        if result == have {
            self.order.member.remember_equal(uid, version, facts.digest);
            return Ok(self.seen(self.live));
        }
        match self.object.on_drift {
            OnDrift::Correct => {
                let how = How { force: true, dry_run: false };
                let written = self.order.caller.apply(self.place, &body, how).await?;
                Ok(self.seen(Some(&written)))
            }
            OnDrift::Report => {
                let mut fields = drift::differences(&result, &have);
                fields.extend(drift::differences(&have, &result));
                fields.sort();
                fields.dedup();
                fields.truncate(8);
                Ok(self.stays(ObjectState::Drifted, format!("changed by another hand: {}", fields.join(", "))))
            }
        }
    }

    async fn remove_to_recreate(&self, fields: &[String]) -> Result<ObjectObservation, Refusal> {
        let Some(live) = self.live else { return Err(Refusal::Changed) };
        self.order.caller.delete(self.place, live, self.profile.is_some_and(Profile::runs_pods)).await?;
        Ok(self.stays(ObjectState::Removing, format!("made again, because {} cannot be changed", fields.join(", "))))
    }

    async fn take_over(&self, live: &Value) -> Result<ObjectObservation, Refusal> {
        let uid = Object::new(live).text("/metadata/uid");
        let marked = |manifest: Value| self.order.body(manifest, &self.wanted.digest, Some(uid));
        let templates = self.profile.map(|profile| profile.templates_in(Object::new(live))).unwrap_or_default();
        let wish = takeover::Wish {
            whole: marked(self.wanted.manifest.clone()),
            as_found: found::as_written(&self.wanted.manifest, self.object, self.profile)
                .map(|written| marked(written.manifest)),
            templates: templates.into_iter().map(|(pointer, _)| pointer).collect(),
        };
        match takeover::take(&self.order.caller, self.place, live, &wish).await? {
            takeover::Taken::Ours(object) => Ok(self.seen(Some(&object))),
            takeover::Taken::Differs(fields) => {
                let why = format!("it was there before and differs at {}", fields.join(", "));
                Ok(self.stays(ObjectState::Conflict, why))
            }
        }
    }

    /// The object as it is, judged by its kind.
    fn seen(&self, live: Option<&Value>) -> ObjectObservation {
        let Some(live) = live else { return self.stays(ObjectState::Waiting, String::new()) };
        let judged = self.order.member.knowledge.rules.judge(live);
        let mut message = judged.message;
        if let Some((manager, pointer)) = self.profile.and_then(|profile| drift::replicas_elsewhere(live, profile)) {
            let note = format!("{pointer} is {manager}'s");
            message = Some(message.map_or(note.clone(), |message| format!("{message}; {note}")));
        }
        observation_of(self, Some(live), judged.state, message)
    }

    fn stays(&self, state: ObjectState, message: String) -> ObjectObservation {
        observation_of(self, self.live, state, Some(message).filter(|message| !message.is_empty()))
    }
}

fn observation_of(
    one: &One<'_>,
    live: Option<&Value>,
    state: ObjectState,
    message: Option<String>,
) -> ObjectObservation {
    let secret = one.place.resource.group.is_empty() && one.place.resource.kind == "Secret";
    // Words of an object are its controller's; those of a Secret are nobody's business.
    let message = message.map(|text| if secret { text } else { one.order.caller.censor.clean(&text) });
    let mut seen = observation(one.object, one.recorded, live, state, message);
    if let (Some(live), Some(profile)) = (live, one.profile) {
        (seen.wanted, seen.ready) = health::counts(live, profile);
    }
    if let Some(live) = live.filter(|_| !matches!(seen.state, ObjectState::Conflict)) {
        seen.taken_over = found::has_mark(live);
        seen.as_found = found::digest_on(live).map(Into::into);
        (seen.counted, seen.addresses) = (counted::of(live), counted::addresses(live));
        if !secret && !one.object.watched.is_empty() {
            seen.values =
                state::observed(&one.object.watched, live, |text| one.order.caller.censor.clean(text) == text);
        }
    }
    seen
}

/// What was observed. Without a live object the identity of before stays: an inventory forgets nothing.
pub(crate) fn observation(
    object: &DeliveredObject,
    recorded: Option<&ObjectObservation>,
    live: Option<&Value>,
    state: ObjectState,
    message: Option<String>,
) -> ObjectObservation {
    let ours = !matches!(state, ObjectState::Conflict);
    let applied = live.and_then(|live| Object::new(live).annotation(meta::ANNOTATION_APPLIED)).filter(|_| ours);
    let identity = match live {
        Some(live) if ours => Some(identity(live)),
        Some(_) => None,
        None => recorded.and_then(|recorded| recorded.identity.clone()),
    };
    ObjectObservation {
        name: object.name.clone(),
        identity,
        state,
        applied: applied.map(Into::into),
        message: message.map(Into::into),
        ..ObjectObservation::default()
    }
}

/// Which object a manifest of a member is.
pub(crate) fn identity(live: &Value) -> ObjectIdentity {
    let object = Object::new(live);
    ObjectIdentity {
        api_version: object.api_version().into(),
        kind: object.kind().into(),
        namespace: Some(object.namespace()).filter(|namespace| !namespace.is_empty()).map(Into::into),
        name: object.name().into(),
        uid: object.text("/metadata/uid").into(),
    }
}
