//! Objects of other API groups: kept as they are, for whoever places or inspects them.
//!
//! Our checks of native objects are those that help the user and cannot be wrong: labels and annotations that are not
//! text. Their schemas belong to the member cluster that will get them.

use jiuzhou_engine::terms::Finding;

use crate::documents::Document;
use crate::schema;

/// A native object of the input.
#[derive(Clone, Debug)]
pub struct Native {
    /// The object and where it stands.
    pub document: Document,
}

/// Takes a document of a group that is not ours.
pub fn keep(document: Document, findings: &mut Vec<Finding>) -> Native {
    schema::check_native_metadata(&document, &document.value, findings);
    Native { document }
}
