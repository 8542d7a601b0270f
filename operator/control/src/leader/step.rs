//! What to do about the lease, given what was last seen of it: no clock, no network.
//!
//! A lease of another process is over when it was seen unchanged for its whole duration by **our own** clock; the times
//! written into it are for people and are never compared. A holder counts from before it sent the renewal, the others
//! from after they saw it, so the two never overlap while clocks run at the same rate within [`trusted`].

use std::time::Duration;

use tokio::time::Instant;

use super::{Held, Settings, gate::Claim};

/// The part of a lease in which its holder relies on it: nine tenths, so that clocks may differ in rate by a tenth.
pub(super) fn trusted(duration: Duration) -> Duration {
    duration - duration / 10
}

/// How long a leader that was not handed the lease leaves members alone. Its lease was waited for before it was taken, so
/// the last leader's gate had shut by then; only the longest request that passed the gate before may still be under way,
/// by a clock that may differ in rate by a tenth.
fn settle(settings: &Settings) -> Duration {
    settings.longest_request + settings.longest_request / 10
}

/// The lease as last seen, and since when it looks like that.
#[derive(Debug, Default)]
pub(super) struct View {
    /// `None` before the first read.
    seen: Option<(Option<Held>, Instant)>,
    /// Whether a lease was ever there: one that vanished was deleted under its holder.
    existed: bool,
    /// Whether the version may be old, after a write without an answer.
    doubtful: bool,
}

impl View {
    /// Notes what was read or written.
    pub(super) fn saw(&mut self, lease: Option<Held>, now: Instant) {
        self.existed |= lease.is_some();
        self.doubtful = false;
        let unchanged = self.seen.as_ref().is_some_and(|(old, _)| *old == lease);
        if !unchanged {
            self.seen = Some((lease, now));
        }
    }

    /// The next write must be preceded by a read.
    pub(super) fn forget_version(&mut self) {
        self.doubtful = true;
    }

    /// Whether the lease is known to be ours in its present version.
    pub(super) fn is_mine(&self, identity: &str) -> bool {
        self.mine(identity).is_some()
    }

    /// The lease, if it is known to be ours in its present version.
    pub(super) fn mine(&self, identity: &str) -> Option<Held> {
        let (lease, _) = self.seen.as_ref().filter(|_| !self.doubtful)?;
        lease.clone().filter(|lease| lease.holder.as_deref() == Some(identity))
    }
}

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Write the lease again as it is.
    Renew(Held),
    /// Write it as ours in a new term, and leave members alone for so long.
    Take(Held, Duration),
    /// Look again then.
    Wait(Instant),
}

