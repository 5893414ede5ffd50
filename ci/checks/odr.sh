#!/usr/bin/env bash
# No two types of one name in one namespace: neither compiler nor linker sees that. Second types of names that are taken are seen.
. "$(dirname "$0")/lib.sh"
python3 -B "$(dirname "$0")/odr.py" "$root" --mutants || fail "two types have one name, or a second one is not seen"
echo passed
