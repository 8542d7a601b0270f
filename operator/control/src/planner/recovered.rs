//! What people say when hub or member went back in time, or when this hub takes the place of another: into the audit log.
//!
//! The words stand in the counter of the hub and on members, written by `jiuzhou recover`. Those of the hub are recorded
//! before it goes on by them; one that was said while no operator ran is recorded when one starts. A word is recorded once,
//! whoever reads it how often.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiuzhou_api::meta;
use jiuzhou_engine::terms::Digest;
use jiuzhou_records::audit::{Cluster, Entry, Kind, ObjectId};
use kube::ResourceExt as _;

use super::Planner;
use crate::decide::counter::Counter;
use crate::error::Error;

/// Longest name of a person that an entry takes, in characters.
const PERSON_MOST: usize = 120;

/// What is recorded.
#[derive(Debug)]
pub(super) struct Words {
    recorded: BTreeSet<Digest>,
    /// A member may have a word that nobody has looked at.
    pub(super) look: bool,
}

impl Default for Words {
    fn default() -> Self {
        Self { recorded: BTreeSet::new(), look: true }
    }
}

impl Planner {
    /// Records what people said of the hub.
    pub(super) async fn record_words(&mut self, counter: &Counter) -> Result<(), Error> {
        let lines = counter.recovered.iter().flat_map(|words| words.lines());
        self.record_recoveries(lines.filter_map(of_hub).collect()).await
    }

    /// Records what people said of members.
    pub(super) async fn record_members(&mut self) -> Result<(), Error> {
        if !std::mem::take(&mut self.past.words.look) {
            return Ok(());
        }
        let now = self.now();
        let members = self.state.objects().clusters.values();
        let entries = members.filter_map(|item| {
            let word = item.object.annotations().get(meta::ANNOTATION_RECOVERED)?;
            let identity = item.object.status.as_ref().and_then(|status| status.identity.as_ref());
            of_member(&item.object.name_any(), identity.map(|identity| identity.uid.to_string()), word, now)
        });
        let entries = entries.collect();
        let recorded = self.record_recoveries(entries).await;
        self.past.words.look = recorded.is_err();
        recorded
    }

    async fn record_recoveries(&mut self, entries: Vec<Entry>) -> Result<(), Error> {
        let known = |entry: &Entry| entry.decision.is_some_and(|word| self.past.words.recorded.contains(&word));
        let new: Vec<Entry> = entries.into_iter().filter(|entry| !known(entry)).collect();
        if new.is_empty() {
            return Ok(());
        }
        let words: Vec<Digest> = new.iter().filter_map(|entry| entry.decision).collect();
        self.records.recovered(self.gate.check()?, new).await?;
        self.past.words.recorded.extend(words);
        Ok(())
    }
}

/// The entry of a line of the counter: when, who, and what of.
fn of_hub(line: &str) -> Option<Entry> {
    let (at, rest) = line.split_once(' ')?;
    let (by, what) = rest.rsplit_once(": ")?;
    let mut entry = word(at.parse().ok()?, by, &format!("recover hub {line}"));
    entry.epoch = what.strip_prefix("epoch ").and_then(|epoch| epoch.parse().ok());
    // Who a hub is says the uid of its kube-system.
    let former = what.strip_prefix("in the place of ").map(|former| ObjectId {
        api_version: "v1".to_owned(),
        kind: "Namespace".to_owned(),
        namespace: None,
        name: "kube-system".to_owned(),
        uid: Some(former.to_owned()),
    });
    entry.objects = former.into_iter().collect();
    Some(entry)
}

/// The entry of a member's annotation: since when it was known, and who says so.
fn of_member(name: &str, identity: Option<String>, text: &str, now: Timestamp) -> Option<Entry> {
    let (since, by) = text.split_once(' ')?;
    let _since: Timestamp = since.parse().ok()?;
    let mut entry = word(now, by, &format!("recover member {name} {text}"));
    entry.cluster = Some(Cluster { name: name.to_owned(), uid: identity.filter(|uid| !uid.is_empty()) });
    Some(entry)
}

fn word(at: Timestamp, by: &str, what: &str) -> Entry {
    let by: String = by.chars().filter(|c| !c.is_control()).take(PERSON_MOST).collect();
    let by = if by.is_empty() { "unknown".to_owned() } else { by };
    let mut entry = Entry::new(at, Kind::Recovered, by);
    entry.decision = Some(Digest::sha256(what.as_bytes()));
    entry
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_says_who_and_of_what_and_is_of_its_instant() {
        let at = "2026-11-23T05:00:00Z";
        let line = format!("{at} system:serviceaccount:ops:admin: epoch 5000");
        let entry = of_hub(&line).expect("a word");
        assert_eq!((entry.actor.as_str(), entry.epoch), ("system:serviceaccount:ops:admin", Some(5000)));
        assert_eq!((entry.time.to_string().as_str(), entry.check()), (at, Ok(())));
        let later = of_hub(&line.replace("05:00", "06:00")).expect("a word");
        assert_ne!(entry.decision, later.decision);
        let promoted = of_hub(&format!("{at} admin: in the place of lost-hub")).expect("a word");
        assert_eq!((promoted.objects[0].uid.as_deref(), promoted.check()), (Some("lost-hub"), Ok(())));
        assert_eq!(of_hub("nonsense"), None);
        let now = at.parse().expect("an instant");
        let member = of_member("kunpeng", Some("uid".to_owned()), &format!("{at} 张三"), now).expect("a word");
        assert_eq!((member.actor.as_str(), member.check()), ("张三", Ok(())));
        assert_eq!(member.cluster, Some(Cluster { name: "kunpeng".to_owned(), uid: Some("uid".to_owned()) }));
        assert_eq!(of_member("kunpeng", None, "yes", now), None);
    }
}
