//! Any bytes through the door, without libFuzzer: seeds, changed at random with a fixed seed, so that a failure is
//! found again. `JIUZHOU_FUZZ_SECONDS=600 cargo test -p jiuzhou-intake --test door -- --nocapture` goes on for as long.
//!
//! What must hold stands in `fuzz/judge.rs`, which the libFuzzer target shares.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../fuzz/judge.rs"]
mod judge;

use std::path::Path;
use std::time::{Duration, Instant};

/// Inputs of a run of the tests.
const INPUTS: u64 = 1_500;

/// Longest input: growth is bounded, or the run would be about size alone.
const LONGEST: usize = 16 << 10;

/// Pieces that mean something to a reader of YAML and JSON.
const TOKENS: &[&str] = &[
    "---\n",
    "...\n",
    "- ",
    ": ",
    "? ",
    "&a ",
    "*a",
    "<<: ",
    "!!binary ",
    "!<x> ",
    "|\n",
    ">-\n",
    "'",
    "\"",
    "\\u0000",
    "\\x",
    "[",
    "]",
    "{",
    "}",
    ",",
    "#",
    "\t",
    "\r\n",
    "\r",
    "\u{feff}",
    "\0",
    "%YAML 1.2\n",
    "%TAG ! x\n",
    "~",
    "null",
    "yes",
    "0o7",
    "010",
    "1e999",
    ".nan",
    "-.inf",
    "9999999999999999999",
    "apiVersion: v1\n",
    "kind: List\n",
    "items:\n",
    "metadata:\n",
    "\u{2028}",
    "\u{85}",
    "政务",
    "data:\n  a: c2VjcmV0\n",
    "kind: Secret\n",
    "\u{fffd}",
    "[[[[[[[[",
    "{{{{{{{{",
];

struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 11) % u64::try_from(n.max(1)).unwrap()).unwrap()
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut seeds = Vec::new();
    for folder in ["fuzz/corpus/door", "../../examples/01-first-tenant", "../../examples/08-evidence-runs-out"] {
        let mut files: Vec<_> =
            std::fs::read_dir(here.join(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        seeds.extend(files.into_iter().filter(|path| path.is_file()).map(|path| std::fs::read(path).unwrap()));
    }
    seeds.iter_mut().for_each(|seed| seed.truncate(LONGEST / 4));
    seeds.push(Vec::new());
    seeds
}

/// One to six changes of a seed: a byte, a token, a cut, a piece twice, a piece of another seed, every line break.
fn change(bytes: &mut Vec<u8>, seeds: &[Vec<u8>], dice: &mut Dice) {
    for _ in 0..=dice.below(6) {
        let at = dice.below(bytes.len() + 1);
        match dice.below(8) {
            0 if !bytes.is_empty() => {
                let at = at.min(bytes.len() - 1);
                bytes[at] ^= 1 << dice.below(8);
            }
            1 => bytes.truncate(at),
            2 => {
                let until = (at + dice.below(200)).min(bytes.len());
                drop(bytes.drain(at..until));
            }
            3 => {
                let until = (at + dice.below(60)).min(bytes.len());
                let piece = bytes[at..until].repeat(1 + dice.below(60));
                drop(bytes.splice(at..at, piece));
            }
            4 => {
                let other = &seeds[dice.below(seeds.len())];
                let from = dice.below(other.len() + 1);
                let until = (from + dice.below(400)).min(other.len());
                drop(bytes.splice(at..at, other[from..until].iter().copied()));
            }
            5 => {
                let text = String::from_utf8_lossy(bytes).replace('\n', ["\r\n", "\r", "\n\n", " "][dice.below(4)]);
                *bytes = text.into_bytes();
            }
            _ => drop(bytes.splice(at..at, TOKENS[dice.below(TOKENS.len())].bytes())),
        }
        bytes.truncate(LONGEST);
    }
}

#[test]
fn any_bytes_end_in_documents_and_findings_within_the_limits() {
    let seconds =
        std::env::var("JIUZHOU_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok()).map(Duration::from_secs);
    let (seeds, began) = (seeds(), Instant::now());
    let mut done = 0_u64;
    let mut slowest = Duration::ZERO;
    loop {
        let mut dice = Dice(done.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let mut bytes = seeds[dice.below(seeds.len())].clone();
        change(&mut bytes, &seeds, &mut dice);
        let since = Instant::now();
        if std::panic::catch_unwind(|| judge::judge(&bytes)).is_err() {
            panic!("input {done} breaks the promise: {:?}", String::from_utf8_lossy(&bytes));
        }
        slowest = slowest.max(since.elapsed());
        done += 1;
        match seconds {
            None if done == INPUTS => break,
            Some(seconds) if began.elapsed() > seconds => break,
            _ => {}
        }
    }
    println!("{done} inputs in {:?}, the slowest took {slowest:?}", began.elapsed());
}

#[test]
fn the_promise_can_be_broken() {
    // What the run above rests on: nesting is refused by the door and not by luck.
    let deep = [b"a: ".as_slice(), &b"[".repeat(400), &b"]".repeat(400)].concat();
    let (documents, findings) = jiuzhou_intake::documents::read_bytes("deep", &deep, &judge::limits());
    assert_eq!((documents.len(), findings.len()), (0, 1));
    judge::judge(&deep);
}
