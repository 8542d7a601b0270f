#!/usr/bin/env bash
# The door of the intake (YAML, JSON) under libFuzzer: hack/fuzz.sh [SECONDS]
# Works with the stable compiler, which has LLVM's coverage pass without a name of its own; needs a C++ compiler for
# libFuzzer. What must hold of any bytes stands in operator/intake/fuzz/judge.rs. An input that breaks it is left in
# operator/intake/fuzz/artifacts; give its name as a second argument to try it again.
set -euo pipefail
cd "$(dirname "$0")/../operator/intake/fuzz"
seconds=${1:-60}
host=$(rustc -vV | sed -n 's/^host: //p')
llvm() { printf -- '-Cllvm-args=-sanitizer-coverage-%s ' "$@"; }
# With --target the flags reach no build script, which would not link with them. One unit, so that counters are whole.
export RUSTFLAGS="-Cpasses=sancov-module -Ccodegen-units=1 --cfg fuzzing $(llvm level=4 inline-8bit-counters pc-table trace-compares)"
cargo build --locked --target "$host"
door=${CARGO_TARGET_DIR:-target}/$host/debug/door
mkdir -p artifacts target/corpus # what is found new goes into target/corpus, so that the next run begins there
seeds=(corpus/door ../tests ../../data/tiers ../../../examples)
if [ $# -gt 1 ]; then exec "$door" "$2"; fi
exec "$door" -max_total_time="$seconds" -max_len=16384 -timeout=30 -rss_limit_mb=2048 -artifact_prefix=artifacts/ \
  -print_final_stats=1 target/corpus "${seeds[@]}"
