#!/usr/bin/env bash
# No two types have the same name in one namespace; neither compiler nor linker detects this. Planted duplicates must be detected.
. "$(dirname "$0")/lib.sh"
python3 -B "$(dirname "$0")/odr.py" "$root" --mutants || fail "two types have the same name, or the check misses a second type that was planted; see above"
echo passed
