//! The brake on deletions: how many may be carried out in a window, and what stands for the ones that wait. Pure.
//!
//! Many deletions at once are more often an accident (an empty render, a pruned folder) than a wish. What is over the
//! limit waits, whole, until a person confirms exactly what waits; it is never let through because time went by.

use std::collections::VecDeque;
use std::time::Duration;

use jiuzhou_engine::terms::Digest;
use tokio::time::Instant;

/// Deletions are counted over this time.
pub(super) const WINDOW: Duration = Duration::from_secs(600);
/// So many are always carried out: a small hub is emptied by hand.
const ALWAYS: usize = 10;
/// Of more workloads, this share.
const PERCENT: usize = 10;
/// Characters of a code: enough that no two sets share one by chance, few enough to be read out.
const CODE: usize = 16;

/// What was let through.
#[derive(Debug, Default)]
pub(super) struct Brake {
    through: VecDeque<Instant>,
}

/// How many deletions of so many workloads may be carried out in a window.
pub(super) fn limit(workloads: usize) -> usize {
    ALWAYS.max(workloads.saturating_mul(PERCENT) / 100)
}

impl Brake {
    /// Whether all of `asked` may go now; if so they count. `waiting` are those that wait already because of the brake.
    pub(super) fn admits(&mut self, now: Instant, asked: usize, waiting: usize, workloads: usize) -> bool {
        while self.through.front().is_some_and(|at| now.duration_since(*at) >= WINDOW) {
            self.through.pop_front();
        }
        // Who comes behind a queue does not overtake it: what waits and what comes may be one accident.
        if self.through.len() + waiting + asked > limit(workloads) {
            return false;
        }
        self.through.extend(std::iter::repeat_n(now, asked));
        true
    }
}

/// The code of the deletions with this digest, for a person to type.
pub(super) fn code(digest: &Digest) -> String {
    digest.to_string().trim_start_matches("sha256:").chars().take(CODE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_go_in_a_window_and_what_waits_is_not_overtaken() {
        let (mut brake, now) = (Brake::default(), Instant::now());
        assert!(brake.admits(now, 10, 0, 50), "ten may always go");
        assert!(!brake.admits(now + WINDOW / 2, 1, 0, 50), "the window is full");
        assert!(brake.admits(now + WINDOW, 1, 0, 50), "and empties");
        assert!(!Brake::default().admits(now, 1, 10, 50), "ten wait already");
        assert!(!Brake::default().admits(now, 11, 0, 50), "all or none of a burst");
        assert!(Brake::default().admits(now, 100, 0, 1000) && !Brake::default().admits(now, 101, 0, 1000));
    }

    #[test]
    fn a_code_is_short_and_of_its_digest() {
        let (one, two) = (Digest::sha256(b"one"), Digest::sha256(b"two"));
        assert_eq!((code(&one).len(), code(&one)), (CODE, code(&one)));
        assert_ne!(code(&one), code(&two));
    }
}
