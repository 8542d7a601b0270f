//! When which status is written: what is done or wrong soon, what is on its way a little later and few of it each second.
//!
//! Of a thousand workloads applied at once most are ready before their turn to be told that they are on their way comes,
//! so each is written once, and the API server has its time for the work itself. Nobody is left without a word for more
//! than a minute. Pure: the caller says what time it is.

use std::collections::BTreeMap;
use std::time::Duration;

use jiuzhou_engine::decide::WorkloadKey;
use tokio::time::Instant;

/// Between something worth telling and its write.
const TELL: Duration = Duration::from_millis(1000);
/// The same while it is only on its way.
const TELL_PROGRESS: Duration = Duration::from_millis(3000);
/// Between two of those that are only on their way, once [`AT_ONCE`] were told.
const BETWEEN: Duration = Duration::from_secs(1);
/// So long one of these waits for its turn at most.
const WAIT_MOST: Duration = Duration::from_secs(60);
/// So many of these are told without a pause after a quiet time: a person's handful waits for nothing.
const AT_ONCE: u32 = 20;

/// How much somebody waits for a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Urgency {
    /// Something is acted on once it is written.
    Now,
    /// It is done, or wrong, or nobody sees it any more.
    Soon,
    /// It is on its way, and will be told when it is there.
    OnItsWay,
}

/// Workloads whose status is to be written, and when.
#[derive(Debug, Default)]
pub(super) struct Due {
    waiting: BTreeMap<WorkloadKey, Entry>,
    /// Until when those on their way have used up what may be told of them.
    used: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    at: Instant,
    on_its_way: bool,
}

impl Due {
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Notes that a status is to be written; never later than was noted before.
    pub(super) fn put(&mut self, key: &WorkloadKey, urgency: Urgency, now: Instant) {
        let wait = match urgency {
            Urgency::Now => Duration::ZERO,
            Urgency::Soon => TELL,
            Urgency::OnItsWay => TELL_PROGRESS,
        };
        self.note(key, Entry { at: now + wait, on_its_way: urgency == Urgency::OnItsWay });
    }

    /// The same for a given instant.
    pub(super) fn put_at(&mut self, key: &WorkloadKey, at: Instant) {
        self.note(key, Entry { at, on_its_way: false });
    }

    fn note(&mut self, key: &WorkloadKey, new: Entry) {
        let known = self.waiting.entry(key.clone()).or_insert(new);
        *known = Entry { at: known.at.min(new.at), ..new };
    }

    pub(super) fn remove(&mut self, key: &WorkloadKey) {
        self.waiting.remove(key);
    }

    /// Takes those out that are to be written now.
    pub(super) fn take(&mut self, now: Instant) -> Vec<WorkloadKey> {
        let due = self.waiting.iter().filter(|(_, one)| one.at <= now);
        let mut due: Vec<(bool, Instant, &WorkloadKey)> = due.map(|(key, one)| (one.on_its_way, one.at, key)).collect();
        due.sort();
        let idle = now.checked_sub(BETWEEN.saturating_mul(AT_ONCE)).unwrap_or(now);
        let mut used = self.used.unwrap_or(idle).max(idle);
        let mut may = |on_its_way: bool, at: Instant| {
            if !on_its_way || at + WAIT_MOST <= now {
                return true;
            }
            let may = used < now;
            if may {
                used += BETWEEN;
            }
            may
        };
        let told = due.into_iter().filter(|(on_its_way, at, _)| may(*on_its_way, *at));
        let told: Vec<WorkloadKey> = told.map(|(.., key)| key.clone()).collect();
        self.used = Some(used);
        for key in &told {
            self.waiting.remove(key);
        }
        told
    }

    /// When the next is to be written.
    pub(super) fn next(&self) -> Option<Instant> {
        let after = |one: &Entry| match self.used {
            // Strictly after: at the very instant none may be told yet.
            Some(used) if one.on_its_way => one.at.max(used + Duration::from_millis(1)).min(one.at + WAIT_MOST),
            _ => one.at,
        };
        self.waiting.values().map(after).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(nth: usize) -> WorkloadKey {
        WorkloadKey::new("ns", &format!("w{nth:04}"))
    }

    #[test]
    fn of_a_thousand_on_their_way_few_are_told_and_what_is_done_does_not_wait_for_them() {
        let (mut due, now) = (Due::default(), Instant::now());
        (0..1000).for_each(|nth| due.put(&key(nth), Urgency::OnItsWay, now));
        assert!(due.take(now + TELL).is_empty());
        assert_eq!(due.next(), Some(now + TELL_PROGRESS));
        let first = due.take(now + TELL_PROGRESS);
        assert_eq!(first.len(), 20, "a handful at once, then a pause");
        assert!(due.next() > Some(now + TELL_PROGRESS), "nobody is woken for nothing");
        // All but those that were told are ready meanwhile.
        (20..1000).for_each(|nth| due.put(&key(nth), Urgency::Soon, now + TELL_PROGRESS));
        assert_eq!(due.take(now + TELL_PROGRESS + TELL).len(), 980);
        assert_eq!((due.len(), due.next()), (0, None));
    }

    #[test]
    fn who_waits_longest_on_its_way_is_told_first_and_all_are_in_the_end() {
        let (mut due, start) = (Due::default(), Instant::now());
        for nth in 0..100 {
            // The last by name came first.
            due.put(&key(99 - nth), Urgency::OnItsWay, start + Duration::from_millis(u64::try_from(nth).unwrap()));
        }
        let (mut told, mut last) = (Vec::new(), start);
        while let Some(next) = due.next() {
            let before = told.len();
            told.extend(due.take(next));
            assert!(told.len() > before, "each time somebody is woken something is told");
            last = next;
        }
        assert_eq!(told, (0..100).map(|nth| key(99 - nth)).collect::<Vec<_>>());
        let took = last - start - TELL_PROGRESS;
        assert!(took > BETWEEN.saturating_mul(30), "one a second after the handful: {took:?}");
        assert!(took < WAIT_MOST + BETWEEN, "a minute at most: {took:?}");
    }

    #[test]
    fn what_was_to_be_told_soon_is_never_put_off() {
        let (mut due, now) = (Due::default(), Instant::now());
        due.put(&key(1), Urgency::Soon, now);
        due.put(&key(1), Urgency::Soon, now + TELL / 2);
        assert_eq!(due.next(), Some(now + TELL));
        due.put(&key(1), Urgency::Now, now);
        assert_eq!(due.take(now), [key(1)]);
    }
}
