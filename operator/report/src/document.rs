//! The one form of every report: a headline, tables of typed cells, findings and notes.
//!
//! Builders in [`crate::documents`] make it, [`crate::render`] prints it; neither knows the other. A cell keeps its
//! type (a quantity its unit, a share its two counts, an unknown its being unknown), so that a format can be as
//! exact as it wants. A chart is a view of columns of its own table, so that picture and figures cannot disagree.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiuzhou_engine::terms::{
    Bytes, Code, Digest, Fen, Finding, Millicores, Milligrams, MilliwattHours, PerMille, Place,
};
use jiuzhou_engine::terms::{Reason, Value};

use crate::words::{Term, Unit, Word};

/// The version of the JSON form. Minor: fields added, readers ignore what they do not know. Major: anything else.
pub const FORMAT_VERSION: &str = "1.1";

/// Which report a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DocumentKind {
    /// What would be placed where.
    Plan,
    /// Why one workload is where it is.
    Explain,
    /// What is wrong with the input.
    Validate,
    /// What the nodes of a cluster are.
    Inventory,
    /// How far systems have come to the cloud.
    Adoption,
    /// What energy was used, with which emissions.
    Energy,
    /// How sovereign the fleet is, and what of it runs out.
    Sovereignty,
    /// Whether a recorded decision gives the same bytes again.
    Replay,
    /// Whether decisions are what tests expect.
    Test,
    /// What would follow from supposed changes.
    Whatif,
    /// What could be emptied.
    Consolidate,
    /// What images offer and need.
    Inspect,
    /// Where an image, a package or a vulnerability is.
    Find,
    /// Which systems could run on which CPU family.
    Readiness,
    /// What bodies owe providers.
    Settlement,
    /// Bodies by the evaluation index.
    Assessment,
    /// How days to come would go by.
    Simulate,
    /// How migrations go, wave by wave.
    Migrate,
}

impl DocumentKind {
    /// Every kind.
    pub const ALL: [Self; 18] = [
        Self::Plan,
        Self::Explain,
        Self::Validate,
        Self::Inventory,
        Self::Adoption,
        Self::Energy,
        Self::Sovereignty,
        Self::Replay,
        Self::Test,
        Self::Whatif,
        Self::Consolidate,
        Self::Inspect,
        Self::Find,
        Self::Readiness,
        Self::Settlement,
        Self::Assessment,
        Self::Simulate,
        Self::Migrate,
    ];

    /// The stable key in JSON.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Plan => "Plan",
            Self::Explain => "Explain",
            Self::Validate => "Validate",
            Self::Inventory => "Inventory",
            Self::Adoption => "Adoption",
            Self::Energy => "Energy",
            Self::Sovereignty => "Sovereignty",
            Self::Replay => "Replay",
            Self::Test => "Test",
            Self::Whatif => "Whatif",
            Self::Consolidate => "Consolidate",
            Self::Inspect => "Inspect",
            Self::Find => "Find",
            Self::Readiness => "Readiness",
            Self::Settlement => "Settlement",
            Self::Assessment => "Assessment",
            Self::Simulate => "Simulate",
            Self::Migrate => "Migrate",
        }
    }

    /// The heading a person reads.
    #[must_use]
    pub fn title(self) -> Word {
        match self {
            Self::Plan => Word::TitlePlan,
            Self::Explain => Word::TitleExplain,
            Self::Validate => Word::TitleValidate,
            Self::Inventory => Word::TitleInventory,
            Self::Adoption => Word::TitleAdoption,
            Self::Energy => Word::TitleEnergy,
            Self::Sovereignty => Word::TitleSovereignty,
            Self::Replay => Word::TitleReplay,
            Self::Test => Word::TitleTest,
            Self::Whatif => Word::TitleWhatif,
            Self::Consolidate => Word::TitleConsolidate,
            Self::Inspect => Word::TitleInspect,
            Self::Find => Word::TitleFind,
            Self::Readiness => Word::TitleReadiness,
            Self::Settlement => Word::TitleSettlement,
            Self::Assessment => Word::TitleAssessment,
            Self::Simulate => Word::TitleSimulate,
            Self::Migrate => Word::TitleMigrate,
        }
    }
}

