//! What waits for the next change of a pod template, because the template was taken over as it was found: told beside
//! Ready, because all is well. Pure.
//!
//! Of a cluster that this run has not looked at yet, what is written stays: a restart is no news.

use std::collections::BTreeMap;

use jiuzhou_api::conditions::{ConditionType, ControllerReason};
use jiuzhou_report::sentences;
use jiuzhou_report::words::Lang;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::workload::conditions::condition;
use crate::workload::dereference::{Gathered, Reports};

/// Characters of names that a message has room for, as it stands there in two languages; more objects are told by their number.
const NAMED_MOST: usize = 600;

/// The condition, where something waits.
pub(super) fn told(gathered: &Gathered<'_>, before: &[Condition], generation: i64) -> Option<Condition> {
    let names: Vec<&str> = gathered.placement?.spec.clusters.iter().map(|cluster| &*cluster.name).collect();
    said(&names, gathered.reports, before, generation)
}

fn said(placed: &[&str], reports: &Reports, before: &[Condition], generation: i64) -> Option<Condition> {
    let kind = ConditionType::AffinityDeferred;
    if placed.iter().any(|name| !reports.contains_key(*name)) {
        let written = before.iter().find(|one| one.type_ == kind.as_str())?;
        return Some(condition(kind, true, &written.reason, &written.message, generation));
    }
    let reports = reports.iter().filter_map(|(cluster, report)| Some((cluster.as_str(), report.as_ref()?)));
    let mut waiting: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (cluster, report) in reports {
        for object in report.objects.iter().filter(|object| object.as_found.is_some()) {
            let identity = object.identity.as_ref();
            let name = identity.map_or_else(|| object.name.to_string(), |one| format!("{}/{}", one.kind, one.name));
            waiting.entry(name).or_default().push(cluster);
        }
    }
    let (mut named, mut room) = (Vec::new(), NAMED_MOST);
    for (object, clusters) in &waiting {
        let more = if clusters.len() > 1 { format!(" +{}", clusters.len() - 1) } else { String::new() };
        let name = format!("{object} ({}{more})", clusters.first().copied().unwrap_or_default());
        let Some(left) = room.checked_sub(name.chars().count()) else { break };
        room = left;
        named.push(name);
    }
    match waiting.len() - named.len() {
        0 if named.is_empty() => return None,
        0 => {}
        more => named.push(format!("+{more}")),
    }
    let reason = ControllerReason::AffinityDeferred.as_str();
    let object = named.join(", ");
    let sentence = |lang| sentences::condition(reason, &object, 0, 0, lang).unwrap_or_default();
    let message = format!("{} {}", sentence(Lang::En), sentence(Lang::Zh));
    Some(condition(kind, true, reason, &message, generation))
}

#[cfg(test)]
mod tests {
    use jiuzhou_api::v1alpha1::{DeliveryStatus, ObjectIdentity, ObjectObservation};

    use super::*;

    fn report(objects: &[(&str, bool)]) -> DeliveryStatus {
        let one = |(name, waits): &(&str, bool)| ObjectObservation {
            name: (*name).into(),
            identity: Some(ObjectIdentity {
                kind: "Deployment".into(),
                name: (*name).into(),
                ..ObjectIdentity::default()
            }),
            taken_over: true,
            as_found: waits.then(|| "sha256:of-templates".into()),
            ..ObjectObservation::default()
        };
        DeliveryStatus { objects: objects.iter().map(one).collect(), ..DeliveryStatus::default() }
    }

    fn reports(all: &[(&str, DeliveryStatus)]) -> Reports {
        all.iter().map(|(cluster, report)| ((*cluster).to_owned(), Some(report.clone()))).collect()
    }

    #[test]
    fn what_waits_is_named_with_its_clusters_in_both_languages() {
        let (dali, lijiang) = (report(&[("web", true), ("api", false)]), report(&[("web", true), ("jobs", true)]));
        let seen = reports(&[("dali", dali), ("lijiang", lijiang)]);
        let told = said(&["dali", "lijiang"], &seen, &[], 3).expect("something waits");
        assert_eq!((told.type_.as_str(), told.status.as_str()), ("AffinityDeferred", "True"));
        let named = "Deployment/jobs (lijiang), Deployment/web (dali +1)";
        assert_eq!(told.message.matches(named).count(), 2, "{}", told.message);
        assert!(told.message.contains("接管") && told.message.contains("nothing restarts"), "{}", told.message);
    }

    #[test]
    fn what_is_written_stays_until_every_cluster_was_looked_at() {
        let waits = said(&["dali"], &reports(&[("dali", report(&[("web", true)]))]), &[], 3).expect("something waits");
        let before = [waits.clone()];
        let nothing = reports(&[("dali", report(&[("web", false)]))]);
        assert_eq!(said(&["dali"], &Reports::new(), &before, 3), Some(waits.clone()), "a restart is no news");
        assert_eq!(said(&["dali", "lijiang"], &nothing, &before, 3), Some(waits), "nor is half of it");
        assert_eq!(said(&["dali"], &nothing, &before, 3), None, "what waits no more is not told");
    }

    #[test]
    fn many_are_told_by_their_number() {
        let names: Vec<String> =
            (0..64).map(|number| format!("a-workload-with-a-rather-long-name-{number:02}")).collect();
        let all: Vec<(&str, bool)> = names.iter().map(|name| (name.as_str(), true)).collect();
        let told = said(&["dali"], &reports(&[("dali", report(&all))]), &[], 1).expect("something waits");
        assert!(told.message.contains(", +54") && told.message.ends_with("+54"), "{}", told.message);
        assert!(told.message.chars().count() < 2048);
    }
}
