//! What an order says as a digest, and which orders are approved.
//!
//! The digest is over everything a person is shown before they approve, so that an order that is changed has none. An
//! approval counts until the end of its last day, or, once it was used, for as long as the order it was used for holds;
//! after that never again.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiuzhou_api::v1alpha1::{Approval, ApprovedOrder, OperatingModeSpec, StopOrder};
use jiuzhou_engine::terms::{Digest, DigestAlgorithm, Hasher};

use crate::objects::Items;

/// Digest of an order that stops a system: all of it but whether it is lifted, which ends it.
#[must_use]
pub fn of_stop(namespace: &str, system: &str, stop: &StopOrder) -> Digest {
    let StopOrder { order, reason, requested_by, requested_at, lifted: _ } = stop;
    let at = requested_at.0.to_string();
    of("StopSystem", &[namespace, system, order, reason.as_deref().unwrap_or_default(), requested_by, &at])
}

/// Digest of an emergency: all of it but whether it is ended.
#[must_use]
pub fn of_mode(name: &str, spec: &OperatingModeSpec) -> Digest {
    let whole = OperatingModeSpec { ended: false, ..spec.clone() };
    of("OperatingMode", &[name, &serde_json::to_string(&whole).unwrap_or_default()])
}

/// Digest of moves that wait: exactly these, in whatever order they come.
#[must_use]
pub fn of_moves<'a>(moves: impl Iterator<Item = &'a str>) -> Digest {
    let mut lines: Vec<&str> = moves.collect();
    lines.sort_unstable();
    of("MassChange", &lines)
}

/// Digest of a change of what needs an approval: from what holds to what is wanted.
#[must_use]
pub fn of_change(order: ApprovedOrder, subject: &str, held: &str, wanted: &str) -> Digest {
    of(&format!("{order:?}"), &[subject, held, wanted])
}

/// Digest of deletions that are held in a namespace: exactly these objects, in whatever order they come.
#[must_use]
pub fn of_deletions<'a>(deletions: impl Iterator<Item = (&'a str, &'a str, &'a str)>) -> Digest {
    let mut lines: Vec<String> =
        deletions.map(|(namespace, name, uid)| format!("{namespace}/{name} {uid}\n")).collect();
    lines.sort();
    Digest::sha256(lines.concat().as_bytes())
}

/// The word of a kind of order, as commands and names have it.
#[must_use]
pub fn word(order: ApprovedOrder) -> &'static str {
    match order {
        ApprovedOrder::StopSystem => "stop",
        ApprovedOrder::DeleteWorkloads => "deletions",
        ApprovedOrder::OperatingMode => "mode",
        ApprovedOrder::LowerClass => "class",
        ApprovedOrder::Exempt => "exemption",
        ApprovedOrder::RaiseQuota => "quota",
        ApprovedOrder::ChangeTier => "tier",
        ApprovedOrder::MassChange => "moves",
    }
}

fn of(order: &str, fields: &[&str]) -> Digest {
    let mut hasher = Hasher::new(DigestAlgorithm::Sha256);
    for field in std::iter::once(&order).chain(fields) {
        hasher.field(field.as_bytes());
    }
    hasher.finish()
}

/// Orders that are approved on a day, with the approval.
#[derive(Clone, Debug, Default)]
pub struct Approved(BTreeMap<(ApprovedOrder, String), Vec<(String, String)>>);

impl Approved {
    /// Reads it off the approvals.
    #[must_use]
    pub fn on(day: Date, approvals: &Items<Approval>) -> Self {
        let mut all: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (key, item) in approvals {
            if counts(&item.object, day) {
                let spec = &item.object.spec;
                let by = (spec.requester.to_string(), key.1.clone());
                all.entry((spec.order, spec.digest.to_string())).or_default().push(by);
            }
        }
        Self(all)
    }

    /// Name of the approval of an order that `requester` asked for; of anybody's where it is not known who asked.
    #[must_use]
    pub fn of(&self, order: ApprovedOrder, digest: &Digest, requester: Option<&str>) -> Option<&str> {
        let all = self.0.get(&(order, digest.to_string()))?;
        let fits = |(asked, _): &&(String, String)| requester.is_none_or(|requester| requester == asked);
        all.iter().find(fits).map(|(_, name)| name.as_str())
    }
}

