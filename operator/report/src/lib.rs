//! The report room tells: it turns codes into sentences and figures into documents.
//!
//! Every report is one [`document::Document`] of typed cells, made in [`documents`]; every format of [`render`]
//! renders any document. All sentences and labels, zh and en, stand in [`sentences`] and [`words`]. No Kubernetes
//! client, no YAML reading, no terminal detection: the face says how wide and how colourful.

pub mod document;
pub mod documents;
pub mod finding;
pub mod render;
pub mod sentences;
pub mod words;
