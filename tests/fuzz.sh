#!/usr/bin/env bash
# Decoders of what comes from outside under libFuzzer, which is led by coverage:
#     bash tests/fuzz.sh [CPU_SECONDS_EACH [DECODER..]]      # 600 s each of all
# A line for each: CPU seconds, inputs that were tried, features of the code that they reached, the most memory, and what was
# found. What a decoder fell over is kept, told, and tried first the next time. Fails if anything was found.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-600}
target=$(rustc -vV | sed -n 's/^host: //p')
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}/fuzz

# What cargo-fuzz sets, without a sanitizer: all of it is safe Rust. No part of it needs a nightly.
RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
-Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares \
-Cllvm-args=-simplifycfg-branch-fold-threshold=0" \
  cargo build --quiet --release --target "$target" --manifest-path tests/fuzz/Cargo.toml --jobs "${FUZZ_JOBS:-1}"
program=$CARGO_TARGET_DIR/fuzz-decoders
cp -f "$CARGO_TARGET_DIR/$target/release/decoders" "$program"

# Files of inputs are written in memory; stacks are as large as those of the engine's threads.
[ ! -w /dev/shm ] || export TMPDIR=/dev/shm
ulimit -s 2048

# CPU seconds that a process has taken.
cpu() {
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  read -ra stat <<<"${stat##*) }"
  [ "${stat[0]}" != Z ] && echo $(((stat[11] + stat[12]) / $(getconf CLK_TCK)))
}

count() { find "$1" -name "$2-*" | wc -l; }

# Whether what took too long does so each time, and not because the machine was busy with something else.
hangs() {
  local input
  for input in "$found"/timeout-*; do
    [ -e "$input" ] || continue
    NANMING_DECODER=$name "$program" -timeout=5 "$input" >/dev/null 2>&1 || return 0
    mv "$input" "$corpus"
  done
  return 1
}

# Tries one decoder; false if anything was found.
fuzz() {
  local name=$1 longest=$2 memory_mib=$3 process now=0 spent=0 runs=0 code=0
  local corpus=$CARGO_TARGET_DIR/corpus/$1 found=$CARGO_TARGET_DIR/found/$1 log=$CARGO_TARGET_DIR/$1.log
  mkdir -p "$corpus" "$found"
  find "$found" -type f -exec mv -t "$corpus" {} +
  NANMING_DECODER=$name NANMING_SEEDS=$CARGO_TARGET_DIR/seeds/$name "$program" 2>/dev/null
  while [ "$spent" -lt "$seconds" ]; do
    NANMING_DECODER=$name "$program" -max_len="$longest" -rss_limit_mb="$memory_mib" -timeout=5 -print_final_stats=1 \
      -dict="$CARGO_TARGET_DIR/seeds/$name.words" -artifact_prefix="$found/" "$corpus" "$CARGO_TARGET_DIR/seeds/$name" \
      >"$log" 2>&1 &
    process=$! code=0
    while at=$(cpu "$process"); do
      now=$at
      [ $((spent + now)) -lt "$seconds" ] || break
      sleep 0.5
    done
    # It ends in good order, and says how far it is.
    kill -USR1 "$process" 2>/dev/null || true
    wait "$process" || code=$?
    spent=$((spent + now)) runs=$((runs + $(figure number_of_executed_units)))
    # It goes on only where it was held up.
    if [ "$code" = 0 ] || [ "$(count "$found" timeout)" = 0 ] || hangs; then break; fi
    code=0
  done
  printf '%-12s %4s s %11s runs %6s features %5s MiB  %s crashes %s hangs %s out of memory\n' "$name" "$spent" "$runs" \
    "$(grep -o ' ft: [0-9]*' "$log" | tail -1 | tr -dc 0-9)" "$(figure peak_rss_mb)" \
    "$(count "$found" crash)" "$(count "$found" timeout)" "$(count "$found" oom)"
  [ "$code" = 0 ] && return
  echo "$name ended with $code: see $log, and try again: NANMING_DECODER=$name $program $found/*" >&2
  return 1
}

# One of the figures that the log ends with.
figure() { sed -n "s/^stat::$1: *//p" "$log" | tail -1 | grep . || echo 0; }

shift || true
code=0 tried=0
while read -r name longest memory_mib; do
  if [ $# = 0 ] || [[ " $* " == *" $name "* ]]; then
    tried=$((tried + 1))
    fuzz "$name" "$longest" "$memory_mib" </dev/null || code=1
  fi
done < <(NANMING_DECODER='' "$program" 2>/dev/null)
if [ "$tried" = 0 ] || [ "$tried" -lt $# ]; then
  echo "no such decoder: write one of $(NANMING_DECODER='' "$program" 2>/dev/null | cut -d' ' -f1 | tr '\n' ' ')" >&2
  code=2
fi
exit "$code"
