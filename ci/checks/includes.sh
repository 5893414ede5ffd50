#!/usr/bin/env bash
# Which module may include which: ci/allowed_includes.csv. Forbidden includes and missing permissions are detected.
. "$(dirname "$0")/lib.sh"
python3 -B "$(dirname "$0")/includes.py" "$root" --mutants || fail "an #include is not allowed, or the check misses a forbidden #include that was planted; see above"
echo passed
