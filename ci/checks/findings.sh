#!/usr/bin/env bash
# Each finding has all required fields, its tables exist, its command selects cases, and its faults are in the tables of detected
# faults. A section that lacks one of these is reported.
. "$(dirname "$0")/lib.sh"
findings() { python3 -B "$(dirname "$0")/findings.py" "$1" "$root" "$assay" "${2:-$root/README.md}"; }
expect 0 'sections' findings "$root/suites/FINDINGS.md"
damaged() {
  sed "$1" "$root/suites/FINDINGS.md" >"$scratch/FINDINGS.md"
  expect 1 "$2" findings "$scratch/FINDINGS.md"
}
damaged '0,/\*\*Evidence:\*\*/s//Evidence:/' 'says no **Evidence:**'
damaged 's/`azp_sum_wraps`/`azp_sums_wrap`/' "'azp_sums_wrap' is neither in faults.csv nor in strangers.csv"
damaged 's#cases/full_findings.csv#cases/full_found.csv#' 'full_found.csv is not a table'
damaged "s/\*stride1025\*/*stride1027*/" "selects no case: assay run --backend LIB --suite rms_norm/quick --case '*stride1027*'"
damaged '/^| \[int8 wraps/d' 'the table does not list the sections'
damaged '/^| \[int8 wraps/s/| wrong |/| odd |/' 'the table does not list the sections'

# The numbers in README.md equal the numbers in the tables.
for figure in 's/[0-9]* wrong results/99 wrong results/' 's/[0-9]* findings/99 findings/' "s/[0-9]* % of planted/99 % of planted/" "s/[0-9]* % on Assay's/99 % on Assay's/" 's/all 254/all 99/'; do
  sed "$figure" "$root/README.md" >"$scratch/README.md"
  expect 1 "README.md does not say: " findings "$root/suites/FINDINGS.md" "$scratch/README.md"
done
echo passed
