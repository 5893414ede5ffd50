#!/usr/bin/env bash
# Each finding has all required fields, its tables exist, its command selects cases, and its faults are in the tables of detected
# faults. A section that lacks one of these is reported.
. "$(dirname "$0")/lib.sh"
findings() { python3 -B "$(dirname "$0")/findings.py" "$1" "$root" "$assay"; }
expect 0 'sections' findings "$root/suites/FINDINGS.md"
damaged() {
  sed "$1" "$root/suites/FINDINGS.md" >"$scratch/FINDINGS.md"
  expect 1 "$2" findings "$scratch/FINDINGS.md"
}
damaged '0,/\*\*Evidence:\*\*/s//Evidence:/' 'says no **Evidence:**'
damaged 's/`azp_sum_wraps`/`azp_sums_wrap`/' "'azp_sums_wrap' is neither in faults.csv nor in strangers.csv"
damaged 's#cases/full_findings.csv#cases/full_found.csv#' 'full_found.csv is no table'
damaged "s/\*stride1025\*/*stride1027*/" "selects no case: assay run --backend LIB --suite rms_norm/quick --case '*stride1027*'"
echo passed
