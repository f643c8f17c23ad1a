#!/usr/bin/env bash
# Everything that must be green, from a machine with nothing but the Rust toolchain.
# As root it installs the Debian packages that the tests use; otherwise it says which are missing.
set -euo pipefail
cd "$(dirname "$0")"

# Program and the Debian package that brings it.
needed=(tshark:tshark tcpdump:tcpdump ip:iproute2 openssl:openssl curl:curl zstd:zstd)
# Debian starts nginx when it installs it: right on a machine that is thrown away, not on yours.
[ "${CI:-}" = true ] && needed+=(nginx:nginx-light)
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

cargo fmt --all --check
cargo clippy --locked --workspace --all-targets -- -D warnings
cargo test --locked --workspace
