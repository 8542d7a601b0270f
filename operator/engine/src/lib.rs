//! The engine decides: values in, values out.
//!
//! It sees no Kubernetes client, no YAML, no clock, no environment, no files and no hash order, and it writes no
//! prose: a decision is made of codes with typed parameters ([`terms::Code`], [`terms::Reason`]), which the report
//! room turns into sentences. Time comes in as an argument. All arithmetic on quantities is checked.

pub mod capacity;
pub mod choice;
pub mod decide;
pub mod detect;
pub mod step;
pub mod terms;
