// tsan_ranks_probe LIBRARY OP CONTRACT KERNEL: runs one kernel of four ranks three times, for TSan to watch.
#include <array>
#include <cstdio>
#include <cstring>
#include <deque>
#include <memory>
#include <string>

#include "kernels/testing/library.h"

namespace {

constexpr int kRanks = 4;

/// The tensors of one rank: all that an op of ranks asks for, whichever of them it is.
struct Tensors {
  std::deque<std::vector<unsigned char>> data;
  std::deque<std::array<int64_t, 2>> shapes;
  std::vector<assay_tensor> all;
  static constexpr int64_t kOfVector[] = {1};

  /// `columns` elements in one row, or a vector; each has the pattern `value`.
  void add(const char* role, bool output, bool row, uint8_t code, uint8_t bits, int64_t columns, uint32_t value) {
    const size_t bytes = bits / 8u;
    data.emplace_back(size_t(columns) * bytes);
    for (size_t i = 0; i < size_t(columns); ++i) std::memcpy(data.back().data() + i * bytes, &value, bytes);
    const auto& shape =
        row ? shapes.emplace_back(std::array<int64_t, 2>{1, columns}) : shapes.emplace_back(std::array<int64_t, 2>{columns, 0});
    const int64_t* const strides = row ? shapes.emplace_back(std::array<int64_t, 2>{columns, 1}).data() : kOfVector;
    all.push_back({sizeof(assay_tensor), code, bits, uint8_t(output), uint8_t(row ? 2 : 1), role, shape.data(), strides,
                   data.back().data(), data.back().size()});
  }
};

}  // namespace

int main(int argc, char** argv) {
  using namespace assay_kernels;
  if (argc != 5) return 2;
  const assay_library& library = open_library(argv[1]);
  const std::string op = argv[2], contract = argv[3];
  const auto has = [](const std::string& text, const char* word) { return text.find(word) != std::string::npos; };
  const bool codes = has(op, "_quant_");
  const uint8_t type = has(contract, "quickreduce") || has(contract, "aiter.all_reduce_fp8") ? ASSAY_FLOAT : ASSAY_BFLOAT;
  // Parts of four ranks with a rest, or whole groups of codes on each.
  const int64_t elements = codes || has(contract, "all_reduce_fp8") ? 1024 : 520;
  void* const group = library.create_group(kRanks);
  assay_status status = ASSAY_OK;
  for (int repetition = 0; repetition < 3 && status == ASSAY_OK; ++repetition) {
    const auto value = uint32_t(0x3f80 + repetition);
    std::deque<Tensors> tensors(kRanks);
    std::vector<std::vector<char>> words(kRanks, std::vector<char>(256));
    const assay_param parameters[] = {{"warp", 32}, {"schedule_seed", 1}, {"eps", 1e-6}, {"group_size", double(elements)}};
    std::vector<assay_call> calls(kRanks);
    std::vector<const assay_call*> pointers;
    for (int r = 0; r < kRanks; ++r) {
      Tensors& own = tensors[size_t(r)];
      own.add("x", false, true, type, 16, elements, value);
      own.add("gamma", false, false, type, 16, elements, value);
      own.add("residual", true, true, type, 16, elements, value);
      if (codes) {
        own.add("q", true, true, ASSAY_FLOAT8_E4M3FN, 8, elements, 0);
        own.add("scale", !has(op, "static"), true, ASSAY_FLOAT, 32, 1, 0x3f800000u);
      } else {
        own.add("y", true, true, type, 16, elements, 0);
      }
      if (has(contract, "_qk_")) {
        own.add("k", false, true, type, 16, elements, value);
        own.add("y_k", true, true, type, 16, elements, 0);
        own.add("gamma_k", false, false, type, 16, elements, value);
      }
      assay_call& call = calls[size_t(r)];
      call.size = sizeof call, call.op = argv[2], call.contract = argv[3], call.kernel = argv[4];
      call.tensors = own.all.data(), call.n_tensors = int32_t(own.all.size()), call.params = parameters;
      call.n_params = int32_t(std::size(parameters));
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
