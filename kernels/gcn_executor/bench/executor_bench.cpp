// Measures executed wave instructions per second of CPU time, for three kernels without MFMA or transcendental instructions.
// Usage: gcn_executor_bench [REPEATS]
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>

#include "kernels/gcn_executor/executor.h"

namespace {

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

}  // namespace

int main(int argc, char** argv) {
  using namespace assay_gcn;
  const int repeats = argc > 1 ? std::atoi(argv[1]) : 20;
  std::ifstream file(ASSAY_TEST_KERNELS, std::ios::binary);
  const std::string elf{std::istreambuf_iterator<char>(file), {}};
  constexpr int kSteps = 256, kItems = 8 * 256;
  std::printf("kernel,lanes,races,work_items,wave_instructions,million_a_second\n");
  for (const char* options : {"lanes=portable", "lanes=AVX2", "lanes=AVX-512", "lanes=AVX2,races"}) {
    Options chosen = options_of(options);
    try {
      Device device(chosen);
      const auto code = device.load(elf.data(), elf.size());
      const auto buffer = [&](size_t words) {
        auto* data = static_cast<float*>(device.memory().allocate(4 * words, "buffer"));
        for (size_t i = 0; i < words; ++i) data[i] = static_cast<float>(i * 2654435761u % 65536) / 65536.0f;
        return data;
      };
      float *x = buffer(kItems + kSteps * 256), *y = buffer(kItems + kSteps * 256), *out = buffer(2 * kItems);
      float a = 0.625f;
      int steps = kSteps, more = 4 * kSteps, rounds = 64;
      void* loop[] = {&x, &y, &out, &steps, &a};
      void* alu[] = {&x, &out, &more, &a};
      void* tree[] = {&x, &out, &rounds};
      const std::pair<const char*, void**> kernels[] = {{"bench_loop", loop}, {"bench_alu", alu}, {"bench_tree", tree}};
      for (const auto& [name, arguments] : kernels)
        for (const uint32_t items : {256u, 40u}) {
          double best = 1e9;
          uint64_t count = 0;
          for (int k = 0; k < repeats; ++k) {
            const double begin = cpu_seconds();
            const auto launch = device.start(*code, code->object().kernels().at(name), {8, 1, 1}, {items, 1, 1}, 0, arguments);
            device.run(*launch);
            count = launch->instructions;
            best = std::min(best, cpu_seconds() - begin);
          }
          std::printf("%s,%s,%s,%u,%llu,%.1f\n", name + 6, device.lanes().name, chosen.detects_races ? "on" : "off", items,
                      static_cast<unsigned long long>(count), 1e-6 * static_cast<double>(count) / best);
        }
    } catch (const Fault& fault) {
      std::fprintf(stderr, "%s: %s\n", options, fault.what());
    }
  }
}
