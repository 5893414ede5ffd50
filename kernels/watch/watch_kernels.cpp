// assay_watch_<vendor>.so checks calls that are too large to check on the host. On the device, it generates the inputs of a cast
// and compares the codes, and it predicts GEMMs.
#include "kernels/ops/call.h"
#include "kernels/ops/kernel_common.h"
#include "kernels/simt/simt.h"
#include "kernels/watch/gemm_prediction.h"

namespace assay_kernels {

// Kernels that generate all inputs of a cast and compare its codes on the device.
//
// These kernels assist the harness and are not under test. They know no format: the reference passes a table that maps ranges of
// inputs to codes, and a code is right if the table has this code for its input. All arithmetic is on integers.

/// The last input of each range and its code, in ascending order; the last range ends at the last possible input.
struct Steps {
  const uint32_t* table;
  int32_t count;

  SIMT_DEVICE uint32_t last(int32_t step) const { return table[2 * step]; }
  SIMT_DEVICE uint8_t code(int32_t step) const { return uint8_t(table[2 * step + 1]); }
  SIMT_DEVICE int32_t of(uint32_t input) const {
    int32_t low = 0, high = count - 1;
    while (low < high) {
      const int32_t middle = (low + high) / 2;
      last(middle) < input ? low = middle + 1 : high = middle;
    }
    return low;
  }
};

inline constexpr int kWatchThreads = 256;
inline constexpr int kWatchCodes = 16;            ///< codes that a thread handles at a time
inline constexpr int64_t kWatchInputs = 1 << 15;  ///< inputs per warp, which returns one count of wrong codes

/// Calls visit(i) for each group of sixteen codes of this thread; i is the index of the first code. A warp's groups are adjacent.
template <int kWarp, class Visit>
SIMT_DEVICE void for_each_sixteen(int64_t count, Visit visit) {
  const int64_t warp = (simt::block() * simt::block_size() + simt::thread()) / kWarp;
  int64_t i = warp * kWatchInputs + simt::thread() % kWarp * kWatchCodes;
  for (int turn = 0; turn < kWatchInputs / kWatchCodes / kWarp && i < count; ++turn, i += kWarp * kWatchCodes) visit(i);
}

/// Fills x with consecutive inputs from `first` on. Fills q with wrong codes, so that codes that the cast does not write count
/// as wrong.
template <int kWarp>
SIMT_KERNEL void watch_prepare(uint32_t* x, uint8_t* q, int64_t count, uint32_t first, Steps steps) {
  for_each_sixteen<kWarp>(count, [=](int64_t i) {
    int32_t step = steps.of(first + uint32_t(i));
    simt::Vector<uint8_t> codes;
    SIMT_UNROLL
    for (int k = 0; k < kWatchCodes; ++k) {
      while (steps.last(step) < first + uint32_t(i) + k) ++step;
      codes.at[k] = uint8_t(~steps.code(step));
    }
    simt::store16(q + i, codes);
    SIMT_UNROLL
    for (int k = 0; k < kWatchCodes; k += 4) {
      const uint32_t input = first + uint32_t(i) + k;
      simt::store16(x + i + k, simt::Vector<uint32_t>{{input, input + 1, input + 2, input + 3}});
    }
  });
}

/// wrong[w] counts, among the inputs w * 2^15 to (w + 1) * 2^15 - 1, those that were overwritten or whose code is wrong.
template <int kWarp>
SIMT_KERNEL void watch_compare(const uint32_t* x, const uint8_t* q, int64_t count, uint32_t first, Steps steps, int32_t* wrong) {
  int32_t found = 0;
  for_each_sixteen<kWarp>(count, [&](int64_t i) {
    int32_t step = steps.of(first + uint32_t(i));
    const auto codes = simt::load16(q + i);
    SIMT_UNROLL
    for (int k = 0; k < kWatchCodes; k += 4) {
      const auto inputs = simt::load16(x + i + k);
      SIMT_UNROLL
      for (int j = 0; j < 4; ++j) {
        const uint32_t input = first + uint32_t(i) + k + j;
        while (steps.last(step) < input) ++step;
        found += codes.at[k + j] != steps.code(step) || inputs.at[j] != input;
      }
    }
  });
  // exact in fp32, because it is below 2^24
  const float all = simt::lane_reduce<kWarp, kWarp>(float(found), [](float a, float b) { return a + b; });
  const int64_t warp = (simt::block() * simt::block_size() + simt::thread()) / kWarp;
  if (simt::thread() % kWarp == 0 && warp * kWatchInputs < count) wrong[warp] = int32_t(all);
}

namespace {

struct Watched {
  const assay_tensor &x, &q;
  int64_t count;
  uint32_t first;
  Steps steps;
};

Watched read(const Call& call, bool prepares) {
  const assay_tensor& x = prepares ? call.output("x") : call.input("x");
  const assay_tensor& q = prepares ? call.output("q") : call.input("q");
  const assay_tensor& steps = call.input("steps");
  const Shape shape = dense_matrix(x), out = dense_matrix(q), table = dense_matrix(steps);
  if (x.type_bits != 32 || q.type_bits != 8) unsupported("the on-device checker supports only 32-bit inputs and 8-bit codes");
  if (out.rows != shape.rows || out.columns != shape.columns) failed("q must have the shape of x");
  if (!has_type(steps, ASSAY_INT, 32) || table.columns != 2 || table.rows == 0) failed("tensor 'steps' must be a matrix of int32 with two columns and at least "
                                                                                       "one row");
  const int64_t count = shape.rows * shape.columns;
  if (count % kWatchCodes != 0) unsupported("the number of inputs must be a multiple of 16");
  expect_aligned(x);
  expect_aligned(q);
  return {x, q, count, uint32_t(call.number("first")), {data_of<uint32_t>(steps), int32_t(table.rows)}};
}

simt::Launch grid(const Call& call, const Watched& w) {
  const int64_t each = kWatchInputs * (kWatchThreads / call.warp());
  return call.grid((w.count + each - 1) / each, kWatchThreads);
}

void prepare(const Call& call) {
  const Watched w = read(call, true);
  with_warp(call, [&](auto warp) {
    simt::launch(watch_prepare<decltype(warp)::value>, grid(call, w), static_cast<uint32_t*>(w.x.data),
                 static_cast<uint8_t*>(w.q.data), w.count, w.first, w.steps);
  });
}

void compare(const Call& call) {
  const Watched w = read(call, false);
  const assay_tensor& wrong = call.output("wrong");
  if (!has_type(wrong, ASSAY_INT, 32) || wrong.bytes < size_t((w.count + kWatchInputs - 1) / kWatchInputs) * 4)
    failed("tensor 'wrong' must have one int32 for each 2^15 inputs");
  with_warp(call, [&](auto warp) {
    simt::launch(watch_compare<decltype(warp)::value>, grid(call, w), data_of<uint32_t>(w.x), data_of<uint8_t>(w.q), w.count,
                 w.first, w.steps, static_cast<int32_t*>(wrong.data));
  });
}

}  // namespace

std::vector<Kernel> all_kernels() {
  std::vector<Kernel> all = {{"watch_prepare", "watch_prepare", {"watch"}, {{"warp", simt::kWarpSizes}}, {}, prepare},
          {"watch_compare", "watch_compare", {"watch"}, {{"warp", simt::kWarpSizes}}, {}, compare}};
  for (Kernel& kernel : product_kernels()) all.push_back(std::move(kernel));
  return all;
}

/// All kernels, whatever the architecture, because plain integer code runs on every GPU.
std::vector<Kernel> kernels_of(const std::string&) { return all_kernels(); }

namespace {

ByteFormat format_of(const Call& call, const std::string& factor, const assay_tensor& t) {
  if (has_type(t, ASSAY_FLOAT8_E4M3FN, 8)) return {3, 7, 0x7f};
  if (has_type(t, ASSAY_FLOAT8_E5M2, 8)) return {2, 15, 0x7c};
  (void)call;
  unsupported(factor + " must be e4m3fn or e5m2");
}

int whole(const Call& call, const char* parameter, int least, int most) {
  const double value = call.number(parameter);
  if (!(value >= least && value <= most) || value != int(value))
    unsupported(std::string(parameter) + " must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  return int(value);
}

void predict(const Call& call) {
  const assay_tensor &a = call.input("a"), &b = call.input("b"), &d = call.output("d");
  const Shape of_a = dense_matrix(a), of_b = dense_matrix(b), of_d = dense_matrix(d);
  if (!has_type(d, ASSAY_FLOAT, 32) || of_d.rows != of_a.rows || of_d.columns != of_b.rows || of_a.columns != of_b.columns)
    failed("d must be f32 with the shape [m, n], for a [m, k] and b [n, k]");
  if (of_a.columns == 0 || of_a.columns % kMostOfBlock != 0) unsupported("k must be a multiple of " + std::to_string(kMostOfBlock));
  expect_aligned(a);
  expect_aligned(b);
  ProductArguments x{data_of<uint8_t>(a),
                     data_of<uint8_t>(b),
                     static_cast<float*>(d.data),
                     of_a.rows,
                     of_b.rows,
                     of_a.columns,
                     format_of(call, "a", a),
                     format_of(call, "b", b),
                     0,
                     0,
                     0};
  x.fraction_bits = whole(call, "fraction_bits", x.of_a.mantissa_bits + x.of_b.mantissa_bits, kMostFraction);
  x.result_bits = whole(call, "result_bits", x.fraction_bits, 23);
  x.promote = whole(call, "promote", 0, 1 << 20);
  const int take = whole(call, "take", 16, 32);
  const int64_t down = (x.m + kTile - 1) / kTile, across = (x.n + kTile - 1) / kTile;
  if (down * across == 0) return;
  const simt::Launch grid = call.grid(down * across, kProductThreads);
  if (take == 32) return simt::launch(watch_product<Take<32>>, grid, x, across);
  if (take == 16) return simt::launch(watch_product<Take<16>>, grid, x, across);
  unsupported("take must be 16 or 32");
}

}  // namespace

std::vector<Kernel> product_kernels() {
  return {{"watch_product", "watch_product", {"watch"}, {{"warp", simt::kWarpSizes}}, {}, predict}};
}

}  // namespace assay_kernels
