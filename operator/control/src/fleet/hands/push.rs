//! Orders for a member by push: carried out from here, again whenever something of them changes there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::{FutureExt, StreamExt, stream};
use jiff::Timestamp;
use jiuzhou_api::v1alpha1::{DeliverySpec, DeliveryState, DeliveryStatus, ObjectState};
use jiuzhou_member::connection::Trouble;
use jiuzhou_member::watch::{Notice, Watches};
use jiuzhou_member::{Actors, Secrets, deliver};
use jiuzhou_objects::object::Object;
use tokio::sync::{broadcast, mpsc};
use tokio::time::interval;

use super::{Held, Shared, Work, hold, report};
use crate::fleet::{Access, Member, MemberEvent};

/// Every order is looked at again after this time.
const SWEEP: Duration = Duration::from_secs(60);
/// Orders of one member that are carried out at the same time.
const AT_ONCE: usize = 8;

type Key = (String, String);

/// Serves until the orders end (`true`) or the member is reached another way.
pub(super) async fn serve(
    shared: &Shared,
    cluster: &str,
    held: &mut BTreeMap<Key, Held>,
    orders: &mut mpsc::UnboundedReceiver<Arc<Work>>,
    mut events: broadcast::Receiver<MemberEvent>,
) -> bool {
    let mut sweep = interval(SWEEP);
    let mut place = Place::default();
    loop {
        let mut due: BTreeSet<Key> = BTreeSet::new();
        tokio::select! {
            order = orders.recv() => {
                let Some(order) = order else { return true };
                let mut next = Some(order);
                // What came at the same time is carried out at the same time.
                while let Some(order) = next {
                    let key = super::key(&order);
                    if hold(held, order) {
                        due.insert(key);
                    }
                    next = orders.try_recv().ok();
                }
            }
            Some(notice) = place.notice() => {
                if let Notice::Changed(workload) = notice {
                    due.insert((workload.namespace.to_string(), workload.name.to_string()));
                }
            }
            event = events.recv() => match event {
                Ok(event) if event.name == cluster => due.extend(held.keys().cloned()),
                Ok(_) => {}
                Err(broadcast::error::RecvError::Lagged(_)) => due.extend(held.keys().cloned()),
                Err(broadcast::error::RecvError::Closed) => return true,
            },
            _ = sweep.tick() => due.extend(held.keys().cloned()),
        }
        due.retain(|key| held.contains_key(key));
        if due.is_empty() {
            continue;
        }
        let Some(member) = shared.members.get(cluster) else { continue };
        if member.by_pull {
            return false;
        }
        place.follow(shared, cluster, &member);
        let Some(asked) = place.member.clone() else { continue };
        let work: Vec<(Key, Arc<Work>, DeliveryStatus)> = due
            .into_iter()
            .filter_map(|key| held.get(&key).map(|known| (key.clone(), Arc::clone(&known.work), known.status.clone())))
            .collect();
        let named = tenants(held);
        let (asked, member, named) = (&asked, &member, &named);
        let mut carried = Vec::new();
        for (key, work, recorded) in work {
            let one = async move {
                let status = carry(shared, member, asked, &work, &recorded, named).await;
                (key, work, status)
            };
            carried.push(one.boxed());
        }
        let mut carried = stream::iter(carried).buffer_unordered(AT_ONCE);
        while let Some((key, work, status)) = carried.next().await {
            place.watch(asked, &work.delivery).await;
            let Some(status) = status else { continue };
            let ended = work.delivery.state == DeliveryState::Removing
                && status.epoch == Some(work.delivery.epoch)
                && status.objects.iter().all(|object| object.state == ObjectState::Gone);
            report(shared, held, &key, status);
            if ended {
                held.remove(&key);
            }
        }
    }
}

fn tenants(held: &BTreeMap<Key, Held>) -> Vec<String> {
    let names: BTreeSet<String> = held.values().map(|known| known.work.delivery.tenant.to_string()).collect();
    names.into_iter().collect()
}

/// Carries one order out as far as it goes; `None` when nothing may be done in this member now.
async fn carry(
    shared: &Shared,
    member: &Member,
    asked: &jiuzhou_member::Member,
    work: &Work,
    recorded: &DeliveryStatus,
    named: &[String],
) -> Option<DeliveryStatus> {
    let spec = &work.delivery;
    match member.access {
        Access::None(_) => return None,
        // A backup was restored somewhere: what is there is kept, and nothing is taken away.
        Access::Additive(_) if !spec.removing.is_empty() => return None,
        Access::Additive(_) | Access::Full => {}
    }
    if let Err(trouble) = member.raise_epoch(spec.epoch).await {
        tracing::debug!(member = %member.name, %trouble, "failed to raise the epoch; the order waits");
        return None;
    }
    if let Err(refusal) = shared.tenants.may_act(member, &spec.tenant, named).await {
        tracing::warn!(member = %member.name, tenant = %spec.tenant, %refusal, "the order waits");
        return None;
    }
    let secrets: Secrets = work.secrets.iter().map(|secret| (secret.name().to_owned(), secret.clone())).collect();
    Some(deliver(asked, spec, &secrets, recorded, Timestamp::now()).await)
}

/// The member as it is asked now, and its watches. A new connection begins both anew.
#[derive(Default)]
struct Place {
    member: Option<jiuzhou_member::Member>,
    client: Option<kube::Client>,
    connection: Option<u64>,
    watches: Option<(Watches, mpsc::Receiver<Notice>)>,
}

impl Place {
    fn follow(&mut self, shared: &Shared, cluster: &str, member: &Member) {
        let Some(client) = member.client() else { return };
        if self.connection == member.connection_number() {
            return;
        }
        let (members, name) = (shared.members.clone(), cluster.to_owned());
        let actors: Actors = Arc::new(move |tenant| {
            let client = members.get(&name).and_then(|member| member.tenant_client(tenant));
            client.ok_or_else(|| Trouble::NoConnection("there is no connection".to_owned()).to_string())
        });
        let asked = jiuzhou_member::Member::new(cluster, client, Arc::clone(&shared.knowledge))
            .acting_as(actors)
            .witnessed(Arc::clone(&shared.witness));
        self.client = member.client();
        self.watches = Some(Watches::new(asked.clone()));
        self.member = Some(asked);
        self.connection = member.connection_number();
    }

    /// Waits for what changes in the member; for ever where nothing is watched.
    async fn notice(&mut self) -> Option<Notice> {
        match &mut self.watches {
            Some((_, notices)) => notices.recv().await,
            None => std::future::pending().await,
        }
    }

    async fn watch(&mut self, asked: &jiuzhou_member::Member, spec: &DeliverySpec) {
        let Some(client) = self.client.clone() else { return };
        let Some((watches, _)) = &mut self.watches else { return };
        let kinds: BTreeSet<(String, String)> = spec
            .objects
            .iter()
            .filter_map(|object| object.manifest.as_ref())
            .map(|manifest| (Object::new(manifest).api_version().to_owned(), Object::new(manifest).kind().to_owned()))
            .collect();
        for (api_version, kind) in kinds {
            if let Ok(Some(served)) = asked.kinds().find(&client, &api_version, &kind).await {
                watches.ensure(&served);
            }
        }
    }
}
