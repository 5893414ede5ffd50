#!/usr/bin/env bash
# The same command says the same everywhere: the program built by clang and by g++, on AVX-512, AVX2 and scalar code, writes the same
# verdicts, ULP and shares of the budget byte for byte, for kernels that pass and for kernels that fail. An edited contract is seen. A sample
# judges some cases of two ops, and of clang it builds only what gives the runs of all casts.
. "$(dirname "$0")/lib.sh"
parts=("0 cpu quick *" "1 $build/libassay_faulty.so rms_norm/quick *")
[ -z "$sample" ] || parts=("0 cpu quant_group/quick */normal*" "0 cpu rms_norm/quick */normal*" "1 $build/libassay_faulty.so rms_norm/quick *.n1024.*")

# verdicts PROGRAM NAME: reports without their seconds and without what they say about their run, as $scratch/NAME.
verdicts() {
  local part
  : >"$scratch/$2"
  for part in "${parts[@]}"; do
    set -f
    set -- "$1" "$2" $part
    set +f
    "$1" run --backend "$4" --suite "$5" --case "$6" --warp 32 --reckon-power --report csv:"$scratch/report.csv" >"$scratch/log" 2>&1
    [ $? -eq "$3" ] || [ "$2" = edited ] || fail "$2, $4: $(tail -n 5 "$scratch/log")"
    python3 - "$scratch/report.csv" >>"$scratch/$2" <<'END'
import csv, sys
for row in csv.DictReader(open(sys.argv[1])):
    if row["kernel"] == "missing_barrier": continue  # a race: it does not even agree with itself
    print(*(cell for column, cell in row.items() if column != "seconds" and not column.startswith("run_")), sep=",")
END
  done
}
same() { cmp "$scratch/$1" "$scratch/$2"; }

verdicts "$assay" native
if [ -n "$sample" ]; then
  clang_tree "-O2" dump_casts
  (cd "$root" && "$build/clang/reference/dump_casts" >"$scratch/casts_clang" && "$build/reference/dump_casts" >"$scratch/casts")
  [ "$(wc -l <"$scratch/casts")" -gt 1000 ] && cmp "$scratch/casts" "$scratch/casts_clang" || fail "g++ and clang differ in casts"
else
  clang_tree "-O2" assay assay_kernels_cpu
  verdicts "$build/clang/assay" clang
  same native clang || fail "g++ and clang differ"
fi
sets=(scalar)
! grep -qw avx2 /proc/cpuinfo || sets+=(avx2)
! grep -qw avx512f /proc/cpuinfo || sets+=(avx512)
for isa in "${sets[@]}"; do
  ASSAY_ISA=$isa verdicts "$assay" "$isa"
  same native "$isa" || fail "$isa differs"
done

data_copy "$scratch/data"
sed -i '/^vllm.rms_norm@2026-06-18/s/mul(r) mul(w) to(x)/mul(r) to(x) mul(w) to(x)/' "$scratch/data/reference/contracts/norm.csv"
ASSAY_DATA=$scratch/data verdicts "$assay" edited
same native edited >"$scratch/log" && fail "verdicts under an edited contract are taken for the same"
[ "$(wc -l <"$scratch/native")" -gt 30 ] || fail "only $(wc -l <"$scratch/native") verdicts"
echo "$(wc -l <"$scratch/native") lines are the same: g++, ${sample:+the casts of }clang, ${sets[*]}"
echo passed
