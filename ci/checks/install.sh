#!/usr/bin/env bash
# Tests an installed program with its tables in a prefix that was moved, and find_package(assay) in an outside project. CTest and
# the installed program check that project's kernel library, and both must detect a wrong one.
. "$(dirname "$0")/lib.sh"
expect 0 "" cmake --install "$build" --prefix "$scratch/first"
mv "$scratch/first" "$scratch/prefix"
prefix=$scratch/prefix
installed=$prefix/bin/assay

# Few cases suffice to test where files are found.
few_cases "$prefix/share/assay" rms_norm quant_group all_reduce
rm -r "$prefix/share/assay/golden/observed"
expect 0 "ALL AS EXPECTED" "$installed" run --suite rms_norm/quick --warp 32
expect 0 "wrote $prefix/share/assay/golden/predicted/rms_norm.json" "$installed" golden write
expect 0 "golden files agree" "$installed" golden check

# The program reads its installed tables, not those of the source tree.
sed -i '2s/ordinary activations//' "$prefix/share/assay/suites/quant_group/cases/quick.csv"
expect 2 "quick.csv:2:" "$installed" list
sed '3,$d' "$root/suites/quant_group/cases/quick.csv" >"$prefix/share/assay/suites/quant_group/cases/quick.csv"

# A copy of the example plug-in outside this tree, and a version that truncates instead of rounding.
for kind in right wrong; do cp -r "$prefix/share/assay/example_plugin" "$scratch/$kind"; done
sed -i 's/(bits + 0x7fffu + (bits >> 16 & 1u)) >> 16/bits >> 16/' "$scratch/wrong/my_rms_norm.c"
cmp -s "$scratch/wrong/my_rms_norm.c" "$scratch/right/my_rms_norm.c" && fail "my_rms_norm.c of the example plug-in: sed did not change the rounding; expected its line in the form of this check"
for kind in right wrong; do
  expect 0 "" cmake -S "$scratch/$kind" -B "$scratch/$kind/build" -G Ninja -DCMAKE_PREFIX_PATH="$prefix"
  expect 0 "" cmake --build "$scratch/$kind/build"
done
expect 0 "100% tests passed" ctest --test-dir "$scratch/right/build"
expect 8 "conformance/my_rms_norm (Failed)" ctest --test-dir "$scratch/wrong/build"
expect 0 "ALL AS EXPECTED" "$installed" run --suite rms_norm/quick --backend "$scratch/right/build/libmy_rms_norm.so"
expect 1 "NOT AS EXPECTED" "$installed" run --suite rms_norm/quick --backend "$scratch/wrong/build/libmy_rms_norm.so"

# A plug-in that `assay new` writes builds against the installed package, with the command that `assay new` prints.
made=$("$installed" new plugin fresh --output "$scratch/fresh") || fail "assay new plugin: $made"
command=$(grep -o 'cmake -G Ninja -S .*' <<<"$made")
grep -qF -- "-DCMAKE_PREFIX_PATH=$prefix" <<<"$command" || fail "the printed command names another prefix: $command"
expect 0 "" bash -c "$command"
expect 0 "100% tests passed" ctest --test-dir "$scratch/fresh/build"

# Headers for plug-in authors need nothing of the source tree; the CUDA header also needs the toolkit.
grep -qF '#include "assay/plugin/library.hpp"' "$prefix/include/assay/cuda_plugin.hpp" || fail "cuda_plugin.hpp is not installed"
echo '#include <assay/plugin/library.hpp>' >"$scratch/author.cpp"
expect 0 "" c++ -std=c++17 -Wall -Wextra -Werror -fsyntax-only -I"$prefix/include" "$scratch/author.cpp"

# A GoogleTest of a kernel with assay::check: a version that multiplies by 1 / s fails, and the test prints the cause.
for kind in right wrong; do cp -r "$prefix/share/assay/example_check" "$scratch/check_$kind"; done
sed -i 's|from_bf16(x\[i\]) / s,|from_bf16(x[i]) * (1 / s),|' "$scratch/check_wrong/group_quant_test.cpp"
cmp -s "$scratch/check_wrong/group_quant_test.cpp" "$scratch/check_right/group_quant_test.cpp" && fail "the edit did not change the kernel"
for kind in right wrong; do
  expect 0 "" cmake -S "$scratch/check_$kind" -B "$scratch/check_$kind/build" -G Ninja -DCMAKE_PREFIX_PATH="$prefix"
  expect 0 "" cmake --build "$scratch/check_$kind/build"
done
expect 0 "PASSED" "$scratch/check_right/build/group_quant_test"
expect 1 "code: div(s) -> mul(1/s)" "$scratch/check_wrong/build/group_quant_test"
expect 1 "Expected: conform to contract vllm.group_fp8" "$scratch/check_wrong/build/group_quant_test"
printf '#include <assay/check.h>\nint main(void) { return assay_check_version() != ASSAY_CHECK_VERSION; }\n' >"$scratch/plain.c"
expect 0 "" cc -std=c99 -Wall -Wextra -Wpedantic -Werror -I"$prefix/include" "$scratch/plain.c" -L"$prefix/lib" -Wl,-rpath,"$prefix/lib" -lassay_check -o "$scratch/plain"
expect 0 "" "$scratch/plain"

# A CUDA kernel on the CPU, in a C++ project.
mkdir "$scratch/compat"
cat >"$scratch/compat/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.16)
project(user CXX)
find_package(assay 0.1 REQUIRED)
add_executable(user user.cpp)
target_link_libraries(user PRIVATE assay::simt_compat)
END
cat >"$scratch/compat/user.cpp" <<'END'
#include <cuda_runtime.h>
#include <cstdio>
__global__ void double_all(float* x) { x[blockIdx.x * blockDim.x + threadIdx.x] *= 2; }
int main() {
  float x[64];
  for (int i = 0; i < 64; ++i) x[i] = float(i);
  assay::simt::launch(double_all, 2, 32, 32, x);
  printf("last %g\n", x[63]);
}
END
expect 0 "" cmake -S "$scratch/compat" -B "$scratch/compat/build" -G Ninja -DCMAKE_PREFIX_PATH="$prefix"
expect 0 "" cmake --build "$scratch/compat/build"
expect 0 "last 126" "$scratch/compat/build/user"

# find_package rejects another version, and assay_add_conformance_test rejects an unknown argument.
sed -i 's/assay 0.1/assay 7/' "$scratch/compat/CMakeLists.txt"
expect 1 "requested version \"7\"" cmake -S "$scratch/compat" -B "$scratch/compat/build"
sed -i 's/SUITE ${suite}/SUIT ${suite}/' "$scratch/right/CMakeLists.txt"
expect 1 "SUIT;rms_norm/quick" cmake -S "$scratch/right" -B "$scratch/right/build"
echo passed
