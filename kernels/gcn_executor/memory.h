// Device memory: buffers in this process. A device address equals the host address: runtimes can copy with memcpy, and plug-ins
// can read device memory directly.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace assay_gcn {

struct Operation;

/// The last read or write of a 4-byte word, for the race detector. `operation` is null if this launch has not accessed the word.
struct Access {
  const Operation* operation = nullptr;
  uint32_t wave = 0, group = 0, time = 0;
  uint8_t bytes = 0;     ///< mask of accessed bytes within the word
  bool atomic = false;
  bool several = false;  ///< another wave made the same access since the last barrier
};
struct Touch {
  Access write, read;
  uint32_t split = 0;  ///< not 0: waves accessed different bytes, and this is the number of the per-byte record (program.h)
};

struct Buffer {
  uint64_t begin = 0, end = 0;
  std::string name;
  bool owned = false;
  std::vector<Touch> touches;  ///< one entry per 4 bytes, created when a race detector first needs it
  uint64_t touched_in = 0;     ///< the value of RaceDetector::batch_ when `touches` was last cleared

  bool holds(uint64_t address, uint64_t bytes) const {
    return address >= begin && bytes <= end - begin && address - begin <= end - begin - bytes;
  }
};

class Memory {
 public:
  Memory() = default;
  ~Memory();
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  /// Allocates zeroed memory, aligned to 4096 bytes. Throws Fault if there is not enough.
  void* allocate(size_t bytes, std::string name);
  /// Makes host memory accessible to kernels.
  void add(void* data, size_t bytes, std::string name);
  /// Frees or forgets a buffer. Returns false if no buffer starts at `data`.
  bool release(const void* data);

  /// Returns the buffer that contains these bytes, or nullptr.
  Buffer* find(uint64_t address, uint64_t bytes);
  /// For messages: "8 bytes at 0x7f.., 16 bytes past the end of buffer 'hipMalloc 3'".
  std::string describe(uint64_t address, uint64_t bytes) const;

 private:
  std::map<uint64_t, std::unique_ptr<Buffer>> buffers_;  ///< keyed by the address just past the buffer
  Buffer* last_ = nullptr;
};

}  // namespace assay_gcn
