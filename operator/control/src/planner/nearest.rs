//! What would help the workloads without a place soonest, kept from turn to turn.
//!
//! A look costs every rule on every cluster, so a turn takes a few: first those that nothing is known of as they are
//! decided now, then, without asking for a turn of their own, those whose answer is of an older fleet. What a status says
//! of the others stays as it is written.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiuzhou_engine::decide::{Decision, Nearest, Status, WorkloadKey};
use jiuzhou_engine::terms::{Digest, Reason};
use tokio::time::Instant;

/// Looks in one turn. One is some milliseconds at a thousand clusters.
const A_TURN: usize = 8;

/// How long those that had no look in a turn wait for the next one.
const NEXT: Duration = Duration::from_secs(1);

/// What an answer is about: another spec, another rule that flipped anywhere, another reason make it an answer to
/// something else.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Asked {
    spec: Digest,
    verdicts: Option<Digest>,
    limits: Vec<Reason>,
}

impl Asked {
    fn of(decision: &Decision) -> Self {
        Self { spec: decision.spec, verdicts: decision.verdicts, limits: decision.limits.clone() }
    }
}

#[derive(Debug)]
struct Known {
    asked: Asked,
    fleet: Digest,
    /// In which turn it was looked at.
    turn: u64,
    nearest: Option<Nearest>,
}

/// Answers, by workload.
#[derive(Debug, Default)]
pub(crate) struct Nearby {
    known: BTreeMap<WorkloadKey, Known>,
    turn: u64,
    /// Some had no look yet.
    owing: bool,
}

impl Nearby {
    /// Which of those without a place are looked at in this turn.
    pub(crate) fn choose(&mut self, without: &[&Decision]) -> BTreeSet<WorkloadKey> {
        let names: BTreeSet<&WorkloadKey> = without.iter().map(|decision| &decision.key).collect();
        // Whoever waits is decided in every turn, so who is not among them waits no more.
        self.known.retain(|key, _| names.contains(key));
        // Those that nothing is known of come first, then those whose answer is oldest.
        let rank = |decision: &&&Decision| match self.known.get(&decision.key) {
            Some(known) if known.asked != Asked::of(decision) => Some((0, 0)),
            Some(known) if known.fleet != decision.fleet => Some((1, known.turn)),
            Some(_) => None,
            None => Some((0, 0)),
        };
        let mut open: Vec<_> = without.iter().filter_map(|decision| Some((rank(&decision)?, &decision.key))).collect();
        open.sort();
        self.owing = open.get(A_TURN).is_some_and(|((class, _), _)| *class == 0);
        open.into_iter().take(A_TURN).map(|(_, key)| key.clone()).collect()
    }

    /// Takes in what was seen. Answers of whom something else is known than before.
    pub(super) fn learn(
        &mut self,
        decisions: &[Decision],
        mut told: BTreeMap<WorkloadKey, Option<Nearest>>,
    ) -> BTreeSet<WorkloadKey> {
        self.turn += 1;
        let waits = decisions.iter().any(|decision| decision.status != Status::Placed);
        if !waits {
            (self.owing, self.known) = (false, BTreeMap::new());
        }
        let mut changed = BTreeSet::new();
        for decision in decisions {
            let Some(nearest) = told.remove(&decision.key) else { continue };
            let known = Known { asked: Asked::of(decision), fleet: decision.fleet, turn: self.turn, nearest };
            let before = self.known.get(&decision.key);
            if before.is_none_or(|before| before.asked != known.asked || before.nearest != known.nearest) {
                changed.insert(decision.key.clone());
            }
            self.known.insert(decision.key.clone(), known);
        }
        changed
    }

    /// When a turn is due because somebody waits for a look.
    pub(super) fn again(&self) -> Option<Instant> {
        self.owing.then(|| Instant::now() + NEXT)
    }

