//! Built-in data, read through our own door: documents as objects, tables as maps.
//!
//! The texts are `jiuzhou-data`'s; a test reads all of them, so a finding here is a fault of a release.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use jiuzhou_data::Table;
use jiuzhou_engine::terms::{Digest, DigestAlgorithm, Finding, Hasher};

use crate::documents::{Document, read_bytes};
use crate::objects::{Objects, Origin};
use crate::schema::Kinds;
use crate::yaml::Limits;

/// Reads the built-in documents into `objects`.
pub(crate) fn add(kinds: &Kinds, objects: &mut Objects, findings: &mut Vec<Finding>) {
    for table in jiuzhou_data::ALL.iter().filter(|table| table.name.ends_with(".yaml")) {
        let name = format!("builtin:{}", table.name);
        let (documents, mut found) = read_bytes(&name, table.text.as_bytes(), &Limits::default());
        findings.append(&mut found);
        for mut document in documents {
            if kinds.check(&mut document, findings) {
                objects.add(document, Origin::BuiltIn, findings);
            }
        }
    }
}

/// The built-in documents as they are written, for whoever supposes one to be another.
pub(crate) fn documents() -> Vec<Document> {
    let texts = jiuzhou_data::ALL.iter().filter(|table| table.name.ends_with(".yaml"));
    let read =
        |table: &&Table| read_bytes(&format!("builtin:{}", table.name), table.text.as_bytes(), &Limits::default()).0;
    texts.flat_map(|table| read(&table)).collect()
}

/// Digest of every built-in text with its name: part of every snapshot.
#[must_use]
pub fn digest() -> Digest {
    let mut hasher = Hasher::new(DigestAlgorithm::Sha256);
    for table in jiuzhou_data::ALL {
        hasher.field(table.name.as_bytes());
        hasher.field(table.text.as_bytes());
    }
    hasher.finish()
}

/// Rows of a table as maps of column to cell.
pub(crate) fn rows(table: &Table) -> impl Iterator<Item = BTreeMap<&'static str, &'static str>> {
    let text: &'static str = table.text;
    let mut lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let columns: Vec<&'static str> = lines.next().unwrap_or_default().split('\t').collect();
    lines.map(move |line| columns.iter().copied().zip(line.split('\t')).collect())
}

/// Portable accelerator classes and the extended resources that provide them.
pub(crate) fn accelerator_classes() -> BTreeMap<String, BTreeSet<String>> {
    let mut classes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in rows(&jiuzhou_data::ACCELERATOR_CLASSES) {
        if let (Some(class), Some(resource)) = (row.get("class"), row.get("resource")) {
            classes.entry((*class).to_owned()).or_default().insert((*resource).to_owned());
        }
    }
    classes
}

/// Region codes of GB/T 2260 with their names.
static REGIONS: LazyLock<BTreeMap<&'static str, &'static str>> = LazyLock::new(|| {
    let tables = [&jiuzhou_data::PROVINCES, &jiuzhou_data::PREFECTURES, &jiuzhou_data::COUNTIES];
    tables.into_iter().flat_map(rows).filter_map(|row| Some((*row.get("code")?, *row.get("name")?))).collect()
});

/// What is known of a region code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Region {
    /// It is in the list.
    Known,
    /// Its province is, the code itself is not. Lists of counties change every year: this is no proof.
    UnknownBelow,
    /// Not even its province exists.
    Unknown,
}

/// Looks a region code up.
#[must_use]
pub fn region(code: &str) -> Region {
    let province = code.get(..2).map(|head| format!("{head}0000"));
    match province {
        _ if REGIONS.contains_key(code) => Region::Known,
        Some(province) if REGIONS.contains_key(province.as_str()) => Region::UnknownBelow,
        _ => Region::Unknown,
    }
}

/// Name of a region in Chinese, for people.
#[must_use]
pub fn region_name(code: &str) -> Option<&'static str> {
    REGIONS.get(code).copied()
}

/// Codes of the same prefecture or province, nearest first, for "did you mean".
#[must_use]
pub fn regions_near(code: &str) -> Vec<String> {
    let same = |known: &&&str| code.get(..4).is_some_and(|head| known.starts_with(head));
    let near: Vec<&str> = REGIONS.keys().filter(same).copied().collect();
    let found = crate::schema::nearest(code, near.iter().copied());
    let found = if found.is_empty() { crate::schema::nearest(code, REGIONS.keys().copied()) } else { found };
    found.into_iter().map(|code| region_name(&code).map_or(code.clone(), |name| format!("{code} {name}"))).collect()
}
