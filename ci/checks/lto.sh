#!/usr/bin/env bash
# Links the program with -flto -Werror=odr: no type, function or variable has two different definitions, including templates and
# inline functions, which checks/odr cannot compare by name. A planted second definition must be detected.
. "$(dirname "$0")/lib.sh"
tree=$build/lto
flags="-flto=auto -Wodr -Werror=odr -Werror=lto-type-mismatch"
type gcc-ar >/dev/null 2>&1 || skip "no gcc-ar"

cat >"$scratch/one.cpp" <<'END'
#include "reference/contracts/tensor_layouts.h"
int one(assay::PartKind kind) { return int(kind); }
END
cat >"$scratch/two.cpp" <<'END'
namespace assay { enum class PartKind { kOther }; }
int one(assay::PartKind);
int main() { return one(assay::PartKind::kOther); }
END
# shellcheck disable=SC2086
expect 1 "-Werror=odr" g++ -std=c++20 -O1 $flags -I "$root" "$scratch/one.cpp" "$scratch/two.cpp" -o "$scratch/mutant"

cmake -S "$root" -B "$tree" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_COMPILER=g++ -DCMAKE_CXX_FLAGS="$flags" -DCMAKE_CXX_FLAGS_RELEASE="-O1 -DNDEBUG" \
  -DCMAKE_AR="$(command -v gcc-ar)" -DCMAKE_RANLIB="$(command -v gcc-ranlib)" -DWITH_CUDA=OFF -DWITH_HIP=OFF >"$scratch/log" 2>&1 ||
  fail "$(tail -n 20 "$scratch/log")"
cmake --build "$tree" --target assay >"$scratch/log" 2>&1 || fail "$(grep -E 'error|warning|note' "$scratch/log" | head -n 20)"
expect 0 "contracts" "$tree/assay" list
echo passed
