//! The handle by which the rest of the hub reaches members.
//!
//! A [`Member`] is a value as of one moment: who needs it asks [`Members`] again and does not keep it. It says itself
//! what may be done there; who writes to a member asks [`Member::access`] first.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;
use jiuzhou_api::conditions::ControllerReason;
use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::{Lifecycle, Reach};
use jiuzhou_member::claim::{self, Found, Hub, Standing};
use jiuzhou_member::connection::{Connection, Trouble};
use kube::Client;
use tokio::sync::{Mutex, broadcast};

/// What may be done in a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everything that is ordered.
    Full,
    /// Objects may be applied; what is removed waits for a person (the member was restored from a backup).
    Additive(ControllerReason),
    /// Nothing.
    None(ControllerReason),
}

/// A member as of one moment.
#[derive(Clone, Debug)]
pub struct Member {
    /// Name of the MemberCluster.
    pub name: String,
    /// Uid of the MemberCluster.
    pub uid: String,
    /// Uid of the cluster's `kube-system`, once confirmed.
    pub identity: Option<String>,
    /// Carrying, draining or leaving.
    pub lifecycle: Lifecycle,
    /// As the hub sees it.
    pub hub_reach: Reach,
    /// As its agent shows.
    pub agent_reach: Reach,
    /// Whether its agent fetches orders; else they are carried out from here.
    pub by_pull: bool,
    /// What may be done there.
    pub access: Access,
    /// The connection, with push.
    pub(super) connection: Option<Connection>,
    /// The claim as last read or written; shared by all values of one member.
    pub(super) claim: Arc<Mutex<Option<Found>>>,
    /// Whether the claim stays as it is, because the member went back in time and no person has said so yet.
    pub(super) rolled_back: bool,
    /// Who the hub is.
    pub(super) hub: Hub,
}

impl Member {
    /// A client of the hub's own account; `None` with pull or before the first connection.
    #[must_use]
    pub fn client(&self) -> Option<Client> {
        self.connection.as_ref().map(Connection::client)
    }

    /// A number that changes with the connection; `None` without one.
    #[must_use]
    pub fn connection_number(&self) -> Option<u64> {
        self.connection.as_ref().map(Connection::number)
    }

    /// A client that acts as the tenant's service account, so that the member's own rules judge it.
    #[must_use]
    pub fn tenant_client(&self, tenant: &str) -> Option<Client> {
        self.connection.as_ref()?.acting_as(meta::TENANTS_NAMESPACE, tenant).ok()
    }

    /// When the credential in use ends; `None` when it does not say.
    #[must_use]
    pub fn credential_ends(&self) -> Option<Timestamp> {
        self.connection.as_ref()?.expires_at()
    }

    /// Writes into the member that objects of this epoch follow. Must be done before the first of them. `committed` is
    /// the highest epoch that the hub has committed: saying it at once saves a write for each order of a burst.
    ///
    /// # Errors
    /// The member's answer; a conflict when the member obeys another hub or a later leader.
    pub async fn raise_epoch(&self, epoch: i64, committed: i64) -> Result<(), Trouble> {
        let unconnected = || Trouble::NoConnection("there is no connection to this member".to_owned());
        let client = self.client().ok_or_else(unconnected)?;
        if self.rolled_back {
            return Ok(());
        }
        let mut held = self.claim.lock().await;
        for _ in 0..3 {
            let Some(found) = held.as_ref() else {
                *held = claim::read(&client).await?;
                if held.is_none() {
                    return Err(Trouble::NotFound("the member is not claimed".to_owned()));
                }
                continue;
            };
            let hub = Hub { epoch: epoch.max(committed).max(self.hub.epoch), ..self.hub.clone() };
            match claim::judge(Some(&found.claim), &hub, None) {
                Standing::Ours { .. } if found.claim.highest_epoch >= epoch => return Ok(()),
                Standing::Ours { .. } => {}
                other => return Err(Trouble::Conflict(format!("the member's claim says {other:?}"))),
            }
            let mut raised = found.claim.clone();
            (raised.term, raised.highest_epoch) = (self.hub.term, epoch.max(committed));
            match claim::write(&client, &raised, Some(found)).await {
                Ok(written) => {
                    *held = Some(written);
                    return Ok(());
                }
                Err(Trouble::Conflict(_)) => {
                    let read = claim::read(&client).await?;
                    // Less than it said before: the next look at the member judges that, and until then nothing is raised.
                    if read.as_ref().is_none_or(|read| read.claim.highest_epoch < found.claim.highest_epoch) {
                        return Err(Trouble::Conflict("the member went back in time".to_owned()));
                    }
                    *held = read;
                }
                Err(trouble) => return Err(trouble),
            }
        }
        Err(Trouble::Conflict("the member's claim changes all the time".to_owned()))
    }
}

/// What happened to a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberChange {
    /// It can be asked for from now on.
    Appeared,
    /// Access, reachability, identity or connection changed.
    Changed,
    /// Its MemberCluster is gone. This orders nothing.
    Gone,
}

