#!/usr/bin/env bash
# `contracts match` on a small dump tells FP4 quantizations apart. For variants that the dump does not tell apart, an input is tested that does, or all inputs are tested and none does.
. "$(dirname "$0")/lib.sh"
python3 "$(dirname "$0")/fp4_variants.py" "$assay" "$scratch" || fail "see above"
echo passed
