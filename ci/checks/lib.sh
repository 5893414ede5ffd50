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

# data_copy FOLDER: tables of the suites and contracts, to be edited.
data_copy() {
  mkdir -p "$1/reference"
  cp -r "$root/suites" "$1/"
  cp -r "$root/reference/contracts" "$1/reference/"
}
