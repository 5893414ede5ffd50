#!/usr/bin/env bash
# What may not stand in the sources of reference/: contract ids, constants of contracts, other rooms, bits of floats outside formats/;
# and, in all rooms that read contracts, a flow that is told from others by its name.
# Runs on the tree, then on copies with one violation each, on which it has to fail. usage: layering_test.sh REPOSITORY
set -euo pipefail

# Prints every violation under $1 as `rule: file:line: text`; the tests, oracles and benchmarks may name what they test.
violations() {
  (
    cd "$1"
    local sources flows
    sources=$(find reference/ \( -name '*.cpp' -o -name '*.h' \) ! -name '*_test.cpp' ! -path 'reference/testing/*' \
      ! -path 'reference/oracles/*' ! -path 'reference/bench/*' | sort)
    flows=$(grep '^reference/flow/' <<<"$sources" || true)
    local ids number floating
    ids=$(find reference/contracts/ -name '*.csv' ! -name layouts.csv ! -name weights.csv -exec tail -qn +2 {} + | cut -d, -f1 | grep .)
    number='(^|[^0-9A-Za-z_.])(448|240|224|1e-10)([^0-9A-Za-z_.]|$)'
    floating='(^|[^0-9A-Za-z_.])([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+[eE][-+]?[0-9]+|0x[0-9a-fA-F.]+p[-+]?[0-9]+)'
    without_comments() { sed -E 's://.*$::' "$1"; }
    for file in $sources; do
      grep -nF "$ids" "$file" | sed "s|^|contract id: $file:|" || true
      without_comments "$file" | grep -nE "$number" | sed "s|^|constant of a contract: $file:|" || true
      grep -nE '#include "(kernels|harness|suites|golden)/' "$file" | sed "s|^|other room: $file:|" || true
      case $file in reference/formats/*) continue ;; esac
      without_comments "$file" | grep -nE 'bit_cast|memcpy|reinterpret_cast' | sed "s|^|bits of a float: $file:|" || true
    done
    grep -rnE 'flow(->name|\.name)? *[!=]= *"|" *[!=]= *[A-Za-z_.>()-]*flow' reference suites harness --include='*.cpp' --include='*.h' \
      --exclude='*_test.cpp' | sed "s|^|flow by its name: |" || true
    for file in $flows; do
      without_comments "$file" | sed -E 's/\b[01]\.0\b/0/g' | grep -nE "$floating" | sed "s|^|number in a flow: $file:|" || true
    done
  )
}

root=$1
found=$(violations "$root")
if [ -n "$found" ]; then
  echo "$found"
  exit 1
fi

# Every rule has to see its own violation, and nothing else has to see it.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
status=0
must_see() {  # rule, file, line of source
  rm -rf "${scratch:?}"/*
  cp -rL "$root/reference" "$root/suites" "$root/harness" "$scratch/"  # never through a link into the tree itself
  printf '%s\n' "$3" >>"$scratch/$2"
  local seen
  seen=$(violations "$scratch")
  if [ "$(wc -l <<<"$seen")" != 1 ] || [[ $seen != "$1: $2:"* ]]; then
    echo "'$3' in $2 has to be seen as '$1', not as '$seen'"
    status=1
  fi
}
must_see 'contract id' reference/contracts/bind.cpp 'if (id == "vllm.group_fp8_packed") return;'
must_see 'contract id' reference/flow/evaluate.cpp '// as vllm.per_token does'
must_see 'constant of a contract' reference/recipe/eval.cpp 'const double most = 448;'
must_see 'constant of a contract' reference/exact/sum.h 'const double floor = 1e-10;'
must_see 'other room' reference/formats/round.h '#include "kernels/abi/assay.h"'
must_see 'other room' reference/recipe/step.h '#include "harness/core/op.h"'
must_see 'bits of a float' reference/recipe/eval.cpp 'auto bits = std::bit_cast<uint64_t>(v);'
must_see 'number in a flow' reference/flow/row_norm/row_norm.cpp 'const double half = 0.5;'
must_see 'number in a flow' reference/flow/group_quant/group_quant.h 'const double unit = 0x1p-24;'
must_see 'number in a flow' reference/flow/evaluate.cpp 'const double eps = 1e-6;'
must_see 'flow by its name' reference/contracts/bind.cpp 'if (row.flow->name == "row_norm") return;'
must_see 'flow by its name' suites/rows/expect.cpp 'const bool norm = row.flow != "group_quant";'
must_see 'flow by its name' harness/cli/contracts.cpp 'if ("cast" == row.flow) return;'
[ $status = 0 ] && echo "no violation, and each rule sees its own"
exit $status
