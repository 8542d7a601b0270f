#!/usr/bin/env bash
# Builds the static program of one architecture into /out (or OUT). TARGETARCH is Docker's name of it.
set -euo pipefail
case ${TARGETARCH:?amd64, arm64 or loong64} in
  amd64) target=x86_64-unknown-linux-musl compiler=x86_64-linux-gnu-gcc ;;
  arm64) target=aarch64-unknown-linux-musl compiler=aarch64-linux-gnu-gcc ;;
  loong64) target=loongarch64-unknown-linux-musl compiler=loongarch64-linux-gnu-gcc ;;
  *) echo "failed to find the architecture $TARGETARCH: choose amd64, arm64 or loong64" >&2; exit 1 ;;
esac
variable=${target//-/_}
rustup target add "$target"
# No fortified functions: musl has none of glibc's checked variants.
export "CC_$variable=$compiler" "CFLAGS_$variable=-U_FORTIFY_SOURCE"
export "CARGO_TARGET_${variable^^}_LINKER=rust-lld"
export RUSTFLAGS="-C target-feature=+crt-static -C link-self-contained=yes -C strip=symbols"
cargo build --release --locked --package jiuzhou --features hub --target "$target"
install -D "${CARGO_TARGET_DIR:-target}/$target/release/jiuzhou" "${OUT:-/out}/jiuzhou"
