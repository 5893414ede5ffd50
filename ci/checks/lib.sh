# Sourced by all checks: sets a scratch folder and the program, and defines functions that report failures. Usage of a check: CHECK
# ROOT BUILD [sample]. With `sample` a long check tests only a part: ci/test runs this part, ci/tables runs the whole check.
set -uo pipefail
root=$(cd "$1" && pwd)
build=$(cd "$2" && pwd)
assay=$build/assay
sample=${3:-}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

fail() {
  echo "FAILED: $*"
  exit 1
}

# expect CODE TEXT COMMAND...: the command must exit with CODE and print TEXT (a fixed string). `expected_in` holds what the command printed.
expect() {
  local code=$1 text=$2
  shift 2
  local output
  output=$("$@" 2>&1)
  local got=$?
  [ $got -eq "$code" ] || fail "expected exit code $code, got $got: $*"$'\n'"$output"
  grep -qF -- "$text" <<<"$output" || fail "expected '$text' in the output of: $*"$'\n'"$output"
  expected_in=$output
}

# skip WHY: ends the check as skipped, for checks whose tools are optional packages.
skip() {
  echo "SKIPPED: $*"
  exit 77
}

# clang_tree PROBE_FLAGS TARGET...: builds targets with clang in $build/clang, which is kept. If no clang can link with these flags, the check ends as skipped.
# Several checks share the tree, one at a time. -O1 suffices to reveal differences between compilers and takes half the time. A sample compiles each folder as
# one file, and everything except numbers and casts at -O0.
clang_tree() {
  local flags=$1 version together=OFF level=-O1
  shift
  [ -z "$sample" ] || together=ON level=-O0
  echo 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }' >"$scratch/probe.cpp"
  [[ $flags == *fuzzer* ]] || echo 'int main() {}' >"$scratch/probe.cpp"
  for version in -22 ''; do
    clang++$version $flags "$scratch/probe.cpp" -o "$scratch/probe" 2>/dev/null || continue
    exec 9>"$build/clang.lock"
    flock 9
    cmake -S "$root" -B "$build/clang" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS_RELEASE="$level -DNDEBUG" -DWITH_CUDA=OFF -DWITH_HIP=OFF -DWITH_FUZZERS=ON -DASSAY_TOGETHER=$together \
      -DCMAKE_C_COMPILER=clang$version -DCMAKE_CXX_COMPILER=clang++$version >"$scratch/clang.log" 2>&1 &&
      cmake --build "$build/clang" --target "$@" >"$scratch/clang.log" 2>&1 || fail "clang does not build $*"$'\n'"$(tail -n 40 "$scratch/clang.log")"
    flock -u 9
    return
  done
  skip "no clang++ can link with '$flags'; install clang-22 and libclang-rt-22-dev"
}

# keep_rows COUNT [TABLE]...: keeps the header and the first COUNT rows of each table.
keep_rows() { [ $# -lt 2 ] || sed -i -s "$(($1 + 2)),\$d" "${@:2}"; }

# few_cases FOLDER [OP]...: reduces copied case tables to the first row of each listed op; other ops get none.
few_cases() {
  local folder=$1 op table
  local -a few=() none=()
  shift
  for op in "$@"; do few+=("$folder/suites/$op/cases/quick.csv"); done
  for table in "$folder"/suites/*/cases/*.csv; do [[ " ${few[*]} " == *" $table "* ]] || none+=("$table"); done
  keep_rows 1 "${few[@]}"
  keep_rows 0 "${none[@]}"
}

# only_ops FOLDER OP...: keeps copied case tables of the listed ops; other ops get none.
only_ops() {
  local folder=$1 op table
  local -a others=()
  shift
  for table in "$folder"/suites/*/cases/*.csv; do
    op=${table#"$folder/suites/"}
    [[ " $* " == *" ${op%%/*} "* ]] || others+=("$table")
  done
  keep_rows 0 "${others[@]}"
}

# data_copy FOLDER: copies the tables of suites and contracts, for editing.
data_copy() {
  mkdir -p "$1/reference"
  cp -r "$root/suites" "$1/"
  cp -r "$root/reference/contracts" "$1/reference/"
}
