#!/usr/bin/env bash
# `contracts match` on a small dump tells the FP4 quantizations apart. Those that it cannot are listed with the input that would, or
# with a proof that none would.
. "$(dirname "$0")/lib.sh"
python3 "$(dirname "$0")/fp4_variants.py" "$assay" "$scratch" || fail "see above"
echo passed
