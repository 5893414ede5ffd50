// Checks code objects, or executes kernels for instruction_check.py.
// Usage: gcn_instructions_test FILE.elf ...
//   Checks that every instruction is implemented, and that its parsed form reproduces LLVM's text.
// Usage: gcn_instructions_test --values FILE.elf INPUTS CALLS ITEMS OUTPUTS
//   Each line of CALLS is "kernel first-row mode". A kernel reads rows of eight words from INPUTS, and writes three words per row.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <set>

#include "kernels/gcn_executor/executor.h"

namespace {

std::string bytes_of(const char* path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

int execute(char** argv) {
  assay_gcn::Device device({});
  const std::string elf = bytes_of(argv[0]), inputs = bytes_of(argv[1]);
  const auto code = device.load(elf.data(), elf.size());
  auto* rows = static_cast<uint32_t*>(device.memory().allocate(inputs.size(), "inputs"));
  std::memcpy(rows, inputs.data(), inputs.size());
  const auto items = static_cast<uint32_t>(std::strtoul(argv[3], nullptr, 10));
  auto* results = static_cast<uint32_t*>(device.memory().allocate(size_t{12} * items, "outputs"));
  std::ifstream calls(argv[2]);
  std::ofstream outputs(argv[4], std::ios::binary);
  std::string name;
  for (uint32_t first = 0, mode = 0; calls >> name >> first >> mode;) {
    const uint32_t* in = rows + size_t{8} * first;
    void* pointers[] = {&in, &results, &mode};
    const auto launch = device.start(*code, code->object().kernels().at(name), {items / 64, 1, 1}, {64, 1, 1}, 0, pointers);
    device.run(*launch);
    outputs.write(reinterpret_cast<const char*>(results), static_cast<std::streamsize>(size_t{12} * items));
  }
  return outputs.flush() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 7 && std::string(argv[1]) == "--values") try {
      return execute(argv + 2);
    } catch (const std::exception& fault) {
      std::fprintf(stderr, "%s\n", fault.what());
      return 2;
    }
  std::set<std::string> problems;
  size_t functions = 0;
  for (int i = 1; i < argc; ++i) {
    const std::string elf = bytes_of(argv[i]);
    try {
      assay_gcn::Device device({});
      const auto code = device.load(elf.data(), elf.size());
      for (const std::string& problem : code->check()) problems.insert(problem.substr(problem.find(": '") + 2));
      functions += code->object().functions().size();
    } catch (const assay_gcn::Fault& fault) {
      problems.insert(std::string(argv[i]) + ": " + fault.what());
    }
  }
  for (const std::string& problem : problems) std::printf("%s\n", problem.c_str());
  std::printf("%zu functions of %d code objects: %zu problems\n", functions, argc - 1, problems.size());
  return problems.empty() && functions != 0 ? 0 : 1;
}
