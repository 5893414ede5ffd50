// Runs one kernel once, so that ThreadSanitizer (TSan) can check it.
// Usage: tsan_probe LIBRARY OP CONTRACT KERNEL WARP
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "kernels/testing/library.h"

int main(int argc, char** argv) {
  using namespace assay_kernels;
  if (argc != 6) return 2;
  const bool norm = std::strcmp(argv[2], "rms_norm") == 0;
  const int64_t m = 2, n = 1024, groups = n / 128;
  std::vector<uint16_t> x(size_t(m * n), 0x3f80), gamma(size_t(n), 0x3f80), y(x.size());
  std::vector<uint8_t> q(x.size());
  std::vector<float> scale(size_t(m * groups));
  CallBuilder call;
  call.matrix("x", kBf16, false, m, n, x.data()).parameter("warp", std::atof(argv[5]));
  if (norm) {
    call.tensor("gamma", kBf16, false, {n}, {1}, gamma.data(), size_t(n) * 2)
        .matrix("y", kBf16, true, m, n, y.data())
        .parameter("eps", 1e-6);
  } else {
    call.matrix("q", kE4m3fn, true, m, n, q.data())
        .matrix("scale", kF32, true, m, groups, scale.data())
        .parameter("group_size", 128);
  }
  const assay_status status = call.run(open_library(argv[1]), argv[2], argv[3], argv[4]);
  std::fprintf(stderr, "status %d %s\n", status, call.message());
  return status == ASSAY_OK ? 0 : 1;
}
