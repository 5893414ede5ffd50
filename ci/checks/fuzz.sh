#!/usr/bin/env bash
# Calls every reader of untrusted files with files of this tree and with randomly changed copies (fixed seed). No content may crash
# a reader, and a reader with a planted bug must be caught. A sample calls assay_replay_readers, which every build has; the whole
# check runs libFuzzer with sanitizers for a minute each, which needs clang.
. "$(dirname "$0")/lib.sh"
[ -n "$sample" ] || clang_tree "-fsanitize=fuzzer,address,undefined" assay_fuzzers
seeds=$scratch/seeds
mkdir -p "$seeds"/{csv,recipe,safetensors,npy,golden,believes_length}
cp -r "$root"/harness/fuzz/corpus/* "$seeds/"
for op in "$root"/suites/*/cases; do cp "$op/quick.csv" "$seeds/csv/$(basename "$(dirname "$op")")"; done
python3 - "$root" "$seeds" <<'END' || fail "cannot write the files with which the fuzz tests begin"
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

mkdir -p "$build/fuzz_crashes"
# fuzz READER: runs libFuzzer and keeps inputs that crash. ASSAY_FUZZ_SEED selects other inputs.
fuzz() {
  local seed=${ASSAY_FUZZ_SEED:-1}
  if [ -n "$sample" ]; then
    "$build/harness/assay_replay_readers" "$1" "$seeds/$1" 5000 "$seed" "$build/fuzz_crashes/replay" >"$scratch/$1.log" 2>&1
  else
    mkdir -p "$scratch/grown/$1"
    "$build/clang/harness/fuzz/fuzz_$1" -max_total_time=60 -seed="$seed" -max_len=4096 -timeout=10 -rss_limit_mb=2048 \
      -artifact_prefix="$build/fuzz_crashes/$1-" "$scratch/grown/$1" "$seeds/$1" >"$scratch/$1.log" 2>&1
  fi
}
for reader in csv recipe safetensors npy golden json expression describe ledger; do
  fuzz $reader || fail "the fuzz test of reader '$reader' failed; inputs that made it fail, if any, are in $build/fuzz_crashes"$'\n'"$(tail -n 40 "$scratch/$reader.log")"
  grep -E '^Done|inputs$' "$scratch/$reader.log" | sed "s/^Done/$reader:/"
done
fuzz believes_length && fail "the fuzz test of believes_length, a reader with a planted bug, finds no failure"
found='heap-buffer-overflow'
[ -z "$sample" ] || found='Segmentation fault'
grep -q "$found" "$scratch/believes_length.log" || fail "expected '$found' in the output of the fuzz test of believes_length, a reader with a planted bug"$'\n'"$(cat "$scratch/believes_length.log")"
rm -f "$build"/fuzz_crashes/*believes_length*
echo passed
