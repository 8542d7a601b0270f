//! `jiuzhou migrate plan|status`: the waves of migrations in their order, what each step needs, which workloads could run on
//! their target, and how far all of it has come.

use jiff::Timestamp;
use jiuzhou_engine::step::migration::{Boundary, Fits, Hitch, Phase, Proof, Sides, Wait, Wave};
use jiuzhou_engine::terms::Finding;

use crate::document::{Cell, Column, Document, DocumentKind, Meta, Section, Status};
use crate::words::Word;

/// A wave of a migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaveRow {
    /// The migration, `namespace/name`.
    pub migration: String,
    /// What it declares, with what is proven of it.
    pub wave: Wave,
    /// Where it is, as it is written; nothing is written of one that no operator has looked at.
    pub phase: Phase,
    /// Since when.
    pub since: Option<Timestamp>,
    /// When the target could write for the first time.
    pub first_write: Option<Timestamp>,
    /// What it waits for.
    pub wait: Wait,
    /// Its workloads.
    pub workloads: Vec<WorkloadRow>,
}

/// A workload of a wave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkloadRow {
    /// Its name.
    pub name: String,
    /// Replicas on the source.
    pub source: i64,
    /// Replicas on the target.
    pub target: i64,
    /// Replicas that are ready; `None` where nobody has seen it.
    pub ready: Option<i64>,
    /// Whether it could run on the target, asked for alone.
    pub fits: Fits,
}

/// What would happen in which order.
#[must_use]
pub fn plan(meta: Meta, waves: &[WaveRow], findings: Vec<Finding>) -> Document {
    let mut document = headed(meta, waves);
    document.sections.extend([steps(waves), gates(waves), workloads(waves, true), waits(waves)]);
    document.take_findings(findings);
    document.notes.push(Word::NoteMigration);
    document
}

/// How far it has come.
#[must_use]
pub fn status(meta: Meta, waves: &[WaveRow], findings: Vec<Finding>) -> Document {
    let mut document = headed(meta, waves);
    document.sections.extend([waits(waves), workloads(waves, false)]);
    document.take_findings(findings);
    document.notes.push(Word::NoteMigration);
    document
}

fn headed(meta: Meta, waves: &[WaveRow]) -> Document {
    let mut document = Document::new(DocumentKind::Migrate, meta);
    let int = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    let done = waves.iter().filter(|row| row.phase == Phase::Completed).count();
    let all = || waves.iter().flat_map(|row| &row.workloads);
    let fit = all().filter(|row| row.fits == Fits::Yes).count();
    document.figure(Word::WavesCompleted, Cell::Ratio(int(done), int(waves.len())));
    document.figure(Word::WorkloadsFit, Cell::Ratio(int(fit), int(all().count())));
    document.figure(Word::WavesWaiting, waves.iter().filter(|row| stopped(&row.wait)).count());
    document
}

/// Whether a wave goes on only when a person does something.
fn stopped(wait: &Wait) -> bool {
    !matches!(wait, Wait::Nothing | Wait::Step | Wait::Earlier(_) | Wait::Moving | Wait::Resting(_))
}

/// The phases that a wave passes when all goes well.
fn passes(wave: &Wave) -> Vec<Phase> {
    let mut all = vec![Phase::Assessing];
    if wave.data.is_some() {
        all.extend([Phase::Copying, Phase::Comparing]);
    }
    if wave.trial {
        all.push(Phase::Trial);
    }
    all.extend([Phase::CuttingOver, Phase::Soaking, Phase::Completed]);
    all
}

fn steps(waves: &[WaveRow]) -> Section {
    let columns = vec![
        Column::text("migration", Word::Migration),
        Column::figure("order", Word::Order),
        Column::text("wave", Word::Wave),
        Column::text("step", Word::Step),
        Column::text("serves", Word::Serves),
        Column::text("way", Word::GoesBack),
        Column::text("status", Word::Status),
    ];
    let mut section = Section::new(Word::SectionMigrationSteps, columns).grouped_by(0);
    let mut order = (String::new(), 0_i64);
    for row in waves {
        if order.0 != row.migration {
            order = (row.migration.clone(), 0);
        }
        let mut written = false;
        for phase in passes(&row.wave) {
            order.1 += 1;
            let data = row.wave.data;
            written |=
                data.is_some_and(|data| phase == Phase::CuttingOver || (phase == Phase::Trial && data.trial_writes));
            let back = match data {
                _ if phase.sides() == Sides::Untouched => Word::BackNothing,
                _ if !written && phase == Phase::Completed => Word::BackByOrder,
                _ if !written => Word::BackByItself,
                Some(data) if data.way_back => Word::BackWithData,
                _ => Word::BackRefused,
            };
            let status = match row.phase {
                at if at == phase && at == Phase::Completed => Status::Ok,
                at if at == phase && stopped(&row.wait) => Status::Warn,
                at if at == phase => Status::Pending,
                Phase::ReturningData | Phase::RollingBack | Phase::RolledBack => Status::Refused,
                at if at > phase => Status::Ok,
                _ => Status::Pending,
            };
            section.row(vec![
                row.migration.as_str().into(),
                order.1.into(),
                row.wave.name.as_str().into(),
                word(phase).into(),
                sides(phase).into(),
                back.into(),
                status.into(),
            ]);
        }
    }
    section
}

