#!/usr/bin/env bash
# The tables of power and of sharpness are those of today's case tables, and a cell that is not is named by file and line. On a
# sample the table of power is that of one op, and sharpness is of one op and written here.
. "$(dirname "$0")/lib.sh"
readme=$root/suites/POWER.md sharpness=$root/suites/SHARPNESS.md copy=$scratch/POWER.md
if [ -n "$sample" ]; then
  data_copy "$scratch/data"
  only_ops "$scratch/data" rms_norm
  export ASSAY_DATA=$scratch/data
  for kind in power sharpness; do
    cp "$([ $kind = power ] && echo "$readme" || echo "$sharpness")" "$scratch/$kind.md"
    expect 0 'written' "$assay" $kind --write "$scratch/$kind.md"
  done
  part() { awk '/^### |^<!-- end/ {on = $2 == "rms_norm"} on' "$1"; }
  [ "$(part "$readme" | wc -l)" -gt 20 ] && [ "$(part "$readme")" = "$(part "$scratch/power.md")" ] ||
    fail "the part of rms_norm in suites/POWER.md is not what 'assay power --write' makes"
  readme=$scratch/power.md sharpness=$scratch/sharpness.md
fi

# A table is reckoned for a minute, so what writing restores is what says that the table is that of today.
sed 's/^| sum: ignores the data | [0-9]* |/| sum: ignores the data | 0 |/' "$readme" >"$copy"
line=$(diff "$readme" "$copy" | sed -n '1s/c.*//p')
expect 1 "$copy:$line: has '| sum: ignores the data | 0 |" "$assay" power --check "$copy"
expect 0 'written' "$assay" power --write "$copy"
cmp "$copy" "$readme" || fail "suites/POWER.md is not what 'assay power --write' makes"

grep -v '^<!-- end: assay power' "$readme" >"$copy"
expect 2 'has no lines' "$assay" power --check "$copy"

# Sharpness.
expect 0 '' "$assay" sharpness --check "$sharpness"
sed 's/^\(| rms_norm, y bf16 | [0-9]* | [0-9]* | \)99/\198/' "$sharpness" >"$copy"
expect 1 "has '| rms_norm, y bf16" "$assay" sharpness --check "$copy"
echo passed
