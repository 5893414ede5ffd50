// Checks each given code object: every instruction is implemented, and its parsed form reproduces LLVM's text.
// Usage: gcn_instructions_test FILE.elf ...
#include <cstdio>
#include <fstream>
#include <iterator>
#include <set>

#include "kernels/gcn_executor/executor.h"

int main(int argc, char** argv) {
  std::set<std::string> problems;
  size_t functions = 0;
  for (int i = 1; i < argc; ++i) {
    std::ifstream file(argv[i], std::ios::binary);
    const std::string elf{std::istreambuf_iterator<char>(file), {}};
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
