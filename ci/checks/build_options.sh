#!/usr/bin/env bash
# WITH_CUDA and WITH_HIP: all four combinations configure and say what they do; a compiler that is missing is named, and is an error
# only if it was asked for.
. "$(dirname "$0")/lib.sh"
configure() { rm -rf "$scratch/tree" && cmake -S "$root" -B "$scratch/tree" -G Ninja -Wno-dev "$@"; }

cuda='CUDA: compiled for'
[ -e "$build/libassay_cuda.so" ] || cuda='CUDA NOT COMPILED: no nvcc that works'
hip='HIP: compiled for'
[ -e "$build/kernels/hip/gfx942" ] || hip='HIP NOT COMPILED: not found: clang++-22'

expect 0 "$cuda" configure
expect 0 "$hip" cmake "$scratch/tree"
expect 0 "$cuda" configure -DWITH_HIP=OFF
expect 0 "HIP NOT COMPILED: WITH_HIP is OFF" cmake "$scratch/tree"
expect 0 "CUDA NOT COMPILED: WITH_CUDA is OFF" configure -DWITH_CUDA=OFF
expect 0 "$hip" cmake "$scratch/tree"
expect 0 "CUDA NOT COMPILED: WITH_CUDA is OFF" configure -DWITH_CUDA=OFF -DWITH_HIP=OFF
expect 0 "HIP NOT COMPILED: WITH_HIP is OFF" cmake "$scratch/tree"
expect 0 "HIP NOT COMPILED: not found: clang++-99" configure -DWITH_CUDA=OFF -DASSAY_HIP_LLVM=99
expect 1 "WITH_HIP is ON, but: not found: clang++-99" configure -DWITH_CUDA=OFF -DWITH_HIP=ON -DASSAY_HIP_LLVM=99
expect 0 "CUDA NOT COMPILED: no nvcc that works" env CUDACXX=/nowhere/nvcc cmake -S "$root" -B "$scratch/no_nvcc" -G Ninja -Wno-dev -DWITH_HIP=OFF
echo passed
