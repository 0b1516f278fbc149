#!/usr/bin/env bash
# Holds Cargo.lock against the advisories of RustSec. Where their database cannot be fetched, as without a network, it says so
# and goes on; RUSTSEC_DB may name a clone that is there already.
set -euo pipefail
cd "$(dirname "$0")/.."

db=${RUSTSEC_DB:-${XDG_CACHE_HOME:-$HOME/.cache}/nanming-advisories}
if [ -z "${RUSTSEC_DB:-}" ]; then
  fetched=$db.new
  rm -rf "$fetched"
  if GIT_TERMINAL_PROMPT=0 timeout 120 git clone --quiet --depth 1 https://github.com/rustsec/advisory-db "$fetched"; then
    rm -rf "$db" && mv "$fetched" "$db"
  elif [ -d "$db" ]; then
    echo "THE ADVISORIES OF RUSTSEC CANNOT BE FETCHED: the copy of $(date -r "$db" +%F) is used" >&2
  else
    echo "THE ADVISORIES OF RUSTSEC CANNOT BE FETCHED: known holes in dependencies are NOT looked for" >&2
    exit 0
  fi
fi
# Without advisories it would be built for nothing.
command -v cargo-audit >/dev/null || cargo install cargo-audit --locked --version 0.22.2 --quiet
cargo audit --db "$db" --no-fetch --stale --quiet
