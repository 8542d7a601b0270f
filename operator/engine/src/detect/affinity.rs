//! Node affinity.
