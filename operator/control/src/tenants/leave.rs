//! How a deleted tenant leaves the members: its namespaces go where they are proven empty, then its account.
//!
//! The order is the person's who deleted the Tenant; it is recorded before the first write. A member by push is seen to
//! from here. In one by pull nothing is deleted: its administrator is told what may be. A member that cannot be asked is
//! waited for, until it answers or has left.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::{DeliverySpec, DeliveryState, MemberCluster, Tenant, WorkloadReference};
use jiuzhou_engine::terms::Digest;
use jiuzhou_member::witness::Witness;
use jiuzhou_member::{Knowledge, Vacated, vacate};
use jiuzhou_records::audit::{Entry, Kind};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::{DeleteParams, ListParams, Preconditions};
use kube::{Api, Client, ResourceExt as _};

use crate::delivery::audit::AuditLog;
use crate::error::Error;
use crate::fleet::{Access, Member, Members};
use crate::leader::Gate;
use crate::planner::Clock;

/// How far it is.
pub(super) enum Step {
    /// Nothing is left to do.
    Done,
    /// Something is waited for; English and Chinese.
    Waits { en: String, zh: String },
}

/// What it is done with.
pub(crate) struct Leaving {
    pub(crate) hub: Client,
    pub(crate) members: Members,
    pub(crate) witness: Arc<dyn Witness>,
    pub(crate) log: Arc<dyn AuditLog>,
    pub(crate) gate: Gate,
    pub(crate) clock: Clock,
    pub(crate) actor: &'static str,
    /// Orders that are recorded.
    pub(crate) recorded: Mutex<BTreeMap<String, Digest>>,
}

impl Leaving {
    /// As far as it goes now.
    pub(super) async fn step(&self, tenant: &Tenant) -> Result<Step, Error> {
        let (mut waits, mut kept) = (self.unseen().await?, Vec::new());
        for member in self.members.all() {
            match self.leave(tenant, &member).await? {
                Ok(told) => kept.extend(told),
                Err(why) => waits.push(format!("{}: {why}", member.name)),
            }
        }
        for line in &kept {
            tracing::warn!(tenant = %tenant.name_any(), kept = line, "a namespace of a tenant that left stays");
        }
        if waits.is_empty() {
            return Ok(Step::Done);
        }
        let list = waits.join("; ");
        Ok(Step::Waits {
            en: format!("Its namespaces in the members are given back; waiting for: {list}."),
            zh: format!("正在交还其在成员集群中的命名空间；等待：{list}。"),
        })
    }

    /// Members of the hub that nobody has looked at yet, such as after a start: not seen is not empty.
    async fn unseen(&self) -> Result<Vec<String>, Error> {
        let api: Api<MemberCluster> = Api::all(self.hub.clone());
        let all = api.list_metadata(&ListParams::default()).await;
        let all = all.map_err(|error| Error::api("list", "MemberClusters", error))?;
        let unseen = all.iter().map(kube::ResourceExt::name_any).filter(|name| self.members.get(name).is_none());
        Ok(unseen.collect())
    }

    /// One member: what stays there, or why it has to be waited for.
    async fn leave(&self, tenant: &Tenant, member: &Member) -> Result<Result<Vec<String>, String>, Error> {
        let name = tenant.name_any();
        if member.by_pull {
            let ours = tenant.spec.namespaces.iter().map(|one| format!("{}/{}", member.name, &*one.name));
            return Ok(Ok(ours.collect()));
        }
        let (Access::Full, Some(client)) = (member.access, member.client()) else {
            return Ok(Err("it cannot be asked now".to_owned()));
        };
        let decision = self.order(tenant).await?;
        let (mut kept, mut waits) = (Vec::new(), Vec::new());
        for namespace in tenant.spec.namespaces.iter().map(|one| &*one.name) {
            let order = DeliverySpec {
                cluster: member.name.as_str().into(),
                workload: WorkloadReference { namespace: namespace.into(), name: name.as_str().into() },
                tenant: name.as_str().into(),
                state: DeliveryState::Removing,
                decision: decision.to_string().into(),
                ..DeliverySpec::default()
            };
            let asked = jiuzhou_member::Member::new(&member.name, client.clone(), Arc::new(Knowledge::default()));
            match vacate(&asked.witnessed(Arc::clone(&self.witness)), &order).await {
                Ok(Vacated::Gone) => {}
                Ok(Vacated::NotOurs) => kept.push(format!("{}/{namespace}", member.name)),
                Ok(Vacated::Holds(more)) => {
                    let more = more.iter().map(|(resource, count)| format!("{count} {resource}")).collect::<Vec<_>>();
                    kept.push(format!("{}/{namespace} ({})", member.name, more.join(", ")));
                }
                Ok(Vacated::OnItsWay) => waits.push(namespace.to_owned()),
                Err(why) => waits.push(format!("{namespace} ({why})")),
            }
        }
        if !waits.is_empty() {
            return Ok(Err(waits.join(", ")));
        }
        self.gate.check_member()?;
        Ok(account_gone(&client, &name).await.map(|()| kept))
    }

    /// The digest of the order, recorded before anything is done for it.
    async fn order(&self, tenant: &Tenant) -> Result<Digest, Error> {
        let uid = tenant.metadata.uid.clone().unwrap_or_default();
        let known = self.recorded.lock().unwrap_or_else(PoisonError::into_inner).get(&uid).copied();
        if let Some(known) = known {
            return Ok(known);
        }
        let deleted = tenant.metadata.deletion_timestamp.as_ref().map(|at| at.0.to_string()).unwrap_or_default();
        let digest = Digest::sha256(format!("delete Tenant {} {uid} {deleted}", tenant.name_any()).as_bytes());
        let mut entry = Entry::new((self.clock)(), Kind::OrderGiven, self.actor);
        entry.decision = Some(digest);
        let term = self.gate.check_member()?;
        self.log.append(term.0, entry).await.map_err(Error::Audit)?;
        self.recorded.lock().unwrap_or_else(PoisonError::into_inner).insert(uid, digest);
        Ok(digest)
    }
}

/// The account that stood for the tenant goes last: with its namespaces gone it may do nothing anywhere.
async fn account_gone(client: &Client, tenant: &str) -> Result<(), String> {
    let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), meta::TENANTS_NAMESPACE);
    let words = |error: kube::Error| format!("its account ({error})");
    let Some(live) = accounts.get_metadata_opt(tenant).await.map_err(words)? else { return Ok(()) };
    if live.labels().get(meta::LABEL_TENANT).map(String::as_str) != Some(tenant) {
        return Ok(());
    }
    let exactly = Preconditions { uid: live.uid(), resource_version: live.resource_version() };
    let params = DeleteParams { preconditions: Some(exactly), ..DeleteParams::default() };
    accounts.delete(tenant, &params).await.map(drop).map_err(words)
}
