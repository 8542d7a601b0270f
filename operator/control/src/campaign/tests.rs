//! The campaign as a test: a fixed sample in every run, all of it when asked for (`--ignored`), one case by its name.
#![allow(clippy::print_stdout, reason = "a campaign says how large it was")]

use std::fmt::Write as _;

use super::cases::{self, Case};
use super::play::{End, Stage, play};
use super::stories::Story;

/// Cases that are played at most to find a bug that was put in.
#[cfg(feature = "seeded-bugs")]
const MOST_FOR_A_BUG: usize = 120;
/// Every how many-th case stands in the sample.
const SAMPLE: usize = 37;

/// All cases, each with the end its story has without a fault.
async fn all() -> Vec<(Case, End)> {
    let mut all = Vec::new();
    for story in Story::ALL {
        let (end, log) = Stage::without_fault(story).await;
        all.extend(cases::of(story, &log).into_iter().map(|case| (case, end.clone())));
    }
    all
}

async fn hold(chosen: Vec<(Case, End)>) {
    let (mut faults, mut count) = (String::new(), 0);
    for (case, end) in chosen {
        count += 1;
        tracing::debug!(%case, "playing");
        for wrong in play(&case, &end).await {
            let _ = writeln!(faults, "{case}: {wrong}");
        }
    }
    assert!(count > 0, "no case of that name");
    println!("{count} cases");
    assert!(faults.is_empty(), "of {count} cases these fail:\n{faults}");
}

#[tokio::test(start_paused = true)]
async fn a_sample_of_the_faults_is_survived() {
    let named = std::env::var("JIUZHOU_CASE").ok();
    let chosen = all().await.into_iter().enumerate();
    let chosen = chosen.filter(|(number, (case, _))| match &named {
        Some(name) => case.to_string() == *name,
        None => number % SAMPLE == 0,
    });
    hold(chosen.map(|(_, case)| case).collect()).await;
}

/// Every other case: two halves run side by side on two cores.
async fn half(odd: usize) {
    let chosen = all().await.into_iter().enumerate().filter(|(number, _)| number % 2 == odd);
    hold(chosen.map(|(_, case)| case).collect()).await;
}

#[tokio::test(start_paused = true)]
#[ignore = "minutes long; .ci/full asks for it"]
async fn every_fault_is_survived_even() {
    half(0).await;
}

#[tokio::test(start_paused = true)]
#[ignore = "minutes long; .ci/full asks for it"]
async fn every_fault_is_survived_odd() {
    half(1).await;
}

/// Every fault that is put in on purpose is found by some case. References come from the build without one.
#[cfg(feature = "seeded-bugs")]
#[tokio::test(start_paused = true)]
async fn every_seeded_bug_is_found() {
    use std::panic::AssertUnwindSafe;

    use futures::FutureExt as _;

    use crate::seeded::{Bug, choose};

    std::panic::set_hook(Box::new(|_| {}));
    let cases = all().await;
    // Cases of all stories and faults in turn: a bug is found early, whatever it is about.
    let step = 211;
    assert!(!cases.len().is_multiple_of(step), "every case has its turn");
    let order: Vec<&(Case, End)> = (0..cases.len()).map(|n| &cases[n * step % cases.len()]).collect();
    // What is found without a bug is no proof that one is found.
    let mut clean = Vec::new();
    for (case, end) in order.into_iter().take(MOST_FOR_A_BUG) {
        let wrong = play(case, end).await;
        assert!(wrong.is_empty(), "{case} without a bug: {wrong:?}");
        clean.push((case, end));
    }
    let order = clean;
    let (mut missed, named) = (Vec::new(), std::env::var("JIUZHOU_BUG").ok());
    for bug in Bug::ALL.into_iter().filter(|bug| named.as_ref().is_none_or(|name| format!("{bug:?}") == *name)) {
        choose(Some(bug));
        let mut found = None;
        for (played, (case, end)) in order.iter().enumerate() {
            // Who never comes to rest, or falls over, is found as well.
            let wrong = match AssertUnwindSafe(play(case, end)).catch_unwind().await {
                Ok(wrong) => wrong.into_iter().next(),
                Err(_) => Some("it falls over or never comes to rest".to_owned()),
            };
            if let Some(wrong) = wrong {
                found = Some((played + 1, case, wrong));
                break;
            }
        }
        choose(None);
        match found {
            Some((played, case, wrong)) => println!("{bug:?}: found by case {played}, {case}: {wrong:.160}"),
            None => missed.push(bug),
        }
    }
    let _ = std::panic::take_hook();
    assert!(missed.is_empty(), "not found: {missed:?}");
}
