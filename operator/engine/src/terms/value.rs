//! A typed parameter of a reason: what was seen, what was wanted.
//!
//! Report formats it for a person in two languages; JSON keeps the type. Text in here is a name or a quotation from
//! the input, never a sentence of ours.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One typed parameter.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Value {
    /// Nothing was stated (shown as 未知 / unknown where a value is asked for).
    #[default]
    Unknown,
    /// A name, a token, or a quotation of the input.
    Text(String),
    /// A plain number (replicas, counts, ranks).
    Int(i64),
    /// Thousandths of a CPU.
    Millicores(i64),
    /// Bytes.
    Bytes(i64),
    /// Energy in thousandths of a watt-hour.
    MilliwattHours(i64),
    /// Thousandths, e.g. of a PUE.
    PerMille(i64),
    /// Percent.
    Percent(i64),
    /// Fen.
    Fen(i64),
    /// A point in time.
    Time(Timestamp),
    /// Several names, in order.
    List(Vec<String>),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<Vec<String>> for Value {
    fn from(list: Vec<String>) -> Self {
        Self::List(list)
    }
}
