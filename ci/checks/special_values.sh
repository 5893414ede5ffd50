#!/usr/bin/env bash
# The table of special values is what the contracts say today, and a cell that is not is named by file and line.
. "$(dirname "$0")/lib.sh"
readme=$root/reference/contracts/README.md copy=$scratch/README.md

expect 0 '' "$assay" contracts specials --check "$readme"

sed 's/^\(| vllm.group_fp8_packed |\) 5e: 00 /\1 55: 00 /' "$readme" >"$copy"
line=$(diff "$readme" "$copy" | sed -n '1s/c.*//p')
expect 1 "$copy:$line: has '| vllm.group_fp8_packed | 55: 00 |" "$assay" contracts specials --check "$copy"
expect 0 'written' "$assay" contracts specials --write "$copy"
cmp "$copy" "$readme" || fail "writing does not restore the table"
