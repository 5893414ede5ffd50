#!/usr/bin/env bash
# `contracts match` tells FP4 contracts apart on a small dump. For others, another input does, or a test of all inputs finds none.
. "$(dirname "$0")/lib.sh"
python3 "$(dirname "$0")/fp4_variants.py" "$assay" "$scratch" || fail "see above"
echo passed
