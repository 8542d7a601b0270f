//! Every code of a finding or of a refusal: a closed list, one line each.
//!
//! A code is never translated and never reused. Its sentences (and its fix) in both languages are the report room's;
//! a test there demands them for every code in [`Code::ALL`]. Rooms that find things add their codes here, in the
//! area they belong to, in alphabetical order. It is one long list on purpose: the macro must see every code at once to hold
//! names unique over all areas, and a code is looked for by its name.

use serde::{Deserialize, Serialize};

use super::Severity;

/// Which part of the work a code belongs to; `jiuzhou help codes` groups by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Area {
    /// Reading files: syntax, limits, schema, CEL, references.
    Intake,
    /// Reading nodes: CPU detection.
    Detect,
    /// Looking into images.
    Inspect,
    /// Whether a cluster may carry a workload.
    Rule,
    /// The exact image-to-node rule.
    Architecture,
    /// Whether and how a workload fits.
    Choice,
    /// Figures: energy, carbon, cost, adoption.
    Measure,
    /// Tests and scenarios.
    Study,
}

macro_rules! codes {
    ($($area:ident { $($(#[$doc:meta])* $name:ident: $severity:ident,)* })*) => {
        /// A code; the meaning of each stands beside it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Code { $($($(#[$doc])* $name,)*)* }

        impl Code {
            /// Every code, by area and name.
            pub const ALL: &'static [Self] = &[$($(Self::$name,)*)*];

            /// The code as printed, in JSON and on the command line.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $($(Self::$name => stringify!($name),)*)* }
            }

            /// How much a finding with this code weighs unless stated otherwise.
            #[must_use]
            pub fn severity(self) -> Severity {
                match self { $($(Self::$name => Severity::$severity,)*)* }
            }

            /// The area it belongs to.
            #[must_use]
            pub fn area(self) -> Area {
                match self { $($(Self::$name => Area::$area,)*)* }
            }
        }
    };
}

codes! {
    Intake {
        /// A running object would be changed by its take-over.
        AdoptionWouldChange: Warning,
        /// A required node affinity has no term that can match a node.
        AffinityMatchesNothing: Warning,
        /// A version of our API group that this build does not serve.
        ApiVersionUnknown: Error,
        /// An unquoted yes, no, on or off that YAML reads as a truth value where text is meant (the Norway trap).
        BooleanUnquoted: Error,
        /// One green certificate is claimed by more than one site, month or tenant.
        CertificateReused: Error,
        /// More green certificates are retired for a month than the site used energy.
        CertificatesAboveUse: Warning,
        /// A system of important or core data whose class nobody confirmed.
        ClassUnconfirmed: Warning,
        /// A set of objects that belong together is larger than one FleetWorkload and was split.
        ClosureSplit: Warning,
        /// A member cluster was imported without the credential that its connection needs.
        ConnectionNotImported: Info,
        /// A field of a foreign object means nearly the same here.
        CounterpartDiffers: Info,
        /// Two member clusters that are one and the same cluster.
        ClusterIdentityDuplicate: Error,
        /// A cluster-scoped object cannot be part of a tenant's FleetWorkload.
        ClusterScopedNotWrapped: Warning,
        /// The bytes are not UTF-8 text: UTF-16, another encoding or a binary file.
        ContentUnsupported: Error,
        /// A county code the table does not have, in a prefecture it does have.
        CountyUnlisted: Warning,
        /// A CustomResourceDefinition is the platform's to install.
        CrdNotWrapped: Warning,
        /// Two tenants with one unified social credit code.
        CreditCodeDuplicate: Error,
        /// A unified social credit code that breaks GB 32100 (length, characters or check character).
        CreditCodeInvalid: Error,
        /// Systems or workloads that wait for each other.
        DependencyCycle: Error,
        /// A name in a manifest leads to an object that another workload takes, which may stand elsewhere.
        DependencyElsewhere: Warning,
        /// A name in a manifest leads to no object of the set.
        DependencyMissing: Warning,
        /// Replicas are divided by weights that are all zero.
        DivisionWeightless: Error,
        /// A document whose top level is a list or a scalar.
        DocumentNotObject: Error,
        /// Two entries of a list that is keyed, or of a set, are the same.
        ElementDuplicate: Error,
        /// Evidence recorded or issued after the day it is judged on.
        EvidenceFromFuture: Error,
        /// The person who entered the evidence also verified it.
        EvidenceSelfVerified: Error,
        /// A required field is not there.
        FieldMissing: Error,
        /// A field the schema does not know; the API server would drop or refuse it.
        FieldUnknown: Error,
        /// The file cannot be opened or read.
        FileUnreadable: Error,
        /// Text that does not have the format of the schema, such as a date or a time.
        FormatInvalid: Error,
        /// Two change freezes of the same scope that lie over each other.
        FreezeOverlap: Info,
        /// The grants of the children add up to more than the parent's.
        GrantAboveParent: Warning,
        /// A spread asks for more groups than the fleet has.
        GroupsTooFew: Warning,
        /// A tenant allows more than a tenant above it; only what both allow holds.
        GuardrailLooser: Warning,
        /// A Helm hook is run by Helm at a moment of its own.
        HookNotWrapped: Warning,
        /// The declared hosting state and the workloads of a system contradict each other.
        HostingContradicted: Warning,
        /// Native objects are selected on a hub whose operator does not run as that of a dedicated hub.
        HubNotDedicated: Error,
        /// A text is no image reference.
        ImageInvalid: Error,
        /// An image is named by tag only.
        ImageNotPinned: Warning,
        /// An image of which nothing is known: taken to exist for linux/amd64 only.
        ImageNotProfiled: Warning,
        /// A key that stands twice in one mapping.
        KeyDuplicate: Error,
        /// A kind our API group does not have.
        KindUnknown: Error,
        /// An object of this kind may run pods, and no profile says which.
        KindUnprofiled: Warning,
        /// A kustomization file: instructions for kustomize, no object.
        KustomizationSkipped: Info,
        /// Text, a list or a map that is too short or too long.
        LengthOutOfRange: Error,
        /// The input is larger or deeper than the reader accepts.
        LimitExceeded: Error,
        /// Two manifests are the same object.
        ManifestDuplicate: Error,
        /// A field of a manifest has a value of the wrong kind.
        ManifestFieldInvalid: Error,
        /// A manifest is no Kubernetes object: apiVersion, kind or name is missing.
        ManifestInvalid: Error,
        /// A manifest that belongs to another namespace than its workload.
        ManifestNamespaceOther: Error,
        /// A workload that an earlier wave or Migration moves already; this one does not.
        MigrationOverlaps: Warning,
        /// An object name or namespace that Kubernetes does not accept.
        NameInvalid: Error,
        /// A namespace on an object of a cluster-scoped kind.
        NamespaceIgnored: Warning,
        /// An object of a namespaced kind without a namespace; it is read as `default`.
        NamespaceMissing: Warning,
        /// One namespace that two tenants own.
        NamespaceOwnedTwice: Error,
        /// A workload in a namespace that no tenant owns.
        NamespaceUnowned: Error,
        /// A plain object beside the workloads, which no workload places.
        NativeNotWrapped: Info,
        /// The pod names its node itself, so nothing is left to schedule.
        NodeNameFixed: Warning,
        /// A field of a foreign object has no counterpart here.
        NoCounterpart: Warning,
        /// An object of a kind that an import does not read.
        NotImported: Info,
        /// An object of a dump that a controller makes, or that belongs to its cluster; it stays where it is.
        NotAdopted: Info,
        /// A field that a plan does not take into account.
        NotPlanned: Info,
        /// An input without a single document.
        NothingRead: Warning,
        /// An unquoted number where text is meant, such as a region code.
        NumberUnquoted: Error,
        /// Two workloads that deliver the same object.
        ObjectClaimedTwice: Error,
        /// Two objects of one kind, namespace and name.
        ObjectDuplicate: Error,
        /// A number outside the range of the schema.
        OutOfRange: Error,
        /// An order that nobody else approved: it is not carried out.
        OrderUnapproved: Warning,
        /// An override cannot be applied.
        OverrideInvalid: Error,
        /// A folder or link that was not followed.
        PathSkipped: Info,
        /// Text that does not match the pattern of the schema.
        PatternMismatch: Error,
        /// A placement without its workload: what is committed of it keeps its room and its quota.
        PlacementReserved: Info,
        /// A placement without its workload that does not say what its replicas take.
        PlacementUncounted: Warning,
        /// A placement policy no workload, system or tenant uses.
        PolicyUnused: Warning,
        /// Months without a price between months that have one.
        PriceGap: Warning,
        /// Two information systems with one project code; adoption would count one of them twice or never.
        ProjectCodeDuplicate: Error,
        /// A protection level that no cluster has.
        ProtectionUnreachable: Warning,
        /// A text is no quantity, or not one allowed here.
        QuantityInvalid: Error,
        /// A quota smaller than what already stands against it.
        QuotaBelowUse: Warning,
        /// Months without a meter reading between months that have one.
        ReadingMissing: Warning,
        /// A report, figure or reading dated after the day it is judged on.
        RecordFromFuture: Error,
        /// A name that no object of the kind has.
        ReferenceUnknown: Error,
        /// A region code that GB/T 2260 does not have.
        RegionUnknown: Error,
        /// A request is above its limit.
        RequestAboveLimit: Error,
        /// A workload that asks for less than its information system demands.
        RequirementLooser: Error,
        /// A rule of the schema (CEL) does not hold.
        RuleBroken: Error,
        /// A rule of the schema could not be evaluated on this value.
        RuleNotEvaluated: Error,
        /// An autoscaler whose bounds exclude the replicas written.
        ScalerContradicts: Warning,
        /// The data of a Secret stands in a FleetWorkload, which more people may read than Secrets.
        SecretInlined: Info,
        /// A file that is neither CycloneDX nor SPDX in JSON.
        SbomUnreadable: Error,
        /// A selector that matches nothing in the input.
        SelectorEmpty: Warning,
        /// No object of the namespace matches a selection.
        SelectionEmpty: Error,
        /// A selection that took objects matches none any more; what runs is held.
        SelectionLost: Error,
        /// A controller of the hub acts on what is selected.
        SelectionRefused: Error,
        /// A kind that is not followed on a hub.
        SelectionUnknownKind: Error,
        /// Native objects of the hub were not all read yet.
        SelectionUnread: Error,
        /// A selector takes no pod of the set.
        SelectorMatchesNothing: Warning,
        /// A system that handles state secrets; it must not be on a government cloud.
        StateSecretRefused: Error,
        /// The text is not YAML or JSON.
        SyntaxInvalid: Error,
        /// A system in a namespace that another tenant owns.
        SystemOutsideTenant: Error,
        /// The head of a table has no column that is needed.
        TableColumnMissing: Error,
        /// Columns of a table that nobody knows; a mistyped one would widen what its rows are for.
        TableColumnUnknown: Warning,
        /// A table that is not UTF-8; another encoding is not guessed.
        TableNotUtf8: Error,
        /// A row of a table with a value that cannot be used.
        TableRowInvalid: Error,
        /// A row of a table for a month that is not asked for.
        TableRowOutside: Info,
        /// A row with more or fewer cells than the head of its table.
        TableRowUneven: Error,
        /// Tenants that are each other's parents.
        TenantCycle: Error,
        /// A grant, report or piece of evidence that ends within 90 days.
        TermEnding: Info,
        /// A grant, report, certificate or exemption whose term has run out.
        TermExpired: Warning,
        /// A grant or exemption that does not hold yet.
        TermUnstarted: Info,
        /// A tier whose rank another tier has; the one that was there first holds, and this one is left out.
        TierRankTaken: Error,
        /// A value of another type than the schema has.
        TypeMismatch: Error,
        /// A quantity with an unknown unit, or a negative one.
        UnitUnknown: Error,
        /// A value that is not among the allowed ones.
        ValueNotAllowed: Error,
    }
    Detect {
        /// Two sources of evidence about a node's CPU disagree; the pool is Unknown.
        EvidenceConflict: Warning,
        /// No rule of the catalogue recognises the CPU of a node.
        PlatformUnknown: Info,
        /// A label names a CPU platform that the catalogue does not have.
        PlatformUnlisted: Warning,
    }
    Inspect {
        /// A program carries jemalloc, which is built for one largest page size that cannot be seen.
        AllocatorPageSize: Warning,
        /// Programs of both LoongArch ABI worlds are in one image.
        AbiWorldsMixed: Error,
        /// Signatures and attestations in an index are no platforms.
        AttestationSkipped: Info,
        /// The command of an image names a program that is not in it.
        EntryPointMissing: Warning,
        /// An entry of an image that does not say what it runs.
        EntryPointNone: Info,
        /// The index or configuration says another architecture than the programs have.
        ImageArchitectureContradicted: Error,
        /// A text that is neither a layout, an archive nor a registry's image.
        ImageUnreadable: Error,
        /// No mark says which instructions a program needs.
        InstructionSetUnmarked: Info,
        /// A program needs a higher instruction set level than the variant of its entry says.
        InstructionSetAboveVariant: Error,
        /// A layer cannot be read to its end; what is in it stays unknown.
        LayerUnreadable: Error,
        /// A library that a program asks for is not in the image.
        LibraryMissing: Warning,
        /// The loader that a program asks for is not in the image.
        LoaderMissing: Error,
        /// An entry of the index whose manifest or configuration cannot be read.
        ManifestUnreadable: Error,
        /// The packages of an image stand in a form that is not read.
        PackagesUnread: Info,
        /// A script starts the program, and which one cannot be seen.
        ProgramBehindScript: Info,
    }
    Rule {
        /// A label or expression of the placement does not match.
        AffinityMismatch: Error,
        /// The classified system (涉密) may not be placed by this system at all.
        ClassifiedRefused: Error,
        /// The cluster is dedicated to other tenants.
        ClusterDedicated: Error,
        /// The cluster is leaving the fleet.
        ClusterDeleting: Error,
        /// The cluster is being emptied.
        ClusterDraining: Error,
        /// The cluster is not among those the tenant may use.
        ClusterNotAllowed: Error,
        /// The cluster is not reached.
        ClusterUnreachable: Error,
        /// The workload's data is on other clusters and cannot move.
        DataElsewhere: Error,
        /// The cluster does not offer a database service.
        DatabaseNotOffered: Error,
        /// A change freeze holds.
        FreezeActive: Error,
        /// The cluster is in none of the placement's groups.
        GroupMismatch: Error,
        /// The registry of the zone does not hold the image.
        ImageNotInRegistry: Error,
        /// Whether the registry of the zone holds the image is not known.
        ImageRegistryUnknown: Warning,
        /// A jurisdiction that is not allowed reaches the cluster's operator.
        JurisdictionNotAllowed: Error,
        /// The jurisdictions of the cluster's operator are not stated.
        JurisdictionUnknown: Warning,
        /// The cluster does not serve an API kind.
        KindNotServed: Error,
        /// A kind has no profile and the workload declares no components for it.
        KindNotUnderstood: Error,
        /// The API kinds the cluster serves are not known.
        KindsUnknown: Warning,
        /// No pool of the cluster passes all rules for pools together.
        NoPoolAccepted: Error,
        /// The nodes of the pool do not carry a label as the pods ask for it.
        NodeLabelMismatch: Error,
        /// The pods ask for nodes by name; which pool those are in is not known.
        NodeNamed: Warning,
        /// The pods do not tolerate a taint of the pool's nodes.
        NodeTaintNotTolerated: Error,
        /// The owner of the cluster's operator is not among those allowed.
        OwnershipNotAllowed: Error,
        /// The owner of the cluster's operator is not stated.
        OwnershipUnknown: Warning,
        /// The CPU platform is not among those the workload allows.
        PlatformNotAllowed: Error,
        /// The CPU platform of the pool is not known, and the workload allows only some.
        PlatformNotKnown: Warning,
        /// No valid report attests the protection level.
        ProtectionTooLow: Error,
        /// A report attests the protection level, but nobody verified it.
        ProtectionUnverified: Warning,
        /// The provider is not among those allowed.
        ProviderNotAllowed: Error,
        /// The provider of the cluster is not stated.
        ProviderUnknown: Warning,
        /// The cluster's firewall has not opened a peer.
        ReachNotOpened: Error,
        /// Whether the cluster is reached is not certain.
        ReachabilityUnknown: Warning,
        /// The region is outside those allowed.
        RegionNotAllowed: Error,
        /// The region of the cluster is not stated.
        RegionNotStated: Warning,
        /// The cluster has data of the workload that is older than what it has elsewhere.
        StaleData: Error,
        /// A taint of the cluster is not tolerated.
        TaintNotTolerated: Error,
        /// The tenant is not known, so nothing can be allowed to it.
        TenantUnknown: Error,
        /// The demanded tier is not defined.
        TierUndefined: Error,
        /// The cluster's sovereignty tier is below the one demanded.
        TierTooLow: Error,
        /// The cluster would reach the demanded tier if what is unverified or unknown held.
        TierUnverified: Warning,
        /// Too few replicas of the workload were ready in the cluster for too long.
        WorkloadUnhealthy: Error,
        /// The network zone of the pool is not the one demanded.
        ZoneMismatch: Error,
        /// The network zone of the pool is not among those the tenant may use.
        ZoneNotAllowed: Error,
        /// The network zone of the pool is not stated.
        ZoneUnknown: Warning,
    }
    Architecture {
        /// The image has 32-bit Arm programs and the core or the kernel does not run them.
        Aarch32Absent: Error,
        /// The image has 32-bit Arm programs; whether the node runs them is not known.
        Aarch32Unknown: Warning,
        /// The LoongArch ABI world of the image is not that of the node.
        AbiWorldMismatch: Error,
        /// The image does not say which LoongArch ABI world it was built for.
        AbiWorldUndeclared: Warning,
        /// The LoongArch ABI world of the node is not known.
        AbiWorldUnknown: Warning,
        /// No node of the pool offers the accelerator wanted.
        AcceleratorAbsent: Error,
        /// An accelerator class that no table resolves to resources.
        AcceleratorClassUnknown: Warning,
        /// The derived node affinity keeps pods off a pool that would run them.
        AffinityExcludes: Error,
        /// containerd's table does not list the architecture; it matches by name.
        ArchitectureUnlisted: Info,
        /// A higher variant beside it shows that the plain entry is built for the baseline.
        BaselineImpliedBySibling: Info,
        /// Change: publish the image for the architecture.
        ChangeAddManifest: Info,
        /// Change: publish an entry without variant, or pin the image to the digest of one entry.
        ChangeAddVariantlessManifest: Info,
        /// Change: declare the accelerator class.
        ChangeDeclareAcceleratorClass: Info,
        /// Change: declare in an ImageProfile what the image needs.
        ChangeDeclareNeeds: Info,
        /// Change: set a label on the nodes.
        ChangeDeclareNodeLabel: Info,
        /// Change: switch on an option of Node Feature Discovery.
        ChangeEnableNfdOption: Info,
        /// Change: choose a pool with the property wanted.
        ChangePickOtherPool: Info,
        /// The program runs translated, at part of its native speed.
        Emulated: Warning,
        /// The CPU lacks an instruction set feature the image needs.
        IsaFeatureMissing: Error,
        /// The CPU is below the instruction set level the image needs.
        IsaLevelTooHigh: Error,
        /// Whether the CPU has the instruction set feature is not known.
        IsaUnknown: Warning,
        /// The kernel of the node is older than the image needs.
        KernelTooOld: Error,
        /// The kernel of the node is not known.
        KernelUnknown: Warning,
        /// An old-world LoongArch program runs through libLoL.
        LiblolBridged: Warning,
        /// Nobody has said that the image offers anything for this platform.
        ManifestNotKnown: Error,
        /// The image offers nothing for this platform.
        NoManifestForPlatform: Error,
        /// No node label tells pools that run the image from those that do not.
        NotExpressible: Error,
        /// The entry demands an OS feature that the host does not offer.
        OsFeatureMissing: Error,
        /// The page size is what is usual there, not what was read from the node.
        PageSizeLikely: Warning,
        /// The image does not say on which kernel page sizes it runs.
        PageSizeUndeclared: Warning,
        /// The page size of the node's kernel is not known for certain.
        PageSizeUnknown: Warning,
        /// The kernel's pages are larger than the image supports.
        PageSizeUnsupported: Error,
        /// The runtime falls back to a 32-bit image.
        Runs32Bit: Warning,
        /// The trusted execution environment wanted is not there.
        TeeAbsent: Error,
        /// The silicon may have the trusted execution environment, but nobody declared it usable.
        TeeUndeclared: Warning,
        /// The image does not say which instruction set it needs and the CPU is below what such images usually need.
        UndeclaredBaseline: Warning,
        /// The CPU could run an entry, but the container runtime will not choose it.
        VariantUnselectable: Error,
    }
    Choice {
        /// Too little room.
        CapacityInsufficient: Error,
        /// The search ended at its budget; a placement may exist.
        ChoiceNotProven: Error,
        /// Replicas stand on a cluster that is not among those known.
        ClusterMissing: Error,
        /// Workloads that must stand together find no common place.
        ColocationImpossible: Error,
        /// What was decided waits for the end of a change freeze.
        HeldByFreeze: Info,
        /// No cluster passes all rules.
        NoCandidate: Error,
        /// A preferred spread was left out.
        PreferredDropped: Warning,
        /// A quota of the payer's tree does not allow it.
        QuotaExceeded: Error,
        /// The number of replicas is outside what can be decided.
        ReplicasOutOfRange: Error,
        /// No node has enough of a resource left.
        ResourceMissing: Error,
        /// A share of the system's, the tenant's or the fleet's replicas would be exceeded.
        ShareExceeded: Error,
        /// The share of a group, rounded down, leaves too little for this number of replicas.
        ShareRounding: Error,
        /// No choice meets all spread bounds at once.
        SpreadConflict: Error,
        /// Fewer groups have room than must be used.
        SpreadGroupsMissing: Error,
        /// The groups that may be used have too little room.
        SpreadGroupsTooFew: Error,
        /// The least replicas of each group are more than are wanted.
        SpreadReplicasTooFew: Error,
        /// A person's order stops it; its places are kept.
        StoppedByOrder: Info,
    }
    Measure {
        /// Evidence of an item that the evaluation index does not have.
        AssessmentItemUnknown: Error,
        /// Evidence of an item that the fleet measures itself.
        AssessmentMeasured: Info,
        /// A second piece of evidence for one item of one body.
        AssessmentRepeated: Error,
        /// A body whose stage neither follows from facts nor is declared.
        AssessmentStageOpen: Warning,
        /// Evidence that no other person has verified does not count.
        AssessmentUnverified: Warning,
        /// The bill and the site's meter differ.
        BillDiffers: Warning,
        /// No electricity bill of the month.
        BillMissing: Info,
        /// A green certificate ran out: more than 24 months from its generation month.
        CertificateExpired: Warning,
        /// A green certificate of a generation month after the month it is used for, or with no kWh.
        CertificateInvalid: Error,
        /// A certificate that may not be traded counts only where the energy was generated.
        CertificateNotTradable: Warning,
        /// A green certificate that was not retired counts for nobody.
        CertificateNotRetired: Warning,
        /// The same certificate id was claimed more than once; only the first claim counts.
        CertificateUsedTwice: Error,
        /// A meter's counter ran backwards without a known maximum; the energy in between is not known.
        CounterReset: Warning,
        /// The CPU is not of a domestic brand.
        CpuForeign: Info,
        /// The CPU has no valid 安全可靠测评.
        CpuNotAssessed: Info,
        /// All observed CPU of a system is off the cloud, so it has no part in the domestic share of the cloud.
        CpuOffCloud: Info,
        /// The CPU a system runs on is not known.
        CpuUnknown: Info,
        /// How much CPU a system uses is not known.
        CpuUnobserved: Info,
        /// The CPU is x86.
        CpuX86: Info,
        /// More is to be deducted than what it is for comes to.
        DeductionExceeds: Error,
        /// A body with no information system on the register: 不适用.
        EntryAbsent: Info,
        /// A register entry with a valid exemption is left out of the denominator.
        EntryExempt: Info,
        /// A lifted system is on the cloud but not cloud native.
        EntryLifted: Info,
        /// A register entry that stays on premises is not on the cloud.
        EntryOnPremises: Info,
        /// A retired register entry is left out of the denominator.
        EntryRetired: Info,
        /// An exemption that ran out or names no document does not count.
        ExemptionInvalid: Warning,
        /// No factor of the place exists; the national one is used.
        FactorFallback: Info,
        /// 托管 is not cloud.
        HostedNotCloud: Info,
        /// A hosting state declared for a later day does not hold yet.
        HostingNotYet: Info,
        /// A provider asks for another sum than the settlement comes to.
        InvoiceDiffers: Warning,
        /// The IT energy of a site is neither metered nor can it be modelled.
        ItEnergyUnknown: Warning,
        /// A lifted system whose evidence nobody verified is not counted.
        LiftUnverified: Warning,
        /// The site's meter and what its pools and PUE explain differ.
        MeterDiffers: Warning,
        /// No reading of a site's meter in the month.
        MeterMissing: Info,
        /// A cloud-native system without Ready replicas for the days asked for is not counted.
        NotReadyLongEnough: Warning,
        /// It runs outside the government's own machine rooms, wholly or in part.
        OutsideGovernmentRooms: Info,
        /// Two prices of the same rank hold for the same month; neither is used.
        PriceConflict: Error,
        /// Which price holds depends on the platform, and on which one it ran is not known.
        PriceUnclear: Warning,
        /// A register entry without 项目编码 stays in the denominator and is not counted.
        ProjectCodeAbsent: Warning,
        /// The same 项目编码 appears twice; the entry is counted once.
        ProjectCodeRepeated: Error,
        /// A pool's power can neither be read nor modelled.
        PowerUnknown: Info,
        /// A PUE above a limit that applies.
        PueAboveLimit: Warning,
        /// A PUE under 1 is impossible.
        PueBelowOne: Error,
        /// No measured PUE of the month.
        PueMissing: Info,
        /// A designed, partial or estimated PUE is not used for energy.
        PueNotMeasured: Info,
        /// A PUE of another period is not used.
        PuePeriodDiffers: Info,
        /// A reading that cannot be: negative, or beyond the counter's own maximum.
        ReadingInvalid: Error,
        /// A share of renewable energy below a limit that applies.
        RenewableBelowLimit: Warning,
        /// Whether a system runs in the government's own machine rooms is not known.
        RoomUnknown: Info,
        /// Samples are too far apart; nothing is filled in.
        SampleGap: Info,
        /// No price holds for some of the time.
        TimeUnpriced: Warning,
        /// What was reserved for some of the time is not recorded.
        TimeUnrecorded: Warning,
        /// A site uses more water per energy than a limit allows.
        WaterAboveLimit: Warning,
    }
    Study {
        /// A case of a test expected something else than what is.
        ExpectationMissed: Error,
        /// No workload of a system is described, so that nothing can be asked of the engine.
        SystemUndescribed: Info,
        /// No case of any test is about a policy or a tier.
        TestMissing: Error,
        /// There is no test in the input.
        TestsAbsent: Warning,
    }
}

impl Code {
    /// Reads a code as printed.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text)
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}
