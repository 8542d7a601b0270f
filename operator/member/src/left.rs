//! What of ours is still in a cluster, by namespace: what must be proven empty before a member is let go.
//!
//! Counted by metadata only, in pages. Kinds whose content is the tenant's (ConfigMaps, Secrets) cannot be listed by the
//! hub's account; they go with their workload's delivery, which proves them by uid, and the hub counts them from what its
//! deliveries report.

use std::collections::BTreeMap;

use jiuzhou_api::meta;
use kube::api::{ApiResource, DynamicObject, ListParams};
use kube::core::GroupVersionKind;
use kube::{Api, ResourceExt};

use crate::bootstrap::KINDS;
use crate::connection::Trouble;

/// Objects a page, and pages a kind: a member that always has one more is lying.
const A_PAGE: u32 = 500;
const MAX_PAGES: usize = 400;

/// Objects with our label by namespace; those of the bootstrap do not count.
///
/// # Errors
/// The first list that failed: a part is no proof.
pub async fn left(client: &kube::Client) -> Result<BTreeMap<String, i32>, Trouble> {
    let mut left = BTreeMap::new();
    for kind in KINDS.iter().filter(|kind| kind.hub_lists) {
        let gvk = GroupVersionKind::gvk(kind.group, kind.version, kind.kind);
        let resource = ApiResource::from_gvk_with_plural(&gvk, kind.resource);
        let api: Api<DynamicObject> = Api::all_with(client.clone(), &resource);
        let selector = format!("{}={}", meta::LABEL_MANAGED_BY, meta::MANAGED_BY);
        let mut params = ListParams::default().labels(&selector).limit(A_PAGE);
        let mut pages = 0;
        loop {
            let page = match api.list_metadata(&params).await.map_err(|error| Trouble::of(&error)) {
                Ok(page) => page,
                // A kind that an old cluster does not serve has no objects.
                Err(Trouble::NotFound(_)) => break,
                Err(trouble) => return Err(trouble),
            };
            for object in &page.items {
                let namespace = object.namespace().unwrap_or_default();
                if namespace != meta::SYSTEM_NAMESPACE && namespace != meta::TENANTS_NAMESPACE {
                    let count: &mut i32 = left.entry(namespace).or_insert(0);
                    *count = count.saturating_add(1);
                }
            }
            pages += 1;
            match page.metadata.continue_.filter(|token| !token.is_empty()) {
                None => break,
                Some(_) if pages >= MAX_PAGES => {
                    return Err(Trouble::Nonsense(format!("a list of {} without an end", kind.resource)));
                }
                Some(token) => params = params.continue_token(&token),
            }
        }
    }
    Ok(left)
}
