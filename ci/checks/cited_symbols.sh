#!/usr/bin/env bash
# Every contract cites a symbol of a release to which it applies. A symbol that is not at its cited line is reported.
. "$(dirname "$0")/lib.sh"
data_copy "$scratch/data"
mkdir -p "$scratch/data/reference/oracles" "$scratch/sources"
cp "$root/reference/oracles/cited_symbols.py" "$scratch/data/reference/oracles/"
cited=$scratch/data/reference/oracles/cited_symbols.py contracts=$scratch/data/reference/contracts
expect 0 'as symbols.csv says' python3 "$cited"

restored() { cp "$root"/reference/contracts/*.csv "$contracts/"; }
sed -i '/^vllm.mxfp8_torch@v0.27.0,/d' "$contracts/symbols.csv"
expect 1 'vllm.mxfp8_torch@v0.27.0: symbols.csv has no line for it' python3 "$cited"
restored
sed -i '/^vllm.silu_and_mul_quant,/{s/,unmerged,/,v0.9.0,/; s/unmerged: //}' "$contracts/fused_silu.csv"
expect 1 'vllm.silu_and_mul_quant: no release that its row covers contains one of its symbols' python3 "$cited"
restored
sed -i '/^vllm.fp8_ds_mla@v0.31.0,/s/,v0.31.0,,/,v0.32.0,,/' "$contracts/cache.csv"
expect 1 'vllm.fp8_ds_mla@v0.31.0: no release that its row covers contains one of its symbols' python3 "$cited"
restored
sed -i '/^vllm.group_native,/s/^vllm.group_native,/vllm.group_natve,/' "$contracts/quant.csv"
expect 1 'vllm.group_natve: symbols.csv has no line for it' python3 "$cited"
restored

# Made-up sources of one project: one has the symbol on another line than the cited one, one does not have the symbol.
head -1 "$root/reference/contracts/symbols.csv" >"$contracts/symbols.csv"
grep '^vllm.mxfp8_torch,vllm,v0.20.0,' "$root/reference/contracts/symbols.csv" >>"$contracts/symbols.csv"
file=$scratch/sources/vllm-0.20.0/vllm/model_executor/layers/quantization/utils/mxfp8_utils.py
mkdir -p "$(dirname "$file")"
printf '\n\n_mxfp8_e4m3_quantize_torch\n' >"$file"
expect 1 '_mxfp8_e4m3_quantize_torch: found in line 3, but symbols.csv says' python3 "$cited" --check "$scratch/sources"
: >"$file"
expect 1 '_mxfp8_e4m3_quantize_torch: found in line none, but symbols.csv says' python3 "$cited" --check "$scratch/sources"
echo passed
