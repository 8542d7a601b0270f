//! A document with every kind of cell, for the tests of all formats. Each row is named `row-N` so that it can be
//! counted in any of them.

use jiuzhou_engine::terms::{Code, Digest, Finding, ObjectRef, Place, Reason, Value};

use crate::document::{Cell, Chart, ChartForm, Column, Counted, Document, DocumentKind, Meta, Section, Status};
use crate::words::{Term, Unit, Word};

/// Seven rows, three findings, every type of cell, hostile and Chinese text.
pub(crate) fn document() -> Document {
    let as_of = "2026-11-23T16:00:00Z".parse().ok();
    let mut document = Document::new(DocumentKind::Inventory, Meta::new(as_of, Some(Digest::sha256(b"sample"))));
    document.subject = "xz-a".to_owned();
    document.figure(Word::Nodes, Cell::Ratio(5, 8));
    document.figure(Word::Cpu, Cell::Quantity(512_500, Unit::Millicores));
    document.figure(Word::Pue, Cell::Unknown);
    document.figure(Word::CostMonth, Cell::Change(120_000, 90_050, Unit::Fen));
    document.figure(Word::Objects, 1_234_567_i64);

    let mut pools = Section::new(
        Word::SectionPools,
        vec![
            Column::text("cluster", Word::Cluster),
            Column::text("pool", Word::Pool),
            Column::text("status", Word::Status),
            Column::text("platform", Word::Platform),
            Column::figure("cpu", Word::Cpu),
            Column::figure("memory", Word::Memory),
            Column::text("features", Word::Features),
            Column::text("message", Word::Message).wide(),
        ],
    )
    .grouped_by(0)
    .drawn(Chart { form: ChartForm::Bars, label: 1, part: None, value: 4 });
    let reason = |object: &str| {
        Reason::new(Code::NoManifestForPlatform)
            .object(object)
            .seen(Value::List(vec!["linux/amd64".to_owned()]))
            .wanted("linux/arm64")
    };
    let names = |list: &[&str]| Cell::List(list.iter().map(|name| (*name).to_owned()).collect());
    let rows = [
        ("徐州一号", "row-0 麒麟", Status::Ok, "鲲鹏 920", 256_000, 512 << 30, names(&["lse", "sha3", "sm3", "sm4"])),
        ("徐州一号", "row-1 飞腾", Status::Warn, "飞腾 S2500", 64_000, 128 << 30, names(&["lse"])),
        ("徐州二号", "row-2 海光", Status::Ok, "海光 7390", 192_000, 384 << 30, names(&["avx2", "sm4"])),
        ("徐州二号", "row-3 <b>龙芯|</b>", Status::Unknown, "龙芯 3C6000", 0, 64 << 30, Cell::Unknown),
        ("徐州三号", "row-4 \"申威\" & 兆芯", Status::Violating, "申威 H8000", 500, (8 << 30) - 1, names(&[])),
        ("徐州三号", "row-5 x86", Status::Pending, "x86-64-v3", 96_000, 192 << 30, names(&["avx2"])),
        ("徐州三号", "row-6 旧机", Status::Refused, "x86-64-v1", 8_000, 16 << 30, Cell::NotApplicable),
    ];
    for (cluster, pool, status, platform, cpu, memory, features) in rows {
        let cpu = if status == Status::Unknown { Cell::Unknown } else { Cell::Quantity(cpu, Unit::Millicores) };
        let message = if status == Status::Refused { reason("web:1.0").into() } else { Cell::NotApplicable };
        let memory = Cell::Quantity(memory, Unit::Bytes);
        pools.row(vec![cluster.into(), pool.into(), status.into(), platform.into(), cpu, memory, features, message]);
    }
    document.sections.push(pools);

    let mut clusters = Section::new(
        Word::SectionClusters,
        vec![
            Column::text("cluster", Word::Cluster),
            Column::figure("nodes", Word::Nodes),
            Column::text("object", Word::Object),
            Column::text("fix", Word::Fix),
            Column::text("asOf", Word::AsOf),
            Column::text("files", Word::Files),
            Column::text("code", Word::Code),
        ],
    )
    .drawn(Chart { form: ChartForm::Funnel, label: 0, part: None, value: 1 })
    .of_problems();
    let place = Place { file: "fleet/徐州.yaml".to_owned(), line: 40, column: 3, text: "  name: xz-a".to_owned() };
    let counted = vec![Counted { name: "xz-a".to_owned(), count: 3 }, Counted { name: "xz-b".to_owned(), count: 2 }];
    let date = Cell::known(jiff::civil::Date::new(2026, 11, 30).ok());
    let row = vec![
        "row-7".into(),
        40_i64.into(),
        Term::MemberCluster.into(),
        Cell::Fix(reason("web")),
        date,
        counted.into(),
        Code::NoManifestForPlatform.into(),
    ];
    clusters.row_at(row, Some(place));
    let time = Cell::known(document.meta.as_of);
    clusters.row(vec![
        "row-8".into(),
        12_i64.into(),
        Word::Platform.into(),
        Cell::Fix(reason("api")),
        time,
        Cell::Ratio(0, 0),
        Cell::Unknown,
    ]);
    document.sections.push(clusters);
    document.take_findings(findings());
    document.notes.push(Word::NoteUnknown);
    document
}

fn findings() -> Vec<Finding> {
    let place =
        |line, column, text: &str| Place { file: "fleet/徐州.yaml".to_owned(), line, column, text: text.to_owned() };
    vec![
        Finding::new(Reason::new(Code::SyntaxInvalid).seen("did not find expected key")).at(place(
            12,
            5,
            "    名称: [麒麟",
        )),
        Finding::new(Reason::new(Code::EvidenceConflict).object("pool-a").seen("Kunpeng 920").wanted("Phytium S2500"))
            .on(ObjectRef::new("MemberCluster", "", "xz-a"))
            .pointer("/status/pools/0"),
        Finding::new(Reason::new(Code::PueMissing).object("徐州机房").wanted("2026-10"))
            .on(ObjectRef::new("Site", "", "xz-1")),
    ]
}

/// Many rows in many groups.
pub(crate) fn large(rows: usize) -> Document {
    let mut document = document();
    let section = &mut document.sections[0];
    let first = section.rows[0].clone();
    section.rows = (0..rows)
        .map(|number| {
            let mut row = first.clone();
            row[0] = format!("单位-{number:04}").into();
            row[1] = format!("row-{number}").into();
            row
        })
        .collect();
    document
}
