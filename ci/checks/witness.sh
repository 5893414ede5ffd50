#!/usr/bin/env bash
# Each contract accepts its recorded outputs (witness); each mutant rejects them, except documented mutants. A recording with a
# wrong code fails. A recording that kills too few mutants is reported. If a release obeys another contract, that contract is named.
. "$(dirname "$0")/lib.sh"
witnesses=$root/golden/witness
one=$witnesses/quant_group/vllm.group_fp8@v0.33.0.safetensors

# damaged FROM TO flip [ROLE [CALL]] | weaken | rename CONTRACT: copies a witness with one change.
damaged() { python3 - "$@" <<'PYTHON'; }
import json, pathlib, struct, sys
source, target, what = sys.argv[1:4]
text = bytearray(pathlib.Path(source).read_bytes())
length = struct.unpack("<Q", text[:8])[0]
header, data = json.loads(text[8 : 8 + length]), text[8 + length :]
about = json.loads(header["__metadata__"]["assay.witness"])
if what == "flip":  # replaces the first element of an output by the next code
    role = sys.argv[4] if len(sys.argv) > 4 else "q"
    call = sys.argv[5] if len(sys.argv) > 5 else "0"
    data[header[f"c{call}.{role}"]["data_offsets"][0]] ^= 1
elif what == "weaken":
    about["calls"] = about["calls"][:1]
elif what == "rename":
    about["contract"] = sys.argv[4]
    for call in about["calls"]:
        call["parameters"]["contract"] = sys.argv[4]
header["__metadata__"]["assay.witness"] = json.dumps(about)
written = json.dumps(header).encode()
pathlib.Path(target).parent.mkdir(parents=True, exist_ok=True)
pathlib.Path(target).write_bytes(struct.pack("<Q", len(written)) + written + data)
PYTHON

# Checks only the witnesses of one op; checks/regenerate checks all witnesses and the table.
expect 0 'mutants killed' "$assay" witness check "$witnesses/quant_tile"

damaged "$one" "$scratch/flipped/w.safetensors" flip
expect 1 'the contract does not accept quant_group/vllm.group_fp8@v0.33.0' "$assay" witness check "$scratch/flipped"
damaged "$one" "$scratch/weak/w.safetensors" weaken
expect 1 'too weak: its outputs do not kill' "$assay" witness check "$scratch/weak"

damaged "$one" "$scratch/release/quant_group/w.safetensors" rename vllm.group_fp8
expect 0 'differ: vllm.group_fp8@v0.33.0' "$assay" witness drift "$scratch/release"
expect 0 'vllm.group_fp8 in vllm 0.33.0: quant_group/' "$assay" witness drift "$scratch/release"
mkdir -p "$scratch/same/quant_group" && cp "$one" "$scratch/same/quant_group/"
expect 0 '| vllm.group_fp8@v0.33.0 | same bits |' "$assay" witness drift "$scratch/same"

# Chooses inputs, runs Assay's own kernels on them, and stores or rejects the outputs.
expect 0 '24 of 24 mutants' "$assay" witness inputs --folder "$scratch/inputs" --op quant_group --contract 'vllm.group_fp8@v0.33.0'
expect 0 'ours: 1 contracts' "$assay" witness run "$scratch/inputs" --backend cpu --package ours --folder "$scratch/ran"
cp "$witnesses/left_out.csv" "$scratch/"
expect 0 '1 witnesses kept, 0 not' "$assay" witness keep "$scratch/ran" --folder "$scratch"

# The same for a GEMM whose contract allows several algorithm variants.
product=torch.scaled_mm_tensor.sm_90
"$assay" witness inputs --folder "$scratch/products" --op gemm_scaled --contract "$product" | grep -qE ' ([0-9]+) of \1 mutants$' ||
  fail "the inputs that 'assay witness inputs' chose do not expose all mutants of $product"
expect 0 'ours: 1 contracts' "$assay" witness run "$scratch/products" --backend cpu --package ours --folder "$scratch/made"
expect 0 'mutants killed' "$assay" witness check "$scratch/made"
damaged "$scratch/made/gemm_scaled/$product.safetensors" "$scratch/wrong/w.safetensors" flip d
expect 1 "the contract does not accept gemm_scaled/$product" "$assay" witness check "$scratch/wrong"
expect 1 'not kept: its contract does not accept' "$assay" witness keep "$scratch/flipped" --folder "$scratch"

# The same for an all-reduce: each rank has its own tensors, and a warm-up call comes first.
sum=vllm.all_reduce_2stage
expect 0 '48 of 48 mutants' "$assay" witness inputs --folder "$scratch/ranks" --op all_reduce --contract "$sum"
expect 0 'ours: 1 contracts' "$assay" witness run "$scratch/ranks" --backend cpu --package ours --folder "$scratch/summed"
expect 0 '48 of 48 mutants killed' "$assay" witness check "$scratch/summed"
cp -r "$scratch/summed/all_reduce" "$scratch/"
expect 0 "| $sum | same bits |" "$assay" witness drift "$scratch/summed" --folder "$scratch"
damaged "$scratch/summed/all_reduce/$sum.safetensors" "$scratch/rank/w.safetensors" flip y.r2 1
expect 1 "the contract does not accept all_reduce/$sum" "$assay" witness check "$scratch/rank"
expect 2 'holds no witness' "$assay" witness check "$scratch/nothing"
expect 2 'torchx==1: there is no adapter that calls this package' "$root/ci/witness" build torchx==1

# ci/witness --package goes as far as this machine allows: with a built library but no GPU, it prints the steps for another machine.
expect 2 'torchx==1: there is no adapter that calls this package' "$root/ci/witness" --package torchx==1
if ! nvidia-smi -L >/dev/null 2>&1; then
  mkdir -p "$scratch/sources/vllm-0.33.0" "$scratch/libraries" && touch "$scratch/libraries/vllm-0.33.0.so" "$scratch/libraries/vllm-0.33.0.ranks.so"
  expect 77 'on a machine with a GPU, in a copy of this tree with' env SOURCES="$scratch/sources" BUILT="$scratch/libraries" "$root/ci/witness" --package vllm==0.33.0
  expect 77 'Libraries that were built: '"$scratch/libraries/vllm-0.33.0.ranks.so" env SOURCES="$scratch/sources" BUILT="$scratch/libraries" "$root/ci/witness" --package vllm==0.33.0:ranks
fi
