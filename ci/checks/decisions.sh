#!/usr/bin/env bash
# Pages of docs/decisions are complete and name guards that exist. Damaged pages are found.
. "$(dirname "$0")/lib.sh"
python3 -B "$(dirname "$0")/decisions.py" "$root" --mutants || fail "a decision page is incomplete, or a damaged one is not found"
echo passed
