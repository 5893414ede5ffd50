// Tests the outcome of one case on one kernel.
#include "harness/run/run_case.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "harness/backend/library.h"
#include "harness/backend/runner.h"
#include "harness/core/tensor.h"
#include "harness/run/run.h"
#include "harness/testing/toy_library.h"
#include "harness/testing/toy_op.h"
#include "reference/table/table.h"

namespace assay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

const Op kOp = testing::toy_op();

Verdict run(const std::string& kernel, const CaseOptions& options = {}, const std::string& format = "bf16") {
  return run_case(kOp, testing::toy_case(format), {.name = kernel, .op = "toy", .contracts = {"toy.copy"}},
                  testing::toy_backend(), options);
}

TEST(RunCase, ACorrectKernelPasses) {
  const Verdict verdict = run("copy");
  EXPECT_EQ(verdict.outcome, Outcome::kPass) << verdict.message;
  EXPECT_EQ(verdict.tensors.at(0).single_code, 16);
  EXPECT_EQ(verdict.origin, "suites/toy/cases/quick.csv:2");
  EXPECT_EQ(verdict.repro, "assay run --backend toy --case 'toy/bf16.m2.n8.ramp.s1/w32' --kernel copy");
  EXPECT_EQ(verdict.contract, "toy.copy");
  EXPECT_EQ(verdict.warp, "32");
}

TEST(RunCase, AReproLineKeepsTheOptionsOfTheRun) {
  CaseOptions options;
  options.repro_options = " --repeat 8";
  KernelOffer kernel;
  kernel.name = "off_by_one";
  EXPECT_EQ(run_case(kOp, testing::toy_case(), kernel, testing::toy_backend(), options).repro,
            "assay run --backend toy --case 'toy/bf16.m2.n8.ramp.s1/w32' --kernel off_by_one --repeat 8");
}

TEST(RunCase, AReproLineBeginsWithTheVariablesThatItNeeds) {
  CaseOptions options;
  options.repro_environment = "ASSAY_PYTHON=/opt/python3 ";
  EXPECT_THAT(run("off_by_one", options).repro,
              ::testing::StartsWith("ASSAY_PYTHON=/opt/python3 assay run --backend toy --case "));
  EXPECT_THAT(run("off_by_one").repro, ::testing::StartsWith("assay run --backend toy "));
}

TEST(RunCase, AReproLineIsSafeInAShell) {
  Case one = testing::toy_case();
  one.run_options = " --cases mine.csv";
  EXPECT_EQ(
      blank_verdict(one, "fast; rm -rf ~", "./my libs/lib.so").repro,
      "assay run --cases mine.csv --backend './my libs/lib.so' --case 'toy/bf16.m2.n8.ramp.s1/w32' --kernel 'fast; rm -rf ~'");
  one.id = "it's";
  EXPECT_EQ(blank_verdict(one, "", "toy").repro, "assay run --cases mine.csv --backend toy --case 'it'\\''s'");
}

TEST(RunCase, AWrongElementFails) {
  const Verdict verdict = run("off_by_one");
  EXPECT_EQ(verdict.outcome, Outcome::kFail);
  EXPECT_EQ(verdict.tensors.at(0).outside, 1);
  EXPECT_EQ(verdict.tensors.at(0).first.at, (std::array<int64_t, 2>{0, 1}));
}

TEST(RunCase, BrokenConditions) {
  for (const char* kernel : {"overruns", "underruns", "changes_input", "unknown_status"})
    EXPECT_EQ(run(kernel).outcome, Outcome::kBroken) << kernel;
  EXPECT_EQ(run("unwritten").outcome, Outcome::kBroken);
  EXPECT_EQ(run("unwritten").message,
            "output 'y': 3 of 16 elements were never written, first [1, 5]: row 1 of 2, columns 5..7 of 8");
  EXPECT_EQ(run("throws").outcome, Outcome::kBroken);
  EXPECT_EQ(run("throws").message, "the library threw an exception: thrown on purpose");
}

