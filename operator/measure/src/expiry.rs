//! What runs out: a proof or a credential with its end. Intake lists them; reports and reminders count the days.

use jiff::Timestamp;
use jiff::civil::Date;
use jiuzhou_engine::decide::input::Dimension;
use jiuzhou_engine::terms::ObjectRef;

use crate::beijing_date;

/// What kind of thing runs out; the text form is a label of metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Proof {
    /// Evidence of a dimension of sovereignty.
    Evidence(Dimension),
    /// 等保.
    Protection,
    /// 密评.
    Cryptography,
    /// The hub's credential for a member.
    Credential,
}

impl Proof {
    /// Its name: that of the dimension, or of the kind.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Evidence(Dimension::Data) => "Data",
            Self::Evidence(Dimension::Technical) => "Technical",
            Self::Evidence(Dimension::Operational) => "Operational",
            Self::Evidence(Dimension::Availability) => "Availability",
            Self::Evidence(Dimension::SupplyChain) => "SupplyChain",
            Self::Evidence(Dimension::Geopolitical) => "Geopolitical",
            Self::Protection => "Protection",
            Self::Cryptography => "Cryptography",
            Self::Credential => "Credential",
        }
    }
}

/// One thing that runs out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Expiring {
    /// Whose it is.
    pub subject: ObjectRef,
    /// What kind.
    pub proof: Proof,
    /// Claim and id of evidence, number of a report; empty for a credential.
    pub name: String,
    /// The first instant it holds no more.
    pub ends: Timestamp,
    /// From when on it is worth a reminder at all; what renews itself is not before it should have.
    pub remind_from: Option<Timestamp>,
}

impl Expiring {
    /// Its last Beijing day.
    #[must_use]
    pub fn last_day(&self) -> Date {
        beijing_date(self.ends.saturating_sub(jiff::SignedDuration::from_secs(1)).unwrap_or(self.ends))
    }

    /// Whole Beijing days that are left, the last one not counted; negative when it has run out.
    #[must_use]
    pub fn days_left(&self, now: Timestamp) -> i64 {
        let span = beijing_date(now).until((jiff::Unit::Day, self.last_day()));
        span.map_or(0, |span| i64::from(span.get_days()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_beijing_and_the_last_one_still_holds() {
        let ends: Timestamp = "2027-01-01T00:00:00+08:00".parse().unwrap();
        let subject = ObjectRef::new("MemberCluster", "", "a");
        let one = Expiring { subject, proof: Proof::Protection, name: String::new(), ends, remind_from: None };
        assert_eq!(one.last_day().to_string(), "2026-12-31");
        for (now, left) in [
            ("2026-12-31T23:59:59+08:00", 0),
            ("2026-12-31T00:00:00+08:00", 0),
            ("2026-12-30T23:59:59+08:00", 1),
            ("2027-01-01T00:00:00+08:00", -1),
        ] {
            assert_eq!(one.days_left(now.parse().unwrap()), left, "{now}");
        }
    }
}
