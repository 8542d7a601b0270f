//! Who the cluster is, and which hub it obeys.
//!
//! A cluster is known by the uid of its namespace `kube-system`: another uid behind the same address is another cluster,
//! never an empty one. The ConfigMap `jiuzhou-system/hub` in it names the hub that has claimed it, that hub's term, and
//! the highest epoch written there. It is changed by compare-and-swap only. [`judge`] is pure; the rest reads and writes.

use std::collections::BTreeMap;

use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::HubClaim;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::Api;
use kube::api::{DeleteParams, ObjectMeta, PostParams, Preconditions};

use crate::connection::Trouble;

const HUB: &str = "hub";
const TERM: &str = "term";
const HIGHEST_EPOCH: &str = "highestEpoch";

/// What a hub says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hub {
    /// Its id: the uid of its own `kube-system`.
    pub id: String,
    /// Term of its leader.
    pub term: i64,
    /// Highest epoch that the hub, by its own store, has committed.
    pub epoch: i64,
    /// The hub whose members a person gave to this one.
    pub succeeds: Option<String>,
    /// Epochs between these two were never committed by it: what was reserved and not used before it began anew. A member
    /// that has seen one has seen another life of this hub.
    pub never: (i64, i64),
}

impl Hub {
    /// Whether this hub, by its own store, never committed an epoch.
    fn never_committed(&self, epoch: i64) -> bool {
        let (from, to) = self.never;
        epoch > self.epoch || (from < epoch && epoch < to)
    }
}

/// A claim as read, with what a compare-and-swap needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What it says.
    pub claim: HubClaim,
    version: Option<String>,
    uid: Option<String>,
}

/// How a hub stands with a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nobody has claimed it.
    Free,
    /// It is ours. `behind` when the record there says less than we know (an older term or a lower epoch).
    Ours {
        /// Whether the record should be written again.
        behind: bool,
    },
    /// A hub has claimed it that a person says this one succeeds: the claim is taken over before anything is judged.
    Former {
        /// Its id.
        hub: String,
    },
    /// Another hub has claimed it: nothing is written there.
    OtherHub {
        /// Its id.
        hub: String,
    },
    /// A later leader of ours has written there: we are not the leader any more.
    NewerLeader {
        /// Its term.
        term: i64,
    },
    /// The member has seen a higher epoch than this hub ever committed: the hub was restored from a backup. Deletes and
    /// moves wait for a person.
    HubRolledBack {
        /// The member's epoch.
        seen: i64,
        /// The hub's.
        ours: i64,
    },
    /// The member says less than it said before: it was restored from a backup, or the record was removed.
    MemberRolledBack {
        /// What it said before.
        recorded: i64,
        /// What it says now.
        seen: i64,
    },
}

/// Compares what a member says with what the hub is and what it recorded of that member before.
#[must_use]
pub fn judge(found: Option<&HubClaim>, hub: &Hub, recorded: Option<&HubClaim>) -> Standing {
    let recorded = recorded.filter(|recorded| *recorded.hub == *hub.id);
    let Some(found) = found else {
        return match recorded {
            Some(recorded) => Standing::MemberRolledBack { recorded: recorded.highest_epoch, seen: 0 },
            None => Standing::Free,
        };
    };
    if *found.hub != *hub.id {
        let other = found.hub.to_string();
        let former = hub.succeeds.as_ref() == Some(&other);
        return if former { Standing::Former { hub: other } } else { Standing::OtherHub { hub: other } };
    }
    if found.term > hub.term {
        return Standing::NewerLeader { term: found.term };
    }
    if hub.never_committed(found.highest_epoch) {
        return Standing::HubRolledBack { seen: found.highest_epoch, ours: hub.epoch };
    }
    match recorded {
        Some(recorded) if recorded.highest_epoch > found.highest_epoch => {
            Standing::MemberRolledBack { recorded: recorded.highest_epoch, seen: found.highest_epoch }
        }
        _ => Standing::Ours { behind: found.term < hub.term },
    }
}

/// Uid of the cluster's `kube-system`.
///
/// # Errors
/// The member's answer; a namespace without uid is nonsense.
pub async fn identity(client: &kube::Client) -> Result<String, Trouble> {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let system = namespaces.get("kube-system").await.map_err(|error| Trouble::of(&error))?;
    system.metadata.uid.ok_or_else(|| Trouble::Nonsense("kube-system has no uid".to_owned()))
}

/// The claim in a member.
///
/// # Errors
/// The member's answer; a record that cannot be read is nonsense and is never overwritten.
pub async fn read(client: &kube::Client) -> Result<Option<Found>, Trouble> {
    let found = maps(client).get_opt(meta::HUB_CLAIM).await.map_err(|error| Trouble::of(&error))?;
    found.map(|map| parse(&map)).transpose()
}