TEST(RunCase, AKernelThatAsksForANameThatItsOpLacksIsBroken) {
  Op op = testing::toy_op();
  op.roles = {{"x", Access::kIn, "the input"}, {"residual", Access::kInOut, "of some calls"}, {"y", Access::kOut, "the copy"}};
  op.parameters = {{"warp", "32 or 64"}, {"eps", "of some calls"}};
  const auto refused_with = [&](const std::string& message) {
    Backend backend = testing::toy_backend();
    backend.call = [&](const CallRequest&) {
      CallResult result;
      result.status = CallStatus::kUnsupported;
      result.message = message;
      return result;
    };
    CaseOptions options;
    options.rerun_failed = 2;
    return run_case(op, testing::toy_case(), {.name = "k", .op = "toy", .contracts = {"toy.copy"}}, backend, options);
  };
  const Verdict typo = refused_with("the call has no tensor 'residul'; it has x, y");
  EXPECT_EQ(typo.outcome, Outcome::kBroken);
  EXPECT_EQ(
      typo.message,
      "the kernel asks for tensor 'residul', which no call of op toy has; did you mean 'residual'?; its tensors: x, residual, y");
  EXPECT_EQ(refused_with("rank 1: the call has no tensor 'weight'; it has x, y").outcome, Outcome::kBroken);
  EXPECT_THAT(refused_with("the call has no parameter 'esp'").message, HasSubstr("its parameters: warp, eps"));
  for (const char* legal : {"the call has no tensor 'residual'; it has x, y",
                            "the call has no tensor 'residual_out'; it has x, y", "the call has no parameter 'eps'",
                            "tensor 'x' is f32, this kernel takes bf16", "whoever says 'the call has no tensor 'z''"})
    EXPECT_EQ(refused_with(legal).outcome, Outcome::kSkip) << legal;
}

/// A case that adds a remark to every verdict; optionally it is a sweep of three calls.
class OddCase : public testing::ToyCase {
 public:
  OddCase(const Case& one, const bool* is_sweep, int* calls) : ToyCase(one), is_sweep_(is_sweep), calls_(calls) {}

  std::vector<std::string> remarks(const Problem&, const std::vector<HostTensor>&) const override { return {"odd"}; }
  bool is_sweep() const override { return *is_sweep_; }
  void judge_sweep(const SweepCalls& sweep, Verdict& verdict) const override {
    const Problem made = problem();
    for (int i = 0; i < 3 && sweep.outputs(made) != nullptr; ++i) ++*calls_;
    verdict.tensors.resize(1);
    verdict.tensors[0].outside = *calls_ == 3 ? 0 : 1;
  }

 private:
  const bool* const is_sweep_;
  int* const calls_;
};

TEST(RunCase, AnOpMayJudgeByCallsOfItsOwn) {
  bool is_sweep = false;
  int calls = 0;
  const Op op = testing::toy_op_of<OddCase>(static_cast<const bool*>(&is_sweep), &calls);
  CaseOptions options;
  const auto run_op = [&](const std::string& kernel) {
    return run_case(op, testing::toy_case("bf16"), {.name = kernel, .op = "toy", .contracts = {"toy.copy"}},
                    testing::toy_backend(), options);
  };
  EXPECT_THAT(run_op("off_by_one").tensors.at(0).notes, ElementsAre("odd"));
  EXPECT_THAT(run_op("copy").tensors.at(0).notes, ElementsAre());
  options.remarks = Remarks::kOfAll;
  EXPECT_THAT(run_op("copy").tensors.at(0).notes, ElementsAre("odd"));

  is_sweep = true;
  EXPECT_EQ(run_op("copy").outcome, Outcome::kPass);
  EXPECT_EQ(calls, 3);
  EXPECT_EQ(run_op("refuses").outcome, Outcome::kSkip) << "whatever tensors the op gives";
  EXPECT_EQ(run_op("unwritten").message, "output 'y': some elements were never written");
  is_sweep = false;
  EXPECT_EQ(run_op("off_by_one").outcome, Outcome::kFail) << "an ordinary case after all";
}

