#!/usr/bin/env bash
# WITH_CUDA and WITH_HIP: all four combinations configure, and print which kernels are compiled, and why others are not. A missing compiler
# is named, and is an error only if it was requested.
. "$(dirname "$0")/lib.sh"
configure() { cmake -S "$root" -B "$1" -G Ninja -Wno-dev "${@:2}"; }

cuda='CUDA: compiled for'
[ -e "$build/libassay_cuda.so" ] || cuda='CUDA NOT COMPILED: no working nvcc found'
hip='HIP: compiled for'
compgen -G "$build/kernels/hip/*/gfx942" >/dev/null || hip='HIP NOT COMPILED: not found: clang++-22'

# A build tree caches the compilers that it found. Changing both options in one tree therefore tests all four combinations, and
# searches for both compilers only once.
expect 0 "$cuda" configure "$scratch/both"
expect 0 "$hip" cmake "$scratch/both"
expect 0 "HIP NOT COMPILED: WITH_HIP is OFF" cmake "$scratch/both" -DWITH_HIP=OFF
expect 0 "$cuda" cmake "$scratch/both"
expect 0 "CUDA NOT COMPILED: WITH_CUDA is OFF" configure "$scratch/none" -DWITH_CUDA=OFF -DWITH_HIP=OFF
expect 0 "HIP NOT COMPILED: WITH_HIP is OFF" cmake "$scratch/none"
expect 0 "$hip" cmake "$scratch/none" -DWITH_HIP=AUTO
expect 0 "CUDA NOT COMPILED: WITH_CUDA is OFF" cmake "$scratch/none"
expect 0 "HIP NOT COMPILED: not found: clang++-99" cmake "$scratch/none" -DASSAY_HIP_LLVM=99
expect 1 "WITH_HIP is ON, but: not found: clang++-99" cmake "$scratch/none" -DWITH_HIP=ON
expect 0 "CUDA NOT COMPILED: no working nvcc found" env CUDACXX=/nowhere/nvcc cmake -S "$root" -B "$scratch/no_nvcc" -G Ninja -Wno-dev -DWITH_HIP=OFF
echo passed
