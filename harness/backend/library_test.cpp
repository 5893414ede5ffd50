// Libraries are read; inconsistent function tables and invalid descriptions are rejected.
#include "harness/backend/library.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "harness/testing/toy_library.h"

namespace assay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

template <class Action>
std::string library_error(Action action) {
  try {
    action();
  } catch (const LibraryError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Library, TableOfFunctionsIsChecked) {
  const auto error_with = [](auto change) {
    assay_library library = *testing::toy_library();
    change(library);
    return library_error([&] { check_functions(library, "l.so"); });
  };
  EXPECT_EQ(error_with([](assay_library&) {}), "no error");
  EXPECT_EQ(error_with([](assay_library& l) { l.abi = 7; }), "l.so: wrong ABI version: library has 7, this program speaks 1");
  EXPECT_THAT(error_with([](assay_library& l) { l.size = 8; }), HasSubstr("l.so: assay_library is 8 bytes"));
  EXPECT_EQ(error_with([](assay_library& l) { l.run = nullptr; }), "l.so: describe and run must not be NULL");
  EXPECT_THAT(error_with([](assay_library& l) { l.release = std::free; }), HasSubstr("must be all set or all NULL"));
}

TEST(Library, DescriptionsAreChecked) {
  const auto error_of = [](const std::string& json) { return library_error([&] { parse_description(json, "l.so"); }); };
  EXPECT_EQ(error_of("{"), "l.so: describe(): line 1, column 2: is truncated or damaged: no JSON");
  EXPECT_EQ(error_of("[]"), "l.so: describe(): library must be an object");
  EXPECT_EQ(error_of(R"({"name": "a"})"), "l.so: describe(): library.arch is missing");
  EXPECT_EQ(error_of(R"({"name": "a", "arch": "cpu"})"), "l.so: describe(): library.kernels is missing");
  EXPECT_EQ(error_of(R"({"name": "a", "arch": "cpu", "kernels": [{"name": 1}]})"),
            "l.so: describe(): kernels[0].name must be a string");
  const std::string start = R"({"name": "a", "arch": "cpu", "kernels": [{"name": "k", "op": "o", )";
  EXPECT_EQ(error_of(start + R"("contracts": "c"}]})"), "l.so: describe(): kernels[0].contracts must be a list of strings");
  EXPECT_EQ(error_of(start + R"("accepts": {"n": 8}}]})"), "l.so: describe(): kernels[0].accepts.n must be a list");
  EXPECT_EQ(error_of(start + R"("contract": ["c"]}]})"),
            "l.so: describe(): kernels[0]: unknown key 'contract'; did you mean 'contracts'?");
  EXPECT_EQ(error_of(R"({"name": "a", "arch": "cpu", "kernel": []})"),
            "l.so: describe(): library: unknown key 'kernel'; did you mean 'kernels'?");
  EXPECT_EQ(error_of(R"({"name": "a\u001b[2J", "arch": "cpu", "kernels": []})"),
            "l.so: describe(): library.name holds a control character: a\\x1b[2J");
  const std::string twice = R"({"name": "k", "op": "o", "contracts": ["c", "d"]})";
  EXPECT_EQ(error_of(R"({"name": "a", "arch": "cpu", "kernels": [)" + twice + "," + twice + "]}"),
            "l.so: describe(): kernels[1]: 'k' for contract c of op o is listed twice, first in kernels[0]");
  EXPECT_EQ(error_of(start + R"("multiple_of": {"n": 0}}]})"),
            "l.so: describe(): kernels[0].multiple_of.n must be an integer from 1 up");
}

TEST(Library, DescriptionsAreRead) {
  const LibraryInfo info = parse_description(
      R"({"name": "a", "arch": "sm_90", "device": "d", "kernels": [{"name": "k", "op": "o", "contracts": ["c"],
          "accepts": {"group_size": [64, 128], "layout": ["row"], "eps": [1e-6]}, "multiple_of": {"n": 8}, "fault": "f"}]})",
      "l.so");
  EXPECT_EQ(info.arch, "sm_90");
  EXPECT_THAT(info.kernels.at(0).accepts.at("group_size"), ElementsAre("64", "128"));
  EXPECT_THAT(info.kernels.at(0).accepts.at("layout"), ElementsAre("row"));
  EXPECT_EQ(info.kernels.at(0).multiple_of.at("n"), 8);
  EXPECT_EQ(info.kernels.at(0).fault, "f");
}

}  // namespace
}  // namespace assay
