//! How fast the intake reads: `cargo run --release -p jiuzhou-intake --example throughput -- PATH...`
//!
//! One line per step in documents and bytes per second; a figure to compare with, never a test.
#![allow(clippy::print_stdout, reason = "the figures are the result")]

use std::time::Instant;

use jiuzhou_intake::documents::read_all;
use jiuzhou_intake::schema::Kinds;
use jiuzhou_intake::yaml::Limits;
use jiuzhou_intake::{Options, Progress, files, load};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let inputs: Vec<String> = std::env::args().skip(1).collect();
    let mut bytes = 0;
    files::read_each(&inputs, &mut std::io::empty(), usize::MAX - 1, &mut |_, text| bytes += text.len());
    let start = Instant::now();
    let (mut documents, mut findings) =
        read_all(&inputs, &mut std::io::empty(), &Limits::default(), &Progress::default());
    let count = documents.len();
    let tell = |step: &str, start: Instant| {
        let seconds = start.elapsed().as_secs_f64();
        println!(
            "{step}: {count} documents, {:.0}/s, {:.1} MB/s",
            count as f64 / seconds,
            bytes as f64 / seconds / 1e6
        );
    };
    tell("read", start);
    let kinds = Kinds::new(jiuzhou_api::meta::GROUP, &jiuzhou_api::all_crds())?;
    // The first pass compiles schemas and rules; the second is what a large input costs.
    for pass in ["check, first", "check"] {
        let start = Instant::now();
        for document in documents.iter_mut().filter(|document| kinds.owns(document)) {
            kinds.check(document, &mut findings);
        }
        tell(pass, start);
    }
    let start = Instant::now();
    let as_of = "2026-11-23T00:00:00Z".parse()?;
    let fleet = load(&inputs, &mut std::io::empty(), &Options::at(as_of))?;
    tell("load, all of it", start);
    for finding in &fleet.findings {
        let place = finding.place.clone().unwrap_or_default();
        println!("{}:{} {:?} {} {}", place.file, place.line, finding.severity, finding.reason.code, finding.pointer);
    }
    Ok(())
}
