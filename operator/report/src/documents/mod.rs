//! Builders: from what the engine and the measure room computed to a document.
//!
//! One file per report. A builder chooses which figures stand in the headline and which columns a table has; it
//! computes nothing that decides, and writes no text of its own but words of the catalogue.

pub mod adoption;
pub mod assessment;
pub mod consolidate;
pub(crate) mod decision;
pub mod energy;
mod energy_shares;
pub mod explain;
pub mod find;
pub mod inspect;
pub mod inventory;
pub mod migrate;
pub mod plan;
pub mod readiness;
pub mod replay;
pub mod settlement;
pub mod simulate;
pub mod sovereignty;
pub mod test;
pub mod validate;
pub mod whatif;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;
