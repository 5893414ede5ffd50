#!/usr/bin/env bash
# No object of the CUDA kernels may call exit(). nvcc generates this call where host code calls a __device__ function, and does
# not warn if this is inside a template. Such a library would end the process at its first call.
# usage: host_calls_test.sh NVCC OBJECT...
set -uo pipefail
nvcc=$1
shift
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
calls_exit() { nm -u "$1" | grep -q ' exit$'; }

cat >"$scratch/twin.cu" <<'EOF'
struct Rules { __device__ static int apart(int n) { return n / 2; } };
template <class R> int on_the_host(int n) { return [&](auto) { return R::apart(n); }(0); }
int twin(int n) { return on_the_host<Rules>(n); }
EOF
"$nvcc" -std=c++17 -c "$scratch/twin.cu" -o "$scratch/twin.o" || exit 1
calls_exit "$scratch/twin.o" || { echo "the test file with such a call is not detected"; exit 1; }

status=0
for object in "$@"; do
  [ -s "$object" ] || { echo "$object: expected an object file, found none or an empty one"; exit 1; }
  calls_exit "$object" && { echo "$object: host code calls a __device__ function"; status=1; }
done
echo "$# objects"
[ $# -gt 0 ] && exit $status
echo "usage: host_calls_test.sh NVCC OBJECT..."; exit 1
