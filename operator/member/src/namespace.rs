//! The namespace of a workload in a member, made or recognised before anything is put into it.
//!
//! A namespace is a tenant's when its label says so. One that is there without that label is somebody else's until the
//! member's administrator puts the label on: nothing of ours goes into it. Where objects are applied as the tenant, its
//! service account and its rights in this namespace are seen to as well; the rights themselves (a ClusterRole) were
//! agreed to when the member joined. What the tenant was granted stands around it as a fence. Nothing here is ever
//! deleted.

use jiuzhou_api::meta;
use jiuzhou_api::text::Resources;
use jiuzhou_objects::object::Object;
use serde_json::{Value, json};

use crate::apply::Silent;
use crate::call::{Caller, Place};
use crate::kinds::Kinds;
use crate::quota;
use crate::words::Refusal;

/// How the namespace stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ground {
    /// It is the tenant's.
    Ready,
    /// It is there and not the tenant's.
    Foreign(String),
    /// It is being deleted.
    Going,
    /// The member refused; its words.
    Refused(String),
    /// The order is too old to make it.
    Late,
}

/// Sees to the namespace of a tenant's workload.
pub(crate) async fn prepare(
    caller: &Caller<'_>,
    kinds: &Kinds,
    (namespace, tenant, granted): (&str, &str, &Resources),
    impersonates: bool,
    expired: bool,
) -> Result<Ground, Silent> {
    match prepared(caller, kinds, (namespace, tenant, granted), impersonates, expired).await {
        Ok(ground) => Ok(ground),
        Err(Refusal::Silence(why)) => Err(Silent::Member(why)),
        Err(Refusal::Held(why)) => Err(Silent::Held(why)),
        Err(Refusal::Changed) => Err(Silent::Held("somebody else makes its namespace at the same time".to_owned())),
        Err(Refusal::NotFound) => Ok(Ground::Refused(format!("the member does not know namespace {namespace}"))),
        Err(Refusal::Fields(fields)) => Ok(Ground::Refused(fields.join("; "))),
        Err(Refusal::Immutable(words) | Refusal::Forbidden(words) | Refusal::Refused(words)) => {
            Ok(Ground::Refused(words))
        }
    }
}

async fn prepared(
    caller: &Caller<'_>,
    kinds: &Kinds,
    (namespace, tenant, granted): (&str, &str, &Resources),
    impersonates: bool,
    expired: bool,
) -> Result<Ground, Refusal> {
    let place = place(caller, kinds, "v1", "Namespace", "", namespace).await?;
    match caller.get(&place).await? {
        Some(live) => {
            let object = Object::new(&live);
            let whose = object.labels().remove(meta::LABEL_TENANT).unwrap_or_default();
            if whose != tenant {
                return Ok(Ground::Foreign(whose));
            }
            if !object.text("/metadata/deletionTimestamp").is_empty() {
                return Ok(Ground::Going);
            }
        }
        None if expired => return Ok(Ground::Late),
        None => {
            let labels = json!({meta::LABEL_TENANT: tenant, meta::LABEL_MANAGED_BY: meta::MANAGED_BY});
            let made = json!({"apiVersion": "v1", "kind": "Namespace",
                "metadata": {"name": namespace, "labels": labels}});
            caller.create(&place, &made).await?;
        }
    }
    if impersonates && !expired {
        account(caller, kinds, namespace, tenant).await?;
    }
    if !expired {
        quota::fence(caller, kinds, (namespace, tenant), granted).await?;
    }
    Ok(Ground::Ready)
}

/// The tenant's service account and its rights in a namespace.
async fn account(caller: &Caller<'_>, kinds: &Kinds, namespace: &str, tenant: &str) -> Result<(), Refusal> {
    let labels = json!({meta::LABEL_TENANT: tenant, meta::LABEL_MANAGED_BY: meta::MANAGED_BY});
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "automountServiceAccountToken": false,
        "metadata": {"name": tenant, "namespace": meta::TENANTS_NAMESPACE, "labels": labels}});
    let binding = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
        "metadata": {"name": meta::TENANT_ROLE, "namespace": namespace, "labels": labels},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": meta::TENANT_ROLE},
        "subjects": [{"kind": "ServiceAccount", "name": tenant, "namespace": meta::TENANTS_NAMESPACE}]});
    for wanted in [account, binding] {
        let object = Object::new(&wanted);
        let place =
            place(caller, kinds, object.api_version(), object.kind(), object.namespace(), object.name()).await?;
        match caller.get(&place).await? {
            Some(live) if same_rights(&live, &wanted) => {}
            // A binding to something else under this name is not ours to change.
            Some(_) => {
                return Err(Refusal::Refused(format!("{} is there and says something else", object.reference())));
            }
            None => drop(caller.create(&place, &wanted).await?),
        }
    }
    Ok(())
}

fn same_rights(live: &Value, wanted: &Value) -> bool {
    ["/roleRef/name", "/roleRef/kind", "/subjects"]
        .iter()
        .all(|pointer| live.pointer(pointer) == wanted.pointer(pointer))
}

/// Where an object stands, when the member serves its kind.
pub(crate) async fn place(
    caller: &Caller<'_>,
    kinds: &Kinds,
    api_version: &str,
    kind: &str,
    namespace: &str,
    name: &str,
) -> Result<Place, Refusal> {
    let served = caller.kind(kinds, api_version, kind).await?;
    let served = served.ok_or_else(|| Refusal::Refused(format!("the member does not serve {api_version} {kind}")))?;
    Ok(Place::new(&served, namespace, name))
}