/// What a report is about and what made it. Every export carries it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meta {
    /// Version of the engine that computed it.
    pub engine_version: String,
    /// The time the report looks from (`--as-of`).
    pub as_of: Option<Timestamp>,
    /// Digest of the input.
    pub input_digest: Option<Digest>,
    /// Digest of what the report says ([`crate::render::digest`]), for reports that a resource may keep.
    pub content_digest: Option<Digest>,
}

impl Meta {
    /// The data of a report computed by this build; all rooms share one version.
    #[must_use]
    pub fn new(as_of: Option<Timestamp>, input_digest: Option<Digest>) -> Self {
        Self { engine_version: env!("CARGO_PKG_VERSION").to_owned(), as_of, input_digest, content_digest: None }
    }
}

/// A whole report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Which report.
    pub kind: DocumentKind,
    /// The object it is about, as a name; empty when it is about the whole input.
    pub subject: String,
    /// What made it.
    pub meta: Meta,
    /// The few figures a reader in a hurry needs.
    pub headline: Vec<Figure>,
    /// The tables.
    pub sections: Vec<Section>,
    /// What is wrong or worth knowing, in the order of [`Finding::sort_key`].
    pub findings: Vec<Finding>,
    /// How to read the figures.
    pub notes: Vec<Word>,
}

impl Document {
    /// An empty report.
    #[must_use]
    pub fn new(kind: DocumentKind, meta: Meta) -> Self {
        Self {
            kind,
            subject: String::new(),
            meta,
            headline: Vec::new(),
            sections: Vec::new(),
            findings: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Adds a figure to the headline.
    pub fn figure(&mut self, label: Word, value: impl Into<Cell>) {
        self.headline.push(Figure { label, value: value.into() });
    }

    /// Takes findings in their one order.
    pub fn take_findings(&mut self, mut findings: Vec<Finding>) {
        findings.sort_by_cached_key(Finding::sort_key);
        self.findings = findings;
    }
}

/// One figure of the headline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// What it is; its key is the key in JSON.
    pub label: Word,
    /// The figure, with its unit or its two counts in the type.
    pub value: Cell,
}

/// One table with its heading and, where a picture helps, its chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// The heading; its key is the key in JSON.
    pub title: Word,
    /// The columns. Keys are unique within a table.
    pub columns: Vec<Column>,
    /// The rows; each has one cell per column.
    pub rows: Vec<Vec<Cell>>,
    /// The column whose values group the rows (tenant, cluster), when there is one.
    pub group: Option<usize>,
    /// How to draw it.
    pub chart: Option<Chart>,
    /// Every row is a problem: formats that know problems only tell it beside the findings.
    pub problems: bool,
    /// Where the object of a row stands in the input, by the number of the row; only where it is known.
    pub places: BTreeMap<usize, Place>,
}

impl Section {
    /// An empty table.
    #[must_use]
    pub fn new(title: Word, columns: Vec<Column>) -> Self {
        Self { title, columns, rows: Vec::new(), group: None, chart: None, problems: false, places: BTreeMap::new() }
    }

    /// Groups the rows by a column.
    #[must_use]
    pub fn grouped_by(mut self, column: usize) -> Self {
        self.group = Some(column);
        self
    }

    /// Says that every row is a problem.
    #[must_use]
    pub fn of_problems(mut self) -> Self {
        self.problems = true;
        self
    }

    /// Adds a row about an object that stands at a place.
    pub fn row_at(&mut self, cells: Vec<Cell>, place: Option<Place>) {
        if let Some(place) = place {
            self.places.insert(self.rows.len(), place);
        }
        self.row(cells);
    }

    /// Adds a picture.
    #[must_use]
    pub fn drawn(mut self, chart: Chart) -> Self {
        self.chart = Some(chart);
        self
    }

    /// Adds a row. A row shorter than the table is filled up with [`Cell::Unknown`]; a longer one is cut.
    pub fn row(&mut self, mut cells: Vec<Cell>) {
        cells.resize(self.columns.len(), Cell::Unknown);
        self.rows.push(cells);
    }

