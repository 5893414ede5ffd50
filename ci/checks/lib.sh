# What every check shares: a scratch folder, the program, and one way to complain. Sourced; usage of a check: CHECK ROOT BUILD
set -uo pipefail
root=$(cd "$1" && pwd)
build=$(cd "$2" && pwd)
assay=$build/assay
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

fail() {
  echo "FAILED: $*"
  exit 1
}

# expect CODE TEXT COMMAND...: the command must exit with CODE and print TEXT (a fixed string) somewhere.
expect() {
  local code=$1 text=$2
  shift 2
  local output
  output=$("$@" 2>&1)
  local got=$?
  [ $got -eq "$code" ] || fail "exit code $got, not $code: $*"$'\n'"$output"
  grep -qF -- "$text" <<<"$output" || fail "no '$text' in the output of: $*"$'\n'"$output"
}

# skip WHY: for checks whose tools are optional packages.
skip() {
  echo "SKIPPED: $*"
  exit 77
}

# clang_tree PROBE_FLAGS TARGET...: builds targets with clang in $build/clang, which is kept; skips without a clang that can link with
# these flags. Several checks share the tree, one at a time.
clang_tree() {
  local flags=$1 version
  shift
  echo 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }' >"$scratch/probe.cpp"
  [[ $flags == *fuzzer* ]] || echo 'int main() {}' >"$scratch/probe.cpp"
  for version in -22 ''; do
    clang++$version $flags "$scratch/probe.cpp" -o "$scratch/probe" 2>/dev/null || continue
    exec 9>"$build/clang.lock"
    flock 9
    cmake -S "$root" -B "$build/clang" -G Ninja -DCMAKE_BUILD_TYPE=Release -DWITH_CUDA=OFF -DWITH_HIP=OFF -DWITH_FUZZERS=ON \
      -DCMAKE_C_COMPILER=clang$version -DCMAKE_CXX_COMPILER=clang++$version >"$scratch/clang.log" 2>&1 &&
      cmake --build "$build/clang" --target "$@" >"$scratch/clang.log" 2>&1 || fail "clang does not build $*"$'\n'"$(tail -n 40 "$scratch/clang.log")"
    flock -u 9
    return
  done
  skip "no clang++ that takes '$flags' (packages clang-22 and libclang-rt-22-dev)"
}

# data_copy FOLDER: tables of the suites and contracts, to be edited.
data_copy() {
  mkdir -p "$1/reference"
  cp -r "$root/suites" "$1/"
  cp -r "$root/reference/contracts" "$1/reference/"
}
