#!/usr/bin/env bash
# `contracts match` on a small dump tells the FP4 quantizations apart. Variants that it cannot expose are listed with an input that would, or with a proof that no input can.
. "$(dirname "$0")/lib.sh"
python3 "$(dirname "$0")/fp4_variants.py" "$assay" "$scratch" || fail "see above"
echo passed
