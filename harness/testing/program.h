// Helpers for tests that start the program `assay`, or load a library of harness/testing.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <string>

namespace assay::testing {

/// The path of the library assay_testing_<name> of harness/testing.
inline std::string path_of_library(const std::string& name) { return ASSAY_TESTING_FOLDER "/libassay_testing_" + name + ".so"; }

struct Answer {
  int exit_code;
  std::string text;  ///< text on standard output and standard error
};

/// Runs a command in bash. Standard error is captured only if the command redirects it.
inline Answer shell(const std::string& command) {
  std::string quoted;
  for (const char c : command) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  FILE* pipe = ::popen(("bash -c '" + quoted + "'").c_str(), "r");
  std::string text;
  char chunk[4096];
  for (size_t got; (got = std::fread(chunk, 1, sizeof chunk, pipe)) > 0;) text.append(chunk, got);
  const int status = ::pclose(pipe);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, text};
}

inline Answer assay(const std::string& arguments, const std::string& environment = "") {
  return shell(environment + " '" ASSAY_PROGRAM "' " + arguments + " 2>&1");
}

/// Options that select a few cases that the CPU back end runs quickly.
inline constexpr const char* kFewCases = "--case 'quant_group/vllm.group_fp8/*/ties.s1/w32' ";

class Cli : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("assay_cli_" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string file(const std::string& name) const { return (folder_ / name).string(); }
  std::filesystem::path folder_;
};

}  // namespace assay::testing
