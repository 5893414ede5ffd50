#!/usr/bin/env bash
# `contracts match` tells most FP4 contracts apart on a small dump. Others need a special input, or agree on every input.
. "$(dirname "$0")/lib.sh"
python3 "$(dirname "$0")/fp4_variants.py" "$assay" "$scratch" || fail "see above"
echo passed
