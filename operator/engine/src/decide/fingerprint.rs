//! One digest of many named things, so that it costs what has changed and not what there is.
//!
//! Each thing has its own digest, worked out when it is first asked for. Things stand in 256 parts by a hash of their
//! name; a part has the digest of its members in the order of their names, and the whole that of its parts. Nothing of
//! it depends on when something came in.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::canonical::CanonicalError;
use super::spec::WorkloadKey;
use crate::terms::{Digest, DigestAlgorithm, Hasher};

/// A name that says in which part its thing stands.
pub(crate) trait Name: Ord + Clone {
    /// The texts it is made of.
    fn texts(&self) -> [&str; 2];
}

impl Name for String {
    fn texts(&self) -> [&str; 2] {
        ["", self]
    }
}

impl Name for WorkloadKey {
    fn texts(&self) -> [&str; 2] {
        [&self.namespace, &self.name]
    }
}

/// FNV-1a over the texts, each closed by a zero byte, folded into one byte.
fn part<K: Name>(name: &K) -> u8 {
    let bytes = name.texts().into_iter().flat_map(|text| text.bytes().chain([0]));
    let hash = bytes
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    hash.to_le_bytes().into_iter().fold(0, |folded, byte| folded ^ byte)
}

#[derive(Clone, Debug)]
struct Part<K> {
    members: BTreeMap<K, OnceLock<Digest>>,
    all: OnceLock<Digest>,
}

/// The digests of all things of one kind.
#[derive(Clone, Debug)]
pub(crate) struct Fingerprints<K> {
    parts: BTreeMap<u8, Part<K>>,
}

impl<K> Default for Fingerprints<K> {
    fn default() -> Self {
        Self { parts: BTreeMap::new() }
    }
}

impl<K: Name> Fingerprints<K> {
    /// Something is new or another than before.
    pub(crate) fn changed(&mut self, name: &K) {
        let part =
            self.parts.entry(part(name)).or_insert_with(|| Part { members: BTreeMap::new(), all: OnceLock::new() });
        part.all = OnceLock::new();
        match part.members.get_mut(name) {
            Some(cell) => *cell = OnceLock::new(),
            None => _ = part.members.insert(name.clone(), OnceLock::new()),
        }
    }

    /// Something is gone.
    pub(crate) fn gone(&mut self, name: &K) {
        let number = part(name);
        let Some(part) = self.parts.get_mut(&number) else { return };
        part.all = OnceLock::new();
        part.members.remove(name);
        if part.members.is_empty() {
            self.parts.remove(&number);
        }
    }

    /// The digest of one thing; `make` is asked where it is not known yet.
    pub(crate) fn of(
        &self,
        name: &K,
        make: impl FnOnce() -> Result<Digest, CanonicalError>,
    ) -> Result<Digest, CanonicalError> {
        match self.parts.get(&part(name)).and_then(|part| part.members.get(name)) {
            Some(cell) => kept(cell, make),
            None => make(),
        }
    }

    /// Feeds the digest of everything; `make` is asked for what is not known yet.
    pub(crate) fn feed(
        &self,
        hasher: &mut Hasher,
        make: impl Fn(&K) -> Result<Digest, CanonicalError>,
    ) -> Result<(), CanonicalError> {
        for (number, part) in &self.parts {
            let all = kept(&part.all, || {
                let mut hasher = Hasher::new(DigestAlgorithm::Sha256);
                for (name, cell) in &part.members {
                    hasher.field(kept(cell, || make(name))?.bytes());
                }
                Ok(hasher.finish())
            })?;
            hasher.field(&[*number]);
            hasher.field(all.bytes());
        }
        Ok(())
    }
}

/// What a cell has, or is given now.
pub(crate) fn kept(
    cell: &OnceLock<Digest>,
    make: impl FnOnce() -> Result<Digest, CanonicalError>,
) -> Result<Digest, CanonicalError> {
    match cell.get() {
        Some(digest) => Ok(*digest),
        None => {
            let digest = make()?;
            Ok(*cell.get_or_init(|| digest))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_spread_over_the_parts() {
        let mut sizes = BTreeMap::<u8, u32>::new();
        for n in 0..5_000 {
            *sizes.entry(part(&WorkloadKey::new("ns", &format!("app-{n:05}")))).or_default() += 1;
        }
        assert!(sizes.len() > 250, "{} parts", sizes.len());
        assert!(sizes.values().all(|size| *size < 60), "{sizes:?}");
    }
}