TEST(RunCase, RefusalsAndLosses) {
  EXPECT_EQ(run("refuses").outcome, Outcome::kSkip);
  EXPECT_TRUE(as_expected(run("refuses"))) << "a skip, never a failure";
  EXPECT_FALSE(as_expected(run("loses_device")));
  EXPECT_EQ(run("fails").outcome, Outcome::kFail);
  EXPECT_TRUE(run("loses_device").device_lost);
  EXPECT_EQ(run("loses_device").outcome, Outcome::kSkip);
}

struct SweepThatJudgesNothing : testing::ToyCase {
  using ToyCase::ToyCase;
  bool is_sweep() const override { return true; }
};

struct CaseThatThrows : testing::ToyCase {
  using ToyCase::ToyCase;
  Expectation expect(const Problem&, const std::vector<HostTensor>*) const override { throw std::logic_error("lost the table"); }
};

struct LargeCase : testing::ToyCase {
  using ToyCase::ToyCase;
  Problem problem() const override {
    require_memory(dense("x", Role::kInput, kBf16, {2'000'000'000, 2'000'000'000}), 0);
    return ToyCase::problem();
  }
};

struct CaseWithoutMemory : testing::ToyCase {
  using ToyCase::ToyCase;
  Expectation expect(const Problem&, const std::vector<HostTensor>*) const override { throw std::bad_alloc(); }
};

TEST(RunCase, ATensorThatDoesNotFitIsNamedWithItsSize) {
  const KernelOffer copy{.name = "copy", .op = "toy"};
  const Verdict large = run_case(testing::toy_op_of<LargeCase>(), testing::toy_case(), copy, testing::toy_backend(), {});
  EXPECT_EQ(large.outcome, Outcome::kNotJudged);
  EXPECT_THAT(
      large.message,
      ::testing::StartsWith(
          "no verdict: does not fit into memory: tensor 'x' [2000000000, 2000000000] of bf16: holds 6.94 EiB, too much for "));
  const Verdict full = run_case(testing::toy_op_of<CaseWithoutMemory>(), testing::toy_case(), copy, testing::toy_backend(), {});
  EXPECT_EQ(full.outcome, Outcome::kNotJudged);
  EXPECT_EQ(
      full.message,
      "no verdict: does not fit into memory: tensor 'x' [2, 8] of bf16: holds 32 bytes, and no memory is left for the check");
}

TEST(RunCase, AVerdictThatNobodyGaveIsNoPass) {
  const KernelOffer copy{.name = "copy", .op = "toy"};
  const Verdict unjudged =
      run_case(testing::toy_op_of<SweepThatJudgesNothing>(), testing::toy_case(), copy, testing::toy_backend(), {});
  EXPECT_EQ(unjudged.outcome, Outcome::kNotJudged);
  EXPECT_EQ(unjudged.message, "no verdict: the op checked no output");
  EXPECT_FALSE(as_expected(unjudged));
  EXPECT_FALSE(as_expected(Verdict{}));

  const Verdict failed = run_case(testing::toy_op_of<CaseThatThrows>(), testing::toy_case(), copy, testing::toy_backend(), {});
  EXPECT_EQ(failed.outcome, Outcome::kNotJudged) << "an error of the harness is not the kernel's fault";
  EXPECT_EQ(failed.message, "no verdict: lost the table");
  Backend unsure = testing::toy_backend();
  unsure.call = [](const CallRequest&) {
    CallResult result;
    result.status = CallStatus::kNotCalled;
    return result;
  };
  EXPECT_EQ(run_case(testing::toy_op(), testing::toy_case(), copy, unsure, {}).outcome, Outcome::kNotJudged);
}

struct Asked {
  int bound = 0, problems = 0, expectations = 0;
};

class CountingCase : public testing::ToyCase {
 public:
  CountingCase(const Case& one, Asked* asked) : ToyCase(one), asked_(asked) { ++asked->bound; }
  Problem problem() const override { return ++asked_->problems, ToyCase::problem(); }
  Expectation expect(const Problem& problem, const std::vector<HostTensor>* outputs) const override {
    return ++asked_->expectations, ToyCase::expect(problem, outputs);
  }

 private:
  Asked* const asked_;
};

