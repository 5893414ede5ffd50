#!/usr/bin/env bash
# Runs the programs of harness/fuzz for some seconds each, starting from files of this tree with a fixed seed: no file content
# crashes a reader. A reader with a planted bug is caught.
. "$(dirname "$0")/lib.sh"
clang_tree "-fsanitize=fuzzer,address,undefined" assay_fuzzers
seeds=$scratch/seeds
mkdir -p "$seeds"/{csv,recipe,safetensors,npy,golden,believes_length}
cp -r "$root"/harness/fuzz/corpus/* "$seeds/"
for op in "$root"/suites/*/cases; do cp "$op/quick.csv" "$seeds/csv/$(basename "$(dirname "$op")")"; done
python3 - "$root" "$seeds" <<'END' || fail "cannot write the first files"
import csv, glob, json, struct, sys
root, seeds = sys.argv[1:]
cells = {cell for file in glob.glob(root + "/reference/contracts/*.csv") for row in csv.reader(open(file)) for cell in row if "(" in cell}
for i, cell in enumerate(sorted(cells)):
    open(f"{seeds}/recipe/{i}", "w").write(cell)
for i, (descr, size) in enumerate([("<f4", 4), ("|u1", 1), ("<V2", 2)]):
    head = repr({"descr": descr, "fortran_order": False, "shape": (2, 3)}).encode()
    head += b" " * (-(len(head) + 11) % 64) + b"\n"
    open(f"{seeds}/npy/{i}", "wb").write(b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head + bytes(6 * size))
head = json.dumps({"q": {"dtype": "F8_E4M3", "shape": [2, 3], "data_offsets": [0, 6]}, "__metadata__": {"a": "b"}}).encode()
open(f"{seeds}/safetensors/0", "wb").write(struct.pack("<Q", len(head)) + head + bytes(6))
for file in glob.glob(root + "/golden/predicted/*.json"):
    golden = json.load(open(file))
    cases = next(key for key, value in golden.items() if isinstance(value, dict) and len(value) > 2)
    golden[cases] = dict(list(golden[cases].items())[:2])
    golden["count"] = 2
    open(f"{seeds}/golden/{golden['op']}", "w").write(json.dumps(golden))
END

# fuzz NAME: one minute (a sample: 10000 runs, one second). Inputs that crash are kept. ASSAY_FUZZ_SEED selects other inputs.
runs=-1 seconds=60 seed=${ASSAY_FUZZ_SEED:-1}
[ -z "$sample" ] || runs=10000 seconds=1
fuzz() {
  mkdir -p "$build/fuzz_crashes" "$scratch/grown/$1"
  "$build/clang/harness/fuzz/fuzz_$1" -runs=$runs -max_total_time=$seconds -seed=$seed -max_len=4096 -timeout=10 -rss_limit_mb=2048 \
    -artifact_prefix="$build/fuzz_crashes/$1-" "$scratch/grown/$1" "$seeds/$1" >"$scratch/$1.log" 2>&1
}
for program in csv recipe safetensors npy golden json expression describe ledger; do
  fuzz $program || fail "fuzz_$program: see $build/fuzz_crashes"$'\n'"$(tail -n 40 "$scratch/$program.log")"
  grep '^Done' "$scratch/$program.log" | sed "s/^Done/$program:/"
done
fuzz believes_length && fail "the fuzzer missed a reader that trusts a stated length"
grep -q 'heap-buffer-overflow' "$scratch/believes_length.log" || fail "the wrong reader failed in another way"$'\n'"$(cat "$scratch/believes_length.log")"
echo passed