/// A change of one member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberEvent {
    /// Its name.
    pub name: String,
    /// What happened.
    pub change: MemberChange,
}

/// All members. Copies share the same ones.
#[derive(Clone, Debug)]
pub struct Members {
    members: Arc<RwLock<BTreeMap<String, Arc<Member>>>>,
    /// Which MemberClusters say to be the cluster with this uid, the oldest first.
    identities: Arc<RwLock<BTreeMap<String, BTreeMap<String, Timestamp>>>>,
    events: broadcast::Sender<MemberEvent>,
}

impl Default for Members {
    fn default() -> Self {
        Self { members: Arc::default(), identities: Arc::default(), events: broadcast::Sender::new(1024) }
    }
}

impl Members {
    /// The member of this name, as it is now.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Arc<Member>> {
        self.members.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// All members in order of name.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Member>> {
        self.members.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Changes from now on. Who falls behind gets an error from the receiver and looks at all members again.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<MemberEvent> {
        self.events.subscribe()
    }

    /// Puts a member in its place and tells when something that others look at changed.
    pub(super) fn put(&self, member: Member) {
        let (name, member) = (member.name.clone(), Arc::new(member));
        let before = {
            let mut members = self.members.write().unwrap_or_else(PoisonError::into_inner);
            members.insert(name.clone(), Arc::clone(&member))
        };
        let change = match before {
            None => MemberChange::Appeared,
            Some(before) if before.looks_like(&member) => return,
            Some(_) => MemberChange::Changed,
        };
        self.tell(name, change);
    }

    /// Takes a member away.
    pub(super) fn remove(&self, name: &str) {
        let gone = self.members.write().unwrap_or_else(PoisonError::into_inner).remove(name).is_some();
        let mut identities = self.identities.write().unwrap_or_else(PoisonError::into_inner);
        for names in identities.values_mut() {
            names.remove(name);
        }
        identities.retain(|_, names| !names.is_empty());
        drop(identities);
        if gone {
            self.tell(name.to_owned(), MemberChange::Gone);
        }
    }

    /// Says that a MemberCluster is this cluster. Returns the one that has it instead: the oldest, then by name.
    pub(super) fn identify(&self, identity: &str, name: &str, since: Timestamp) -> Option<String> {
        let mut identities = self.identities.write().unwrap_or_else(PoisonError::into_inner);
        for (other, names) in identities.iter_mut() {
            if other != identity {
                names.remove(name);
            }
        }
        let names = identities.entry(identity.to_owned()).or_default();
        names.insert(name.to_owned(), since);
        let first = names.iter().min_by_key(|(name, since)| (**since, name.as_str()));
        first.map(|(first, _)| first.clone()).filter(|first| first != name)
    }

    fn tell(&self, name: String, change: MemberChange) {
        // Nobody listening is no fault.
        let _ = self.events.send(MemberEvent { name, change });
    }
}

impl Member {
    fn looks_like(&self, other: &Self) -> bool {
        let seen = |member: &Self| {
            (
                member.uid.clone(),
                member.identity.clone(),
                member.lifecycle,
                (member.hub_reach, member.agent_reach),
                member.access,
                member.by_pull,
                member.connection_number(),
            )
        };
        seen(self) == seen(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, access: Access) -> Member {
        Member {
            name: name.to_owned(),
            uid: String::new(),
            identity: None,
            lifecycle: Lifecycle::Active,
            hub_reach: Reach::Unknown,
            agent_reach: Reach::Unknown,
            by_pull: false,
            access,
            connection: None,
            claim: Arc::default(),
            rolled_back: false,
            hub: Hub::default(),
        }
    }

    #[test]
    fn a_change_is_told_once_and_nothing_is_told_without_one() {
        let members = Members::default();
        let mut events = members.events();
        let none = Access::None(ControllerReason::NotObserved);
        members.put(member("a", none));
        members.put(member("a", none));
        members.put(member("a", Access::Full));
        members.remove("a");
        members.remove("a");
        let told: Vec<MemberChange> = std::iter::from_fn(|| events.try_recv().ok()).map(|event| event.change).collect();
        assert_eq!(told, [MemberChange::Appeared, MemberChange::Changed, MemberChange::Gone]);
    }

    #[test]
    fn of_two_with_one_identity_the_older_has_it_until_it_goes() {
        let members = Members::default();
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        assert_eq!(members.identify("uid", "b", at(1)), None);
        assert_eq!(members.identify("uid", "a", at(2)), Some("b".to_owned()));
        assert_eq!(members.identify("uid", "b", at(1)), None);
        members.remove("b");
        assert_eq!(members.identify("uid", "a", at(2)), None);
        assert_eq!(members.identify("uid", "0", at(2)), None, "the same age: by name");
        assert_eq!(members.identify("other", "0", at(2)), None);
        assert_eq!(members.identify("uid", "a", at(2)), None, "who turned out to be another is out of the way");
    }
}
