#!/usr/bin/env bash
# Huge, endless or damaged files, and outputs that cannot be written, give one message quickly, and no other output is lost.
. "$(dirname "$0")/lib.sh"
r=$scratch
# quickly CODE TEXT COMMAND...: like expect, limited to 10 seconds of CPU time, 2 GiB of address space, and 2 minutes of real time.
quickly() { (ulimit -v 2097152 -t 10 && expect "$1" "$2" timeout 120 "${@:3}") || exit 1; }

python3 - "$r" <<'PYTHON' || fail "cannot write the files"
import json, struct, sys
folder = sys.argv[1]
def safetensors(name, header, data=b""):
    text = json.dumps(header).encode()
    with open(f"{folder}/{name}", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)
        return file.tell()
many = {f"layer.{i}.weight": {"dtype": "U8", "shape": [1], "data_offsets": [i, i + 1]} for i in range(40000)}
safetensors("many.safetensors", many, bytes(40000))
safetensors("few.safetensors", {"hidden": {"dtype": "BF16", "shape": [2, 2], "data_offsets": [0, 8]},
                                "out": {"dtype": "BF16", "shape": [2, 2], "data_offsets": [8, 16]}}, bytes(16))
for name, size in ("huge", 32 << 30), ("large", 3 << 29):  # sparse files
    end = safetensors(f"{name}.safetensors", {"lone.weight": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}})
    with open(f"{folder}/{name}.safetensors", "r+b") as file:
        file.truncate(end + size)
open(f"{folder}/wide.csv", "w").write(",".join(f"c{i}" for i in range(10**6)) + "\n")
open(f"{folder}/long_row.csv", "w").write("id,why\n" + "," * 10**6 + "\n")
PYTHON

# Readers take linear time, and messages list the existing names.
quickly 2 "did you mean 'layer.39999.weight'" "$assay" judge "$r/many.safetensors:layer.39999.weigt" --as scale
quickly 2 "no tensor for role 'x'; there are: layer.0.weight" "$assay" judge "$r/many.safetensors" --contract vllm.group_fp8
quickly 2 "no tensor for role 'x'; there are: hidden, out; name it with --tensor x=NAME" "$assay" judge "$r/few.safetensors" --contract vllm.group_fp8
quickly 2 "wide.csv:1: has more than 1000 columns" "$assay" --contracts "$r/wide.csv" list --suite rms_norm/quick
quickly 2 "long_row.csv:2: has more than 1000 columns" "$assay" list --cases "$r/long_row.csv" --op rms_norm
quickly 2 "/dev/zero: is not a regular file" "$assay" --contracts /dev/zero list --suite rms_norm/quick
mkfifo "$r/waits.csv"
quickly 2 "waits.csv: is not a regular file" "$assay" --contracts "$r/waits.csv" list --suite rms_norm/quick
quickly 0 "quant_group" "$assay" --contracts <(sed -n 1,2p "$root/reference/contracts/quant.csv" | sed '2s/^[^,]*/my.own_group/') list --suite quant_group/quick
quickly 2 "tensor 'lone.weight': holds 32 GiB" "$assay" judge "$r/huge.safetensors:lone.weight" --as scale
quickly 2 "tensor 'lone.weight': holds 1.5 GiB and needs 7.5 GiB here, too much for the 2 GiB" "$assay" judge "$r/large.safetensors:lone.weight" --as scale

# Endless formulas, lists and nesting are rejected quickly, with their position.
layouts=$root/reference/contracts/layouts.csv
formula() { # formula OFFSET WORDS: puts this offset formula into the first layout; the program must then print WORDS
  local copy=$r/formula
  rm -rf "$copy"
  mkdir -p "$copy/reference"
  ln -s "$root/suites" "$copy/suites"
  cp -r "$root/reference/contracts" "$copy/reference/"
  python3 -c 'import csv, sys
rows = list(csv.reader(open(sys.argv[1])))
rows[1][rows[0].index("offset")] = eval(sys.argv[3])
csv.writer(open(sys.argv[2], "w"), lineterminator="\n").writerows(rows)' "$layouts" "$copy/reference/contracts/layouts.csv" "$1"
  quickly 2 "$2" env ASSAY_DATA="$copy" "$assay" list --suite rms_norm/quick
}
formula '"(0-2)^63/(0-1)"' "layouts.csv:2:29: offset: a value does not fit in 64 bits"
formula '"m*1000000000000"' "outside its"
formula '"("*40000' "offset: is nested too deeply"
formula '"-"*60000' "offset: is nested too deeply"
quick=$root/suites/rms_norm/cases/quick.csv
python3 - "$quick" "$r" <<'PYTHON' || fail "cannot write the case tables"
import csv, json, sys
source, folder = sys.argv[1:]
rows = list(csv.reader(open(source)))
def table(name, **cells):
    row = list(rows[1])
    for column, cell in cells.items():
        row[rows[0].index(column)] = cell
    csv.writer(open(f"{folder}/{name}.csv", "w"), lineterminator="\n").writerows([rows[0], row])
