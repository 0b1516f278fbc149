#!/usr/bin/env bash
# How many wrong versions of the safety envelope and of the matching their own unit tests catch, by cargo-mutants. Takes half an
# hour on one core, so run.sh leaves it out. What is missed is listed in out/mutants/PART/mutants.out/missed.txt.
#
#   bash tests/mutants.sh                             # both parts; fails below 95 % of either
#   bash tests/mutants.sh matching --re 'fill.rs'     # some of one part; arguments are those of cargo mutants
set -euo pipefail
cd "$(dirname "$0")/.."
version=27.1.0
cargo mutants --version 2>/dev/null | grep -qF "$version" || cargo install cargo-mutants --locked --version "$version" --quiet

# Drawn cases are the same in each run, those of one mutant are not tried on the next, and nobody reads the smallest failure.
export PROPTEST_RNG_SEED=1 PROPTEST_DISABLE_FAILURE_PERSISTENCE=1 PROPTEST_MAX_SHRINK_ITERS=0
export CARGO_TARGET_DIR=$PWD/target/mutants
# The whole crate builds for minutes, for dataflow graphs that neither part knows of. So each part is built from copies of its
# files and of those that they use, in a crate of their own; the paths, versions and lock are the repository's.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

crate() { # name, then files and folders of dataflows/src; the root of the crate is read from stdin
  local name=$1 at=$scratch/$1/dataflows/src
  mkdir -p "$at"
  cp Cargo.lock rust-toolchain.toml "$scratch/$name"
  (cd dataflows/src && cp -r --parents "${@:2}" "$at")
  cat >"$at/lib.rs"
  {
    sed '/^\[workspace.lints/,$d; /^members/d' Cargo.toml
    cat <<END
[package]
name = "$name"
edition.workspace = true
[lib]
path = "dataflows/src/lib.rs"
doctest = false
[dependencies]
serde.workspace = true
postcard.workspace = true
[dev-dependencies]
pathfinding.workspace = true
proptest.workspace = true
[profile.dev]
debug = 0
opt-level = 1
[profile.dev.package."*"]
opt-level = 2
END
  } >"$scratch/$name/Cargo.toml"
}

envelope() {
  crate envelope ids.rs event.rs event network.rs network decision.rs decision decide/envelope.rs decide/envelope <<'END'
pub mod decide {
    pub mod envelope;
}
pub mod decision;
pub mod event;
pub mod ids;
pub mod network;
pub type Time = u64;
/// What IDs need of `keyed`, which is timely's.
pub mod keyed {
    pub trait Key {
        fn route(&self) -> u64;
    }
    pub fn spread(id: u64) -> u64 {
        id
    }
}
END
  mutate envelope 'dataflows/src/decide/envelope.rs' "$@"
}

matching() {
  crate matching matching.rs matching <<<'pub mod matching;'
  mutate matching 'dataflows/src/matching{.rs,/*.rs}' "$@"
}

# Tests take less than a second. A mutant may loop for ever, and fill the memory meanwhile: neither takes long.
mutate() { # crate, files, arguments
  local out=out/mutants/$1
  mkdir -p "$out"
  local code=0
  (
    ulimit -v 8000000
    cargo mutants --dir "$scratch/$1" --in-place --output "$out" --file "$2" --exclude '**/tests.rs' --timeout 10 --no-shuffle \
      --cargo-arg=-j1 "${@:3}" -- --lib -- "$1"
  ) || code=$?
  [ "$code" -eq 0 ] || [ "$code" -eq 2 ] || [ "$code" -eq 3 ] || exit "$code" # 2: some are missed, 3: some take too long
  figures "$1" "$out/mutants.out"
}

figures() { # part, folder
  [ -e "$2/caught.txt" ] || return 0 # they are only listed
  local caught missed timeout unviable
  for of in caught missed timeout unviable; do printf -v "$of" '%s' "$(wc -l <"$2/$of.txt")"; done
  echo "$1: $caught caught, $timeout timed out, $missed missed, $unviable unviable"
  local viable=$((caught + timeout + missed))
  awk "BEGIN { part = 100 * ($caught + $timeout) / $viable; printf \"$1: %.1f %% of $viable\n\", part; exit part < 95 }" || low=1
}

low=0
case ${1:-all} in
  all)
    envelope
    matching
    ;;
  envelope | matching) "$@" ;;
  *) echo "envelope or matching?" >&2 && exit 2 ;;
esac
exit "$low"
