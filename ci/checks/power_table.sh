#!/usr/bin/env bash
# The power table in the suites' README is that of today's tables, and a cell that is not is named by file and line.
# usage: power_table.sh SOURCE BUILD
set -euo pipefail
source=$1 assay=$2/assay scratch=$(mktemp -d)
trap 'rm -r "$scratch"' EXIT
fail() { echo "power_table: $1"; exit 1; }

"$assay" power --check "$source/suites/README.md" || fail "out of date"

copy=$scratch/README.md
sed 's/^| M: 448 -> 224 and 1 like it | 26 |/| M: 448 -> 224 and 1 like it | 27 |/' "$source/suites/README.md" >"$copy"
line=$(grep -n -m1 'like it | 27 |' "$copy" | cut -d: -f1) || fail "there is no such cell to edit"
status=0
said=$("$assay" power --check "$copy") || status=$?
[ "$status" -eq 1 ] || fail "an edited cell is not noticed: exit code $status"
case $said in *"$copy:$line: "*) ;; *) fail "the edited line $line is not named: $said" ;; esac

"$assay" power --write "$copy"
cmp "$copy" "$source/suites/README.md" || fail "writing does not restore the table"

grep -v '^<!-- end: assay power' "$source/suites/README.md" >"$copy"
status=0
"$assay" power --check "$copy" 2>/dev/null || status=$?
[ "$status" -eq 2 ] || fail "a file without the marks gives exit code $status"
