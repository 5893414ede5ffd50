// Toy devices for tests: errors are numbers, streams and graphs do nothing, and memory can be files that other processes map.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <sys/mman.h>
#include <utility>
#include <vector>

#include "assay/plugin/library.hpp"

namespace assay_kernels {

// Shared by all toy devices: errors are numbers, and streams and graphs do nothing.

struct QuietRuntime {
  using Error = int;
  static constexpr Error kSuccess = 0, kBad = 1;
  static std::string identify(assay::plugin::Identity& identity) { return identity.arch = "toy", ""; }
  static Error take_last_error() { return kSuccess; }
  static Error create_stream(void**) { return kSuccess; }
  static Error destroy_stream(void*) { return kSuccess; }
  static Error begin_capture(void*) { return kSuccess; }
  static Error end_capture(void*, void**) { return kSuccess; }
  static Error replay(void*, void*) { return kSuccess; }
  static Error destroy_graph(void*) { return kSuccess; }
  static std::string text(Error error) { return "error " + std::to_string(error); }
  static assay_status status_of(Error error) { return error == kSuccess ? ASSAY_OK : ASSAY_DEVICE_LOST; }
};

}  // namespace assay_kernels

namespace assay_kernels::device_processes_test {

// A toy device whose memory is files, so that other processes can map it.

/// Memory of a process: each allocation is a file. Opening it again gives another address of the same bytes.
struct FileRuntime : QuietRuntime {
  struct Handle {
    char name[64];
    size_t bytes;
  };
  static inline std::map<void*, Handle> pieces;
  static inline std::set<void*> exported;
  /// Counts over all processes: open allocations, and allocations that were released while open elsewhere.
  struct Counts {
    int open, released_early;
  };
  static inline Counts* counts =
      static_cast<Counts*>(::mmap(nullptr, sizeof(Counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  static inline bool exports = true;
  static inline std::vector<std::pair<void*, std::vector<unsigned char>>> under_way;

  static Error map(const Handle& handle, void** data) {
    const int file = ::open(handle.name, O_RDWR | O_CREAT, 0600);
    if (file < 0 || ::ftruncate(file, off_t(handle.bytes)) != 0) return kBad;
    *data = ::mmap(nullptr, handle.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    ::close(file);
    return *data == MAP_FAILED ? kBad : kSuccess;
  }
  static Error allocate(void** data, size_t bytes) {
    static int number = 0;
    Handle handle{{}, bytes};
    std::snprintf(handle.name, sizeof handle.name, "/dev/shm/assay_device_test.%d.%d", int(::getpid()), number++);
    const Error error = map(handle, data);
    pieces[*data] = handle;
    return error;
  }
  static Error release(void* data) {
    if (exported.erase(data) > 0 && __atomic_load_n(&counts->open, __ATOMIC_SEQ_CST) > 0)
      __atomic_fetch_add(&counts->released_early, 1, __ATOMIC_SEQ_CST);
    ::unlink(pieces.at(data).name);
    return ::munmap(data, pieces.at(data).bytes), pieces.erase(data), kSuccess;
  }
  static Error export_memory(Handle& handle, void* data) {
    return exports ? (exported.insert(data), handle = pieces.at(data), kSuccess) : kBad;
  }
  static Error open_memory(void** data, const Handle& handle) {
    __atomic_fetch_add(&counts->open, 1, __ATOMIC_SEQ_CST);
    return map(handle, data);
  }
  static Error close_memory(void*) {
    __atomic_fetch_sub(&counts->open, 1, __ATOMIC_SEQ_CST);
    return kSuccess;
  }
  static Error copy_across(void* to, const void* from, size_t bytes) { return std::memcpy(to, from, bytes), kSuccess; }
  /// Delivers data only when somebody waits, like copies from unpinned memory.
  static Error copy_in(void* to, const void* from, size_t bytes) {
    const auto* const data = static_cast<const unsigned char*>(from);
    under_way.push_back({to, std::vector<unsigned char>(data, data + bytes)});
    return kSuccess;
  }
  static Error copy_out(void* to, const void* from, size_t bytes) { return std::memcpy(to, from, bytes), kSuccess; }
  static Error wait(void*) {
    for (const auto& [to, data] : under_way) std::memcpy(to, data.data(), data.size());
    return under_way.clear(), kSuccess;
  }
};

}  // namespace assay_kernels::device_processes_test