    /// The rows by the value of the grouping column, in the order in which the values first appear; one group without
    /// a name when nothing groups them.
    #[must_use]
    pub fn groups(&self) -> Vec<(Option<&Cell>, Vec<&Vec<Cell>>)> {
        let Some(at) = self.group else { return vec![(None, self.rows.iter().collect())] };
        let mut groups: Vec<(Option<&Cell>, Vec<&Vec<Cell>>)> = Vec::new();
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        for row in &self.rows {
            let cell = row.get(at);
            let place = *places.entry(format!("{cell:?}")).or_insert(groups.len());
            if place == groups.len() {
                groups.push((cell, Vec::new()));
            }
            groups[place].1.push(row);
        }
        groups
    }

    /// The status of a row, when a column has one: what gates and test reports go by.
    #[must_use]
    pub fn status(row: &[Cell]) -> Option<Status> {
        row.iter().find_map(|cell| if let Cell::Status(status) = cell { Some(*status) } else { None })
    }

    /// Whether a row is a problem: every row of a table of problems is, and whatever failed.
    #[must_use]
    pub fn is_problem(&self, row: &[Cell]) -> bool {
        self.problems || Self::status(row) == Some(Status::Failed)
    }
}

/// One column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// The key in JSON, stable.
    pub key: &'static str,
    /// The heading.
    pub label: Word,
    /// Figures stand right.
    pub right: bool,
    /// Shown in `wide`, HTML and data formats only.
    pub wide: bool,
}

impl Column {
    /// A column of text.
    #[must_use]
    pub const fn text(key: &'static str, label: Word) -> Self {
        Self { key, label, right: false, wide: false }
    }

    /// A column of figures.
    #[must_use]
    pub const fn figure(key: &'static str, label: Word) -> Self {
        Self { key, label, right: true, wide: false }
    }

    /// The same column, left out of narrow text.
    #[must_use]
    pub const fn wide(mut self) -> Self {
        self.wide = true;
        self
    }
}

/// A picture of columns of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chart {
    /// How the columns are drawn.
    pub form: ChartForm,
    /// The column that names a bar. Rows of one name share a bar.
    pub label: usize,
    /// The column that names the part of a bar; rows of one bar with different parts stack.
    pub part: Option<usize>,
    /// The column of figures.
    pub value: usize,
}

/// The form of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChartForm {
    /// One bar per name; its parts stand one after the other.
    Bars,
    /// Bars with a line at the figure of another column: the limit of each row.
    Limit(usize),
    /// Bars in the middle, each step of a selection below the one before.
    Funnel,
    /// A line over rows that follow each other in time.
    Line,
}

/// The state of a row. Pending, refused and violating are three words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// As wanted.
    Ok,
    /// Works, but look at it.
    Warn,
    /// Not known.
    Unknown,
    /// Will be, but is not yet.
    Pending,
    /// Was not let in.
    Refused,
    /// Runs where it may not.
    Violating,
    /// Is not as a test expects.
    Failed,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 7] =
        [Self::Ok, Self::Warn, Self::Unknown, Self::Pending, Self::Refused, Self::Violating, Self::Failed];

    /// The word; its key is the key in JSON.
    #[must_use]
    pub fn word(self) -> Word {
        match self {
            Self::Ok => Word::StatusOk,
            Self::Warn => Word::StatusWarn,
            Self::Unknown => Word::StatusUnknown,
            Self::Pending => Word::StatusPending,
            Self::Refused => Word::StatusRefused,
            Self::Violating => Word::StatusViolating,
            Self::Failed => Word::StatusFailed,
        }
    }

    /// The mark that stands before the word, so that colour never carries the meaning alone.
    #[must_use]
    pub fn mark(self, ascii: bool) -> char {
        match (self, ascii) {
            (Self::Ok, false) => '✓',
            (Self::Ok, true) => '+',
            (Self::Warn, _) => '!',
            (Self::Unknown, _) => '?',
            (Self::Pending, _) => '-',
            (Self::Refused | Self::Violating | Self::Failed, false) => '✗',
            (Self::Refused | Self::Violating | Self::Failed, true) => 'x',
        }
    }
}

/// A name with a number: a cluster and its replicas.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Counted {
    /// The name.
    pub name: String,
    /// The number that belongs to it.
    pub count: i64,
}