/// Decides.
pub(super) fn next(view: &View, claim: Option<Claim>, now: Instant, settings: &Settings) -> Step {
    let Some((lease, since)) = &view.seen else { return Step::Wait(now) };
    let take = |old: Option<&Held>, settle| {
        let term = old.map_or(0, |old| old.term).max(settings.floor) + 1;
        let version = old.map(|old| old.version.clone()).unwrap_or_default();
        let holder = Some(settings.identity.clone());
        Step::Take(Held { holder, term, duration: settings.duration, version }, settle)
    };
    let takeover = settle(settings);
    match lease {
        // A hub that never had a leader: its audit log is empty and no lease was ever seen.
        None if settings.floor == 0 && !view.existed => take(None, Duration::ZERO),
        // Deleted: whoever held it may not have noticed yet.
        None if now < *since + settings.duration => Step::Wait(*since + settings.duration),
        None => take(None, takeover),
        Some(old) => match &old.holder {
            None => take(Some(old), Duration::ZERO),
            Some(holder) if *holder == settings.identity => match claim {
                Some(claim) if claim.term.0 == old.term => Step::Renew(old.clone()),
                // Ours, but it ran out here: another term, so that appends of the old one are refused.
                _ => take(Some(old), takeover),
            },
            Some(_) if now < *since + old.duration => Step::Wait(*since + old.duration),
            Some(_) => take(Some(old), takeover),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::leader::Term;

    const SECOND: Duration = Duration::from_secs(1);

    fn held(holder: Option<&str>, term: u64) -> Held {
        Held { holder: holder.map(Into::into), term, duration: 15 * SECOND, version: term.to_string() }
    }

    fn settings(floor: u64) -> Settings {
        Settings::new("me", floor)
    }

    /// The step after seeing a lease at 0 s, asked at `after` seconds.
    fn asked(lease: Option<Held>, after: u32, floor: u64, claim: Option<Claim>) -> (Step, Instant) {
        let start = Instant::now();
        let mut view = View::default();
        view.saw(lease, start);
        (next(&view, claim, start + after * SECOND, &settings(floor)), start)
    }

    fn taken(term: u64, version: &str, settle: Duration) -> Step {
        let holder = Some("me".into());
        Step::Take(Held { holder, term, duration: 15 * SECOND, version: version.into() }, settle)
    }

    #[test]
    fn a_new_hub_is_led_at_once() {
        assert_eq!(asked(None, 0, 0, None).0, taken(1, "", Duration::ZERO));
    }

    #[test]
    fn a_lease_that_was_given_back_is_taken_at_once_in_a_higher_term() {
        assert_eq!(asked(Some(held(None, 4)), 0, 0, None).0, taken(5, "4", Duration::ZERO));
        assert_eq!(asked(Some(held(None, 4)), 0, 9, None).0, taken(10, "4", Duration::ZERO), "above the audit log");
    }

    #[test]
    fn a_held_lease_is_taken_only_after_its_duration_unchanged_and_members_are_left_alone_then() {
        let other = || Some(held(Some("other"), 4));
        let (step, start) = asked(other(), 14, 0, None);
        assert_eq!(step, Step::Wait(start + 15 * SECOND));
        assert_eq!(asked(other(), 15, 0, None).0, taken(5, "4", 33 * SECOND));
    }

    #[test]
    fn a_deleted_lease_is_no_new_hub() {
        let (step, start) = asked(None, 0, 4, None);
        assert_eq!(step, Step::Wait(start + 15 * SECOND));
        assert_eq!(asked(None, 15, 4, None).0, taken(5, "", 33 * SECOND));
        let mut view = View::default();
        view.saw(Some(held(Some("other"), 2)), start);
        view.saw(None, start);
        assert_eq!(next(&view, None, start, &settings(0)), Step::Wait(start + 15 * SECOND));
    }

    #[test]
    fn a_renewal_keeps_the_term_and_a_lapsed_claim_begins_another() {
        let now = Instant::now();
        let claim = |term| Some(Claim { term: Term(term), valid_until: now, members_from: now });
        let mine = || Some(held(Some("me"), 4));
        assert_eq!(asked(mine(), 0, 0, claim(4)).0, Step::Renew(held(Some("me"), 4)));
        assert_eq!(asked(mine(), 0, 0, None).0, taken(5, "4", 33 * SECOND));
        assert_eq!(asked(mine(), 0, 0, claim(3)).0, taken(5, "4", 33 * SECOND));
    }

    #[test]
    fn a_change_starts_the_wait_anew_and_a_repeated_sight_does_not() {
        let start = Instant::now();
        let mut view = View::default();
        view.saw(Some(held(Some("other"), 4)), start);
        view.saw(Some(held(Some("other"), 4)), start + 10 * SECOND);
        assert_eq!(next(&view, None, start + 14 * SECOND, &settings(0)), Step::Wait(start + 15 * SECOND));
        view.saw(Some(Held { version: "renewed".into(), ..held(Some("other"), 4) }), start + 14 * SECOND);
        assert_eq!(next(&view, None, start + 15 * SECOND, &settings(0)), Step::Wait(start + 29 * SECOND));
    }
}
