#!/usr/bin/env bash
# The tables of power and of sharpness are those of today's case tables, and a cell that is not is named by file and line.
. "$(dirname "$0")/lib.sh"
readme=$root/suites/POWER.md copy=$scratch/POWER.md

# A table is reckoned for a minute, so what writing restores is what says that the table is that of today.
sed 's/^| sum: ignores the data | [0-9]* |/| sum: ignores the data | 0 |/' "$readme" >"$copy"
line=$(diff "$readme" "$copy" | sed -n '1s/c.*//p')
expect 1 "$copy:$line: has '| sum: ignores the data | 0 |" "$assay" power --check "$copy"
expect 0 'written' "$assay" power --write "$copy"
cmp "$copy" "$readme" || fail "suites/POWER.md is not what 'assay power --write' makes"

grep -v '^<!-- end: assay power' "$readme" >"$copy"
expect 2 'has no lines' "$assay" power --check "$copy"

# Sharpness.
expect 0 '' "$assay" sharpness --check "$root/suites/README.md"
sed 's/^\(| rms_norm, y bf16 | [0-9]* | [0-9]* | \)99/\198/' "$root/suites/README.md" >"$copy"
expect 1 "has '| rms_norm, y bf16" "$assay" sharpness --check "$copy"
