//! The exact rule.

use super::{ImageEntry, Needs, Policy, PoolFacts, Verdict};

/// Judges an image against a pool.
#[must_use]
pub fn compatible(_entries: &[ImageEntry], _needs: &Needs, _facts: &PoolFacts, policy: &Policy) -> Verdict {
    Verdict::close(None, Vec::new(), policy)
}
