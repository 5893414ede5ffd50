#!/usr/bin/env bash
# Tests how CMake reads ops/ops.inc: it compiles every .cpp below the folder; if the list and the sources differ, the
# configuration ends with a message. usage: listed_test.sh CMAKE FOLDER_OF_KERNELS
set -uo pipefail
cmake=$1 kernels=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
fail() { echo "$*"; cat "$scratch/log"; exit 1; }

mkdir -p "$scratch"/ops/{first,second}
defines() { echo "std::vector<Kernel> $1_kernels() { return {}; }" >>"$scratch/ops/$2.cpp"; }
defines first first/first
defines second second/second
touch "$scratch/ops/first/first_apart.cpp" "$scratch/ops/second/second_kernel.h"
cat >"$scratch/CMakeLists.txt" <<EOF
cmake_minimum_required(VERSION 3.25)
project(listed NONE)
include($kernels/kernel_lists.cmake)
assay_op_sources($scratch/ops)
foreach(variable HOST KERNEL OP)
  string(REPLACE "$scratch/ops/" "" short "\${ASSAY_\${variable}_SOURCES}")
  message("\${variable}: \${short}")
endforeach()
EOF
list() { printf '// A list.\n' >"$scratch/ops/ops.inc"; printf 'ASSAY_OP(%s)\n' "$@" >>"$scratch/ops/ops.inc"; }
configure() { "$cmake" -G Ninja -S "$scratch" -B "$scratch/build" >"$scratch/log" 2>&1; }
says() { tr -s '\n ' ' ' <"$scratch/log" | grep -qF -- "$1" || fail "not said: $1"; }
refused() {
  configure && fail "not refused: $1"
  says "$1"
}

list second first
configure || fail "a list that fits is refused"
says "HOST: call.cpp;host_checks.cpp;gemm_host_checks.cpp"
says "KERNEL: first/first.cpp;first/first_apart.cpp;second/second.cpp"
says "OP: call.cpp;host_checks.cpp;gemm_host_checks.cpp;all_kernels.cpp;first/first.cpp;first/first_apart.cpp;second/second.cpp"

list first
refused "does not have: second"
list first second third
refused "has 'third', and no file */*.cpp defines third_kernels()"
list first second first
refused "has 'first' twice"
list first second "third, 3"
refused "has 'third, 3'"
list first second
defines third second/second
refused "does not have: third"
