//! Condition types and controller reasons: closed lists with a meaning each (law 12: one reason code per state).
//!
//! Codes of findings and refusals are the engine's; a condition's reason is either one of them or one of these.

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[doc = $meaning:literal])* $word:ident,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[doc = $meaning])* $word,)* }

        impl $name {
            /// Every word, in order.
            pub const ALL: &'static [Self] = &[$(Self::$word,)*];

            /// The word as written into a status.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$word => stringify!($word),)* }
            }

            /// What it means, in one line.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$word => concat!($($meaning),*).trim_ascii(),)* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

words! {
    /// Type of a condition.
    ConditionType {
        /// Fully as the spec wants it; Unknown until first seen.
        Ready,
        /// Work is going on; absent otherwise (kstatus).
        Reconciling,
        /// Work cannot go on without a person; absent otherwise (kstatus).
        Stalled,
        /// Every wanted replica has a cluster.
        Placed,
        /// Every cluster of the placement has the objects of its epoch.
        Delivered,
        /// Every hard rule holds where the workload runs.
        RulesSatisfied,
        /// Tier and data class hold where the workload runs.
        SovereigntySatisfied,
        /// Images and platforms fit where the workload runs.
        ArchitectureSatisfied,
        /// The member answers the hub or its agent reports in time.
        Reachable,
        /// The member is the cluster it was when it joined.
        IdentityConfirmed,
        /// Evidence of detection about a pool contradicts itself.
        EvidenceConflict,
        /// A foreign namespace of the tenant's name exists in a member.
        NamespaceConflict,
        /// Pod templates that were taken over stay as they were found; our labels and node affinity wait for their next change.
        AffinityDeferred,
        /// An order stops it; False while nobody else has approved the order, absent where there is none.
        StopOrdered,
        /// The report is frozen: its figures change no more.
        Frozen,
        /// What people entered for the period changed after the report was frozen.
        EnteredLater,
        /// Evidence, an assessment or a credential runs out within 90 days, or has run out.
        ExpiryAhead,
    }
}