/// One value of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// A name or a quotation of the input, printed as it is.
    Text(String),
    /// A name of the catalogue or the source of a figure of it, told in the reader's language where that is known.
    Catalogued(String),
    /// A word of ours, translated.
    Word(Word),
    /// Several words of ours.
    Words(Vec<Word>),
    /// A kind of the API, translated.
    Term(Term),
    /// A code, never translated.
    Code(Code),
    /// What a reason says.
    Reason(Reason),
    /// What a person can do about a reason.
    Fix(Reason),
    /// A plain number.
    Int(i64),
    /// A figure with its unit.
    Quantity(i64, Unit),
    /// A share with its numerator and denominator; a denominator of 0 is shown as 不适用.
    Ratio(i64, i64),
    /// A share of two quantities of one unit; a denominator of 0 is shown as 不适用.
    Share(i64, i64, Unit),
    /// Least and most, of one unit.
    Between(i64, i64, Unit),
    /// Before and after, of one unit.
    Change(i64, i64, Unit),
    /// A point in time.
    Time(Timestamp),
    /// A day in Beijing.
    Date(Date),
    /// Several names.
    List(Vec<String>),
    /// Several names with a number each.
    Counted(Vec<Counted>),
    /// A state.
    Status(Status),
    /// Not known (未知); never a zero.
    Unknown,
    /// Does not apply (不适用).
    NotApplicable,
}

impl Cell {
    /// A quantity that may not be known.
    #[must_use]
    pub fn known<T: Into<Self>>(value: Option<T>) -> Self {
        value.map_or(Self::Unknown, Into::into)
    }

    /// The figure a chart draws; `None` for text and for what is not known.
    #[must_use]
    pub fn magnitude(&self) -> Option<i64> {
        match self {
            Self::Int(value) | Self::Quantity(value, _) => Some(*value),
            // A share is drawn as one: by its counts a large body would look better than a small one.
            Self::Ratio(part, whole) | Self::Share(part, whole, _) => {
                let scaled = (i128::from(*part) * 1000).checked_div(i128::from(*whole))?;
                i64::try_from(scaled).ok()
            }
            _ => None,
        }
    }
}

macro_rules! cells {
    ($($from:ty => $cell:expr),* $(,)?) => {
        $(impl From<$from> for Cell {
            fn from(value: $from) -> Self {
                let make: fn($from) -> Self = $cell;
                make(value)
            }
        })*
    };
}

cells! {
    String => Cell::Text,
    &str => |text| Cell::Text(text.to_owned()),
    Word => Cell::Word,
    Term => Cell::Term,
    Code => Cell::Code,
    Status => Cell::Status,
    Reason => Cell::Reason,
    i64 => Cell::Int,
    u32 => |number| Cell::Int(number.into()),
    usize => |number| i64::try_from(number).map_or(Cell::Unknown, Cell::Int),
    Millicores => |figure| Cell::Quantity(figure.0, Unit::Millicores),
    Bytes => |figure| Cell::Quantity(figure.0, Unit::Bytes),
    MilliwattHours => |figure| Cell::Quantity(figure.0, Unit::MilliwattHours),
    Milligrams => |figure| Cell::Quantity(figure.0, Unit::MilligramsCo2),
    Fen => |figure| Cell::Quantity(figure.0, Unit::Fen),
    PerMille => |figure| Cell::Quantity(figure.0, Unit::PerMille),
    Timestamp => Cell::Time,
    Date => Cell::Date,
    Vec<String> => Cell::List,
    Vec<Counted> => Cell::Counted,
}

impl From<Value> for Cell {
    fn from(value: Value) -> Self {
        match value {
            Value::Unknown => Self::Unknown,
            Value::Text(text) => Self::Text(text),
            Value::Int(number) => Self::Int(number),
            Value::Millicores(figure) => Self::Quantity(figure, Unit::Millicores),
            Value::Bytes(figure) => Self::Quantity(figure, Unit::Bytes),
            Value::MilliwattHours(figure) => Self::Quantity(figure, Unit::MilliwattHours),
            Value::PerMille(figure) => Self::Quantity(figure, Unit::PerMille),
            Value::Percent(figure) => Self::Quantity(figure, Unit::Percent),
            Value::Fen(figure) => Self::Quantity(figure, Unit::Fen),
            Value::Time(time) => Self::Time(time),
            Value::List(list) => Self::List(list),
        }
    }
}