fn gates(waves: &[WaveRow]) -> Section {
    let columns = vec![
        Column::text("migration", Word::Migration),
        Column::text("wave", Word::Wave),
        Column::text("gate", Word::Gate),
        Column::text("before", Word::GateBefore),
        Column::text("status", Word::Status),
    ];
    let mut section = Section::new(Word::SectionMigrationGates, columns).grouped_by(0);
    for row in waves {
        let own = row.wave.gates.iter().map(|gate| (gate.name.as_str(), boundary(gate.before), gate.proof));
        let data = row.wave.data.into_iter().flat_map(|data| {
            let back = data.way_back.then_some(("way-back", Word::StepRollingBack, data.returned));
            let steps = [("copy", Word::StepComparing, data.copied), ("compare", moved(&row.wave), data.compared)];
            steps.into_iter().chain(back)
        });
        for (name, before, proof) in own.chain(data) {
            let status = match proof {
                Proof::Passed => Status::Ok,
                Proof::Open => Status::Pending,
                Proof::Failed => Status::Failed,
            };
            section.row(vec![
                row.migration.as_str().into(),
                row.wave.name.as_str().into(),
                name.into(),
                before.into(),
                status.into(),
            ]);
        }
    }
    section
}

fn workloads(waves: &[WaveRow], planned: bool) -> Section {
    let mut columns = vec![
        Column::text("migration", Word::Migration),
        Column::text("wave", Word::Wave),
        Column::text("workload", Word::Workload),
        Column::figure("source", Word::OnSource),
        Column::figure("target", Word::OnTarget),
    ];
    columns.extend(if planned {
        vec![
            Column::text("fits", Word::FitsTarget),
            Column::text("reason", Word::Reason),
            Column::text("fix", Word::Fix),
        ]
    } else {
        vec![Column::figure("ready", Word::Ready)]
    });
    let mut section = Section::new(Word::SectionMigrationWorkloads, columns).grouped_by(0);
    for row in waves {
        for workload in &row.workloads {
            let mut cells: Vec<Cell> = vec![
                row.migration.as_str().into(),
                row.wave.name.as_str().into(),
                workload.name.as_str().into(),
                workload.source.into(),
                workload.target.into(),
            ];
            if planned {
                let (status, hitch) = match &workload.fits {
                    Fits::Yes => (Status::Ok, None),
                    Fits::Unasked => (Status::Unknown, None),
                    Fits::Unknown(hitch) => (Status::Unknown, Some(hitch)),
                    Fits::No(hitch) => (Status::Refused, Some(hitch)),
                };
                cells.push(status.into());
                cells.extend(because(hitch));
            } else {
                cells.push(workload.ready.map_or(Cell::Unknown, Cell::from));
            }
            section.row(cells);
        }
    }
    section
}

fn because(hitch: Option<&Hitch>) -> [Cell; 2] {
    match hitch {
        Some(hitch) => [Cell::Reason(hitch.reason.clone()), Cell::Fix(hitch.reason.clone())],
        None => [Cell::NotApplicable, Cell::NotApplicable],
    }
}

fn waits(waves: &[WaveRow]) -> Section {
    let columns = vec![
        Column::text("migration", Word::Migration),
        Column::text("wave", Word::Wave),
        Column::figure("attempt", Word::Attempt),
        Column::text("step", Word::Step),
        Column::text("since", Word::Since),
        Column::text("firstWrite", Word::FirstWrite).wide(),
        Column::text("waitsFor", Word::WaitsFor),
        Column::text("object", Word::About),
        Column::text("reason", Word::Reason),
    ];
    let mut section = Section::new(Word::SectionMigrationWaves, columns).grouped_by(0);
    for row in waves {
        let (about, reason) = match &row.wait {
            Wait::Earlier(text) | Wait::Gate(text) | Wait::GateFailed(text) => (text.as_str().into(), None),
            Wait::Unknown(hitch) | Wait::Unfit(hitch) => (hitch.workload.as_str().into(), Some(&hitch.reason)),
            Wait::Resting(until) => (Cell::Time(*until), None),
            _ => (Cell::NotApplicable, None),
        };
        section.row(vec![
            row.migration.as_str().into(),
            row.wave.name.as_str().into(),
            row.wave.attempt.into(),
            word(row.phase).into(),
            row.since.map_or(Cell::NotApplicable, Cell::Time),
            row.first_write.map_or(Cell::NotApplicable, Cell::Time),
            waits_for(&row.wait).into(),
            about,
            reason.map_or(Cell::NotApplicable, |reason| Cell::Reason(reason.clone())),
        ]);
    }
    section
}

/// Before what the comparison of a wave's data stands.
fn moved(wave: &Wave) -> Word {
    if wave.trial { Word::StepTrial } else { Word::StepCuttingOver }
}

