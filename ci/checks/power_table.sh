#!/usr/bin/env bash
# An outdated cell of POWER.md or SHARPNESS.md is reported with file and line. checks/regenerate compares the complete tables.
. "$(dirname "$0")/lib.sh"
data_copy "$scratch/data"
only_ops "$scratch/data" rms_norm
export ASSAY_DATA=$scratch/data
part() { awk '/^### |^<!-- end/ {on = $2 == "rms_norm"} on' "$1"; }
for kind in power sharpness; do
  table=$scratch/$kind.md copy=$scratch/copy.md
  cp "$root/suites/${kind^^}.md" "$table"
  expect 0 'written' "$assay" $kind --write "$table"
  expect 0 '' "$assay" $kind --check "$table"
  if [ $kind = power ]; then
    [ "$(part "$root/suites/POWER.md" | wc -l)" -gt 20 ] && [ "$(part "$root/suites/POWER.md")" = "$(part "$table")" ] ||
      fail "suites/POWER.md: the part of rms_norm differs from the output of 'assay power' without records"
    sed 's/^| sum: ignores the data |[0-9]*|/| sum: ignores the data |0|/' "$table" >"$copy"
  else
    sed 's/^\(| rms_norm, y bf16 | [0-9]* | [0-9]* | \)99/\198/' "$table" >"$copy"
  fi
  line=$(diff "$table" "$copy" | sed -n '1s/c.*//p')
  expect 1 "$copy:$line: has '| " "$assay" $kind --check "$copy"
  grep -v "^<!-- end: assay $kind" "$table" >"$copy"
  expect 2 'has no lines' "$assay" $kind --check "$copy"
done
echo passed
