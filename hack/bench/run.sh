#!/bin/sh
# Runs every problem of a folder through the bench, checks each result, and writes figures as text to standard output.
#   hack/bench/run.sh FOLDER > hack/bench/results/DATE.txt
# FOLDER holds the problems (*.json, format placement-bench/v1) and check_placements.py.
set -eu
folder=$1
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
cargo build --quiet --release -p bench
echo "date: $(date -u +%Y-%m-%dT%H:%MZ)"
echo "machine: $(nproc) cores, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)"
echo "commit: $(git rev-parse --short HEAD)"
echo "command: cargo run --release -p bench -- PROBLEM.json --out RESULT.json [--reserve]"
echo "check:   check_placements.py PROBLEM.json RESULT.json [--reserve]"
for problem in "$folder"/*.json; do
  for reserve in "" --reserve; do
    echo
    echo "== $(basename "$problem" .json) $reserve"
    # shellcheck disable=SC2086
    target/release/bench "$problem" --out "$out/result.json" --runs 15 $reserve
    # shellcheck disable=SC2086
    python3 "$folder/check_placements.py" "$problem" "$out/result.json" $reserve
  done
done
echo
echo "== what grows with the fleet: cargo run --release -p bench --bin scale -- first|memory"
for what in first memory; do target/release/scale $what; done
echo
echo "== turns of the operator: cargo run --release -p bench --bin turns"
target/release/turns
echo
echo "== crossing keys: cargo run --release -p bench --bin crossing"
target/release/crossing
