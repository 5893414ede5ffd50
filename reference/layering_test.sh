#!/usr/bin/env bash
# What may not stand in the sources of reference/: contract ids, constants of contracts, other rooms, bits of floats outside formats/.
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
    ids=$(find reference/contracts/ -name '*.csv' ! -name layouts.csv -exec tail -qn +2 {} + | cut -d, -f1 | grep .)
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
  rm -rf "$scratch/reference"
  cp -rL "$root/reference" "$scratch/reference"  # never through a link into the tree itself
  printf '%s\n' "$3" >>"$scratch/reference/$2"
  local seen
  seen=$(violations "$scratch")
  if [ "$(wc -l <<<"$seen")" != 1 ] || [[ $seen != "$1: reference/$2:"* ]]; then
    echo "'$3' in $2 has to be seen as '$1', not as '$seen'"
    status=1
  fi
}
must_see 'contract id' contracts/bind.cpp 'if (id == "vllm.group_fp8_packed") return;'
must_see 'contract id' flow/chain.cpp '// as vllm.per_token does'
must_see 'constant of a contract' recipe/eval.cpp 'const double most = 448;'
must_see 'constant of a contract' exact/sum.h 'const double floor = 1e-10;'
must_see 'other room' formats/round.h '#include "kernels/abi/assay.h"'
must_see 'other room' recipe/step.h '#include "harness/core/op.h"'
must_see 'bits of a float' recipe/eval.cpp 'auto bits = std::bit_cast<uint64_t>(v);'
must_see 'number in a flow' flow/row_norm.cpp 'const double half = 0.5;'
must_see 'number in a flow' flow/group_quant.h 'const double unit = 0x1p-24;'
must_see 'number in a flow' flow/chain.cpp 'const double eps = 1e-6;'
[ $status = 0 ] && echo "no violation, and each rule sees its own"
exit $status