/// Identical outputs for the same data are checked only once; other outputs or other data are checked again. A case is bound
/// once.
TEST(RunCase, EqualOutputsAreJudgedOnce) {
  Asked asked;
  const Op op = testing::toy_op_of<CountingCase>(&asked);
  const Case narrow = testing::toy_case(), wide = checked_case(testing::toy_op(), with_cells(narrow, {{"warp", "64"}}));
  const KernelOffer copy{.name = "copy", .op = "toy"}, wrong{.name = "off_by_one", .op = "toy"};
  DataMemory memory;
  const auto outcome = [&](const Case& one, const KernelOffer& kernel) {
    return run_case(op, one, kernel, testing::toy_backend(), {}, &memory).outcome;
  };
  EXPECT_EQ(outcome(narrow, copy), Outcome::kPass);
  EXPECT_EQ(outcome(wide, copy), Outcome::kPass);
  EXPECT_EQ(asked.problems, 1);
  EXPECT_EQ(asked.expectations, 1);
  EXPECT_EQ(asked.bound, 2);
  EXPECT_EQ(outcome(wide, wrong), Outcome::kFail);
  EXPECT_EQ(outcome(wide, wrong), Outcome::kFail) << "failures are not cached, since their findings have more details";
  EXPECT_EQ(asked.expectations, 3);
  EXPECT_EQ(asked.bound, 2) << "each case is bound once for all kernels";
  EXPECT_EQ(outcome(testing::toy_case("bf16", "3x16"), copy), Outcome::kPass);
  EXPECT_EQ(asked.problems, 2);
  const Case last = testing::toy_case("bf16", "3x16");
  EXPECT_EQ(memory.problem(memory.bound(op, last), last).parameters.front().second, 32);
}

class NamedProgramCase : public CountingCase {
 public:
  using CountingCase::CountingCase;
  Expectation expect(const Problem& problem, const std::vector<HostTensor>* outputs) const override {
    Expectation expectation = CountingCase::expect(problem, outputs);
    expectation.any_of.front().program = "split-K 1";
    return expectation;
  }
};

TEST(RunCase, OutputsJudgedOnceKeepTheirProgram) {
  Asked asked;
  const Op op = testing::toy_op_of<NamedProgramCase>(&asked);
  DataMemory memory;
  for (int call = 0; call < 2; ++call) {
    const Verdict verdict =
        run_case(op, testing::toy_case(), {.name = "copy", .op = "toy"}, testing::toy_backend(), {}, &memory);
    EXPECT_EQ(verdict.outcome, Outcome::kPass);
    EXPECT_EQ(verdict.program, "split-K 1") << "call " << call;
  }
  EXPECT_EQ(asked.expectations, 1);
  CallResult other;
  other.said.split_k = 2;
  EXPECT_EQ(memory.agreed_as(other), nullptr) << "another algorithm was reported";
}

TEST(RunCase, RepetitionDemandsTheSameBits) {
  EXPECT_EQ(run("copy", {.repeat = 5}).outcome, Outcome::kPass);
  const Verdict verdict = run("follows_seed", {.repeat = 3});
  EXPECT_EQ(verdict.outcome, Outcome::kFlaky);
  EXPECT_THAT(verdict.message, HasSubstr("not deterministic: call 2 gives other bits: y at storage element 2: 0x"));
}