words! {
    /// Reason a controller gives; findings and refusals have codes of their own.
    ControllerReason {
        /// All is as wanted.
        AsWanted,
        /// It has run to its end, and does not run again.
        Finished,
        /// Not looked at yet.
        NotObserved,
        /// The spec breaks a rule that no schema can check.
        SpecInvalid,
        /// Another object that is named does not exist.
        ReferenceMissing,
        /// No cluster may or can carry it.
        NoClusterFits,
        /// Fewer replicas than wanted have a place.
        PartlyPlaced,
        /// What runs breaks a rule that held when it was placed.
        Violating,
        /// A decision waits for an approval.
        WaitingForApproval,
        /// A decision waits for the end of a change freeze.
        WaitingForFreeze,
        /// A stage of a rollout is not finished.
        RolloutInProgress,
        /// A rollout is paused by a person.
        RolloutPaused,
        /// A stage of a rollout failed; clusters of later stages keep what they have.
        RolloutFailed,
        /// What a rollout would go on with, or go back to, is not known any more.
        RevisionUnknown,
        /// It may have run in a member already, nobody can tell, and it must not run twice.
        MayHaveRun,
        /// It has run in a member, and how it ended is not known.
        OutcomeUnknown,
        /// Objects are on their way to a member.
        DeliveryInProgress,
        /// A member refused an object.
        DeliveryRefused,
        /// A member was changed by another hand.
        Drifted,
        /// An object in a member failed by its kind profile.
        ObjectFailed,
        /// The order is too old to start or remove anything; what runs is only observed.
        OrderExpired,
        /// A newer order was carried out in the member before.
        OrderSuperseded,
        /// A member does not answer.
        MemberUnreachable,
        /// A member does not answer; its replicas get another place when their time and turn come.
        FailoverWaiting,
        /// So many members do not answer at once that nothing is moved.
        StormBrake,
        /// A member does not answer; a person decides whether its replicas get another place.
        FailoverManual,
        /// Too few replicas are ready in a member for too long; they get another place, or wait for what is said.
        ApplicationUnhealthy,
        /// Replicas are to leave a member where they are not well, and what their new copy has to know is not there or too large.
        StateNotCarried,
        /// Replicas were not well in one member after another; nothing is moved any more.
        UnhealthyEverywhere,
        /// A single copy waits until the one in a member that does not answer has stopped for sure.
        FenceUnavailable,
        /// Its data is only in a member that does not answer.
        DataNotReplicated,
        /// A member is another cluster than before; nothing is read or written there.
        IdentityChanged,
        /// The kubeconfig of a member would run, read or trust what it should not, or cannot be used.
        CredentialRefused,
        /// The credential of a member has ended or has not begun.
        CredentialExpired,
        /// The member obeys another hub; nothing is written there.
        ClaimedByOther,
        /// Another MemberCluster is the same cluster.
        DuplicateMember,
        /// The hub or the member went back in time (a restored backup); deletes and moves wait for a person.
        EpochBehind,
        /// What the member says cannot be understood.
        AnswerInvalid,
        /// The member is being emptied.
        Draining,
        /// A right is missing; the message holds the YAML to apply.
        RightMissing,
        /// Removal waits until a copy elsewhere is ready or a person orders it.
        LastCopyKept,
        /// The object is being removed.
        Removing,
        /// A deletion is not carried out until a person approves it.
        DeletionHeld,
        /// An order stops it; pods of it still end, or nobody could count them yet.
        Stopping,
        /// An order stopped it: nothing of it runs, its objects and volumes are kept.
        Stopped,
        /// An order stopped it while it ran, and what runs once is not run again.
        RunInterrupted,
        /// Another workload has to be ready first.
        WaitingForDependency,
        /// Pod templates that were taken over stay as they were found until they change.
        AffinityDeferred,
        /// The figures of a report follow what is observed until its period is over.
        ReportLive,
        /// The period of a report is over; its figures stay as they are.
        ReportFrozen,
        /// The spec of a report changed after it was frozen; the figures are those of the former spec.
        ReportSpecChanged,
        /// No figure can be made for the period yet.
        PeriodOpen,
        /// The period of a report has no such day or is not of whole months.
        PeriodInvalid,
        /// No tenant owns the namespace of a report.
        NamespaceUnowned,
        /// A report asks for more than its namespace's tenant may see.
        ScopeTooWide,
        /// Sums left their range, or an input contradicts itself.
        FiguresFailed,
        /// Register, readings, bills or certificates of the period were entered or changed later.
        EntriesChanged,
        /// An emergency is approved and begins later.
        EmergencyPlanned,
        /// An emergency is in force.
        EmergencyInForce,
        /// An emergency has ended; something it changed is not given back yet.
        EmergencyEnding,
        /// An emergency has ended; all is as it was before.
        EmergencyOver,
        /// Every wave of a migration is completed.
        MigrationCompleted,
        /// A wave of a migration goes to its next step.
        MigrationInProgress,
        /// A wave of a migration waits for the one before it.
        MigrationWaiting,
        /// A migration is paused by a person.
        MigrationPaused,
        /// A wave of a migration moves from side to side.
        MigrationMoving,
        /// A wave of a migration is watched for a while.
        MigrationResting,
        /// A wave of a migration fails where it is.
        MigrationFailing,
        /// A wave of a migration was not well in time.
        MigrationLate,
        /// A wave of a migration was rolled back; a person tries again.
        MigrationRolledBack,
        /// A gate of a migration waits for verified evidence.
        GateOpen,
        /// A gate of a migration was not passed.
        GateFailed,
        /// A workload could not run on the target of its migration.
        TargetUnfit,
        /// Whether a workload could run on the target of its migration is not known.
        TargetUnknown,
        /// A wave of a migration does not go back, because the target has written and no way back is declared.
        WayBackMissing,
        /// Runs out in at most 90 days.
        ExpiresIn90Days,
        /// Runs out in at most 60 days.
        ExpiresIn60Days,
        /// Runs out in at most 30 days.
        ExpiresIn30Days,
        /// Runs out in at most 7 days.
        ExpiresIn7Days,
        /// Has run out.
        Expired,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_has_a_meaning_of_one_sentence() {
        let words = ConditionType::ALL.iter().map(|word| (word.as_str(), word.meaning()));
        let reasons = ControllerReason::ALL.iter().map(|word| (word.as_str(), word.meaning()));
        for (word, meaning) in words.chain(reasons) {
            assert!(meaning.ends_with('.') && !meaning.contains('\n'), "{word}: {meaning}");
        }
    }

    /// What the pattern of the definitions refuses would make every write of the status fail.
    #[test]
    fn every_reason_is_one_that_the_definitions_take() {
        assert_eq!(crate::schema::REASON_PATTERN, "^[A-Z][A-Za-z0-9]*$");
        for reason in ControllerReason::ALL.iter().map(|reason| reason.as_str()) {
            let rest_fits = reason.bytes().all(|byte| byte.is_ascii_alphanumeric());
            assert!(reason.starts_with(|first: char| first.is_ascii_uppercase()) && rest_fits, "{reason}");
        }
    }
}