/// Writes the claim: creates it where there was none, replaces exactly what was found otherwise.
///
/// # Errors
/// [`Trouble::Conflict`] when somebody was faster: read again and judge again. Otherwise the member's answer.
pub async fn write(client: &kube::Client, claim: &HubClaim, over: Option<&Found>) -> Result<Found, Trouble> {
    let map = ConfigMap {
        metadata: ObjectMeta {
            name: Some(meta::HUB_CLAIM.to_owned()),
            namespace: Some(meta::SYSTEM_NAMESPACE.to_owned()),
            labels: Some(BTreeMap::from([(meta::LABEL_MANAGED_BY.to_owned(), meta::MANAGED_BY.to_owned())])),
            resource_version: over.and_then(|found| found.version.clone()),
            uid: over.and_then(|found| found.uid.clone()),
            ..ObjectMeta::default()
        },
        data: Some(BTreeMap::from([
            (HUB.to_owned(), claim.hub.to_string()),
            (TERM.to_owned(), claim.term.to_string()),
            (HIGHEST_EPOCH.to_owned(), claim.highest_epoch.to_string()),
        ])),
        ..ConfigMap::default()
    };
    let params = PostParams { field_manager: Some(meta::FIELD_MANAGER.to_owned()), ..PostParams::default() };
    let written = match over {
        None => maps(client).create(&params, &map).await,
        Some(_) => maps(client).replace(meta::HUB_CLAIM, &params, &map).await,
    };
    parse(&written.map_err(|error| Trouble::of(&error))?)
}

/// Gives a member back: removes the claim, and only the one that was found.
///
/// # Errors
/// [`Trouble::Conflict`] when it was changed meanwhile. A claim that is gone is no error.
pub async fn release(client: &kube::Client, found: &Found) -> Result<(), Trouble> {
    let preconditions = Preconditions { uid: found.uid.clone(), resource_version: found.version.clone() };
    let params = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::default() };
    match maps(client).delete(meta::HUB_CLAIM, &params).await.map_err(|error| Trouble::of(&error)) {
        Ok(_) | Err(Trouble::NotFound(_)) => Ok(()),
        Err(trouble) => Err(trouble),
    }
}

fn maps(client: &kube::Client) -> Api<ConfigMap> {
    Api::namespaced(client.clone(), meta::SYSTEM_NAMESPACE)
}

fn parse(map: &ConfigMap) -> Result<Found, Trouble> {
    let text = |key: &str| map.data.as_ref().and_then(|data| data.get(key)).filter(|text| !text.is_empty());
    let number = |key: &str| text(key).and_then(|text| text.parse::<i64>().ok()).filter(|number| *number >= 0);
    let claim = (|| {
        Some(HubClaim { hub: text(HUB)?.clone().into(), term: number(TERM)?, highest_epoch: number(HIGHEST_EPOCH)? })
    })();
    let claim = claim.ok_or_else(|| {
        Trouble::Nonsense(format!("ConfigMap {}/{} is no claim of a hub", meta::SYSTEM_NAMESPACE, meta::HUB_CLAIM))
    })?;
    Ok(Found { claim, version: map.metadata.resource_version.clone(), uid: map.metadata.uid.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(hub: &str, term: i64, epoch: i64) -> HubClaim {
        HubClaim { hub: hub.into(), term, highest_epoch: epoch }
    }

    #[test]
    fn who_may_write_is_told_from_claim_term_and_epoch() {
        let hub =
            Hub { id: "us".to_owned(), term: 5, epoch: 100, succeeds: Some("before".to_owned()), never: (60, 70) };
        let (ours, them) = (claim("us", 5, 90), claim("them", 9, 900));
        let table = [
            ("nobody's", None, None, Standing::Free),
            ("ours", Some(&ours), Some(&ours), Standing::Ours { behind: false }),
            ("ours, not recorded yet", Some(&ours), None, Standing::Ours { behind: false }),
            ("an older term", Some(&claim("us", 4, 90)), None, Standing::Ours { behind: true }),
            ("another hub", Some(&them), None, Standing::OtherHub { hub: "them".to_owned() }),
            (
                "a hub that we succeed",
                Some(&claim("before", 9, 900)),
                None,
                Standing::Former { hub: "before".to_owned() },
            ),
            ("another hub took it", Some(&them), Some(&ours), Standing::OtherHub { hub: "them".to_owned() }),
            ("recorded by a former hub of ours", None, Some(&them), Standing::Free),
            ("a later leader", Some(&claim("us", 6, 90)), Some(&ours), Standing::NewerLeader { term: 6 }),
            (
                "hub restored, and new epochs given out since",
                Some(&claim("us", 5, 65)),
                Some(&ours),
                Standing::HubRolledBack { seen: 65, ours: 100 },
            ),
            ("hub restored", Some(&claim("us", 5, 101)), Some(&ours), Standing::HubRolledBack { seen: 101, ours: 100 }),
            (
                "member restored",
                Some(&claim("us", 5, 40)),
                Some(&ours),
                Standing::MemberRolledBack { recorded: 90, seen: 40 },
            ),
            ("record removed", None, Some(&ours), Standing::MemberRolledBack { recorded: 90, seen: 0 }),
        ];
        for (name, found, recorded, want) in table {
            assert_eq!(judge(found, &hub, recorded), want, "{name}");
        }
    }

    #[test]
    fn a_record_that_is_no_claim_is_never_taken_for_none() {
        let map = |data: &[(&str, &str)]| ConfigMap {
            data: Some(data.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()),
            ..ConfigMap::default()
        };
        for bad in [&[][..], &[("hub", "us")], &[("hub", "us"), ("term", "1"), ("highestEpoch", "-1")]] {
            assert!(matches!(parse(&map(bad)), Err(Trouble::Nonsense(_))), "{bad:?}");
        }
        let good = map(&[("hub", "us"), ("term", "1"), ("highestEpoch", "7")]);
        assert_eq!(parse(&good).unwrap().claim, claim("us", 1, 7));
    }
}