TEST(RunCase, RerunsOfAFailureTellFlakyFromSteadyAndNeverMakeAPass) {
  EXPECT_EQ(run("off_by_one", {.rerun_failed = 3}).outcome, Outcome::kFail) << "each call gives the same wrong bits";
  EXPECT_EQ(run("copy", {.rerun_failed = 3}).outcome, Outcome::kPass);
  EXPECT_EQ(run("follows_seed", {}).outcome, Outcome::kFail) << "without further calls, flakiness is unknown";
  const Verdict flaky = run("follows_seed", {.rerun_failed = 3});
  EXPECT_EQ(flaky.outcome, Outcome::kFlaky);
  EXPECT_THAT(flaky.message, HasSubstr("4 of 4 calls with the same inputs failed, 0 passed; not deterministic: call 2 gives "
                                       "other bits: y at storage element 2"));
  EXPECT_FALSE(as_expected(flaky));
  EXPECT_FALSE(flaky.tensors.empty()) << "the findings of the first call are kept";

  // The kernel stores the schedule seed. The call whose seed equals the right byte passes, the others fail: the outcome is flaky.
  const Problem problem = testing::toy_op().bind(testing::toy_case())->problem();
  const auto right = uint64_t(std::to_integer<unsigned>(problem.tensors.front().bytes[4]));
  ASSERT_GE(right, 2u);
  const Verdict passes_later = run("follows_seed", {.schedule_seed = right - 1, .rerun_failed = 2});
  EXPECT_EQ(passes_later.outcome, Outcome::kFlaky);
  EXPECT_THAT(passes_later.message, HasSubstr("2 of 3 calls with the same inputs failed, 1 passed"));
}

TEST(RunCase, BlindnessMakesAPassUntrustedUnlessTheRowDeclaresIt) {
  CaseOptions options;
  options.power = [](const Evidence&) { return Power{5, {"scale dropped", "sign lost"}}; };
  const Verdict verdict = run("copy", options);
  EXPECT_EQ(verdict.outcome, Outcome::kUntrusted);
  EXPECT_EQ(verdict.message, "blind to scale dropped; sign lost");
  EXPECT_FALSE(as_expected(verdict));
  EXPECT_EQ(verdict.power.seen(), 3);
  EXPECT_EQ(run("off_by_one", options).outcome, Outcome::kFail) << "a failure is a failure";
  EXPECT_EQ(run("off_by_one", options).power.faults, 5);
  EXPECT_EQ(run("refuses", options).power.faults, 0) << "no outputs were checked";

  Case declared = testing::toy_case();
  declared.blind_to = {"scale *", "sign lost"};
  const KernelOffer kernel{.name = "copy", .op = "toy"};
  EXPECT_EQ(run_case(kOp, declared, kernel, testing::toy_backend(), options).outcome, Outcome::kPass);
  declared.blind_to = {"scale *"};
  EXPECT_EQ(run_case(kOp, declared, kernel, testing::toy_backend(), options).message, "blind to sign lost");
  declared.tier = "own";  // the cases of a user's table are checked together
  EXPECT_EQ(run_case(kOp, declared, kernel, testing::toy_backend(), options).outcome, Outcome::kPass);
}

struct CaseUnderARule : testing::ToyCase {
  using ToyCase::ToyCase;
  Expectation expect(const Problem& problem, const std::vector<HostTensor>* outputs) const override {
    Expectation expectation = ToyCase::expect(problem, outputs);
    expectation.together = [](const auto&) {
      return std::vector<Violation>{{"one r for a row", "row 1 is normalised with two r"}};
    };
    return expectation;
  }
};

TEST(RunCase, AJointViolationFailsThoughEachElementAgrees) {
  const Op op = testing::toy_op_of<CaseUnderARule>();
  const Verdict verdict = run_case(op, testing::toy_case(), {.name = "copy", .op = "toy"}, testing::toy_backend(), {});
  EXPECT_EQ(verdict.outcome, Outcome::kFail);
  EXPECT_EQ(verdict.message, "row 1 is normalised with two r");
  EXPECT_TRUE(verdict.tensors.at(0).agrees());
}

TEST(RunCase, DiagnosisIsAskedForFailuresOnly) {
  int asked = 0, recorded = 0;
  CaseOptions options;
  options.diagnose = [&](const Evidence& evidence, Verdict& verdict) {
    ++asked;
    EXPECT_NE(evidence.outputs, nullptr);
    verdict.tensors.at(0).notes.push_back("element 1 has its last bit flipped");
  };
  options.record = [&](const Evidence&, const Verdict&) { ++recorded; };
  EXPECT_THAT(run("off_by_one", options).tensors.at(0).notes, ElementsAre("element 1 has its last bit flipped"));
  run("copy", options);
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(recorded, 2);
}

Verdict climbed(const std::string& kernel, const Op& op = testing::toy_op(), const Backend& backend = testing::toy_backend()) {
  return run_case(op, testing::toy_case(), {.name = kernel, .op = "toy", .contracts = {"toy.copy"}}, backend, {.ladder = true});
}

