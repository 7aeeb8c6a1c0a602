#!/usr/bin/env bash
# Builds every program of the workspace to sBPF v3 with Debian's compiler; `xorj program build` calls it. Prints nothing but cargo's words.
# The paths of the machine are mapped away, so that two folders give the same bytes.
set -euo pipefail
cd "$(dirname "$0")"
export PATH="${XORJ_PROGRAM_TOOLS:-$PWD/tools}/bin:$PATH" RUSTC=${XORJ_PROGRAM_RUSTC:-/usr/bin/rustc} RUSTC_BOOTSTRAP=1
flags="-C linker=sbpf-linker -C panic=abort -C relocation-model=static -C target-cpu=v2 -C target-feature=+allows-misaligned-mem-access"
flags="$flags -C link-arg=--arch=v3 -C link-arg=--deploy=false -C link-arg=--disable-math-builtins -C link-arg=--llvm-args=-bpf-stack-size=4096"
# Small before fast: a program's size is paid for in rent, its units are far below every limit. No panic names its place.
for part in link-arg=--llvm-args llvm-args; do
  flags="$flags -C $part=-inline-threshold=30 -C $part=-unroll-threshold=0 -C $part=-unroll-full-max-count=0"
done
flags="$flags -Zlocation-detail=none"
flags="$flags --remap-path-prefix=$PWD=. --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo"
CARGO_TARGET_BPFEL_UNKNOWN_NONE_RUSTFLAGS="$flags" cargo build --locked --release --target bpfel-unknown-none -Zbuild-std=core,alloc "$@"
