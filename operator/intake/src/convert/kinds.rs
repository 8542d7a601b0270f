//! Kind profiles as the objects room compiles them.
//!
//! The counting rules of Kubernetes' own kinds (parallelism, one per node) are code there and cannot be stated by paths,
//! so a profile for one of them changes everything but those.

use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::terms::{Code, Finding, Reason};
use jiuzhou_objects::profile::{Profile, Profiles, native};

use crate::objects::Items;

/// Built-in profiles of the objects room, with those of the input (and of the data room) on top.
#[must_use]
pub fn profiles(items: &Items<api::KindProfile>, findings: &mut Vec<Finding>) -> Profiles {
    let natives = native();
    let mut profiles = Profiles::default();
    for item in items.values() {
        // The objects room reads the resource's own form: it has no other type of it.
        let read = serde_json::to_value(&item.object.spec).map_err(|error| error.to_string());
        let read = read.and_then(|spec| Profile::read(&spec).map_err(|error| error.to_string()));
        match read {
            Ok(mut profile) => {
                if let Some(own) = natives.iter().find(|p| p.group == profile.group && p.kind == profile.kind) {
                    profile.templates.clone_from(&own.templates);
                    profile.replicas.clone_from(&own.replicas);
                    profile.claims.clone_from(&own.claims);
                }
                profiles.insert(profile);
            }
            Err(error) => {
                let reason = Reason::new(Code::RuleNotEvaluated).object("spec").seen(error);
                findings.push(item.document.finding(reason, "/spec"));
            }
        }
    }
    profiles
}
