// Runs one kernel with four ranks three times, so that ThreadSanitizer (TSan) can check it. Optionally rank 1 is delayed in every
// phase, or the three calls are back-to-back.
// Usage: tsan_ranks_probe LIBRARY OP CONTRACT KERNEL [straggler] [in_a_row]
#include <array>
#include <cstdio>
#include <cstring>
#include <deque>
#include <string>
#include <vector>

#include "kernels/testing/library.h"

namespace {

constexpr int kRanks = 4;

/// The tensors of one rank, for any all-reduce op.
struct Tensors {
  std::deque<std::vector<unsigned char>> data;
  std::deque<std::array<int64_t, 2>> shapes;
  std::vector<assay_tensor> all;
  static constexpr int64_t kOfVector[] = {1};

  /// Adds a tensor with `columns` elements, as one row or as a vector; each element is `value`.
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

/// The calls of four ranks; every element has the given bit pattern.
class CallsOfRanks {
 public:
  CallsOfRanks(const char* op, const char* contract, const char* kernel, int straggler, uint32_t value) {
    const auto has = [](const char* text, const char* word) { return std::strstr(text, word) != nullptr; };
    const bool codes = has(op, "_quant_");
    const uint8_t type = has(contract, "quickreduce") || has(contract, "aiter.all_reduce_fp8") ? ASSAY_FLOAT : ASSAY_BFLOAT;
    // 520: a rank's quarter is no whole number of 16-byte vectors; 1024: a rank's quarter is a whole number of groups.
    const int64_t elements = codes || has(contract, "all_reduce_fp8") ? 1024 : 520;
    parameters_ = {{"warp", 32}, {"schedule_seed", 1}, {"eps", 1e-6}, {"group_size", double(elements)}};
    if (straggler >= 0) parameters_.push_back({"straggler", double(straggler)});
    for (int r = 0; r < kRanks; ++r) {
      Tensors& own = tensors_[size_t(r)];
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
      assay_call& call = calls_[size_t(r)];
      call.size = sizeof call, call.op = op, call.contract = contract, call.kernel = kernel;
      call.tensors = own.all.data(), call.n_tensors = int32_t(own.all.size()), call.params = parameters_.data();
      call.n_params = int32_t(parameters_.size());
      call.message = words_[size_t(r)].data(), call.message_bytes = words_[size_t(r)].size();
      call.rank = r, call.world_size = kRanks;
      pointers_[size_t(r)] = &call;
    }
  }
  CallsOfRanks(const CallsOfRanks&) = delete;
  CallsOfRanks& operator=(const CallsOfRanks&) = delete;

  const assay_call* const* pointers() const { return pointers_.data(); }
  void print_words() const {
    for (const auto& said : words_)
      if (said[0]) std::fprintf(stderr, "%s\n", said.data());
  }

 private:
  std::vector<assay_param> parameters_;
  std::array<Tensors, kRanks> tensors_;
  std::array<std::array<char, 256>, kRanks> words_{};
  std::array<assay_call, kRanks> calls_{};
  std::array<const assay_call*, kRanks> pointers_{};
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) return 2;
  const assay_library& library = assay_kernels::open_library(argv[1]);
  bool in_a_row = false;
  int straggler = -1;
  for (int i = 5; i < argc; ++i) {
    in_a_row = in_a_row || std::strcmp(argv[i], "in_a_row") == 0;
    if (std::strcmp(argv[i], "straggler") == 0) straggler = 1;
  }
  std::deque<CallsOfRanks> all;
  std::vector<const assay_call* const*> row;
  for (uint32_t repetition = 0; repetition < 3; ++repetition)
    row.push_back(all.emplace_back(argv[2], argv[3], argv[4], straggler, 0x3f80 + repetition).pointers());
  void* const group = library.create_group(kRanks);
  assay_status status = ASSAY_OK;
  if (in_a_row) status = library.run_group_in_a_row(group, row.data(), int32_t(row.size()), kRanks);
  for (size_t i = 0; i < row.size() && !in_a_row && status == ASSAY_OK; ++i) status = library.run_group(group, row[i], kRanks);
  for (const CallsOfRanks& calls : all) calls.print_words();
  library.destroy_group(group);
  std::fprintf(stderr, "status %d\n", status);
  return status == ASSAY_OK ? 0 : 1;
}
