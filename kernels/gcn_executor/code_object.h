// An AMD code object: an ELF file with kernels for one architecture, loaded into device memory.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "kernels/gcn_executor/memory.h"

namespace assay_gcn {

/// A kernel argument from the metadata. Sizes and offsets are in bytes.
struct KernelArgument {
  size_t offset = 0, size = 0;
  std::string kind;  ///< by_value, global_buffer, hidden_block_count_x and so on
};

struct KernelDescriptor {  // amdhsa kernel descriptor: LLVM, AMDGPUUsage, "Kernel Descriptor"
  uint32_t group_segment_fixed_size, private_segment_fixed_size, kernarg_size;
  uint8_t reserved0[4];
  int64_t kernel_code_entry_byte_offset;
  uint8_t reserved1[20];
  uint32_t compute_pgm_rsrc3, compute_pgm_rsrc1, compute_pgm_rsrc2;
  uint16_t kernel_code_properties, kernarg_preload;
  uint8_t reserved3[4];
};
static_assert(sizeof(KernelDescriptor) == 64);

struct Kernel {
  std::string name;  ///< mangled name
  KernelDescriptor descriptor{};
  uint64_t entry = 0;  ///< device address of the first instruction
  std::vector<KernelArgument> arguments;
  bool uses_dynamic_stack = false;
};

struct Function {
  std::string name;
  uint64_t begin = 0, end = 0;  ///< device addresses
};

class CodeObject {
 public:
  /// Loads and relocates the code object. Throws Fault unless it is for gfx942 or gfx950.
  CodeObject(const void* elf, size_t bytes, Memory& memory);
  ~CodeObject();
  CodeObject(const CodeObject&) = delete;
  CodeObject& operator=(const CodeObject&) = delete;

  const std::string& architecture() const { return architecture_; }
  const std::map<std::string, Kernel>& kernels() const { return kernels_; }
  /// All functions of the code object. The key is the address just past the function's end.
  const std::map<uint64_t, Function>& functions() const { return functions_; }
  /// Returns the function that contains an address, or nullptr.
  const Function* function_at(uint64_t address) const;
  /// Device address and size of a symbol; {0, 0} if there is none.
  std::pair<uint64_t, uint64_t> symbol(const std::string& name) const;

 private:
  Memory& memory_;
  uint64_t base_ = 0;
  std::string architecture_;
  std::map<std::string, Kernel> kernels_;
  std::map<std::string, std::pair<uint64_t, uint64_t>> symbols_;
  std::map<uint64_t, Function> functions_;  ///< keyed by end address
};

/// The architecture of an ELF code object, such as "gfx942". Returns "" if the executor does not support it.
std::string architecture_of(const void* elf, size_t bytes);

}  // namespace assay_gcn
