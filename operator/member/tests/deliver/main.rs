//! Deliveries carried out in a member that is an API server in memory: what is written, what never is, and what the
//! status says afterwards.

mod scene;

mod adopting;
mod looking;
mod nonsense;
mod removal;
mod silence;
mod watching;
mod writing;
