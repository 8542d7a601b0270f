//! Reminders of what runs out: at 90, 60, 30 and 7 days, and when it has, once each.
//!
//! What was told is kept in a ConfigMap, so that neither a restart nor another leader tells it again. Whoever was away
//! over several marks tells the one that holds now, with the days that are left now, and not those that were missed. A
//! thing that is renewed is another thing: its marks begin anew. The event goes before the note, under a name made of
//! both, so that a crash between them repeats the same event and makes no second one.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiuzhou_api::conditions::ControllerReason;
use jiuzhou_api::meta;
use jiuzhou_engine::terms::Digest;
use jiuzhou_intake::figures::Expiring;
use jiuzhou_report::documents::sovereignty::proof;
use jiuzhou_report::words::Lang;
use k8s_openapi::api::core::v1::{ConfigMap, ObjectReference};
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::PostParams;
use kube::{Api, Client};
use serde::{Deserialize, Serialize};

use super::status::sentence;
use crate::error::Error;
use crate::events::CONTROLLER;

/// The marks, the nearest first.
const MARKS: [(i64, ControllerReason); 4] = [
    (7, ControllerReason::ExpiresIn7Days),
    (30, ControllerReason::ExpiresIn30Days),
    (60, ControllerReason::ExpiresIn60Days),
    (90, ControllerReason::ExpiresIn90Days),
];
/// Time that what renews itself has for it before anybody is told.
const RENEWAL: i64 = 3600;
/// How long after its end a thing that is seen no more is remembered, in seconds.
const REMEMBERED: i64 = 30 * 24 * 3600;
/// Key in the ConfigMap.
const TOLD: &str = "told";

/// Which mark a thing has passed; `None` while it is far away.
#[must_use]
pub(crate) fn mark(one: &Expiring, now: Timestamp) -> Option<ControllerReason> {
    if one.remind_from.is_some_and(|from| now.as_second() < from.as_second().saturating_add(RENEWAL)) {
        return None;
    }
    if one.ends <= now {
        return Some(ControllerReason::Expired);
    }
    let days = one.days_left(now);
    MARKS.iter().find(|(most, _)| days <= *most).map(|(_, reason)| *reason)
}

/// How a thing is called in a sentence, with its last day.
#[must_use]
pub(crate) fn named(one: &Expiring, lang: Lang) -> String {
    let what = proof(one.proof).text(lang);
    let name = if one.name.is_empty() { String::new() } else { format!(" {}", one.name) };
    format!("{what}{name}{}", lang.bracketed(&one.last_day().to_string()))
}

/// The last mark that was told of a thing, and when it ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    pub(super) mark: String,
    pub(super) ends: Timestamp,
}

/// What was told, by thing.
pub(super) type Told = BTreeMap<String, Mark>;

/// A reminder that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reminder {
    /// The thing: who has it, what it is, when it ends.
    pub(super) key: String,
    pub(super) mark: ControllerReason,
    pub(super) thing: Expiring,
}

impl Reminder {
    /// As it is remembered.
    pub(super) fn told(&self) -> Mark {
        Mark { mark: self.mark.as_str().to_owned(), ends: self.thing.ends }
    }
}

/// What is due and was not told, and what is still to be remembered. An object that is missing for a moment is no reason
/// to tell everything again, so what was told is remembered until a month after the thing's end.
pub(super) fn due(things: &[Expiring], told: &Told, now: Timestamp) -> (Vec<Reminder>, Told) {
    let marked: BTreeMap<String, (ControllerReason, &Expiring)> =
        things.iter().filter_map(|one| Some((key(one), (mark(one, now)?, one)))).collect();
    let is_told = |key: &str, mark: ControllerReason| told.get(key).is_some_and(|known| known.mark == mark.as_str());
    let due = marked.iter().filter(|(key, (mark, _))| !is_told(key, *mark));
    let due = due.map(|(key, (mark, one))| Reminder { key: key.clone(), mark: *mark, thing: (*one).clone() });
    let lately = |known: &Mark| known.ends.as_second().saturating_add(REMEMBERED) > now.as_second();
    let kept = told.iter().filter(|(key, known)| marked.contains_key(*key) || lately(known));
    (due.collect(), kept.map(|(key, mark)| (key.clone(), mark.clone())).collect())
}

fn key(one: &Expiring) -> String {
    let text = format!("{}\n{}\n{}\n{}", one.subject, one.proof.as_str(), one.name, one.ends);
    let digest = Digest::sha256(text.as_bytes());
    digest.bytes().iter().take(12).map(|byte| format!("{byte:02x}")).collect()
}

/// The note on the hub.
pub(super) struct Note {
    api: Api<ConfigMap>,
    known: Option<(ConfigMap, Told)>,
}

impl Note {
    pub(super) fn new(client: &Client) -> Self {
        Self { api: Api::namespaced(client.clone(), meta::SYSTEM_NAMESPACE), known: None }
    }

    /// What was told. Read once; a note that cannot be read is an error and not an empty one.
    pub(super) async fn read(&mut self) -> Result<Told, Error> {
        if let Some((_, told)) = &self.known {
            return Ok(told.clone());
        }
        let map =
            self.api.get_opt(meta::REMINDERS).await.map_err(|error| Error::api("read", meta::REMINDERS, error))?;
        let map = map.unwrap_or_default();
        let text = map.data.as_ref().and_then(|data| data.get(TOLD)).map_or("{}", String::as_str);
        let told: Told = serde_json::from_str(text).map_err(|_| Error::Reminders)?;
        self.known = Some((map, told.clone()));
        Ok(told)
    }

