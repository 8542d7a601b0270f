//! The report room tells: it turns codes into sentences and figures into documents.
//!
//! Every report is one document of typed cells; every format renders any document. All sentences, zh and
//! en, stand here. No Kubernetes client, no YAML reading, no terminal detection: the face says how wide and how
//! colourful.

pub mod sentences;
