#!/usr/bin/env bash
# Checks and tests everything. Needs Rust and a C compiler.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo fmt --all --check
cargo clippy --workspace --all-targets --quiet -- -D warnings
if cargo tree -p nanming-dataflows -i tokio >/dev/null 2>&1; then
  echo "the views must not depend on tokio" >&2
  exit 1
fi
cargo test --workspace --lib --bins --tests
