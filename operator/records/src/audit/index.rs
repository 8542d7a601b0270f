//! Finds the record of an entry by what makes two entries the same.
//!
//! Twelve bytes a record in sealed segments: the first eight bytes of the identity, sorted, and the place in the
//! segment. Eight bytes may collide, so a hit is a candidate that the caller reads and compares.

use std::collections::BTreeMap;

use jiuzhou_engine::terms::Digest;

/// Identities of all records, by segment.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    sealed: Vec<Sealed>,
    /// Of the segment that grows.
    open: BTreeMap<u64, Vec<u64>>,
}

#[derive(Clone, Debug)]
struct Sealed {
    first: u64,
    short: Box<[u64]>,
    at: Box<[u32]>,
}

fn short(identity: &Digest) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *identity.bytes();
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

impl Index {
    /// Adds a record of the growing segment.
    pub(super) fn insert(&mut self, identity: &Digest, seq: u64) {
        self.open.entry(short(identity)).or_default().push(seq);
    }

    /// The growing segment, whose first record has this number, grows no more.
    pub(super) fn seal(&mut self, first: u64) {
        let open = std::mem::take(&mut self.open);
        let pairs = open.iter().flat_map(|(short, seqs)| seqs.iter().map(|seq| (*short, seq - first)));
        let (short, at): (Vec<u64>, Vec<u32>) =
            pairs.map(|(short, at)| (short, u32::try_from(at).expect("a segment has fewer than 2^32 records"))).unzip();
        self.sealed.push(Sealed { first, short: short.into(), at: at.into() });
    }

    /// Numbers of records that may have this identity, newest segment first.
    pub(super) fn candidates(&self, identity: &Digest) -> Vec<u64> {
        let wanted = short(identity);
        let mut found = self.open.get(&wanted).cloned().unwrap_or_default();
        for sealed in self.sealed.iter().rev() {
            let from = sealed.short.partition_point(|short| *short < wanted);
            let same = sealed.short[from..].iter().zip(&sealed.at[from..]).take_while(|(short, _)| **short == wanted);
            found.extend(same.map(|(_, at)| sealed.first + u64::from(*at)));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_found_in_the_growing_segment_and_in_sealed_ones() {
        let mut index = Index::default();
        let identity = |number: u64| Digest::sha256(&number.to_le_bytes());
        for seq in 0..100 {
            index.insert(&identity(seq), seq);
            if seq % 30 == 29 {
                index.seal(seq - 29);
            }
        }
        for seq in 0..100 {
            assert_eq!(index.candidates(&identity(seq)), [seq]);
        }
        assert!(index.candidates(&identity(100)).is_empty());
        index.insert(&identity(7), 100);
        assert_eq!(index.candidates(&identity(7)), [100, 7], "a doubled one is a candidate twice");
    }
}
