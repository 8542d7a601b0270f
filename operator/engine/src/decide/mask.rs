//! Sets of clusters as bits: one bit per [`super::ClusterSlot`].
//!
//! A mask may be shorter than the fleet; the missing words are zero. The free functions work on the full-width word
//! slices that verdicts are made of.

/// A set of cluster slots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mask(Vec<u64>);

/// Words needed for so many slots.
pub(crate) fn words(slots: usize) -> usize {
    slots.div_ceil(64)
}

impl Mask {
    pub(crate) fn set(&mut self, slot: usize) {
        let word = slot / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        if let Some(bits) = self.0.get_mut(word) {
            *bits |= 1 << (slot % 64);
        }
    }

    pub(crate) fn clear(&mut self, slot: usize) {
        if let Some(bits) = self.0.get_mut(slot / 64) {
            *bits &= !(1 << (slot % 64));
        }
    }

    pub(crate) fn assign(&mut self, slot: usize, holds: bool) {
        if holds {
            self.set(slot);
        } else {
            self.clear(slot);
        }
    }

    pub(crate) fn words(&self) -> &[u64] {
        &self.0
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }
}

/// Whether a slot is in the set.
pub(crate) fn has(words: &[u64], slot: usize) -> bool {
    words.get(slot / 64).is_some_and(|word| word & (1 << (slot % 64)) != 0)
}

/// Puts a slot in or out.
pub(crate) fn assign(words: &mut [u64], slot: usize, value: bool) {
    if let Some(word) = words.get_mut(slot / 64) {
        let bit = 1 << (slot % 64);
        *word = if value { *word | bit } else { *word & !bit };
    }
}

/// `to |= from`
pub(crate) fn or(to: &mut [u64], from: &[u64]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to |= from;
    }
}

/// `to &= from`
pub(crate) fn and(to: &mut [u64], from: &[u64]) {
    let common = to.len().min(from.len());
    for (to, from) in to.iter_mut().zip(from) {
        *to &= from;
    }
    for rest in to.iter_mut().skip(common) {
        *rest = 0;
    }
}

/// `to &= !from`
pub(crate) fn and_not(to: &mut [u64], from: &[u64]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to &= !from;
    }
}

/// How many are in the set.
pub(crate) fn count(words: &[u64]) -> u32 {
    words.iter().map(|word| word.count_ones()).sum()
}

/// Its members, ascending.
pub(crate) fn iter(words: &[u64]) -> impl Iterator<Item = usize> + '_ {
    words.iter().enumerate().flat_map(|(at, word)| {
        let mut left = *word;
        std::iter::from_fn(move || {
            if left == 0 {
                return None;
            }
            let bit = left.trailing_zeros() as usize;
            left &= left - 1;
            Some(at * 64 + bit)
        })
    })
}
