//! What a field of a manifest has to look like, where no other type of value says it.
//!
//! Written into a [`Value`] as English text, which JSON keeps; report says it in both languages by reading the text back.

use std::fmt;

use super::value::Value;

/// The form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form<'a> {
    /// A map.
    Map,
    /// A map of texts.
    TextMap,
    /// A quantity of Kubernetes.
    Quantity,
    /// One that is not negative.
    QuantityFromZero,
    /// A smaller one.
    SmallerQuantity,
    /// A sum that cannot be counted.
    UncountableSum,
    /// A quantity without a fraction.
    Whole,
    /// A whole number that is not below another.
    WholeFrom(i64),
    /// A number of pods that can be counted.
    CountablePods,
    /// A type of Secret that nobody else fills.
    UnfilledType,
    /// A kind without a number of replicas.
    NoReplicas(&'a str),
    /// A kind that no number stops.
    NoStop(&'a str),
}

const WHOLE_FROM: &str = "a whole number of at least ";
const NO_REPLICAS: (&str, &str) = ("0 or 1, because ", " has no number of replicas");
const NO_STOP: (&str, &str) = ("1 or more, because ", " cannot be stopped by a number");

impl<'a> Form<'a> {
    /// Forms whose text is always the same.
    pub const FIXED: [Form<'static>; 9] = [
        Form::Map,
        Form::TextMap,
        Form::Quantity,
        Form::QuantityFromZero,
        Form::SmallerQuantity,
        Form::UncountableSum,
        Form::Whole,
        Form::CountablePods,
        Form::UnfilledType,
    ];

    fn fixed(self) -> &'static str {
        match self {
            Self::Map => "a map",
            Self::TextMap => "a map of texts",
            Self::Quantity => "a quantity such as 250m, 1.5 or 2Gi",
            Self::QuantityFromZero => "a quantity of 0 or more",
            Self::SmallerQuantity => "a smaller quantity",
            Self::UncountableSum => "a sum beyond 2^63 - 1",
            Self::Whole => "a whole number",
            Self::CountablePods => "a number of pods below 2^63",
            Self::UnfilledType => "a type that no controller fills in",
            Self::WholeFrom(_) | Self::NoReplicas(_) | Self::NoStop(_) => "",
        }
    }

    /// The form that a text says; `None` for any other text.
    #[must_use]
    pub fn of(text: &'a str) -> Option<Self> {
        let between = |(before, after): (&str, &str)| text.strip_prefix(before)?.strip_suffix(after);
        let fixed = Self::FIXED.into_iter().find(|form| form.fixed() == text);
        fixed
            .or_else(|| text.strip_prefix(WHOLE_FROM)?.parse().ok().map(Self::WholeFrom))
            .or_else(|| between(NO_REPLICAS).map(Self::NoReplicas))
            .or_else(|| between(NO_STOP).map(Self::NoStop))
    }
}

impl fmt::Display for Form<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WholeFrom(least) => write!(f, "{WHOLE_FROM}{least}"),
            Self::NoReplicas(kind) => write!(f, "{}{kind}{}", NO_REPLICAS.0, NO_REPLICAS.1),
            Self::NoStop(kind) => write!(f, "{}{kind}{}", NO_STOP.0, NO_STOP.1),
            fixed => f.write_str(fixed.fixed()),
        }
    }
}

impl From<Form<'_>> for Value {
    fn from(form: Form<'_>) -> Self {
        Self::Text(form.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read_back_from_its_text() {
        let filled = [Form::WholeFrom(0), Form::WholeFrom(-3), Form::NoReplicas("Job"), Form::NoStop("Lease")];
        for form in Form::FIXED.into_iter().chain(filled) {
            let text = form.to_string();
            assert!(!text.is_empty());
            assert_eq!(Form::of(&text), Some(form));
        }
        assert_eq!(Form::of("a map of Yunnan"), None);
        assert_eq!(Form::of("a whole number of at least some"), None);
    }
}
