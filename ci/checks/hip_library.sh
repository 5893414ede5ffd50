#!/usr/bin/env bash
# Builds libassay_hip.so with this machine's hipcc, for the one architecture that Debian 12's version knows. It must load and report
# that there is no AMD GPU. A library that needs a function that the runtime lacks is rejected with that function's name.
. "$(dirname "$0")/lib.sh"
command -v hipcc >/dev/null || skip "no hipcc (packages hipcc and libamdhip64-dev, or ROCm)"
cmake -S "$root" -B "$build/hip_library" -G Ninja -DCMAKE_BUILD_TYPE=Release -DWITH_CUDA=OFF -DASSAY_HIP_ARCHITECTURES=gfx90a >"$scratch/log" 2>&1 ||
  fail "CMake cannot configure the HIP library"$'\n'"$(tail -n 20 "$scratch/log")"
grep -q 'HIP: libassay_hip.so for gfx90a' "$scratch/log" || skip "$(sed -n '/HIP/{s/^-- //p;q}' "$scratch/log")"
cmake --build "$build/hip_library" --target assay_kernels_hip >"$scratch/log" 2>&1 || fail "$(tail -n 20 "$scratch/log")"

library=$build/hip_library/libassay_hip.so
code=0 name=hipGetDeviceProperties
[ -e /dev/kfd ] || code=77
expect $code "$([ $code -eq 77 ] && echo 'no device to run on: no HIP device' || echo 'ALL AS EXPECTED')" \
  "$assay" run --backend "$library" --suite rms_norm/quick --warp 64
sed "s/$name/${name%s}z/g" "$library" >"$scratch/libwrong.so"
expect 2 "undefined symbol: ${name%s}z" "$assay" run --backend "$scratch/libwrong.so" --suite rms_norm/quick --warp 64
echo passed