many = "|".join(str(i) for i in range(1, 3001))
table("product", m=many, seed=many)
table("cell", m="|".join(str(i) for i in range(1, 200001)))
table("no_fill", fill="x" * 60000)
table("large", m="2097152", n="8192", blind_to="*")
for name, text in {"nested": '{"assay_golden": ' + "[" * 200000, "evil": '{"x\\u001b[31m": 1, "x\\u001b[31m": 2}', "number": '{"verdicts": [1e999999]}'}.items():
    open(f"{folder}/{name}.json", "w").write(text)
PYTHON
quickly 2 "product.csv:2: this row and the rows before it expand to more than 50000 cases" "$assay" list --op rms_norm --cases "$r/product.csv"
quickly 2 "a cell has more than 65536 bytes" "$assay" list --op rms_norm --cases "$r/cell.csv"
quickly 2 "unknown fill 'xxxx" "$assay" list --op rms_norm --cases "$r/no_fill.csv"
("$assay" list --op rms_norm --cases "$r/no_fill.csv" 2>&1 || true) | awk 'length > 2100 { exit 1 }' || fail "a message quotes all 60 KB of a cell"
quickly 2 "large.csv:2: the case does not fit into memory: tensor 'x' [2097152, 8192] of bf16: holds 32 GiB" "$assay" run --op rms_norm --cases "$r/large.csv"
quickly 2 "nested.json:1:273: is nested deeper than 256 levels" "$assay" run --trend "$r/nested.json"
quickly 2 "'x\x1b[31m' appears twice" "$assay" run --trend "$r/evil.json"
quickly 2 "number.json:1:22: has a number too large for double" "$assay" run --trend "$r/number.json"
mkdir -p "$r/endless" "$r/piped"
ln -s /dev/zero "$r/endless/index.json"
mkfifo "$r/piped/index.json"
quickly 2 "index.json: is not a regular file" "$assay" judge "$r/endless"
quickly 2 "index.json: is not a regular file" "$assay" judge "$r/piped"
# Text from tables cannot control the terminal or imitate a line of the program's output.
own() { # own CELL: writes a contract table with this text after the source
  python3 -c 'import csv, sys
rows = list(csv.reader(open(sys.argv[1])))[:2]
rows[1][0] = "my.own"
rows[1][rows[0].index("source")] += sys.argv[3]
csv.writer(open(sys.argv[2], "w"), lineterminator="\n").writerows(rows)' "$root/reference/contracts/quant.csv" "$r/own.csv" "$1"
}
own $'\x1b[31m'
quickly 2 'own.csv:2:130: holds \x1b, which is not a printable character' "$assay" --contracts "$r/own.csv" contracts show my.own
own $'\nALL AS EXPECTED'
quickly 0 '\nALL AS EXPECTED' "$assay" --contracts "$r/own.csv" contracts show my.own
! "$assay" --contracts "$r/own.csv" contracts show my.own | grep -q '^ALL AS EXPECTED' || fail "text of a table cell is printed as a line that looks like the result of a run: ALL AS EXPECTED"
for empty in --ledger --record --trend; do quickly 2 "is empty" "$assay" run $empty ""; done
quickly 2 "ASSAY_ISA is 'zz'" env ASSAY_ISA=zz "$assay" list --suite rms_norm/quick

# Reports to pipes, devices and links.
one=(run --suite rms_norm/quick --case '*@2026-06-18/bf16.m3.n8.*/w32')
mkfifo "$r/pipe"
timeout 60 cat "$r/pipe" >"$r/read" &  # ends even if the run ends before it writes
expect 0 "ALL AS EXPECTED" "$assay" "${one[@]}" --report "csv:$r/pipe" --report console
wait $!
[ -p "$r/pipe" ] && [ "$(wc -l <"$r/read")" -gt 1 ] || fail "the pipe received no report"
ln -s target.csv "$r/link.csv"
expect 0 "ALL AS EXPECTED" "$assay" "${one[@]}" --report "csv:$r/link.csv"
[ -L "$r/link.csv" ] && [ -s "$r/target.csv" ] || fail "the report replaced the symbolic link, or its target is empty"
"$assay" "${one[@]}" --report csv:/dev/stdout >"$r/out" || fail "the run with --report csv:/dev/stdout fails"
grep -q '^[^ ]*rms_norm/' "$r/out" && grep -q "ALL AS EXPECTED" "$r/out" || fail "no report on standard output"
echo passed
