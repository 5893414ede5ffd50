// tsan_ranks_probe LIBRARY OP CONTRACT KERNEL: runs one kernel of four ranks three times, for TSan to watch.
#include <cstdio>
#include <deque>
#include <memory>
#include <string>

#include "kernels/testing/library.h"

namespace {

constexpr int kRanks = 4;
constexpr int64_t kElements = 520;

/// The tensors of one rank: all that an op of ranks asks for, whichever of them it is.
struct Tensors {
  std::deque<std::vector<uint16_t>> data;
  std::vector<assay_tensor> all;

  void add(const char* role, bool output, bool row, uint8_t type_code, uint16_t value) {
    static const int64_t matrix[] = {1, kElements}, of_matrix[] = {kElements, 1}, vector[] = {kElements}, of_vector[] = {1};
    data.emplace_back(size_t(kElements), value);
    all.push_back({sizeof(assay_tensor), type_code, 16, uint8_t(output), uint8_t(row ? 2 : 1), role, row ? matrix : vector,
                   row ? of_matrix : of_vector, data.back().data(), kElements * 2});
  }
};

}  // namespace

int main(int argc, char** argv) {
  using namespace assay_kernels;
  if (argc != 5) return 2;
  const assay_library& library = open_library(argv[1]);
  const std::string contract = argv[3];
  const uint8_t type = contract.find("quickreduce") == 0 ? ASSAY_FLOAT : ASSAY_BFLOAT;
  void* const group = library.create_group(kRanks);
  assay_status status = ASSAY_OK;
  for (int repetition = 0; repetition < 3 && status == ASSAY_OK; ++repetition) {
    const auto value = uint16_t(0x3f80 + repetition);
    std::deque<Tensors> tensors(kRanks);
    std::vector<std::vector<char>> words(kRanks, std::vector<char>(256));
    const assay_param parameters[] = {{"warp", 32}, {"schedule_seed", 1}, {"eps", 1e-6}};
    std::vector<assay_call> calls(kRanks);
    std::vector<const assay_call*> pointers;
    for (int r = 0; r < kRanks; ++r) {
      Tensors& own = tensors[size_t(r)];
      own.add("x", false, true, type, value);
      own.add("y", true, true, type, 0);
      own.add("gamma", false, false, type, value);
      own.add("residual", true, true, type, value);
      if (contract.find("_qk_") != std::string::npos) {
        own.add("k", false, true, type, value);
        own.add("y_k", true, true, type, 0);
        own.add("gamma_k", false, false, type, value);
      }
      assay_call& call = calls[size_t(r)];
      call.size = sizeof call, call.op = argv[2], call.contract = argv[3], call.kernel = argv[4];
      call.tensors = own.all.data(), call.n_tensors = int32_t(own.all.size()), call.params = parameters, call.n_params = 3;
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
