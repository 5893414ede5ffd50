#!/usr/bin/env bash
# Which room may include which: ci/allowed_includes.csv. Forbidden includes and a table that lacks a permission are seen.
. "$(dirname "$0")/lib.sh"
python3 -B "$(dirname "$0")/includes.py" "$root" --mutants || fail "an include is not allowed, or a mutant is not seen"
echo passed
