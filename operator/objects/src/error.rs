//! What can go wrong outside of manifests: in values the caller made. Faults inside a manifest are findings, because
//! a person has to see all of them with their place.

/// Errors of this room.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ObjectsError {
    /// A text is not a Kubernetes quantity.
    #[error("failed to read quantity {text:?}: {why}")]
    Quantity {
        /// The text as given, shortened.
        text: String,
        /// What is wrong with it.
        why: QuantityFault,
    },
    /// A text is not an image reference.
    #[error("failed to read image reference {0:?}")]
    Image(String),
    /// A path of a profile is not a JSON pointer.
    #[error("failed to read path {0:?}: want a JSON pointer such as /spec/template, with * for every item")]
    Path(String),
    /// A Secret cannot be taken along. Never holds any of its data.
    #[error("failed to read Secret {name:?}: {why}")]
    Secret {
        /// Name of the Secret.
        name: String,
        /// What is wrong.
        why: String,
    },
    /// An override does not fit the object.
    #[error("failed to apply an override at {pointer}: {why}")]
    Override {
        /// Where in the object, or in the patch.
        pointer: String,
        /// What is wrong.
        why: String,
    },
}

/// Why a text is not a quantity we can keep exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuantityFault {
    /// No number at all.
    #[error("no number")]
    NoNumber,
    /// The suffix is none of Kubernetes'.
    #[error("unknown suffix")]
    Suffix,
    /// Beyond 2^63 - 1, or more digits than can be kept exactly.
    #[error("out of range")]
    OutOfRange,
}
