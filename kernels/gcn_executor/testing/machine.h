// Test helper: a device with one code object.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "kernels/gcn_executor/executor.h"

namespace assay_gcn {

inline std::string bytes_of_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Launches kernels of a code object by their names.
class Machine {
 public:
  explicit Machine(const std::string& options = "", const std::string& path = ASSAY_TEST_KERNELS)
      : device(options_of(options)), elf(bytes_of_file(path)), code(device.load(elf.data(), elf.size())) {}

  template <class T>
  T* buffer(const std::vector<T>& values) {
    void* data = device.memory().allocate(values.size() * sizeof(T), "buffer");
    std::memcpy(data, values.data(), values.size() * sizeof(T));
    return static_cast<T*>(data);
  }
  template <class T>
  T* buffer(size_t count) {
    return buffer(std::vector<T>(count));
  }
  template <class... T>
  void run(const std::string& name, uint32_t groups, uint32_t items, T... arguments) {
    void* pointers[] = {&arguments...};
    const auto launch = device.start(*code, code->object().kernels().at(name), {groups, 1, 1}, {items, 1, 1}, 0, pointers);
    device.run(*launch);
  }

  Device device;
  std::string elf;
  std::unique_ptr<Executable> code;
};

template <class Call>
std::string message_of(Call call) {
  try {
    call();
  } catch (const Fault& fault) {
    return fault.what();
  }
  return "";
}

}  // namespace assay_gcn
