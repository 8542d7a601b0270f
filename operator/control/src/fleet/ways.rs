//! How deliveries reach members: the border between this folder and [`crate::delivery`].
//!
//! A way is told as of one moment and asked for anew at every turn. What has to be done in a member before an order (its
//! claim knows the epoch, the hub may act as the tenant) is done here, because it belongs to the member and not to the
//! order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt;
use futures::future::BoxFuture;
use jiuzhou_api::conditions::ControllerReason;
use jiuzhou_api::v1alpha1::DeliverySpec;
use jiuzhou_member::Actors;
use jiuzhou_member::connection::Trouble;
use tokio::sync::watch;

use super::{Access, Members, Outlook};
use crate::delivery::{Way, Ways};
use crate::tenants::Tenants;

/// Connections get their numbers one by one, so the upper bits are free for the version of what is known of kinds.
const VERSION_BITS: u32 = 48;

/// The ways to the members that [`Members`] knows.
pub struct Roads {
    members: Members,
    outlook: watch::Receiver<Arc<Outlook>>,
    tenants: Tenants,
    /// Tenants that act in each member: a right that is missing is shown for all of them at once.
    acting: Mutex<BTreeMap<String, BTreeSet<String>>>,
}

impl Roads {
    /// The ways to these members.
    #[must_use]
    pub fn new(members: Members, outlook: watch::Receiver<Arc<Outlook>>) -> Self {
        Self { members, outlook, tenants: Tenants::default(), acting: Mutex::default() }
    }

    fn acting(&self, cluster: &str, tenant: &str) -> Vec<String> {
        let mut acting = self.acting.lock().unwrap_or_else(PoisonError::into_inner);
        let named = acting.entry(cluster.to_owned()).or_default();
        if !named.contains(tenant) {
            named.insert(tenant.to_owned());
        }
        named.iter().cloned().collect()
    }
}

impl Ways for Roads {
    fn way(&self, cluster: &str) -> Way {
        let Some(member) = self.members.get(cluster) else {
            return Way::Closed("no MemberCluster of this name is known".to_owned());
        };
        // What a hub that went back in time knows is old: nothing of it is written anywhere.
        if self.outlook.borrow().reached.behind() > 0 {
            return Way::Closed(ControllerReason::EpochBehind.to_string());
        }
        if member.by_pull {
            return Way::Pull;
        }
        if let Access::None(reason) = member.access {
            return Way::Closed(reason.to_string());
        }
        let (Some(client), Some(number)) = (member.client(), member.connection_number()) else {
            return Way::Closed("there is no connection".to_owned());
        };
        let (members, name) = (self.members.clone(), cluster.to_owned());
        let actors: Actors = Arc::new(move |tenant| {
            let client = members.get(&name).and_then(|member| member.tenant_client(tenant));
            client.ok_or_else(|| Trouble::NoConnection("there is no connection".to_owned()).to_string())
        });
        let outlook = self.outlook.borrow();
        let asked = jiuzhou_member::Member::new(cluster, client, Arc::clone(&outlook.knowledge)).acting_as(actors);
        Way::Push(asked, number.wrapping_add(outlook.knowledge_version << VERSION_BITS))
    }

    fn may_remove(&self, cluster: &str) -> Result<(), String> {
        match self.members.get(cluster).map(|member| member.access) {
            Some(Access::Full) => Ok(()),
            Some(Access::Additive(reason) | Access::None(reason)) => Err(reason.to_string()),
            None => Err("the member is gone".to_owned()),
        }
    }

    fn ready<'a>(&'a self, cluster: &'a str, order: &'a DeliverySpec) -> BoxFuture<'a, Result<(), String>> {
        async move {
            let Some(member) = self.members.get(cluster) else { return Err("the member is gone".to_owned()) };
            if self.outlook.borrow().reached.behind() > 0 {
                return Err(ControllerReason::EpochBehind.to_string());
            }
            if let Access::None(reason) = member.access {
                return Err(reason.to_string());
            }
            if !order.removing.is_empty() {
                self.may_remove(cluster)?;
            }
            let committed = self.outlook.borrow().hub().epoch;
            member.raise_epoch(order.epoch, committed).await.map_err(|trouble| trouble.to_string())?;
            let named = self.acting(cluster, &order.tenant);
            self.tenants.may_act(&member, &order.tenant, &named).await.map_err(|refusal| refusal.to_string())
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_nobody_knows_is_closed_and_says_why() {
        let (_outlook, seen) = watch::channel(Arc::new(Outlook::default()));
        let roads = Roads::new(Members::default(), seen);
        let Way::Closed(why) = roads.way("nowhere") else { panic!("it must be closed") };
        assert!(why.contains("no MemberCluster"), "{why}");
    }

    #[test]
    fn a_missing_right_is_shown_for_every_tenant_of_the_member() {
        let (_outlook, seen) = watch::channel(Arc::new(Outlook::default()));
        let roads = Roads::new(Members::default(), seen);
        assert_eq!(roads.acting("a", "乙"), ["乙"]);
        assert_eq!(roads.acting("a", "甲"), ["乙", "甲"]);
        assert_eq!(roads.acting("b", "丙"), ["丙"]);
    }
}
