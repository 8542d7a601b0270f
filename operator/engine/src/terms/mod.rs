//! The words every room shares: units, places in a file, codes, reasons, findings, digests.
//!
//! Plain values only. What belongs here is used by at least two rooms; a type that only one room needs stays there.

mod code;
mod digest;
mod finding;
mod form;
mod place;
mod units;
mod value;

pub use code::{Area, Code};
pub use digest::{Digest, DigestAlgorithm, Hasher};
pub use finding::{Finding, ObjectRef, Reason, Severity};
pub use form::Form;
pub use place::Place;
pub use units::{Bytes, Fen, Millicores, Milligrams, MilliwattHours, Milliwatts, Overflow, PerMille, Percent};
pub use value::Value;
