// tsan_ranks_probe LIBRARY CONTRACT KERNEL: runs one kernel of four ranks three times, for TSan to watch.
#include <cstdio>
#include <memory>

#include "kernels/testing/library.h"

int main(int argc, char** argv) {
  using namespace assay_kernels;
  if (argc != 4) return 2;
  const assay_library& library = open_library(argv[1]);
  constexpr int kRanks = 4;
  constexpr int64_t kElements = 520;
  void* const group = library.create_group(kRanks);
  assay_status status = ASSAY_OK;
  for (int repetition = 0; repetition < 3 && status == ASSAY_OK; ++repetition) {
    std::vector<std::vector<uint16_t>> x(kRanks, std::vector<uint16_t>(kElements, uint16_t(0x3f80 + repetition))), y = x;
    const int64_t shape[] = {1, kElements}, strides[] = {kElements, 1};
    std::vector<std::vector<assay_tensor>> tensors;
    std::vector<std::vector<char>> words(kRanks, std::vector<char>(256));
    const assay_param parameters[] = {{"warp", 32}, {"schedule_seed", 1}};
    std::vector<assay_call> calls(kRanks);
    std::vector<const assay_call*> pointers;
    for (int r = 0; r < kRanks; ++r) {
      const auto tensor = [&](const char* role, std::vector<uint16_t>& data, uint8_t is_output) {
        return assay_tensor{sizeof(assay_tensor), ASSAY_BFLOAT, 16, is_output, 2, role, shape, strides,
                            data.data(),          kElements * 2};
      };
      tensors.push_back({tensor("x", x[size_t(r)], 0), tensor("y", y[size_t(r)], 1)});
      assay_call& call = calls[size_t(r)];
      call.size = sizeof call, call.op = "all_reduce", call.contract = argv[2], call.kernel = argv[3];
      call.tensors = tensors.back().data(), call.n_tensors = 2, call.params = parameters, call.n_params = 2;
      call.message = words[size_t(r)].data(), call.message_bytes = words[size_t(r)].size();
      call.rank = r, call.world_size = kRanks;
      pointers.push_back(&call);
    }
    status = library.run_group(group, pointers.data(), kRanks);
    for (const auto& said : words)
      if (said[0]) std::fprintf(stderr, "%s\n", said.data());
  }
  library.destroy_group(group);
  std::fprintf(stderr, "status %d\n", status);
  return status == ASSAY_OK ? 0 : 1;
}
