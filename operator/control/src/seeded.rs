//! Faults put in on purpose, to see that the campaign finds them: a proof that cannot fail proves nothing.
//!
//! They are there only in builds with the feature `seeded-bugs`, which no program of ours asks for and which refuses to be
//! built without debug assertions; one is chosen at run time. Where a fault is put in, the line says `seeded::is`.

/// One fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bug {
    /// A member nobody has looked at is taken for empty.
    UnseenIsEmpty,
    /// A move removes first and adds afterwards.
    RemoveBeforeAdd,
    /// What may only be once is moved like what may be twice.
    WriterAsFree,
    /// Orders are given for decisions that are not recorded yet.
    OrderBeforeRecord,
    /// Decisions are taken for recorded that never were.
    CommitUnrecorded,
    /// A deletion that comes with its namespace's is taken for an order.
    NamespaceIsAnOrder,
    /// A workload that a list does not have is taken for deleted.
    AbsentIsDeleted,
    /// A cluster is forgotten when it is to be left, not when it is proven empty.
    ForgetUnproven,
    /// A status that could not be written is not written later.
    StatusForgotten,
    /// After a start everything is decided anew.
    RestartRedecides,
    /// The instant in the journal is another than the one that was decided for.
    ReplayDrift,
    /// Copies leave a silent member at once.
    FailoverAtOnce,
    /// A single writer is started elsewhere though nobody knows that the old one has stopped.
    FenceIgnored,
    /// A member is ordered one replica more.
    OneTooMany,
    /// Finalizers go before the objects in the members.
    FinalizerFirst,
    /// A placement outlives its workload.
    PlacementLeft,
    /// A workload made again under the name of a deleted one is removed with it.
    NameIsTheWorkload,
    /// A change of content that asks for nothing new is not delivered.
    ContentForgotten,
    /// A hub that was restored from a backup goes on as if nothing had happened.
    BehindGoesOn,
}

#[cfg(all(feature = "seeded-bugs", not(debug_assertions)))]
compile_error!("seeded bugs are for tests alone");

/// Whether this fault is the one that was chosen.
#[cfg(not(feature = "seeded-bugs"))]
#[inline]
pub(crate) const fn is(_: Bug) -> bool {
    false
}

#[cfg(all(feature = "seeded-bugs", test))]
pub(crate) use chosen::choose;
#[cfg(feature = "seeded-bugs")]
pub(crate) use chosen::is;

#[cfg(feature = "seeded-bugs")]
mod chosen {
    use std::sync::{Mutex, PoisonError};

    use super::Bug;

    static CHOSEN: Mutex<Option<Bug>> = Mutex::new(None);

    pub(crate) fn is(bug: Bug) -> bool {
        *CHOSEN.lock().unwrap_or_else(PoisonError::into_inner) == Some(bug)
    }

    /// Chooses a fault, or none.
    #[cfg(test)]
    pub(crate) fn choose(bug: Option<Bug>) {
        *CHOSEN.lock().unwrap_or_else(PoisonError::into_inner) = bug;
    }

    #[cfg(test)]
    impl Bug {
        /// All of them.
        pub(crate) const ALL: [Self; 19] = [
            Self::UnseenIsEmpty,
            Self::RemoveBeforeAdd,
            Self::WriterAsFree,
            Self::OrderBeforeRecord,
            Self::CommitUnrecorded,
            Self::NamespaceIsAnOrder,
            Self::AbsentIsDeleted,
            Self::ForgetUnproven,
            Self::StatusForgotten,
            Self::RestartRedecides,
            Self::ReplayDrift,
            Self::FailoverAtOnce,
            Self::FenceIgnored,
            Self::OneTooMany,
            Self::FinalizerFirst,
            Self::PlacementLeft,
            Self::NameIsTheWorkload,
            Self::ContentForgotten,
            Self::BehindGoesOn,
        ];
    }
}
