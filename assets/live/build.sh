#!/bin/sh
# Makes engine.wasm of engine.c, the same bytes each time: `sh assets/live/build.sh [OUTPUT]`.
# The toolchain is that of Debian 12: apt-get install clang-14 lld-14 (14.0.6-12).
set -eu
here=$(dirname "$0")
clang=$(command -v clang-14 || true)
linker=$(command -v wasm-ld-14 || true)
if [ -z "$clang" ] || [ -z "$linker" ]; then
  echo "build.sh: no clang-14 or wasm-ld-14; on Debian 12: apt-get install clang-14 lld-14" >&2
  exit 1
fi
"$clang" --target=wasm32-unknown-unknown -std=c11 -O2 -Wall -Wextra -Werror \
  -fno-math-errno -fno-trapping-math -fno-builtin-memset -msimd128 -mbulk-memory -mnontrapping-fptoint \
  -nostdlib -fuse-ld="$linker" \
  -Wl,--no-entry -Wl,--strip-all -Wl,-z,stack-size=65536 -Wl,--export=__heap_base \
  -o "${1:-$here/engine.wasm}" "$here/engine.c"
