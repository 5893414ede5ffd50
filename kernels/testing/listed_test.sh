#!/usr/bin/env bash
# What CMake makes of ops/ops.inc: every .cpp of a listed folder is compiled, hosts' apart, and each way in which list and folders can
# differ stops the configuration with words. usage: listed_test.sh CMAKE FOLDER_OF_KERNELS
set -uo pipefail
cmake=$1 kernels=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
fail() { echo "$*"; cat "$scratch/log"; exit 1; }

mkdir -p "$scratch"/ops/{first,second}
touch "$scratch"/ops/{first,second}/kernels.cpp "$scratch"/ops/first/{apart,problem_host}.cpp "$scratch/ops/second/rules.h"
cat >"$scratch/CMakeLists.txt" <<EOF
cmake_minimum_required(VERSION 3.25)
project(listed NONE)
include($kernels/ops/sources.cmake)
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
says "HOST: call.cpp;first/problem_host.cpp"
says "KERNEL: second/kernels.cpp;first/apart.cpp;first/kernels.cpp"
says "OP: call.cpp;first/problem_host.cpp;kernels.cpp;second/kernels.cpp;first/apart.cpp;first/kernels.cpp"

list first
refused "does not have: second"
list first second third
refused "has 'third', and there is no file */* of that name"
list first second first
refused "has 'first' twice"
list first second "third, 3"
refused "has 'third, 3'"
list first second
rm "$scratch/ops/second/kernels.cpp"
refused "has 'second', whose folder has no kernels.cpp"