    /// What is known for a workload as it is decided now; `None` while nobody has looked, `Some(None)` when no change on
    /// one cluster would help.
    pub(super) fn of(&self, decision: &Decision) -> Option<Option<&Nearest>> {
        let known = self.known.get(&decision.key)?;
        (known.asked == Asked::of(decision)).then_some(known.nearest.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use jiuzhou_engine::decide::Status;
    use jiuzhou_engine::terms::Code;
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{Hub, story};

    const PORTAL: (&str, &str) = ("kunming-portal", "portal");

    /// The first story with so many copies of its workload, all of an image that no cluster runs.
    async fn nobody_runs_it(copies: usize) -> Hub {
        let mut objects = story("01-first-tenant");
        let profile = objects.iter_mut().find(|object| object["kind"] == "ImageProfile").expect("a profile");
        let entries = profile["spec"]["entries"].as_array_mut().expect("entries");
        entries.retain(|entry| entry["architecture"] == "amd64");
        let first = objects.iter().find(|object| object["kind"] == "FleetWorkload").expect("a workload").clone();
        for copy in 0..copies {
            let mut next = first.clone();
            let name = format!("copy-{copy:02}");
            next["metadata"]["name"] = json!(name);
            for object in next["spec"]["objects"].as_array_mut().expect("objects") {
                object["manifest"]["metadata"]["name"] = json!(name);
            }
            objects.push(next);
        }
        Hub::with(&objects).await
    }

    fn messages(hub: &Hub, name: &str) -> (String, String, String) {
        let status = &hub.object("FleetWorkload", PORTAL.0, name).expect("a workload")["status"];
        let text = |field: &str| status[field].as_str().unwrap_or_default().to_owned();
        (text("reason"), text("messageEn"), text("messageZh"))
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_refused_reads_the_rule_and_the_nearest_fix_in_the_status_and_is_placed_once_it_is_done() {
        let hub = nobody_runs_it(0).await;
        hub.run().await.expect("it runs");
        let (reason, en, zh) = messages(&hub, PORTAL.1);
        assert_eq!(reason, Code::NoCandidate.as_str());
        assert!(en.contains(" Nearest is kunming-gov-1: ") && en.contains("arm64"), "{en}");
        assert!(en.ends_with("That alone would place all replicas."), "{en}");
        assert!(zh.contains("最接近的是 kunming-gov-1：") && zh.contains("arm64"), "{zh}");
        let workload = hub.object("FleetWorkload", PORTAL.0, PORTAL.1).expect("a workload");
        let conditions = workload["status"]["conditions"].as_array().expect("conditions").clone();
        let ready = conditions.iter().find(|one| one["type"] == "Ready").expect("Ready");
        assert_eq!(ready["message"], json!(format!("{en} {zh}")), "tools that read conditions only see it too");

        hub.world.clear_log();
        hub.run().await.expect("it runs again");
        assert_eq!(hub.writes().len(), 0, "a restart changes no word");

        // Done as told: the image is there for arm64 as well.
        let whole = story("01-first-tenant").into_iter().find(|object| object["kind"] == "ImageProfile");
        let entries = whole.expect("a profile")["spec"]["entries"].clone();
        hub.patch("ImageProfile", None, "kunming-portal", "", &json!({ "spec": { "entries": entries } })).await;
        hub.run().await.expect("it runs");
        assert_eq!(hub.ready(PORTAL.0, PORTAL.1), ("True".to_owned(), "AsWanted".to_owned()));
        let (_, en, _) = messages(&hub, PORTAL.1);
        assert!(!en.contains("Nearest"), "{en}");
    }

    #[tokio::test(start_paused = true)]
    async fn many_that_are_refused_at_once_are_all_told_within_some_turns() {
        let copies = A_TURN * 2 + 3;
        let hub = nobody_runs_it(copies).await;
        hub.run().await.expect("it runs");
        for copy in 0..copies {
            let (_, en, _) = messages(&hub, &format!("copy-{copy:02}"));
            assert!(en.contains("Nearest is kunming-gov-1"), "copy {copy}: {en}");
        }
        hub.world.clear_log();
        hub.run().await.expect("it runs again");
        let told = |entry: &jiuzhou_world::Entry| format!("{} {}", entry.verb, entry.resource);
        assert_eq!(hub.writes().iter().map(told).collect::<Vec<_>>(), Vec::<String>::new(), "and a restart is no news");
    }

    fn waiting(name: &str, spec: u8, fleet: u8) -> Decision {
        let digest = |byte: u8| Digest::sha256(&[byte]);
        let value = json!({
            "key": { "namespace": "a", "name": name }, "sequence": 1, "asOf": "2026-11-23T00:00:00Z",
            "status": Status::Refused, "targets": Value::Array(Vec::new()),
            "spec": digest(spec), "fleet": digest(fleet),
        });
        serde_json::from_value(value).expect("a decision")
    }

    fn learned(nearby: &mut Nearby, decisions: &[Decision]) -> Vec<String> {
        let chosen = nearby.choose(&decisions.iter().collect::<Vec<_>>());
        let told = chosen.iter().map(|key| (key.clone(), None)).collect();
        nearby.learn(decisions, told);
        chosen.into_iter().map(|key| key.name).collect()
    }

    #[test]
    fn those_of_whom_nothing_is_known_come_first_and_those_with_the_oldest_answer_next() {
        let of = |spec: u8, fleet: u8| -> Vec<Decision> {
            (0..A_TURN + 2).map(|n| waiting(&format!("w{n:02}"), spec, fleet)).collect()
        };
        let mut nearby = Nearby::default();
        let first = learned(&mut nearby, &of(1, 1));
        assert_eq!((first.len(), nearby.again().is_some()), (A_TURN, true));
        assert_eq!(learned(&mut nearby, &of(1, 1)), ["w08", "w09"]);
        assert!(nearby.again().is_none());
        assert_eq!(learned(&mut nearby, &of(1, 1)), Vec::<String>::new(), "nothing changed, nobody is looked at");
        // Another fleet: oldest answers first, no turn is asked for, and what is known is told meanwhile.
        assert_eq!(learned(&mut nearby, &of(1, 2)), first);
        assert!(nearby.again().is_none());
        assert!(nearby.of(&waiting("w09", 1, 2)).is_some());
        // Another spec is another question.
        let mut changed = of(1, 2);
        changed[9] = waiting("w09", 2, 2);
        assert!(nearby.of(&changed[9]).is_none());
        assert_eq!(learned(&mut nearby, &changed), ["w08", "w09"]);
        // Who waits no more is forgotten.
        nearby.learn(&[], BTreeMap::new());
        assert!(nearby.of(&waiting("w01", 1, 2)).is_none());
    }
}