fn boundary(before: Boundary) -> Word {
    match before {
        Boundary::Copy => Word::StepCopying,
        Boundary::Trial => Word::StepTrial,
        Boundary::CutOver => Word::StepCuttingOver,
        Boundary::Completion => Word::StepCompleted,
    }
}

fn word(phase: Phase) -> Word {
    match phase {
        Phase::Waiting => Word::StepWaiting,
        Phase::Assessing => Word::StepAssessing,
        Phase::Copying => Word::StepCopying,
        Phase::Comparing => Word::StepComparing,
        Phase::Trial => Word::StepTrial,
        Phase::CuttingOver => Word::StepCuttingOver,
        Phase::Soaking => Word::StepSoaking,
        Phase::Completed => Word::StepCompleted,
        Phase::ReturningData => Word::StepReturningData,
        Phase::RollingBack => Word::StepRollingBack,
        Phase::RolledBack => Word::StepRolledBack,
    }
}

fn sides(phase: Phase) -> Word {
    match phase.sides() {
        Sides::Untouched | Sides::Source => Word::SideSource,
        Sides::Both => Word::SideBoth,
        Sides::Target => Word::SideTarget,
    }
}

fn waits_for(wait: &Wait) -> Word {
    match wait {
        Wait::Nothing => Word::None,
        Wait::Step => Word::WaitStep,
        Wait::Earlier(_) => Word::WaitEarlier,
        Wait::Paused => Word::WaitPaused,
        Wait::Unknown(_) => Word::WaitUnknown,
        Wait::Unfit(_) => Word::WaitUnfit,
        Wait::Gate(_) => Word::WaitGate,
        Wait::GateFailed(_) => Word::WaitGateFailed,
        Wait::Moving => Word::WaitMoving,
        Wait::Failed => Word::WaitFailed,
        Wait::Late => Word::WaitLate,
        Wait::Resting(_) => Word::WaitResting,
        Wait::NoWayBack => Word::WaitNoWayBack,
        Wait::Retry => Word::WaitRetry,
    }
}

#[cfg(test)]
mod tests {
    use jiuzhou_engine::step::migration::{Data, Gate};
    use jiuzhou_engine::terms::{Code, Reason};

    use super::*;

    fn row(phase: Phase, data: Option<Data>, wait: Wait) -> WaveRow {
        let gates = vec![Gate { name: "test".to_owned(), before: Boundary::CutOver, proof: Proof::Failed }];
        let hitch = Hitch { workload: "web".to_owned(), reason: Reason::new(Code::NoCandidate).object("web") };
        let workload = WorkloadRow { name: "web".to_owned(), source: 3, target: 1, ready: None, fits: Fits::No(hitch) };
        WaveRow {
            migration: "a/go".to_owned(),
            wave: Wave { name: "one".to_owned(), attempt: 1, trial: true, gates, data, ..Wave::default() },
            phase,
            since: None,
            first_write: None,
            wait,
            workloads: vec![workload],
        }
    }

    fn column(section: &Section, key: &str) -> Vec<Cell> {
        let at = section.columns.iter().position(|column| column.key == key).expect("a column");
        section.rows.iter().map(|row| row[at].clone()).collect()
    }

    #[test]
    fn the_steps_of_a_wave_say_how_it_goes_back_from_each() {
        let data = Data { trial_writes: true, ..Data::default() };
        let ways = |data: Option<Data>| {
            let document = plan(Meta::default(), &[row(Phase::Trial, data, Wait::Moving)], Vec::new());
            column(&document.sections[0], "way")
        };
        let words = |all: &[Word]| all.iter().map(|word| Cell::Word(*word)).collect::<Vec<_>>();
        use Word::{BackByItself, BackByOrder, BackNothing, BackRefused, BackWithData};
        assert_eq!(ways(None), words(&[BackNothing, BackByItself, BackByItself, BackByItself, BackByOrder]));
        let refused = [BackNothing, BackNothing, BackNothing, BackRefused, BackRefused, BackRefused, BackRefused];
        assert_eq!(ways(Some(data)), words(&refused));
        let with = ways(Some(Data { way_back: true, trial_writes: false, ..data }));
        assert_eq!(with[3..5], words(&[BackByItself, BackWithData]));
    }

    #[test]
    fn what_blocks_is_counted_and_told_with_its_gate() {
        let waits = Wait::GateFailed("test".to_owned());
        let document = status(Meta::default(), &[row(Phase::Trial, None, waits)], Vec::new());
        assert_eq!(document.headline[2].value, Cell::Int(1));
        assert_eq!(column(&document.sections[0], "object"), [Cell::Text("test".to_owned())]);
        assert_eq!(column(&document.sections[1], "ready"), [Cell::Unknown], "nobody has seen it");
        let going = status(Meta::default(), &[row(Phase::Trial, None, Wait::Moving)], Vec::new());
        assert_eq!(going.headline[2].value, Cell::Int(0));
    }
}
