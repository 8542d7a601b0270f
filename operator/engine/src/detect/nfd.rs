//! NFD.
