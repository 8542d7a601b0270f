//! What plan and explain tell of a fleet that was decided.

use std::collections::BTreeMap;

use super::explain::{Detail, explain};
use super::fixture;
use super::plan::{PlanInput, plan};
use crate::document::{Cell, Counted, Document, Meta, Section, Status};
use crate::render::{Format, Options, render_text};
use crate::words::{Lang, Word};

fn planned(against: bool) -> Document {
    let (made, specs) = fixture::plan();
    let nearest = fixture::explanation()
        .clusters
        .iter()
        .find(|cluster| !cluster.eligible)
        .map(|cluster| (made.decisions[2].key.clone(), (cluster.cluster.clone(), cluster.changes.clone())));
    let nearest: BTreeMap<_, _> = nearest.into_iter().collect();
    let places = BTreeMap::new();
    let input = PlanInput { plan: &made, specs: &specs, nearest: &nearest, against, places: &places };
    plan(Meta::default(), &input, Vec::new())
}

fn section(document: &Document, title: Word) -> &Section {
    document.sections.iter().find(|section| section.title == title).expect("the report has this table")
}

fn column<'a>(section: &'a Section, key: &str) -> Vec<&'a Cell> {
    let at = section.columns.iter().position(|column| column.key == key).expect("the table has this column");
    section.rows.iter().map(|row| &row[at]).collect()
}

fn counted(name: &str, count: i64) -> Cell {
    Cell::Counted(vec![Counted { name: name.to_owned(), count }])
}

#[test]
fn pending_refused_and_violating_are_three_words() {
    let document = planned(false);
    let states: BTreeMap<String, Status> = section(&document, Word::SectionWorkloads)
        .rows
        .iter()
        .filter_map(|row| Some((format!("{:?}", row[1]), Section::status(row)?)))
        .collect();
    let of = |name: &str| states[&format!("{:?}", Cell::Text(format!("xuzhou/{name}")))];
    assert_eq!(
        [of("门户"), of("审批"), of("档案"), of("报送")],
        [Status::Ok, Status::Pending, Status::Refused, Status::Violating]
    );
    assert_eq!(document.headline[0].value, Cell::Ratio(1, 4));
}

#[test]
fn a_move_is_split_into_kept_added_and_removed() {
    let document = planned(true);
    let workloads = section(&document, Word::SectionWorkloads);
    let row = workloads.rows.iter().position(|row| row[1] == Cell::from("xuzhou/门户")).expect("it was decided");
    let both =
        vec![Counted { name: "麒麟-一号".to_owned(), count: 3 }, Counted { name: "飞腾-二号".to_owned(), count: 1 }];
    assert_eq!(*column(workloads, "kept")[row], Cell::Counted(both));
    assert_eq!(*column(workloads, "added")[row], counted("飞腾-二号", 1));
    assert_eq!(*column(workloads, "removed")[row], counted("海光-三号", 2));
    assert_eq!(section(&document, Word::SectionMoves).rows.len(), 2);
}

#[test]
fn what_found_no_place_has_a_reason_a_nearest_cluster_and_a_fix() {
    let document = planned(false);
    let table = section(&document, Word::SectionNotPlaced);
    assert_eq!(table.rows.len(), 3);
    let row = table.rows.iter().position(|row| row[1] == Cell::from("xuzhou/档案")).expect("it was refused");
    assert_eq!(*column(table, "reason")[row], Cell::Reason(fixture::reason()));
    assert_eq!(*column(table, "nearestCluster")[row], Cell::from("海光-三号"));
    assert_eq!(*column(table, "fix")[row], Cell::Fix(fixture::reason()));
}

#[test]
fn the_explanation_names_every_cluster_and_the_funnel_ends_with_the_chosen() {
    let explanation = fixture::explanation();
    let document = explain(Meta::default(), &explanation, Detail::default(), Vec::new());
    assert_eq!(section(&document, Word::SectionClusters).rows.len(), explanation.clusters.len());
    let funnel = section(&document, Word::SectionFunnel);
    let left: Vec<_> = column(funnel, "remaining").into_iter().filter_map(Cell::magnitude).collect();
    assert_eq!(left, [5, 4, 3, 2, 2]);
    let dropped: i64 = column(funnel, "dropped").into_iter().filter_map(Cell::magnitude).sum();
    assert_eq!(dropped + 2, 5);
}

#[test]
fn every_rule_on_every_cluster_is_told_when_asked() {
    let explanation = fixture::explanation();
    let all = explain(Meta::default(), &explanation, Detail { passes: true }, Vec::new());
    let checks: usize = explanation
        .clusters
        .iter()
        .map(|cluster| cluster.rules.len() + cluster.pools.iter().map(|pool| pool.rules.len()).sum::<usize>())
        .sum();
    assert_eq!(section(&all, Word::SectionRules).rows.len(), checks);
    let short = explain(Meta::default(), &explanation, Detail::default(), Vec::new());
    let told: Vec<_> = section(&short, Word::SectionRules).rows.iter().map(|row| (&row[0], &row[2], &row[4])).collect();
    let once = |one: &&(&Cell, &Cell, &Cell)| told.iter().filter(|other| other == one).count() == 1;
    assert!(told.len() == 3 && told.iter().all(|one| once(&one)), "a refusal of a pool is not said again: {told:?}");
    assert!(short.notes.contains(&Word::NotePasses));
}

#[test]
fn both_render_in_every_format_and_have_unique_column_keys() {
    for document in
        [planned(true), explain(Meta::default(), &fixture::explanation(), Detail { passes: true }, Vec::new())]
    {
        for section in &document.sections {
            let mut keys: Vec<_> = section.columns.iter().map(|column| column.key).collect();
            keys.sort_unstable();
            keys.dedup();
            assert_eq!(keys.len(), section.columns.len(), "{:?}", section.title);
            assert!(section.rows.iter().all(|row| row.len() == section.columns.len()));
        }
        for format in Format::ALL.into_iter().filter(|format| format.has_tables() && format.is_text()) {
            for lang in Lang::ALL {
                let text = render_text(&document, format, &Options { lang, ..Options::default() }).unwrap();
                assert!(text.contains("麒麟-一号") && text.ends_with('\n'), "{}", format.name());
            }
        }
    }
}
