// Tests which inputs of a call count as read, and the texts about null pointers and about kernels that write nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "harness/diagnosis/diagnose.h"
#include "harness/testing/toy_op.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

/// A call with inputs a, b and scale, and an output d.
Problem made_problem() {
  Problem problem;
  for (const char* const name : {"a", "b", "scale"})
    problem.tensors.push_back({dense(name, Role::kInput, kF32, {2, 4}), std::vector<std::byte>(32)});
  problem.tensors.push_back({dense("d", Role::kOutput, kF32, {2, 4}), {}});
  return problem;
}

/// A back end that reads some inputs in order, and then ends with `message`.
Backend reading(const Problem& problem, const std::vector<std::string>& names, const std::string& message) {
  Backend backend{"fake", {}, [=](const CallRequest& made) {
                    CallResult result;
                    result.status = CallStatus::kBroken;
                    for (const std::string& name : names)
                      for (const int32_t i : made.closed)
                        if (problem.tensors[size_t(i)].spec.name == name && result.message.empty())
                          result.message = "crashed: SIGSEGV at address 0x7f00: read inside '" + name + "', in libmine.so+0x11";
                    if (result.message.empty()) result.message = message;
                    return result;
                  }};
  backend.contains_crashes = true;
  return backend;
}

constexpr const char* kNull = "crashed: SIGSEGV at address 0x0: read through a null pointer, in libmine.so+0x11";

TEST(InputsRead, AreNamedInTheOrderOfTheirFirstReads) {
  const Problem problem = made_problem();
  const CallRequest request{"toy", "toy.copy", "k", &problem, 1};
  const InputsRead found = inputs_read(reading(problem, {"b", "a"}, ""), request);
  EXPECT_TRUE(found.is_known);
  EXPECT_THAT(found.read, ElementsAre("b", "a"));
  EXPECT_THAT(found.others, ElementsAre("scale"));
  Backend in_process = reading(problem, {"b"}, "");
  in_process.contains_crashes = false;
  EXPECT_FALSE(inputs_read(in_process, request).is_known) << "a crash would end this process";
}

TEST(InputsRead, ANullPointerIsProbablyThatOfTheInputThatIsNotRead) {
  const Problem problem = made_problem();
  const CallRequest request{"toy", "toy.copy", "k", &problem, 1};
  const auto words = [&](const std::vector<std::string>& read, const std::string& message) {
    return null_pointer_in_words(reading(problem, read, message), request, message);
  };
  EXPECT_EQ(
      words({"a", "b"}, kNull),
      "null: the kernel reads a and b before the crash, but not scale: the pointer of scale is probably never set, or an index "
      "into a list of pointers is wrong");
  EXPECT_THAT(words({"a"}, kNull), HasSubstr("reads a before the crash, but not b or scale: the pointer of one of them is"));
  EXPECT_THAT(words({}, kNull), StartsWith("null: no input is read before the crash: an index into a list of pointers"));
  EXPECT_THAT(words({"a", "b", "scale"}, kNull), HasSubstr("every input is read before the crash"));
  EXPECT_THAT(words({"a"}, "crashed: SIGSEGV at address 0x0: wrote through a null pointer"),
              HasSubstr("the pointer of d is probably"));
  EXPECT_THAT(words({"a"}, "crashed: SIGSEGV at address 0x7f00: read far from every tensor"), IsEmpty());
}

TEST(InputsRead, TellWhetherAKernelThatWritesNothingRuns) {
  const Problem problem = made_problem();
  const CallRequest request{"toy", "toy.copy", "k", &problem, 1};
  const auto words = [&](const std::vector<std::string>& read) {
    return nothing_written_in_words(reading(problem, read, "ended"), request);
  };
  EXPECT_THAT(words({"a", "b", "scale"}), HasSubstr("the kernel runs and reads a, b and scale, but its stores are missing"));
  EXPECT_THAT(words({"a"}), HasSubstr("the call reads a, but not b or scale"));
  EXPECT_THAT(words({}), HasSubstr("or all its threads return at once: no input is read"));
  EXPECT_THAT(words({}), StartsWith("never written: no element of any output: ")) << "reports compare such cases by this text";
}

}  // namespace
}  // namespace assay
