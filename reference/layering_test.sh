#!/usr/bin/env bash
# Rejects in the sources of reference/: ids of contracts and instructions, constants of contracts, names of GPUs, includes of other modules,
# access to float bits outside formats/, and structs named *Mistake (a mutant must change the contract itself).
# In all modules that read contracts, it also rejects code that distinguishes op kinds by name.
# Runs on the tree, then on copies with one violation each, where it must fail. usage: layering_test.sh REPOSITORY
set -euo pipefail

# Prints every violation under $1 as `rule: file:line: text`. Tests, oracles and benchmarks are exempt.
violations() {
  (
    cd "$1"
    local sources ids
    sources=$(find reference/ \( -name '*.cpp' -o -name '*.h' \) ! -name '*_test.cpp' ! -path 'reference/testing/*' \
      ! -path 'reference/oracles/*' ! -path 'reference/bench/*' | sort)
    ids=$(find reference/contracts/ -name '*.csv' ! -name layouts.csv -exec tail -qn +2 {} + | cut -d, -f1 | grep .)
    grep -nHF "$ids" $sources | sed 's|^|contract id: |' || true
    # Ignores comments. Processes all files at once, since a process per file would take minutes.
    awk '
      function see(rule) { print rule ": " FILENAME ":" FNR ":" $0 }
      {
        code = $0
        sub(/\/\/.*$/, "", code)
        if (code ~ /(^|[^0-9A-Za-z_.])(448|240|224|1e-10)([^0-9A-Za-z_.]|$)/) see("constant of a contract")
        if (code ~ /(^|[^0-9A-Za-z_])(sm_[0-9]+|gfx[0-9a-f]+)/) see("chip")
        if ($0 ~ /#include "(kernels|harness|suites|golden)\//) see("include of another module")
        if (FILENAME !~ /^reference\/formats\// && code ~ /bit_cast|memcpy|reinterpret_cast/) see("bits of a float")
        if (code ~ /struct +[A-Za-z]*Mistake/) see("mistake beside a contract")
        if (FILENAME !~ /^reference\/flow\//) next
        gsub(/(^|[^0-9A-Za-z_.])[01]\.0/, " 0", code)
        if (code ~ /(^|[^0-9A-Za-z_.])([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+[eE][-+]?[0-9]+|0x[0-9a-fA-F.]+p[-+]?[0-9]+)/) see("number in a flow")
      }' $sources
    grep -rnE 'flow(->name|\.name)? *[!=]= *"|" *[!=]= *[A-Za-z_.>()-]*flow' reference suites harness --include='*.cpp' --include='*.h' \
      --exclude='*_test.cpp' | sed "s|^|flow by its name: |" || true
  )
}

root=$1
found=$(violations "$root")
if [ -n "$found" ]; then
  echo "$found"
  exit 1
fi

# Each rule must report its own violation, and no other rule may.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
status=0
cp -rL "$root/reference" "$root/suites" "$root/harness" "$scratch/"  # dereference links, so that the copy never leads back into the tree
must_see() {  # rule, file, line of source
  printf '%s\n' "$3" >>"$scratch/$2"
  local seen
  seen=$(violations "$scratch")
  cp "$root/$2" "$scratch/$2"
  if [ "$(wc -l <<<"$seen")" != 1 ] || [[ $seen != "$1: $2:"* ]]; then
    echo "'$3' in $2 has to be seen as '$1', not as '$seen'"
    status=1
  fi
}
must_see 'contract id' reference/flow/contract.cpp 'if (id == "vllm.group_fp8_packed") return;'
must_see 'contract id' reference/flow/evaluate_row.cpp '// as vllm.per_token does'
must_see 'contract id' reference/units/unit_definition.cpp '// as sm_90.wgmma.e4m3.f32'
must_see 'chip' reference/units/unit_table.cpp 'if (id.starts_with("sm_90.")) return;'
must_see 'chip' reference/recipe/eval.cpp 'const char* chip = "gfx942";'
must_see 'constant of a contract' reference/recipe/eval.cpp 'const double most = 448;'
must_see 'constant of a contract' reference/exact/exact_sum.h 'const double floor = 1e-10;'
must_see 'include of another module' reference/formats/round.h '#include "kernels/abi/assay.h"'
must_see 'include of another module' reference/recipe/recipe.h '#include "harness/core/op.h"'
must_see 'bits of a float' reference/recipe/eval.cpp 'auto bits = std::bit_cast<uint64_t>(v);'
must_see 'mistake beside a contract' reference/flow/rank_reduce/rank_reduce.h 'struct RankMistake { int lost = -1; };'
must_see 'number in a flow' reference/flow/row_norm/row_norm.cpp 'const double half = 0.5;'
must_see 'number in a flow' reference/flow/group_quant/group_quant.h 'const double unit = 0x1p-24;'
must_see 'number in a flow' reference/flow/evaluate_row.cpp 'const double eps = 1e-6;'
must_see 'flow by its name' reference/flow/contract.cpp 'if (row.flow->name == "row_norm") return;'
must_see 'flow by its name' suites/rows/row_expectation.cpp 'const bool norm = row.flow != "group_quant";'
must_see 'flow by its name' harness/cli/contracts.cpp 'if ("cast" == row.flow) return;'
[ $status = 0 ] && echo "no violation, and each rule sees its own"
exit $status
