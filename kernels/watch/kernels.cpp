// The library that the harness asks: inputs made and codes compared.
#include "kernels/ops/catalogue.h"
#include "kernels/ops/dispatch.h"
#include "kernels/watch/product.h"
#include "kernels/watch/watch.h"

namespace assay_kernels {
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
  if (x.type_bits != 32 || q.type_bits != 8) unsupported("inputs of 32 bits and codes of 8 are watched");
  if (out.rows != shape.rows || out.columns != shape.columns) failed("q must have the shape of x");
  if (!has_type(steps, ASSAY_INT, 32) || table.columns != 2 || table.rows == 0) failed("steps must be pairs of int32");
  const int64_t count = shape.rows * shape.columns;
  if (count % kWatchCodes != 0) unsupported("as many inputs as fill sixteens are watched");
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
    failed("wrong must hold an int32 for each 2^15 inputs");
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

/// Plain integers: no chip lacks an instruction.
std::vector<Kernel> kernels_of(const std::string&) { return all_kernels(); }

}  // namespace assay_kernels
