#pragma once
// The loop that runs on all cores.
#include <cstdint>

#ifndef __SANITIZE_THREAD__
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>
#else
#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>
#endif

namespace assay {

/// Runs f(i) for i in [0, count) on oneTBB's threads, and rethrows an exception of f. A thread that waits for the others runs no
/// unrelated task, so the caller may hold a lock.
///
/// The thread sanitizer does not see how oneTBB hands tasks to threads, and would report each of them as a race. In its builds,
/// four threads of the standard library run the loop, so that every report is a race in f.
template <class F>
void parallel_loop(int64_t count, const F& f) {
#ifndef __SANITIZE_THREAD__
  oneapi::tbb::this_task_arena::isolate([&] { oneapi::tbb::parallel_for(int64_t{0}, count, [&](int64_t i) { f(i); }); });
#else
  std::atomic<int64_t> next = 0;
  std::mutex mutex;
  std::exception_ptr first;
  const auto work = [&] {
    try {
      for (int64_t i; (i = next++) < count;) f(i);
    } catch (...) {
      next = count;
      const std::lock_guard lock(mutex);
      if (!first) first = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> threads;
    for (int64_t t = 0; t < std::min<int64_t>(4, count); ++t) threads.emplace_back(work);
  }
  if (first) std::rethrow_exception(first);
#endif
}

}  // namespace assay