TEST(Ladder, AKernelWhoseBitsDependOnItsRowAloneHoldsEveryRung) {
  const Verdict verdict = climbed("copy");
  ASSERT_EQ(verdict.outcome, Outcome::kPass) << verdict.message;
  EXPECT_THAT(verdict.climb->held, ElementsAre("repeat", "batch", "neighbours", "stream", "graph"));
  EXPECT_THAT(verdict.climb->absent, IsEmpty());
}

struct Twin {
  const char *kernel, *rung, *words;
};
class BrokenRung : public ::testing::TestWithParam<Twin> {};

/// A case that accepts any output.
struct FreeCase : testing::ToyCase {
  using ToyCase::ToyCase;
  Expectation expect(const Problem& problem, const std::vector<HostTensor>* outputs) const override {
    std::vector<WholePart> parts = computed(ToyCase::expect(problem, outputs));
    parts[0].high.assign(parts[0].low.size(), Interval::anything().high);
    parts[0].low.assign(parts[0].low.size(), Interval::anything().low);
    return expectation_of(std::move(parts));
  }
};

/// Each kernel returns correct outputs for the plain call, so only the test of one level reveals its fault.
TEST_P(BrokenRung, IsNamed) {
  const Verdict verdict = climbed(GetParam().kernel, testing::toy_op_of<FreeCase>());
  EXPECT_EQ(verdict.outcome, Outcome::kFail);
  ASSERT_TRUE(verdict.climb) << verdict.message;
  EXPECT_EQ(verdict.climb->broken, GetParam().rung);
  EXPECT_THAT(verdict.message, HasSubstr(GetParam().words));
  EXPECT_THAT(verdict.causes, ElementsAre("no cause in the contract: the plain call is correct, only the invariance test fails"));
}
INSTANTIATE_TEST_SUITE_P(All, BrokenRung,
                         ::testing::Values(Twin{"remembers", "repeat", "y at storage element 2"},
                                           Twin{"follows_seed", "repeat", "y at storage element 2"},
                                           Twin{"counts_rows", "batch", "in a batch of 2 rows"},
                                           Twin{"counts_many_rows", "batch", "of 259"},
                                           Twin{"looks_at_neighbours", "batch", "y["},
                                           Twin{"needs_default_stream", "stream", "y at storage element 2"},
                                           Twin{"ignores_capture", "graph", "y at storage element 0"},
                                           Twin{"cannot_be_captured", "graph", "allocates while it is captured"}),
                         [](const auto& info) { return std::string(info.param.kernel); });

struct CaseOfOneRow : testing::ToyCase {
  using ToyCase::ToyCase;
  int64_t independent_rows() const override { return 0; }
};

TEST(Ladder, RungsThatCannotBeTriedSayWhy) {
  const Op op = testing::toy_op_of<CaseOfOneRow>();
  assay_library plain = *testing::toy_library();
  plain.size = offsetof(assay_library, create_stream);  // size of the struct in the ABI's first release
  Backend backend = testing::toy_backend();
  const auto runner = std::make_shared<Runner>(of_this_size(plain, nullptr));
  backend.call = [runner](const CallRequest& request) { return runner->call(request); };
  const Verdict verdict = climbed("copy", op, backend);
  ASSERT_EQ(verdict.outcome, Outcome::kPass) << verdict.message;
  EXPECT_THAT(verdict.climb->held, ElementsAre("repeat"));
  EXPECT_THAT(
      verdict.climb->absent,
      ElementsAre(Pair("batch", "the results of a row depend on other rows"), Pair("neighbours", "the results of a row depend on other rows"),
                  Pair("stream", "the library has no streams"), Pair("graph", "the library has no streams")));
}

TEST(Ladder, AWrongAnswerIsNotClimbed) {
  const Verdict verdict = climbed("off_by_one");
  EXPECT_EQ(verdict.outcome, Outcome::kFail);
  EXPECT_FALSE(verdict.climb);
}

}  // namespace
}  // namespace assay
