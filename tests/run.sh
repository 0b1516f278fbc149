#!/usr/bin/env bash
# Installs what the tests need and runs them all. Needs Rust, a C compiler, Node.js, and root or an installed Chromium,
# Prometheus, Java 17, Maven, Python 3 and OpenSSL with its headers.
set -euo pipefail
cd "$(dirname "$0")/.."

install() {
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@" >/dev/null
}
[ -x "${CHROMIUM:-/usr/bin/chromium}" ] || install chromium fonts-noto-cjk
command -v prometheus >/dev/null || install --no-install-recommends prometheus
command -v java >/dev/null || install --no-install-recommends openjdk-17-jre-headless
command -v mvn >/dev/null || install --no-install-recommends maven
[ -e /usr/include/openssl/ssl.h ] || install --no-install-recommends libssl-dev
bash tests/kafka.sh install
if [ -z "${SUMO_HOME:-}" ] && ! command -v sumo >/dev/null; then
  sumo=${XDG_CACHE_HOME:-$HOME/.cache}/nanming-sumo
  [ -x "$sumo/bin/sumo" ] || { python3 -m venv "$sumo" && "$sumo/bin/pip" install --quiet eclipse-sumo==1.28.0; } ||
    echo "SUMO CANNOT BE INSTALLED: its tests are skipped" >&2
  export PATH="$sumo/bin:$PATH"
fi
command -v cargo-deny >/dev/null || cargo install cargo-deny --locked --version 0.20.2 --quiet

cargo fmt --all --check
# As most build it, and all of it with TLS to Kafka.
cargo clippy -p nanming --quiet -- -D warnings
cargo clippy --workspace --all-targets --features kafka-tls --quiet -- -D warnings
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --features kafka-tls --quiet
cargo deny --log-level error check licenses bans sources
bash tests/audit.sh
if cargo tree -p nanming-dataflows -i tokio >/dev/null 2>&1; then
  echo "the views must not depend on tokio" >&2
  exit 1
fi
cargo test --workspace --features kafka-tls --lib --bins --tests
(cd web && npm ci --no-audit --no-fund --silent && npm test && npm run --silent build && npm run --silent test:page)
mkdir -p out
node web/test/login.mjs "${CARGO_TARGET_DIR:-target}/debug/nanming"
node web/test/engine.mjs "${CARGO_TARGET_DIR:-target}/debug/nanming" out/page.png
node web/test/travel.mjs "${CARGO_TARGET_DIR:-target}/debug/nanming" out