/// Whether an approval counts on a day.
fn counts(approval: &Approval, day: Date) -> bool {
    let spec = &approval.spec;
    // The schema holds these too; what is written past it counts no more than what it lets in.
    let others = spec.approvers.iter().filter(|one| one.user != spec.requester);
    let users: std::collections::BTreeSet<&str> = others.map(|one| &*one.user).collect();
    let enough = i32::try_from(users.len()).unwrap_or(i32::MAX) >= spec.needed.max(1);
    let status = approval.status.as_ref();
    let closed = status.is_some_and(|status| status.closed_at.is_some());
    let used = status.is_some_and(|status| status.used_at.is_some());
    let open = spec.until.parse::<Date>().is_ok_and(|until| day <= until);
    enough && !closed && (used || open)
}

#[cfg(test)]
mod tests {
    use jiuzhou_api::v1alpha1::{ApprovalSpec, ApprovalStatus, Approver, Document};
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

    use super::*;
    use crate::documents::Document as Read;
    use crate::objects::{Item, Origin};

    const DAY: Date = jiff::civil::date(2026, 11, 26);

    fn stop(number: &str) -> StopOrder {
        StopOrder {
            order: number.into(),
            reason: None,
            requested_by: "张三".into(),
            requested_at: Time("2026-11-26T01:00:00Z".parse().unwrap()),
            lifted: false,
        }
    }

    fn approval(digest: &Digest, users: &[&str], needed: i32, status: Option<ApprovalStatus>) -> Approval {
        let approver = |user: &&str| Approver { user: (*user).into(), role: "分管局长".into(), statement: None };
        let spec = ApprovalSpec {
            order: ApprovedOrder::StopSystem,
            subject: "a/b".into(),
            digest: digest.to_string().into(),
            requester: "张三".into(),
            approvers: users.iter().map(approver).collect(),
            needed,
            document: Document { number: "1".into(), ..Document::default() },
            until: "2026-11-26".into(),
        };
        let mut approval = Approval::new("one", spec);
        approval.status = status;
        approval
    }

    fn names(approval: Approval, day: Date, order: &StopOrder) -> bool {
        let value = serde_json::json!({ "apiVersion": "jiuzhou.dev/v1alpha1", "kind": "Approval", "metadata": { "name": "one" } });
        let read = Read::of_object(value).unwrap();
        let items = Items::from([((String::new(), "one".to_owned()), Item::new(approval, read, Origin::Input))]);
        let by = Some(&*order.requested_by);
        Approved::on(day, &items).of(ApprovedOrder::StopSystem, &of_stop("a", "b", order), by).is_some()
    }

    #[test]
    fn an_approval_is_of_exactly_one_order_and_of_enough_others() {
        let digest = of_stop("a", "b", &stop("1"));
        let of = |users: &[&str], needed| names(approval(&digest, users, needed, None), DAY, &stop("1"));
        assert!(of(&["李四"], 1) && of(&["李四", "王五"], 2));
        assert!(!of(&["张三"], 1), "the requester never approves");
        assert!(!of(&["李四"], 2) && !of(&["李四", "张三"], 2));
        let signed = || approval(&digest, &["李四"], 1, None);
        let changed = [
            StopOrder { order: "2".into(), ..stop("1") },
            StopOrder { reason: Some("another".into()), ..stop("1") },
            StopOrder { requested_by: "赵六".into(), ..stop("1") },
            StopOrder { requested_at: Time("2026-11-26T01:00:01Z".parse().unwrap()), ..stop("1") },
        ];
        assert!(changed.iter().all(|order| !names(signed(), DAY, order)), "a changed order has none");
        assert_eq!(digest, of_stop("a", "b", &StopOrder { lifted: true, ..stop("1") }), "its end is no other order");
        assert_ne!(digest, of_stop("a", "c", &stop("1")));
    }

    #[test]
    fn it_counts_until_its_last_day_and_once_used_for_its_order_alone() {
        let digest = of_stop("a", "b", &stop("1"));
        let later = DAY.tomorrow().unwrap();
        let at = || Some(Time("2026-11-26T02:00:00Z".parse().unwrap()));
        let used = ApprovalStatus { used_at: at(), ..ApprovalStatus::default() };
        let closed = ApprovalStatus { closed_at: at(), ..used.clone() };
        let of = |status: Option<ApprovalStatus>, day| names(approval(&digest, &["李四"], 1, status), day, &stop("1"));
        assert!(of(None, DAY) && !of(None, later));
        assert!(of(Some(used.clone()), later), "what it was used for holds on");
        assert!(!of(Some(closed.clone()), DAY) && !of(Some(closed), later), "and is never approved by it again");
    }

    #[test]
    fn deletions_have_one_digest_in_whatever_order_they_come() {
        let (one, two) = (("a", "x", "1"), ("a", "y", "2"));
        assert_eq!(of_deletions([one, two].into_iter()), of_deletions([two, one].into_iter()));
        assert_ne!(of_deletions([one].into_iter()), of_deletions([("a", "x", "3")].into_iter()));
    }
}
