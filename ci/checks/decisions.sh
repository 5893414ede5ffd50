#!/usr/bin/env bash
# Decisions have ids of their own and guards that exist. Those that do not are seen.
. "$(dirname "$0")/lib.sh"
python3 -B "$(dirname "$0")/decisions.py" "$root" --mutants || fail "a decision lacks something, or a mutant is not seen"
echo passed
