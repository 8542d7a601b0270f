//! `jiuzhou inventory`: the node pools of a cluster and what is known of their CPUs.

use std::collections::BTreeMap;

use jiuzhou_engine::terms::{Bytes, Finding, Millicores};

use crate::document::{Cell, Chart, ChartForm, Column, Document, DocumentKind, Meta, Section, Status};
use crate::words::Word;

/// One node pool. What was not found out is `None`, never a zero or an empty name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InventoryRow {
    /// Cluster.
    pub cluster: String,
    /// Pool.
    pub pool: String,
    /// CPU platform by its name in the catalogue.
    pub platform: Option<String>,
    /// Sources contradict each other: no verdict about an image is better than unknown there.
    pub conflicting: bool,
    /// How sure the platform is.
    pub confidence: Option<Word>,
    /// Nodes in the pool.
    pub nodes: u32,
    /// Allocatable CPU of all nodes.
    pub cpu: Option<Millicores>,
    /// Allocatable memory of all nodes.
    pub memory: Option<Bytes>,
    /// Page size of the kernel.
    pub page_size: Option<Bytes>,
    /// ABI world, that of LoongArch.
    pub abi: Option<Word>,
    /// CPU features by name, sorted.
    pub features: Option<Vec<String>>,
    /// Network zone.
    pub zone: Option<String>,
}

/// The document. The headline says which share of the nodes has a known platform.
#[must_use]
pub fn inventory(meta: Meta, subject: &str, pools: &[InventoryRow], findings: Vec<Finding>) -> Document {
    let mut document = Document::new(DocumentKind::Inventory, meta);
    subject.clone_into(&mut document.subject);
    let nodes = |rows: &mut dyn Iterator<Item = &InventoryRow>| rows.map(|row| i64::from(row.nodes)).sum::<i64>();
    let all = nodes(&mut pools.iter());
    let known = nodes(&mut pools.iter().filter(|row| row.platform.is_some()));
    document.figure(Word::SectionPools, pools.len());
    document.figure(Word::Nodes, all);
    document.figure(Word::NodesKnown, Cell::Ratio(known, all));

    let mut platforms: BTreeMap<Option<&str>, i64> = BTreeMap::new();
    for row in pools {
        *platforms.entry(row.platform.as_deref()).or_default() += i64::from(row.nodes);
    }
    let columns = vec![
        Column::text("platform", Word::Platform),
        Column::figure("nodes", Word::Nodes),
        Column::figure("share", Word::Share),
    ];
    let chart = Chart { form: ChartForm::Bars, label: 0, part: None, value: 1 };
    let mut shares = Section::new(Word::SectionPlatforms, columns).drawn(chart);
    for (platform, count) in platforms {
        shares.row(vec![Cell::known(platform), count.into(), Cell::Ratio(count, all)]);
    }
    document.sections.push(shares);
    document.sections.push(pool_table(pools));
    document.take_findings(findings);
    document.notes.push(Word::NoteUnknown);
    document
}

fn pool_table(pools: &[InventoryRow]) -> Section {
    let mut table = Section::new(
        Word::SectionPools,
        vec![
            Column::text("cluster", Word::Cluster),
            Column::text("pool", Word::Pool),
            Column::text("status", Word::Status),
            Column::text("platform", Word::Platform),
            Column::text("confidence", Word::Confidence),
            Column::figure("nodes", Word::Nodes),
            Column::figure("cpu", Word::Cpu).wide(),
            Column::figure("memory", Word::Memory).wide(),
            Column::figure("pageSize", Word::PageSize),
            Column::text("abi", Word::AbiWorld).wide(),
            Column::text("zone", Word::Zone).wide(),
            Column::text("features", Word::Features),
        ],
    )
    .grouped_by(0);
    for row in pools {
        let status = if row.platform.is_some() && !row.conflicting { Status::Ok } else { Status::Unknown };
        table.row(vec![
            row.cluster.as_str().into(),
            row.pool.as_str().into(),
            status.into(),
            Cell::known(row.platform.as_deref()),
            Cell::known(row.confidence),
            row.nodes.into(),
            Cell::known(row.cpu),
            Cell::known(row.memory),
            Cell::known(row.page_size),
            Cell::known(row.abi),
            Cell::known(row.zone.as_deref()),
            Cell::known(row.features.clone()),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_without_evidence_lowers_the_known_share_and_stays_unknown() {
        let known = InventoryRow { platform: Some("鲲鹏 920".to_owned()), nodes: 3, ..InventoryRow::default() };
        let unknown = InventoryRow { nodes: 1, ..InventoryRow::default() };
        let document = inventory(Meta::default(), "xz-a", &[known, unknown], Vec::new());
        assert_eq!(document.headline[2].value, Cell::Ratio(3, 4));
        let pools = &document.sections[1].rows;
        assert_eq!(Section::status(&pools[1]), Some(Status::Unknown));
        assert_eq!(pools[1][7], Cell::Unknown);
    }

    #[test]
    fn a_pool_whose_sources_contradict_each_other_is_not_ok() {
        let conflicting = |conflicting| {
            let row = InventoryRow { platform: Some("鲲鹏 920".to_owned()), conflicting, ..InventoryRow::default() };
            let document = inventory(Meta::default(), "xz-a", &[row], Vec::new());
            Section::status(&document.sections[1].rows[0])
        };
        assert_eq!((conflicting(false), conflicting(true)), (Some(Status::Ok), Some(Status::Unknown)));
    }
}
