#!/usr/bin/env bash
# Verdicts are reproducible: built by clang and by g++, with AVX-512, AVX2 and scalar code, the program writes identical verdicts,
# ULP distances and budget uses for correct and faulty kernels. An edited contract is detected. A sample checks some cases of
# two ops, and builds only the casts with clang.
. "$(dirname "$0")/lib.sh"
parts=("0 cpu quick *" "1 $build/libassay_faulty.so rms_norm/quick *")
[ -z "$sample" ] || parts=("0 cpu quant_group/quick */normal*" "0 cpu rms_norm/quick */normal*" "1 $build/libassay_faulty.so rms_norm/quick *.n1024.*")

# verdicts PROGRAM NAME: runs all parts and joins their reports in $scratch/NAME.csv.
verdicts() {
  local part
  rm -f "$scratch/$2.csv"
  for part in "${parts[@]}"; do
    set -f
    set -- "$1" "$2" $part
    set +f
    "$1" run --backend "$4" --suite "$5" --case "$6" --warp 32 --reckon-power --report csv:"$scratch/report.csv" >"$scratch/log" 2>&1
    [ $? -eq "$3" ] || [ "$2" = edited ] || fail "$2, $4: $(tail -n 5 "$scratch/log")"
    if [ -s "$scratch/$2.csv" ]; then sed 1d "$scratch/report.csv"; else cat "$scratch/report.csv"; fi >>"$scratch/$2.csv"
  done
}
# missing_barrier has a race, so its results vary.
same() { python3 "$root/ci/same_verdicts" "$scratch/$1.csv" "$scratch/$2.csv" --every-column --without missing_barrier; }

verdicts "$assay" native
if [ -n "$sample" ]; then
  clang_tree "-O2" dump_casts
  (cd "$root" && "$build/clang/reference/dump_casts" >"$scratch/casts_clang" && "$build/reference/dump_casts" >"$scratch/casts")
  [ "$(wc -l <"$scratch/casts")" -gt 1000 ] && cmp "$scratch/casts" "$scratch/casts_clang" || fail "the casts of the builds with g++ and clang differ"
else
  clang_tree "-O2" assay assay_kernels_cpu
  verdicts "$build/clang/assay" clang
  same native clang || fail "the verdicts of the builds with g++ and clang differ"
fi
sets=(scalar)
! grep -qw avx2 /proc/cpuinfo || sets+=(avx2)
! grep -qw avx512f /proc/cpuinfo || sets+=(avx512)
for isa in "${sets[@]}"; do
  ASSAY_ISA=$isa verdicts "$assay" "$isa"
  same native "$isa" || fail "the verdicts with $isa differ from the verdicts without a restriction"
done

data_copy "$scratch/data"
sed -i '/^vllm.rms_norm@2026-06-18/s/mul(r) mul(w) to(x)/mul(r) to(x) mul(w) to(x)/' "$scratch/data/reference/contracts/norm.csv"
ASSAY_DATA=$scratch/data verdicts "$assay" edited
same native edited >"$scratch/log" && fail "the verdicts under an edited contract are reported as equal"
lines=$(wc -l <"$scratch/native.csv")
[ "$lines" -gt 30 ] || fail "expected more than 30 verdicts, got $lines"

# ci/same_verdicts reports a different cell, a missing row, and causes that merge or split.
compare() { python3 "$root/ci/same_verdicts" "$scratch/old.csv" "$scratch/new.csv"; }
reports() {
  printf 'case,kernel,tensor,warp,outcome,elements,outside,worst_ulps,single_code,budget_use,faults_seen,faults,seconds\n' >"$scratch/$1.csv"
  printf 'op/a/w32,k,y,32,fail,8,%s,1,8,1.5,3,4,0.1\nop/b/w64,k,y,64,fail,8,1,1,8,1.5,3,4,0.1\n' "$2" >>"$scratch/$1.csv"
  printf '{"verdicts":[{"case":"a","kernel":"k","causes":["%s"]},{"case":"b","kernel":"k","causes":["%s"]}]}' "$3" "$4" >"$scratch/$1.json"
}
reports old 1 "sum in f16" "gamma left out"
reports new 1 "f16 sum" "no gamma"
expect 0 "2 rows in the old report and 2 in the new one, lanes 32 64, 2 verdicts with a cause: no differences" compare
reports new 2 "f16 sum" "no gamma"
expect 1 "op/a/w32 k y: outside: 1 -> 2" compare
reports new 1 "f16 sum" "f16 sum"
expect 1 "b k: cause 'f16 sum' was 'gamma left out', but 'sum in f16' in an earlier row" compare
reports old 1 "f16 sum" "f16 sum"
reports new 1 "f16 sum" "no gamma"
expect 1 "b k: cause 'f16 sum' is now 'no gamma', but 'f16 sum' in an earlier row" compare
sed -i '$d' "$scratch/new.csv"
expect 1 "op/b/w64 k y: is only in the old report" compare
sed -i 's/,outside,/,outsides,/' "$scratch/new.csv"
expect 2 "got no column outside" compare
expect 2 "expected a commit or a FILE.csv" python3 "$root/ci/same_verdicts" no_such_commit "$scratch/new.csv"
echo "$lines lines are the same: g++, ${sample:+the casts of }clang, ${sets[*]}"
echo passed
