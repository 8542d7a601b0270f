//! How much the door accepts, why that much, and how a breach is told.
//!
//! The numbers are chosen from what real input needs, with room; below them reading is linear, so together they bound
//! time and memory for any bytes whatever.

use jiuzhou_engine::terms::{Code, Reason};
use serde_saphyr::{Error, budget::BudgetBreach};

use super::count;

/// Bounds of one file. [`Limits::default`] is what the commands use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one file. `kubectl get nodes -o yaml` writes about 12 KiB per node with its image list: 64 MiB holds
    /// 5,000 nodes, the size Kubernetes is tested for.
    pub bytes: usize,
    /// Documents of one file: the 100,000 workloads that the engine is built for, twice.
    pub documents: usize,
    /// Nesting of maps and lists. The deepest schemas of published CRDs reach about 40. The stack of the parsing
    /// thread is made for this depth.
    pub depth: usize,
    /// Values (maps, lists, scalars) of one file after aliases are expanded. A value costs about 200 bytes with its
    /// position: 2,000,000 are 400 MB, and 64 MiB of node lists hold about 1,600,000.
    pub nodes: usize,
    /// Values that aliases may add to one document. Hand-written anchors repeat some labels; a bomb wants billions.
    pub alias_nodes: usize,
    /// Values that may be looked at in one file including documents that failed: bounds the time of a file made of
    /// many broken documents.
    pub work: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 64 << 20,
            documents: 200_000,
            depth: 100,
            nodes: 2_000_000,
            alias_nodes: 100_000,
            work: 10_000_000,
        }
    }
}

impl Limits {
    /// The parser's options: kubectl's reading, our amounts. `nodes_left` is what remains for the file.
    pub(super) fn options(&self, nodes_left: usize) -> serde_saphyr::Options {
        let budget = serde_saphyr::budget! {
            max_reader_input_bytes: None,
            max_events: nodes_left.saturating_mul(2).saturating_add(16),
            max_nodes: nodes_left,
            max_depth: self.depth,
            // One more than `max_depth`, which then gives the clearer error.
            flow_nesting_limit: self.depth.saturating_add(1),
            max_documents: 2,
            max_aliases: self.alias_nodes,
            max_anchors: self.alias_nodes,
            max_recorded_anchor_events: self.alias_nodes.saturating_mul(4),
            max_recorded_anchor_bytes: self.bytes,
            max_total_scalar_bytes: self.bytes,
            max_total_comment_bytes: self.bytes,
            max_buffered_comment_events: self.nodes,
            max_merge_keys: self.alias_nodes,
            enforce_alias_anchor_ratio: false,
        };
        serde_saphyr::options! {
            budget: budget,
            alias_limits: serde_saphyr::alias_limits! {
                max_total_replayed_events: self.alias_nodes,
                max_replay_stack_depth: self.depth,
            },
            // Our own check sees every duplicate and where the first stands.
            duplicate_keys: serde_saphyr::DuplicateKeyPolicy::PassThrough,
            legacy_octal_numbers: true,
            with_snippet: false,
            emit_comments: false,
        }
    }
}

/// The reason when an error of the parser is a breach of a limit.
pub(super) fn exceeded(error: &Error, limits: &Limits) -> Option<Reason> {
    let over = |object: &str, seen: usize, wanted: usize| {
        Some(Reason::new(Code::LimitExceeded).object(object).seen(count(seen)).wanted(count(wanted)))
    };
    let aliases = "values added by aliases per document";
    match error {
        Error::WithSnippet { error, .. } | Error::AliasError { error, .. } => exceeded(error, limits),
        Error::AliasReplayLimitExceeded { total_replayed_events, .. } => {
            over(aliases, *total_replayed_events, limits.alias_nodes)
        }
        Error::AliasReplayStackDepthExceeded { depth, .. } => over("nesting of aliases", *depth, limits.depth),
        Error::Budget { breach, .. } => match breach {
            BudgetBreach::Depth { depth } => over("nesting", *depth, limits.depth),
            BudgetBreach::Nodes { nodes } => over("values per file", *nodes, limits.nodes),
            BudgetBreach::Events { events } => over("values per file", events / 2, limits.nodes),
            BudgetBreach::Aliases { aliases: n } | BudgetBreach::Anchors { anchors: n } => {
                over("anchors and aliases per document", *n, limits.alias_nodes)
            }
            BudgetBreach::MergeKeys { merge_keys } => over("merge keys per document", *merge_keys, limits.alias_nodes),
            BudgetBreach::RecordedAnchorEvents { recorded_anchor_events } => {
                over(aliases, *recorded_anchor_events, limits.alias_nodes)
            }
            BudgetBreach::RecordedAnchorBytes { recorded_anchor_bytes } => {
                over("bytes under anchors", *recorded_anchor_bytes, limits.bytes)
            }
            BudgetBreach::ScalarBytes { total_scalar_bytes } => {
                over("bytes of text per document", *total_scalar_bytes, limits.bytes)
            }
            _ => None,
        },
        // The scanner has a bound of its own on brackets, which is not lower than ours by much.
        Error::ExternalMessage { msg, .. } if msg == "recursion limit exceeded" => {
            over("nesting", limits.depth.saturating_add(1), limits.depth)
        }
        _ => None,
    }
}
