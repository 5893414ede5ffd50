#!/usr/bin/env bash
# ci/mutants on two mutants of one file: the quick tier kills one; the other is equivalent and survives. A table that lists the killed mutant as equivalent is rejected; a table that lists it as `sanitizer` is accepted.
. "$(dirname "$0")/lib.sh"
file=$root/kernels/ops/layouts/shuffle_weight_kernel.h
moved='return row / kRows * (runs_of_row * kRows) + run * kRows + row % kRows;: % -> /'
equal='if (simt::thread() == 0) *to = answer;: 0 + 1'
mutants() { "$root/ci/mutants" "$file" --build "$build" --out "$scratch/out" --only "$moved" --only "$equal" "$@"; }

output=$(mutants) || { code=$?; [ $code -ne 77 ] || skip "$output"; fail "exit code $code: $output"; }
grep -qF "2 mutants: 1 killed, 0 refused, 0 survived, 0 unreached, 1 equivalent" <<<"$output" || fail "$output"
grep -qF "killed: $moved (" <<<"$output" || fail "expected '$moved' among the killed mutants, got: $output"
grep -qF "equivalent: $equal" <<<"$output" || fail "expected '$equal' among the equivalent mutants, got: $output"

# A second run reads the log of the first. Without the table, the equivalent mutant counts as a survivor.
head -n 1 "$root/suites/catches/mutants_equivalent.csv" >"$scratch/none.csv"
expect 0 "1 killed, 0 refused, 1 survived" mutants --equivalent "$scratch/none.csv"
grep -qF "thread() == 0" "$scratch/out/survivors.csv" || fail "survivors.csv does not list the surviving mutant thread() == 0"

column=$("$root/ci/mutants" "$file" --build "$build" --list | grep -F "${moved##*: }: ${moved%: *}" | cut -d: -f3)
{ cat "$scratch/none.csv"; echo "kernels/ops/layouts/shuffle_weight_kernel.h,$column,${moved%: *},${moved##*: },equivalent,wrong"; } >"$scratch/wrong.csv"
expect 1 "wrong.csv: class equivalent: no case may kill this mutant, but shuffle_weight/" mutants --equivalent "$scratch/wrong.csv"
# The effect of a mutant that accesses memory outside an array depends on the compiler, so a case may kill it.
sed -i 's/,equivalent,wrong/,sanitizer,wrong/' "$scratch/wrong.csv"
expect 0 "1 killed" mutants --equivalent "$scratch/wrong.csv"

{ cat "$scratch/none.csv"; echo "kernels/ops/layouts/shuffle_weight_kernel.h,$column,${moved%: *},${moved##*: },boring,wrong"; } >"$scratch/class.csv"
expect 1 "class: expected equivalent, sanitizer or device, got 'boring'" mutants --equivalent "$scratch/class.csv"

{ cat "$scratch/none.csv"; echo "kernels/ops/layouts/shuffle_weight_kernel.h,$column,return of_another_version;,${moved##*: },equivalent,stale"; } >"$scratch/stale.csv"
expect 1 "has no line 'return of_another_version;'; remove the row, or update it" mutants --equivalent "$scratch/stale.csv"

# Without a budget the run stops and reports pending mutants; the next run continues.
expect 1 "2 pending" mutants --fresh --cpu-minutes 0
expect 0 "1 killed" mutants

# An earlier call's causes.md is deleted, even if this call is interrupted.
echo "reports of another call" >"$scratch/out/causes.md"
expect 1 "2 pending" mutants --fresh --causes --cpu-minutes 0
! grep -qF "another call" "$scratch/out/causes.md" || fail "causes.md still contains the text that an earlier call wrote"
expect 0 "1 killed" mutants --causes
grep -qF "$(sed 's/.*;: //' <<<"$moved")" "$scratch/out/causes.md" || fail "causes.md lacks the killed mutant"
