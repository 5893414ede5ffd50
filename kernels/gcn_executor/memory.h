// Device memory: buffers of this process. A device address is the host's address, so runtimes can copy and plug-ins can look.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace assay_gcn {

struct Operation;

/// The last access to four bytes, for the race detector. No operation: none in this launch.
struct Access {
  const Operation* operation = nullptr;
  uint32_t wave = 0, group = 0, time = 0;
  uint8_t bytes = 0;     ///< which of the four
  bool atomic = false;
  bool several = false;  ///< another wave did the same since the last barrier
};
struct Touch {
  Access write, read;
  uint32_t split = 0;  ///< waves touched different bytes of it: the number of its record for each byte (race_detector.h)
};

struct Buffer {
  uint64_t begin = 0, end = 0;
  std::string name;
  bool owned = false;
  std::vector<Touch> touches;  ///< of each four bytes, made when a detector first asks
  uint64_t touched_in = 0;     ///< the batch of launches that `touches` are of

  bool holds(uint64_t address, uint64_t bytes) const { return address >= begin && bytes <= end - begin && address - begin <= end - begin - bytes; }
};

class Memory {
 public:
  Memory() = default;
  ~Memory();
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  /// Zeroed bytes at a multiple of 4096. Throws Fault if there are none.
  void* allocate(size_t bytes, std::string name);
  /// Makes memory of the host visible to kernels.
  void add(void* data, size_t bytes, std::string name);
  /// False if no buffer begins there.
  bool release(const void* data);

  /// The buffer that holds these bytes, or null.
  Buffer* find(uint64_t address, uint64_t bytes);
  /// "8 bytes at 0x7f.., 16 bytes behind buffer 'hipMalloc 3'": for messages.
  std::string describe(uint64_t address, uint64_t bytes) const;

 private:
  std::map<uint64_t, std::unique_ptr<Buffer>> buffers_;  ///< by the address of the first byte behind it
  Buffer* last_ = nullptr;
};

}  // namespace assay_gcn
