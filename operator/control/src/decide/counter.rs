//! What a hub remembers of itself beside its objects: the ConfigMap `jiuzhou-system/epoch`.
//!
//! It is read whole and changed by compare-and-swap only, by the operator and by a person's `recover`. What cannot be read
//! is no counter that begins anew.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiuzhou_api::meta;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::PostParams;
use kube::{Api, Client};

use crate::error::Error;

const NEXT: &str = "next";
const COMMITTED: &str = "committed";
const BEHIND: &str = "behind";
const TERM_SEEN: &str = "termSeen";
const TERM: &str = "term";
const SUCCEEDS: &str = "succeeds";
const RECOVERED: &str = "recovered";

/// Somebody else writes at the same moment at most during a change of leader, or when a person recovers.
const TRIES: u32 = 5;

/// The counter, as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Counter {
    /// The first epoch that nobody has reserved.
    pub(crate) next: i64,
    /// Up to which epoch placements that are gone were committed, or a person accepted what members have seen.
    pub(crate) committed: i64,
    /// The highest epoch that a member has seen and this hub never committed; 0 when there is none, or a person knows of it.
    pub(crate) behind: i64,
    /// The highest term that a member has seen above this hub's own.
    pub(crate) term_seen: i64,
    /// Terms of this hub's leaders are above this one.
    pub(crate) term: i64,
    /// The hub whose members a person gave to this one.
    pub(crate) succeeds: Option<String>,
    /// Who recovered, when, and from what: a line each, the last ones.
    pub(crate) recovered: Option<String>,
}

/// Lines of words that are kept; the operator records them within seconds, or when it starts.
const WORDS_MOST: usize = 8;

impl Default for Counter {
    fn default() -> Self {
        Self { next: 1, committed: 0, behind: 0, term_seen: 0, term: 0, succeeds: None, recovered: None }
    }
}

impl Counter {
    /// Adds a person's word.
    pub(crate) fn said(&mut self, at: Timestamp, by: &str, what: &str) {
        let by: String = by.chars().filter(|c| !c.is_control()).collect();
        let word = format!("{at} {by}: {what}");
        let known = self.recovered.iter().flat_map(|known| known.lines());
        let mut lines: Vec<&str> = known.filter(|line| *line != word).collect();
        lines.push(&word);
        let words = lines[lines.len().saturating_sub(WORDS_MOST)..].join("\n");
        self.recovered = Some(words);
    }

    fn parse(map: &ConfigMap) -> Result<Self, Error> {
        let text = |key: &str| map.data.as_ref().and_then(|data| data.get(key)).filter(|text| !text.is_empty());
        let number = |key: &str, text: &str| text.parse().map_err(|_| Error::Epoch(format!("{key}: {text}")));
        let optional = |key: &str| text(key).map_or(Ok(0), |text| number(key, text));
        Ok(Self {
            next: number(NEXT, text(NEXT).map(String::as_str).unwrap_or_default())?,
            committed: optional(COMMITTED)?,
            behind: optional(BEHIND)?,
            term_seen: optional(TERM_SEEN)?,
            term: optional(TERM)?,
            succeeds: text(SUCCEEDS).cloned(),
            recovered: text(RECOVERED).cloned(),
        })
    }

    /// Puts it in; what is not said is not written.
    fn put(&self, data: &mut BTreeMap<String, String>) {
        let Self { next, committed, behind, term_seen, term, succeeds, recovered } = self;
        data.insert(NEXT.to_owned(), next.to_string());
        for (key, number) in [(COMMITTED, committed), (BEHIND, behind), (TERM_SEEN, term_seen), (TERM, term)] {
            match number {
                0 => drop(data.remove(key)),
                number => drop(data.insert(key.to_owned(), number.to_string())),
            }
        }
        for (key, text) in [(SUCCEEDS, succeeds), (RECOVERED, recovered)] {
            match text {
                None => drop(data.remove(key)),
                Some(text) => drop(data.insert(key.to_owned(), text.clone())),
            }
        }
    }
}

fn maps(client: &Client) -> Api<ConfigMap> {
    Api::namespaced(client.clone(), meta::SYSTEM_NAMESPACE)
}

/// The counter as it stands; the first one where there is none.
///
/// # Errors
/// When the hub does not say, or says no number.
pub(crate) async fn read(client: &Client) -> Result<Counter, Error> {
    let known = maps(client).get_opt(meta::EPOCH_COUNTER).await;
    let known = known.map_err(|error| Error::api("read", "the epoch", error))?;
    known.as_ref().map_or_else(|| Ok(Counter::default()), Counter::parse)
}

/// Changes the counter, from what is read anew each time somebody was faster. What leaves it as it is writes nothing.
///
/// # Errors
/// When the hub does not answer or refuses, the counter cannot be read, or `change` refuses.
pub(crate) async fn change(
    client: &Client,
    manager: &str,
    mut change: impl FnMut(&mut Counter) -> Result<(), Error>,
) -> Result<Counter, Error> {
    let api = maps(client);
    let params = PostParams { field_manager: Some(manager.to_owned()), ..PostParams::default() };
    let mut tried = 0;
    loop {
        let known = api.get_opt(meta::EPOCH_COUNTER).await;
        let known = known.map_err(|error| Error::api("read", "the epoch", error))?;
        let before = known.as_ref().map_or_else(|| Ok(Counter::default()), Counter::parse)?;
        let mut next = before.clone();
        change(&mut next)?;
        if next == before {
            return Ok(next);
        }
        let is_new = known.is_none();
        let mut map = known.unwrap_or_default();
        map.metadata.name = Some(meta::EPOCH_COUNTER.to_owned());
        next.put(map.data.get_or_insert_default());
        let written = match is_new {
            false => api.replace(meta::EPOCH_COUNTER, &params, &map).await,
            true => api.create(&params, &map).await,
        };
        match written {
            Ok(_) => return Ok(next),
            Err(kube::Error::Api(status)) if (status.is_conflict() || status.is_already_exists()) && tried < TRIES => {
                tried += 1;
            }
            Err(error) => return Err(Error::api("write", "the epoch", error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_in_is_read_again_and_a_counter_without_its_number_is_none() {
        let counter = Counter {
            next: 1001,
            committed: 7,
            behind: 9,
            term_seen: 3,
            term: 4,
            succeeds: Some("hub".to_owned()),
            recovered: None,
        };
        let mut map = ConfigMap::default();
        counter.put(map.data.get_or_insert_default());
        assert_eq!(Counter::parse(&map).unwrap(), counter);
        Counter { next: 1001, ..Counter::default() }.put(map.data.get_or_insert_default());
        assert_eq!(map.data.as_ref().map(BTreeMap::len), Some(1), "what is not said is not there");
        assert!(Counter::parse(&ConfigMap::default()).is_err());
        map.data.get_or_insert_default().insert(BEHIND.to_owned(), "many".to_owned());
        assert!(Counter::parse(&map).is_err());
    }
}
