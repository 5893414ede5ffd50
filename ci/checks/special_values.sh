#!/usr/bin/env bash
# The table of special values matches the contracts, and an outdated cell is reported with file and line.
. "$(dirname "$0")/lib.sh"
table=$root/reference/contracts/SPECIALS.md copy=$scratch/SPECIALS.md

expect 0 '' "$assay" contracts specials --check "$table"

sed 's/^\(| vllm.group_fp8_packed |\) 5e: 00 /\1 55: 00 /' "$table" >"$copy"
line=$(diff "$table" "$copy" | sed -n '1s/c.*//p')
expect 1 "$copy:$line: has '| vllm.group_fp8_packed | 55: 00 |" "$assay" contracts specials --check "$copy"
expect 0 'written' "$assay" contracts specials --write "$copy"
cmp "$copy" "$table" || fail "assay contracts specials --write does not restore the edited table"
