#!/usr/bin/env bash
# The power table of the suites is that of today's case tables, and a cell that is not is named by file and line.
. "$(dirname "$0")/lib.sh"
readme=$root/suites/POWER.md copy=$scratch/POWER.md

expect 0 '' "$assay" power --check "$readme"

sed 's/^\(| sum: ignores the data |\) 2 /\1 1 /' "$readme" >"$copy"
line=$(diff "$readme" "$copy" | sed -n '1s/c.*//p')
expect 1 "$copy:$line: has '| sum: ignores the data | 1 |" "$assay" power --check "$copy"
expect 0 'written' "$assay" power --write "$copy"
cmp "$copy" "$readme" || fail "writing does not restore the table"

grep -v '^<!-- end: assay power' "$readme" >"$copy"
expect 2 'has no lines' "$assay" power --check "$copy"
