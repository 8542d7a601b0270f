//! The campaign as a test: a fixed sample in every run, all of it when asked for (`--ignored`), one case by its name.
#![allow(clippy::print_stdout, reason = "a campaign says how large it was")]

use std::fmt::Write as _;

use super::cases::{self, Case};
use super::play::{End, Stage, play};
use super::stories::Story;

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

#[tokio::test(start_paused = true)]
#[ignore = "minutes long; .ci/full asks for it"]
async fn every_fault_is_survived() {
    hold(all().await).await;
}
