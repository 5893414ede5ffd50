#!/usr/bin/env bash
# The same command says the same everywhere: the program built by clang and by g++, on AVX-512, AVX2 and scalar code, writes the same
# verdicts, ULP and shares of the budget byte for byte, for kernels that pass and for kernels that fail. An edited contract is seen.
. "$(dirname "$0")/lib.sh"
clang_tree "-O2" assay assay_kernels_cpu

# verdicts PROGRAM NAME: reports without their seconds and without what they say about their run, as $scratch/NAME.
verdicts() {
  local part
  : >"$scratch/$2"
  for part in "0 cpu quick" "1 $build/libassay_faulty.so rms_norm/quick"; do
    set -- "$1" "$2" $part
    "$1" run --backend "$4" --suite "$5" --warp 32 --report csv:"$scratch/report.csv" >"$scratch/log" 2>&1
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
verdicts "$build/clang/assay" clang
same native clang || fail "g++ and clang differ"
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
echo "$(wc -l <"$scratch/native") lines are the same: g++, clang, ${sets[*]}"
echo passed
