#!/usr/bin/env bash
# No object of the CUDA kernels calls exit(): what nvcc makes of a __device__ function that host code calls, without a word where
# the call stands in a template. Such a library ends the program at its first call.
# usage: host_calls_test.sh NVCC FOLDER_OF_OBJECTS
set -uo pipefail
nvcc=$1 folder=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
calls_exit() { nm -u "$1" | grep -q ' exit$'; }

cat >"$scratch/twin.cu" <<'EOF'
struct Rules { __device__ static int apart(int n) { return n / 2; } };
template <class R> int on_the_host(int n) { return [&](auto) { return R::apart(n); }(0); }
int twin(int n) { return on_the_host<Rules>(n); }
EOF
"$nvcc" -std=c++17 -c "$scratch/twin.cu" -o "$scratch/twin.o" || exit 1
calls_exit "$scratch/twin.o" || { echo "the twin is not seen"; exit 1; }

count=0 status=0
while read -r object; do
  count=$((count + 1))
  calls_exit "$object" && { echo "$object: host code calls a __device__ function"; status=1; }
done < <(find "$folder" -name '*.o')
echo "$count objects"
[ $count -gt 10 ] && exit $status
echo "there are too few objects in $folder"; exit 1