    /// Notes what was told, where that is something else than before.
    pub(super) async fn write(&mut self, told: Told) -> Result<(), Error> {
        let Some((mut map, before)) = self.known.take() else { return Ok(()) };
        if before == told {
            self.known = Some((map, before));
            return Ok(());
        }
        let text = serde_json::to_string(&told).map_err(|_| Error::Reminders)?;
        map.data = Some(BTreeMap::from([(TOLD.to_owned(), text)]));
        let params = PostParams { field_manager: Some(meta::FIELD_MANAGER.to_owned()), ..PostParams::default() };
        let written = if map.metadata.resource_version.is_some() {
            self.api.replace(meta::REMINDERS, &params, &map).await
        } else {
            map.metadata.name = Some(meta::REMINDERS.to_owned());
            self.api.create(&params, &map).await
        };
        // After a failure it is read again.
        let map = written.map_err(|error| Error::api("write", meta::REMINDERS, error))?;
        self.known = Some((map, told));
        Ok(())
    }
}

/// Writes the event of a reminder. One of the same name was written before a crash and is the same.
pub(super) async fn tell(client: &Client, reminder: &Reminder, uid: &str, now: Timestamp) -> Result<(), Error> {
    let one = &reminder.thing;
    let namespace = if one.subject.namespace.is_empty() { "default" } else { one.subject.namespace.as_str() };
    let said = |lang| sentence(reminder.mark, &named(one, lang), lang);
    let name = format!("{}.{}.{}", one.subject.name, reminder.key, reminder.mark.as_str().to_lowercase());
    let event = Event {
        metadata: ObjectMeta { name: Some(name), namespace: Some(namespace.to_owned()), ..ObjectMeta::default() },
        action: Some("Remind".to_owned()),
        reason: Some(reminder.mark.as_str().to_owned()),
        note: Some(format!("{} {}", said(Lang::En), said(Lang::Zh)).chars().take(1024).collect()),
        type_: Some("Warning".to_owned()),
        event_time: Some(MicroTime(now)),
        reporting_controller: Some(CONTROLLER.to_owned()),
        reporting_instance: Some(CONTROLLER.to_owned()),
        regarding: Some(ObjectReference {
            api_version: Some(meta::API_VERSION.to_owned()),
            kind: Some(one.subject.kind.clone()),
            namespace: (!one.subject.namespace.is_empty()).then(|| one.subject.namespace.clone()),
            name: Some(one.subject.name.clone()),
            uid: Some(uid.to_owned()),
            ..ObjectReference::default()
        }),
        ..Event::default()
    };
    let params = PostParams { field_manager: Some(meta::FIELD_MANAGER.to_owned()), ..PostParams::default() };
    match Api::<Event>::namespaced(client.clone(), namespace).create(&params, &event).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.is_already_exists() => Ok(()),
        Err(error) => Err(Error::api("write", "a reminder", error)),
    }
}

#[cfg(test)]
mod tests {
    use jiuzhou_engine::decide::input::Dimension;
    use jiuzhou_engine::terms::ObjectRef;
    use jiuzhou_intake::figures::Proof;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// Evidence whose last day is 2026-12-31 in Beijing.
    fn thing() -> Expiring {
        Expiring {
            subject: ObjectRef::new("MemberCluster", "", "a"),
            proof: Proof::Evidence(Dimension::Data),
            name: "keyCustody e2".to_owned(),
            ends: at("2027-01-01T00:00:00+08:00"),
            remind_from: None,
        }
    }

    /// Looks on each of these days, remembering from one to the next; what was told.
    fn told_on(days: &[&str]) -> Vec<&'static str> {
        let (mut told, mut all) = (Told::new(), Vec::new());
        for day in days {
            let (due, kept) = due(&[thing()], &told, at(&format!("{day}T09:00:00+08:00")));
            told = kept;
            for one in due {
                told.insert(one.key.clone(), one.told());
                all.push(one.mark.as_str());
            }
        }
        all
    }

    #[test]
    fn each_mark_is_told_once_on_its_day() {
        let every_day: Vec<String> =
            (0..200).map(|day| (jiff::civil::date(2026, 7, 1) + jiff::Span::new().days(day)).to_string()).collect();
        let every_day: Vec<&str> = every_day.iter().map(String::as_str).collect();
        let marks = ["ExpiresIn90Days", "ExpiresIn60Days", "ExpiresIn30Days", "ExpiresIn7Days", "Expired"];
        assert_eq!(told_on(&every_day), marks);
        assert_eq!(told_on(&["2026-10-01"]), Vec::<&str>::new(), "91 days");
        assert_eq!(told_on(&["2026-10-02", "2026-10-02"]), ["ExpiresIn90Days"]);
        assert_eq!(told_on(&["2026-12-31"]), ["ExpiresIn7Days"], "the last day still holds");
    }

    #[test]
    fn after_an_absence_only_what_holds_now_is_told() {
        assert_eq!(told_on(&["2026-10-02", "2026-12-10"]), ["ExpiresIn90Days", "ExpiresIn30Days"]);
        assert_eq!(told_on(&["2027-03-01"]), ["Expired"]);
    }

    #[test]
    fn what_is_renewed_begins_anew_and_what_renews_itself_has_time_to() {
        let now = at("2026-12-30T09:00:00+08:00");
        let renewed = Expiring { ends: at("2027-01-05T00:00:00+08:00"), ..thing() };
        assert_ne!(key(&renewed), key(&thing()));
        let own = Expiring { proof: Proof::Credential, remind_from: Some(at("2026-12-30T08:30:00+08:00")), ..thing() };
        assert_eq!(mark(&own, now), None, "half an hour after it should have been renewed");
        assert_eq!(mark(&own, at("2026-12-30T10:00:00+08:00")), Some(ControllerReason::ExpiresIn7Days));
        assert_eq!(named(&thing(), Lang::Zh), "证据 keyCustody e2（2026-12-31）");
    }
}
