#!/usr/bin/env bash
# Files that are absurd, endless or damaged, and places that cannot be written: one line in a moment, and nothing else is lost.
. "$(dirname "$0")/lib.sh"
r=$scratch
# quickly CODE TEXT COMMAND...: expect, within 20 seconds and 2 GiB of address space.
quickly() { (ulimit -v 2097152 && expect "$1" "$2" timeout 20 "${@:3}") || exit 1; }

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
size = 32 << 30
end = safetensors("huge.safetensors", {"lone.weight": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}})
with open(f"{folder}/huge.safetensors", "r+b") as file:
    file.truncate(end + size)
open(f"{folder}/wide.csv", "w").write(",".join(f"c{i}" for i in range(10**6)) + "\n")
open(f"{folder}/long_row.csv", "w").write("id,why\n" + "," * 10**6 + "\n")
PYTHON

# Readers that are linear, and messages that name what is there.
quickly 2 "did you mean 'layer.39999.weight'" "$assay" judge "$r/many.safetensors:layer.39999.weigt" --as scale
quickly 2 "no tensor for role 'x'; there are: layer.0.weight" "$assay" judge "$r/many.safetensors" --contract vllm.group_fp8
quickly 2 "no tensor for role 'x'; there are: hidden, out; name it with --tensor x=NAME" "$assay" judge "$r/few.safetensors" --contract vllm.group_fp8
quickly 2 "wide.csv:1: has more than 1000 columns" "$assay" --contracts "$r/wide.csv" list
quickly 2 "long_row.csv:2: has more than 1000 columns" "$assay" list --cases "$r/long_row.csv" --op rms_norm
quickly 2 "/dev/zero: is larger than 64 MiB" "$assay" --contracts /dev/zero list
quickly 2 "tensor 'lone.weight'" "$assay" judge "$r/huge.safetensors:lone.weight" --as scale

# Reports into pipes, devices and links.
one=(run --suite rms_norm/quick --case '*@2026-06-18/bf16.m3.n8.*/w32')
mkfifo "$r/pipe"
timeout 60 cat "$r/pipe" >"$r/read" &  # not for ever if the run ends before it writes
expect 0 "ALL AS EXPECTED" "$assay" "${one[@]}" --report "csv:$r/pipe" --report console
wait $!
[ -p "$r/pipe" ] && [ "$(wc -l <"$r/read")" -gt 1 ] || fail "the pipe got no report"
ln -s target.csv "$r/link.csv"
expect 0 "ALL AS EXPECTED" "$assay" "${one[@]}" --report "csv:$r/link.csv"
[ -L "$r/link.csv" ] && [ -s "$r/target.csv" ] || fail "the link was replaced"
"$assay" "${one[@]}" --report csv:/dev/stdout >"$r/out" || fail "a report on standard output"
grep -q '^[^ ]*rms_norm/' "$r/out" && grep -q "ALL AS EXPECTED" "$r/out" || fail "no report on standard output"
echo passed
