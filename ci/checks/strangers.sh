#!/usr/bin/env bash
# strangers.csv says which tier detects each mistake of libassay_strangers.so. Runs check these rows; wrong and missing rows are reported.
. "$(dirname "$0")/lib.sh"
data_copy "$scratch/data"
mkdir -p "$scratch/data/suites/catches"
table=$scratch/data/suites/catches/strangers.csv
as_it_is() { cp "$root/suites/catches/strangers.csv" "$table"; }
strangers() { "$build/suites/assay_strangers" "$scratch/data" "$build" "$@"; }
as_it_is
expect 0 '9 kernels, 0 of them not as strangers.csv claims' strangers 'given*'
sed -i 's/^given,right,/given,quick,/' "$table"
expect 1 "given: expected 'quick' (column seen of strangers.csv), got 'no tier'" strangers 'given*'
as_it_is
sed -i 's/^given_tail_divides,quick,/given_tail_divides,right,/' "$table"
expect 1 "given_tail_divides: expected 'right' (column seen of strangers.csv), got 'quick'" strangers 'given*'
as_it_is
sed -i '/^given_last_code,/d' "$table"
expect 2 "has no row for 'given_last_code'" strangers 'given*'
as_it_is
sed -i 's/^given,right,/given,often,/' "$table"
expect 2 "'often' is not one of: right, quick, far, full, ladder, no tier" strangers 'given*'
# Without the cases that were written for these mistakes, the tiers detect fewer of them.
as_it_is
rm "$scratch"/data/suites/quant_static/cases/quick_ends.csv
expect 1 "given_tail_nan_below: expected 'quick' (column seen of strangers.csv), got 'no tier'" strangers 'given*'
echo passed
