//! The blocks of the parts of a requirement as one block.
//!
//! Each part was judged as if it were alone. A rule says of a cluster what it says to the part that fares worst there, a
//! cluster is eligible when no rule refuses it for any part, and each part keeps its own planes of accepted pools. Parts
//! that hold nobody up (pods of a DaemonSet beside others) have a say in one rule only: none of their pods may come onto
//! nodes that are refused.

use super::super::mask::{and_not, or};
use super::super::pool_rules::POOL_RULES;
use super::super::rule::{Answer, Rule};
use super::super::rules::Judge;
use super::super::verdicts::{NONE, Verdicts};

pub(super) fn together(judge: Judge<'_>, parts: &[(Judge<'_>, Verdicts)]) -> Verdicts {
    let snapshot = judge.view.snapshot;
    let (width, planes) = (snapshot.width(), snapshot.index.planes.len());
    let groups = judge.requirement.groups.len();
    let strict = judge.demand.strict;
    let mut bits = vec![0; width * (1 + groups + parts.len() * planes)];
    let mut put = |at: usize, words: &[u64]| or(bits.get_mut(at * width..(at + 1) * width).unwrap_or_default(), words);
    if let Some((_, first)) = parts.first() {
        (0..groups).for_each(|group| put(1 + group, first.group(group)));
    }
    for (part, (_, verdicts)) in parts.iter().enumerate() {
        for (plane, words) in verdicts.accepted(0).enumerate() {
            put(1 + groups + part * planes + plane, words);
        }
    }
    let mut eligible = vec![0; width];
    or(&mut eligible, snapshot.index.live.words());
    let mut at = [[NONE; 3]; Rule::COUNT];
    for rule in Rule::ALL {
        let of_pools = POOL_RULES.contains(&rule) || rule == Rule::Pools;
        let mut said = [const { Vec::new() }; 3];
        for (column, answer) in [Answer::Warn, Answer::Unknown, Answer::Fail].into_iter().enumerate() {
            let words: &mut Vec<u64> = &mut said[column];
            words.resize(width, 0);
            for (part, verdicts) in parts {
                if !of_pools || !part.demand.optional {
                    or(words, verdicts.saying(rule, answer));
                }
            }
        }
        let [warn, unknown, fail] = &mut said;
        and_not(unknown, fail);
        and_not(warn, fail);
        and_not(warn, unknown);
        and_not(&mut eligible, fail);
        if strict {
            and_not(&mut eligible, unknown);
        }
        for (column, words) in said.iter().enumerate().filter(|(_, words)| words.iter().any(|word| *word != 0)) {
            if let Some(place) = at.get_mut(rule.index()).and_then(|at| at.get_mut(column)) {
                *place = u16::try_from(bits.len() / width.max(1)).unwrap_or(NONE);
            }
            bits.extend_from_slice(words);
        }
    }
    if let Some(first) = bits.get_mut(..width) {
        or(first, &eligible);
    }
    Verdicts { width, groups, planes, parts: parts.len(), strict, at, bits }
}
