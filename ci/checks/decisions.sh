#!/usr/bin/env bash
# Pages of docs/decisions are complete and name existing tests. Damaged pages are detected.
. "$(dirname "$0")/lib.sh"
python3 -B "$(dirname "$0")/pages.py" decisions "$root" --mutants || fail "a page of docs/decisions is incomplete, or the check misses a page that was damaged on purpose; see above"
echo passed
