#!/usr/bin/env bash
# Everything that must be green, from a machine with nothing but the Rust toolchain.
# As root it installs the Debian packages that the tests use; otherwise it says which are missing.
set -euo pipefail
cd "$(dirname "$0")"

# Program and the Debian package that brings it.
needed=(tshark:tshark tcpdump:tcpdump ip:iproute2 nft:nftables openssl:openssl curl:curl zstd:zstd chromium:chromium
  wireguard-go:wireguard-go wg:wireguard-tools)
# Debian starts nginx and PostgreSQL when it installs them: right on a machine that is thrown away, not on yours.
[ "${CI:-}" = true ] && needed+=(nginx:nginx-light psql:postgresql)
missing=()
for pair in "${needed[@]}"; do
  command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
done
if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing ${missing[*]}"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  else
    echo "Not installed: ${missing[*]}. Tests that need them say that they are skipped."
  fi
fi

# The HTML page is looked at with axe-core, which finds barriers; tests that need it say that they are skipped.
axe=target/axe-core/package/axe.min.js
axe_sha256=e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745
if [ ! -e "$axe" ] && command -v curl >/dev/null; then
  mkdir -p target/axe-core
  registry=${npm_config_registry:-https://registry.npmjs.org}
  if (cd target/axe-core && curl -fsSL --retry 2 -o axe-core.tgz "${registry%/}/axe-core/-/axe-core-4.14.1.tgz" &&
      echo "$axe_sha256  axe-core.tgz" | sha256sum --check --quiet && tar -xzf axe-core.tgz); then
    echo "axe-core 4.14.1 is at $axe"
  else
    echo "axe-core could not be fetched."
  fi
fi

# The check page's program is built for the browser; its test says that it is skipped where that cannot be.
rustup target add wasm32-unknown-unknown >/dev/null 2>&1 || echo "Not installed: wasm32-unknown-unknown."

cargo fmt --all --check
cargo clippy --locked --workspace --all-targets -- -D warnings
# Text in pictures is left out of the default build; its tests say that they are skipped where no models are installed.
cargo clippy --locked -p dyetrace --features ocr --all-targets -- -D warnings
# The model that finds faces, 3 MB from Rust's registry; its tests say that they are skipped without it.
export DYETRACE_MODELS=${DYETRACE_MODELS:-$PWD/target/models}
cargo run --quiet --locked -p dyetrace -- models install >/dev/null || echo "Not installed: the model that finds faces."
cargo test --locked --workspace
