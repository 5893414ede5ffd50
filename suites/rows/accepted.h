// How the answers of rows become the expectation of a tensor, on all cores.
#pragma once

#include <algorithm>
#include <atomic>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "harness/core/expectation.h"
#include "reference/formats/codes.h"
#include "reference/recipe/span.h"

namespace assay {

/// A small matrix is not worth a thread.
inline constexpr int64_t kElementsPerThread = 1 << 14;

template <class F>
void for_each_row(int64_t rows, int64_t columns, F f) {
  const auto threads =
      std::min<int64_t>({int64_t(std::thread::hardware_concurrency()), rows, 1 + rows * columns / kElementsPerThread});
  std::atomic<int64_t> next{0};
  std::exception_ptr error;
  std::mutex mutex;
  const auto work = [&] {
    try {
      for (int64_t row; (row = next++) < rows;) f(row);
    } catch (...) {
      const std::lock_guard lock(mutex);
      error = std::current_exception();
    }
  };
  std::vector<std::thread> pool;
  for (int64_t i = 1; i < threads; ++i) pool.emplace_back(work);
  work();
  for (std::thread& thread : pool) thread.join();
  if (error) std::rethrow_exception(error);
}

/// One output tensor while its rows are filled in.
struct Accepted {
  ExpectedTensor tensor;

  Accepted(const char* name, const Format& format, int64_t rows, int64_t columns) {
    tensor.name = name;
    tensor.format = &format;
    tensor.shape = {rows, columns};
    tensor.low.resize(size_t(rows * columns));
    tensor.high.resize(size_t(rows * columns));
  }

  void put(int64_t row, Spans spans) {
    const auto columns = size_t(tensor.shape[1]);
    std::vector<size_t> anything;
    for (size_t i = 0; !spans.pinned() && i < columns; ++i)
      if (spans[i].any()) anything.push_back(i), spans.set(i, point(max_finite(*tensor.format)));
    const std::span low(tensor.low.data() + size_t(row) * columns, columns),
        high(tensor.high.data() + size_t(row) * columns, columns);
    ordinals_of_values(*tensor.format, spans.low, low);
    if (spans.pinned())
      std::copy(low.begin(), low.end(), high.begin());
    else
      ordinals_of_values(*tensor.format, spans.high, high);
    for (const size_t i : anything) low[i] = kAnyLow, high[i] = kNanOrdinal;
  }

  ExpectedTensor finish(std::string reason) && {
    if (tensor.low == tensor.high) tensor.high.clear();
    tensor.reason = std::move(reason);
    return std::move(tensor);
  }
};

}  // namespace assay
