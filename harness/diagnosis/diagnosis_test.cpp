// Tests the diagnosis: causes of failures, algorithm variants over all cases, and the width of accepted intervals.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstring>
#include <functional>
#include <memory>

#include "harness/diagnosis/diagnose.h"
#include "harness/diagnosis/input_edits.h"
#include "harness/diagnosis/programs.h"
#include "harness/diagnosis/visibility.h"
#include "harness/diagnosis/wrong_part.h"
#include "harness/run/run_case.h"
#include "harness/testing/toy_op.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

std::vector<Regularity> regularities(const BoundCase& bound, const Problem& problem, const std::vector<HostTensor>& outputs) {
  WorkBudget budget(WorkBudget::kLong);
  return regularities(bound, problem, outputs, budget);
}

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// What the cases of a table expose together.

/// Three cases of a contract with the mutants a, b and c. `blind`: mutants that each case misses; `declared`: its blind_to.
struct Table {
  std::vector<Case> cases = std::vector<Case>(3);
  std::vector<Power> powers = std::vector<Power>(3);

  Table(const std::vector<std::vector<std::string>>& blind, const std::vector<std::vector<std::string>>& declared) {
    for (size_t i = 0; i < 3; ++i) powers[i] = {3, blind[i]}, cases[i].blind_to = declared[i], cases[i].why = std::to_string(i);
  }
  std::vector<std::string> missed(const std::function<std::vector<std::string>(const Case&)>& mutants_of) const {
    std::vector<ScoredCase> scored;
    for (size_t i = 0; i < 3; ++i) scored.push_back({&cases[i], &powers[i]});
    return missed_by_all(scored, mutants_of);
  }
  std::vector<std::string> missed() const {
    return missed([](const Case&) { return std::vector<std::string>{"a", "b", "c"}; });
  }
};

TEST(TablePower, AMutantIsMissedIfNoCaseExposesIt) {
  const std::vector<std::vector<std::string>> none(3);
  EXPECT_THAT(Table({{"a", "b"}, {"a", "c"}, {"b", "c"}}, none).missed(), ElementsAre());
  EXPECT_THAT(Table({{"a", "b"}, {"a", "c"}, {"a", "c"}}, none).missed(), ElementsAre("a"));
  EXPECT_THAT(Table({{"a"}, {"a"}, {"a"}}, {{"a"}, {"*"}, {"a"}}).missed(), ElementsAre());
  EXPECT_THAT(Table({{"a"}, {"a"}, {"a"}}, {{"a"}, {"*"}, {}}).missed(), ElementsAre("a")) << "one row does not declare it";
  // Case 2 does not have the mutant `a`, so it cannot expose `a`.
  const auto of_some = [](const Case& one) {
    return one.why == "2" ? std::vector<std::string>{"b"} : std::vector<std::string>{"a", "b"};
  };
  EXPECT_THAT(Table({{"a"}, {"a"}, {}}, none).missed(of_some), ElementsAre("a"));
  EXPECT_THAT(Table({{"a"}, {}, {}}, none).missed(of_some), ElementsAre());
}

TEST(TablePower, ATableGetsOneVerdictForEachKernelAndContract) {
  Op op;
  op.name = "toy";
  op.bind = [](const Case& one) { return std::make_unique<testing::ToyCase>(one); };
  std::vector<Case> cases(2, testing::toy_case());
  std::vector<Verdict> verdicts;
  for (size_t i = 0; i < 2; ++i) {
    cases[i].tier = "own", cases[i].origin = {"mine.csv", int(i) + 2}, cases[i].name.shape += std::to_string(i),
    cases[i].id = cases[i].name.id();
    Verdict verdict;
    verdict.case_id = cases[i].id, verdict.op = "toy", verdict.contract = "acme.toy", verdict.kernel = "copy",
    verdict.backend = "cpu";
    verdict.outcome = Outcome::kPass, verdict.power = {2, {"a"}};
    verdicts.push_back(verdict);
  }
  const std::vector<Verdict> found = untrusted_tables({&op, 1}, cases, verdicts);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].case_id, "toy/acme.toy");
  EXPECT_EQ(found[0].outcome, Outcome::kUntrusted);
  EXPECT_EQ(found[0].message, "none of its 2 cases exposes: a");
  EXPECT_EQ(found[0].origin, "mine.csv");
  for (Verdict& verdict : verdicts) verdict.outcome = Outcome::kFail;
  EXPECT_TRUE(untrusted_tables({&op, 1}, cases, verdicts).empty()) << "nothing passes that could be wrong";
  for (Verdict& verdict : verdicts) verdict.outcome = Outcome::kPass;
  for (Case& one : cases) one.tier = "quick";
  EXPECT_TRUE(untrusted_tables({&op, 1}, cases, verdicts).empty()) << "shipped rows declare themselves what they miss";
}

// Diagnosis of elements that are right one by one but break a rule together.

/// The toy op with any element value accepted, under a rule that row 1 breaks.
Expectation breaks_a_rule(const Problem& problem) {
  const HostTensor& x = problem.tensors.front();
  const auto elements = size_t(x.spec.elements());
  WholePart y{{"y", x.spec.format, {x.spec.shape[0], x.spec.shape[1]}, "free"},
              std::vector<int32_t>(elements, Interval::anything().low),
              std::vector<int32_t>(elements, Interval::anything().high)};
  return expectation_of({std::move(y)}, {{"one r for a row", "row 1: no single r explains it", 1, {{"y", 1, Place::kWholeRow}}}});
}

class CaseWithRule : public testing::ToyCase {
 public:
  explicit CaseWithRule(const Case& one, std::vector<Hypothesis> wrong = {}) : ToyCase(one), wrong_(std::move(wrong)) {}
  Expectation expect(const Problem& problem, const std::vector<HostTensor>*) const override { return breaks_a_rule(problem); }
  std::vector<Hypothesis> mutants() const override { return wrong_; }

 private:
  const std::vector<Hypothesis> wrong_;
};

TEST(TablePower, WhatBlindToExcusesIsCountedAndATableThatExcusesAllIsUntrusted) {
  Op op;
  op.name = "toy";
  op.bind = [](const Case& one) {
    Hypothesis never{"never", {}};
    never.equivalent = "no data can show it";
    return std::make_unique<CaseWithRule>(one, std::vector<Hypothesis>{{"a", {}}, {"b", {}}, never});
  };
  Case one = testing::toy_case();
  one.tier = "own", one.id = one.name.id(), one.blind_to = {"a*", "b", "nev*", "typo"};
  Verdict verdict;
  verdict.case_id = one.id, verdict.op = "toy", verdict.contract = "acme.toy", verdict.kernel = "copy",
  verdict.outcome = Outcome::kPass;
  const auto excuses = [&](std::vector<std::string> blind) {
    verdict.power = {2, std::move(blind)};
    return excuses_of_tables({&op, 1}, {one}, {verdict}).at(0);
  };
  EXPECT_THAT(excuses({"a"}).mutants, ElementsAre("a", "b"));
  EXPECT_THAT(excuses({"a"}).excused, ElementsAre("a"));
  EXPECT_THAT(excuses({"a"}).idle, ElementsAre("typo"));
  EXPECT_FALSE(excuses({"a"}).excuses_all());
  EXPECT_TRUE(untrusted_tables({&op, 1}, {one}, {verdict}).empty());
  EXPECT_TRUE(excuses({"a", "b"}).excuses_all());
  ASSERT_EQ(untrusted_tables({&op, 1}, {one}, {verdict}).size(), 1u);
  EXPECT_EQ(untrusted_tables({&op, 1}, {one}, {verdict})[0].message,
            "`blind_to` excuses all 2 mutants: no mistake of a kernel would be detected");
  one.blind_to = {"b"};
  EXPECT_THAT(excuses({"a", "b"}).excused, ElementsAre("b")) << "a is missed and not excused";
}

Op op_with_rule(const std::vector<Hypothesis>& wrong = {}) { return testing::toy_op_of<CaseWithRule>(wrong); }

std::vector<HostTensor> outputs_of(const Problem& problem) {
  HostTensor y = problem.tensors.back();
  y.bytes = problem.tensors.front().bytes;
  return {y};
}

Verdict judged(const Op& op, const Case& one) {
  const std::unique_ptr<const BoundCase> bound = op.bind(one);
  const Problem problem = bound->problem();
  CallResult result;
  result.outputs = outputs_of(problem);
  result.untouched.resize(1), result.in_place.resize(1);
  Verdict verdict = blank_verdict(one, "copy", "toy");
  const Sample sample = judge_outputs(*bound, problem, result, verdict);
  const Backend backend = testing::toy_backend();
  look_for_causes(backend)({*bound, one, problem, &result.outputs, &result, &sample}, verdict);
  return verdict;
}

TEST(Violations, AreNotCalledPadding) {
  const Verdict verdict = judged(op_with_rule(), testing::toy_case("bf16", "4x16"));
  EXPECT_EQ(verdict.outcome, Outcome::kFail);
  EXPECT_EQ(verdict.message, "row 1: no single r explains it");
  ASSERT_EQ(verdict.violations.size(), 1u);
  EXPECT_EQ(verdict.violations.front().places.front().row, 1);
  EXPECT_THAT(verdict.causes, Each(Not(HasSubstr("padding"))));
}

TEST(Violations, AreExplainedByAnEditThatBreaksNoRule) {
  const Case one = testing::toy_case("bf16", "4x16");
  const Op op = op_with_rule({{"r: of half a row", [one](const Problem& problem, const std::vector<HostTensor>* outputs) {
                                 return testing::ToyCase(one).expect(problem, outputs);
                               }}});
  EXPECT_THAT(judged(op, one).causes, ElementsAre("explains 1 of 1 failing elements, too few to be sure: r: of half a row"));
}

TEST(Violations, AreNotExplainedByAnEditThatBreaksTheRuleToo) {
  const Op op = op_with_rule(
      {{"eps: another", [](const Problem& problem, const std::vector<HostTensor>*) { return breaks_a_rule(problem); }}});
  EXPECT_THAT(judged(op, testing::toy_case("bf16", "4x16")).causes, ElementsAre("no known cause"));
}

// What checks in the library under test reported.

TEST(FailedChecks, ComeBeforeFactsAboutPlacesAndReplaceOtherCauses) {
  const std::string index = "outside: index 8 of an array of type 'float [8]' (at mine.h:12)";
  const std::string place = "pattern: y holds errors in every element of row 1 of 4, and in no other (16 of 16 wrong elements)";
  CallResult result;
  Verdict verdict;
  verdict.outcome = Outcome::kFail;
  verdict.causes = {"unset: a local or shared variable or array is read before it is set, or outside its bounds (...)",
                    "no known cause", place, "several mistakes would fit: a; b"};
  const std::vector<std::string> before = verdict.causes;
  put_failed_checks_first(&result, verdict);
  EXPECT_EQ(verdict.causes, before) << "without a report, nothing changes";
  result.undefined = index;
  put_failed_checks_first(&result, verdict);
  EXPECT_THAT(verdict.causes, ElementsAre(index, place));
  Verdict crashed;
  crashed.outcome = Outcome::kBroken;
  crashed.message = "crashed: SIGSEGV at address 0x7f00: read far from every tensor, in libmine.so+0x11; before that: " + index +
                    "; --in-process under a debugger shows where";
  put_failed_checks_first(nullptr, crashed);
  EXPECT_THAT(crashed.causes, ElementsAre(index));
  Verdict passed;
  passed.outcome = Outcome::kPass;
  put_failed_checks_first(&result, passed);
  EXPECT_THAT(passed.causes, ::testing::IsEmpty());
}

// Patterns of wrong outputs. The toy op copies x. Element i of x is 1 + i / 64 in bf16, and code i % 16 in formats of 8 bits.

using Edit = std::function<void(HostTensor& y, int64_t columns)>;

std::vector<std::string> patterns(const std::string& shape, const Edit& edit, const std::string& format = "bf16") {
  const std::unique_ptr<const BoundCase> bound = testing::toy_op().bind(testing::toy_case(format, shape));
  Problem problem = bound->problem();
  HostTensor& x = problem.tensors.front();
  for (int64_t i = 0; i < x.spec.elements(); ++i)
    x.set_code(i, x.spec.format->bits == 8 ? uint32_t(i % 16) : code_of(*x.spec.format, 1 + double(i) / 64));
  std::vector<HostTensor> outputs = outputs_of(problem);
  edit(outputs.front(), x.spec.shape[1]);
  std::vector<std::string> lines;
  for (const Regularity& found : regularities(*bound, problem, outputs)) lines.push_back(in_words(found));
  return lines;
}

/// Sets every y[i] to f(all values of x, i, columns).
Edit values(const std::function<double(const std::vector<double>& x, int64_t i, int64_t columns)>& f) {
  return [f](HostTensor& y, int64_t columns) {
    std::vector<double> x;
    for (int64_t i = 0; i < y.spec.elements(); ++i) x.push_back(decode(*y.spec.format, y.code(i)));
    for (int64_t i = 0; i < y.spec.elements(); ++i) y.set_code(i, code_of(*y.spec.format, f(x, i, columns)));
  };
}

TEST(Patterns, AFactorIsNamed) {
  EXPECT_THAT(patterns("2x16", values([](const auto& x, int64_t i, int64_t) { return 4 * x[size_t(i)]; })),
              ElementsAre("pattern: y holds 4 times the expected values (32 of 32 wrong elements)"));
  EXPECT_THAT(patterns("2x16", values([](const auto& x, int64_t i, int64_t) { return x[size_t(i)] / 8; })),
              ElementsAre("pattern: y holds 1/8 of the expected values (32 of 32 wrong elements)"));
  EXPECT_THAT(patterns("2x16", values([](const auto& x, int64_t i, int64_t) { return -x[size_t(i)]; })),
              ElementsAre("pattern: y holds the negative of the expected values (32 of 32 wrong elements)"));
}

TEST(Patterns, ScalesOfOneBytePowersHaveAFactorOnlyIfItIsExact) {
  const auto exponents = [](int64_t shift, int64_t times) {
    return [=](HostTensor& y, int64_t) {
      for (int64_t i = 0; i < y.spec.elements(); ++i) y.set_code(i, uint32_t(y.code((i + shift) % y.spec.elements()) + times));
    };
  };
  EXPECT_THAT(patterns("2x16", exponents(0, 3), "e8m0"),
              ElementsAre("pattern: y holds 8 times the expected values (32 of 32 wrong elements)"));
  EXPECT_THAT(
      patterns("2x16", values([](const auto& x, int64_t i, int64_t) { return i % 2 ? x[size_t(i)] * 4 : x[size_t(i)] * 8; }),
               "e8m0"),
      ElementsAre());
}

TEST(Patterns, AFactorOfEachRowIsNamed) {
  EXPECT_THAT(patterns("4x16", values([](const auto& x, int64_t i, int64_t n) { return std::ldexp(x[size_t(i)], int(i / n)); })),
              ElementsAre("pattern: y holds the expected values times a factor for each row, about 2, 4, 8: a number that "
                          "all elements of a row share is wrong (48 of "
                          "48 wrong elements)"));
}

/// The regularities of an output of 4 rows of 32 elements: element i holds got(i) where due(i) is expected.
std::vector<std::string> regularities_of(const Format& format, const std::function<double(int64_t)>& due,
                                         const std::function<double(int64_t)>& got) {
  std::vector<WholePart> answer = {testing::whole_part(format, {4, 32}, {}, {}, "", "y")};
  HostTensor y{dense("y", Role::kOutput, format, {4, 32}), {}};
  y.bytes.resize(y.spec.bytes());
  for (int64_t i = 0; i < 128; ++i) {
    answer[0].low.push_back(ordinal(format, code_of(format, due(i))));
    y.set_code(i, code_of(format, got(i)));
  }
  class Fixed : public testing::ToyCase {
   public:
    explicit Fixed(std::vector<WholePart> answer) : ToyCase(testing::toy_case("bf16")), right_(expectation_of(std::move(answer))) {}
    Expectation expect(const Problem&, const std::vector<HostTensor>*) const override { return right_; }

   private:
    const Expectation right_;
  };
  const Fixed bound(std::move(answer));
  std::vector<std::string> all;
  for (const Regularity& found : regularities(bound, Problem{}, {y})) all.push_back(in_words(found));
  return all;
}

TEST(Patterns, CodesOfOneMantissaBitHaveNoFactorOfEachRow) {
  const auto due = [](int64_t i) { return double(1 + i % 3); };
  const auto got = [&](int64_t i) { return std::ldexp(due(i), i / 32 % 2 ? 1 : -1); };
  EXPECT_THAT(regularities_of(kE5M2, due, got), Contains(HasSubstr("times a factor for each row")));
  EXPECT_THAT(regularities_of(kE2M1, due, got), Not(Contains(HasSubstr("a factor for each row"))));
}

TEST(Patterns, AFactorOfEachColumnNeedsDifferentValuesInAColumn) {
  const auto factor = [](int64_t i) { return i % 2 ? 2.0 : 4.0; };
  const auto alike = [](int64_t i) { return double(1 + i % 32 % 3); };  // equal in all rows
  const auto different = [](int64_t i) { return double(1 + (i + i / 32) % 4); };
  const auto lines = [&](const std::function<double(int64_t)>& due) {
    return regularities_of(kE5M2, due, [&](int64_t i) { return due(i) * factor(i); });
  };
  EXPECT_THAT(lines(different), Contains(HasSubstr("times a factor for each column")));
  EXPECT_THAT(lines(alike), Not(Contains(HasSubstr("a factor for each column"))));
}

TEST(Patterns, TheEndOfRowsAloneIsABound) {
  const auto wrong_from = [](int64_t column) {
    return values([column](const auto& x, int64_t i, int64_t n) {
      return i % n >= column && i % n != 20 ? double(32 + i * i % 13) : x[size_t(i)];
    });
  };
  EXPECT_THAT(patterns("4x33", wrong_from(31)), Contains(HasSubstr("only the end of rows is wrong: a load has too small a bound on columns")));
  EXPECT_THAT(patterns("4x33", wrong_from(2)), Not(Contains(HasSubstr("only the end of rows"))));
}

TEST(Patterns, ShiftsAreNamed) {
  EXPECT_THAT(patterns("4x16", values([](const auto& x, int64_t i, int64_t n) { return x[size_t(i + n) % x.size()]; })),
              ElementsAre("pattern: y holds the expected values 1 row later (64 of 64 wrong elements; y[i, j] holds what y[i + "
                          "1, j] should hold)"));
  EXPECT_THAT(patterns("4x16", values([](const auto& x, int64_t i, int64_t n) { return i % n < 3 ? 0 : x[size_t(i - 3)]; })),
              ElementsAre("pattern: y holds the expected values 3 columns earlier (52 of 64 wrong elements; y[i, j] holds what "
                          "y[i, j - 3] should hold)"));
}

TEST(Patterns, AShiftWithinTilesSaysNothingOfTheirEnds) {
  EXPECT_THAT(
      patterns("4x32", values([](const auto& x, int64_t i, int64_t) { return i % 8 == 7 ? 1000 : x[size_t(i + 1)]; })),
      ElementsAre(HasSubstr(
          "the expected values 1 column later, within each 8 columns (112 of 112 wrong elements; the rule says nothing about 16 more")));
}

TEST(Patterns, OtherOrdersAreNamed) {
  EXPECT_THAT(patterns("4x16", values([](const auto& x, int64_t i, int64_t n) { return x[size_t(i % 4 * n + i / 4)]; })),
              ElementsAre("pattern: y holds the expected values in column-major order, where row-major order is expected (transposed) (60 of "
                          "60 wrong elements)"));
  EXPECT_THAT(
      patterns("4x16", values([](const auto& x, int64_t i, int64_t) { return x[size_t(i - i % 4 + 3 - i % 4)]; })),
      ElementsAre("pattern: y holds the expected values of each 4 columns in the opposite order (64 of 64 wrong elements)"));
  EXPECT_THAT(
      patterns("4x16", values([](const auto& x, int64_t i, int64_t n) { return x[size_t(i / 4 % 4 * n + i / 16 * 4 + i % 4)]; })),
      ElementsAre(HasSubstr("(transposed in units of 4 columns) (48 of 48")));
  EXPECT_THAT(patterns("4x16", values([](const auto& x, int64_t i, int64_t) { return x[size_t(i - i % 4)]; })),
              ElementsAre("pattern: y holds the expected values of the first column in each 4 columns (48 of 48 wrong elements)"));
  EXPECT_THAT(patterns("4x16", values([](const auto& x, int64_t i, int64_t) { return x[size_t(i * 37 % 64)]; })),
              ElementsAre(HasSubstr("holds the right codes in another order")));
  EXPECT_THAT(patterns("2x16",
                       [](HostTensor& y, int64_t) {
                         for (size_t i = 0; i < y.bytes.size(); i += 2) std::swap(y.bytes[i], y.bytes[i + 1]);
                       }),
              ElementsAre(HasSubstr("holds the expected codes with their bytes in the opposite order")));
}

TEST(Patterns, IndicesWithinAVectorAreNamed) {
  EXPECT_THAT(patterns("4x32", values([](const auto& x, int64_t i, int64_t) {
                         return i % 4 == 1 ? x[size_t(i + 2)] : i % 4 == 3 ? x[size_t(i - 1)] : x[size_t(i)];
                       })),
              ElementsAre("pattern: y holds the expected values of other columns within each 4: column j holds the value of column "
                          "j - 1 where j mod 4 = 3, column j holds the value of column j + 2 where j mod 4 = 1 (64 of 64 wrong "
                          "elements)"));
  EXPECT_THAT(patterns("8x16", values([](const auto& x, int64_t i, int64_t n) {
                         return i / n % 4 == 2 ? x[size_t(i - n)] : x[size_t(i)];
                       })),
              ElementsAre(HasSubstr("the expected values 1 row earlier (32 of 32")));
  EXPECT_THAT(patterns("4x16", values([](const auto& x, int64_t i, int64_t) { return x[size_t(i ^ 4)]; })),
              ElementsAre(HasSubstr("the expected values with the halves of each 8 columns exchanged (64 of 64")));
  EXPECT_THAT(patterns("4x16", values([](const auto& x, int64_t i, int64_t) { return x[size_t(i % 16 % 4 + i / 16 * 16)]; })),
              ElementsAre(HasSubstr("the expected values of column j mod 4 in column j: the first 4 columns are repeated (48 of 48")));
}

/// Patterns of an output with rows of 16: element i holds held(i), and due(i) is expected.
std::vector<std::string> patterns_of(int64_t rows, const std::function<double(int64_t)>& due,
                                     const std::function<double(int64_t)>& held) {
  const std::unique_ptr<const BoundCase> bound = testing::toy_op().bind(testing::toy_case("bf16", std::to_string(rows) + "x16"));
  Problem problem = bound->problem();
  HostTensor& x = problem.tensors.front();
  for (int64_t i = 0; i < x.spec.elements(); ++i) x.set_code(i, code_of(kBf16, due(i)));
  std::vector<HostTensor> outputs = outputs_of(problem);
  for (int64_t i = 0; i < x.spec.elements(); ++i) outputs.front().set_code(i, code_of(kBf16, held(i)));
  std::vector<std::string> lines;
  for (const Regularity& found : regularities(*bound, problem, outputs)) lines.push_back(in_words(found));
  return lines;
}

/// Patterns of d, [rows, 16] in bf16, whose elements are sums of products. Element i holds due(source(i)), or -1 if source(i) is
/// negative.
std::vector<std::string> patterns_of_sums(int64_t rows, const std::function<int64_t(int64_t)>& source) {
  const auto due = [](int64_t i) { return 1 + double(i * i * 2654435761 % 97); };
  std::vector<WholePart> answer = {testing::whole_part(kBf16, {rows, 16}, {}, {}, "", "d")};
  HostTensor d{dense("d", Role::kOutput, kBf16, {rows, 16}), {}};
  d.bytes.resize(d.spec.bytes());
  for (int64_t i = 0; i < rows * 16; ++i) {
    answer[0].low.push_back(ordinal(kBf16, code_of(kBf16, due(i))));
    d.set_code(i, code_of(kBf16, source(i) < 0 ? -1 : due(source(i))));
  }
  class Sums : public testing::ToyCase {
   public:
    explicit Sums(std::vector<WholePart> answer) : ToyCase(testing::toy_case("bf16")), right_(expectation_of(std::move(answer))) {
      right_.any_of.front().products = 8;
    }
    Expectation expect(const Problem&, const std::vector<HostTensor>*) const override { return right_; }

   private:
    Expectation right_;
  };
  const Sums bound(std::move(answer));
  std::vector<std::string> lines;
  for (const Regularity& found : regularities(bound, Problem{}, {d})) lines.push_back(in_words(found));
  return lines;
}

TEST(Patterns, TheAccumulatorBesideTheRightOneIsNamed) {
  const auto fragment = [](int64_t i) {  // of m16n8: registers 0 and 1 lie in a row, 2 and 3 eight rows below
    const int64_t row = i / 16, column = i % 16, at = column / 8 * 4 + row / 8 % 2 * 2 + column % 2 - 1;
    return at < 0 ? -1 : (row / 16 * 16 + row % 8 + at / 2 % 2 * 8) * 16 + at / 4 * 8 + column % 8 / 2 * 2 + at % 2;
  };
  EXPECT_THAT(
      patterns_of_sums(32, fragment),
      ElementsAre(HasSubstr("accumulator i - 1 of each thread where accumulator i is expected, in tiles of 16 x 16")));
  EXPECT_THAT(patterns_of_sums(32, [](int64_t i) { return i % 256 < 32 ? -1 : i - 32; }),
              ElementsAre(AllOf(HasSubstr("2 rows earlier, within each 16 rows"),
                                HasSubstr("; the same elements fit accumulator i - 1"))))
      << "accumulators of 32 lanes in tiles of 16 columns lie two rows apart";
  EXPECT_THAT(patterns_of_sums(32, [](int64_t i) { return (i + 16) % 512; }), Not(Contains(HasSubstr("accumulator"))))
      << "the next row";
  EXPECT_THAT(patterns_of_sums(5, [](int64_t i) { return i % 16 == 0 ? -1 : i - 1; }), Not(Contains(HasSubstr("accumulator"))))
      << "the column before, also of even columns";
  EXPECT_THAT(patterns_of_sums(32, [](int64_t i) { return (i + 7) % 512; }), Not(Contains(HasSubstr("accumulator"))));
}

TEST(Patterns, RowsAndElementsOfVectorsThatAreWrongThroughoutSayWhy) {
  const auto spoilt = [](const std::function<bool(int64_t row, int64_t column)>& is) {
    return patterns("8x16", values([=](const auto& x, int64_t i, int64_t n) {
                      return is(i / n, i % n) ? 128 + double(i * i * 2654435761 % 97) : x[size_t(i)];
                    }));
  };
  EXPECT_THAT(spoilt([](int64_t row, int64_t) { return row > 0; }), Contains(HasSubstr("; only row 0 is right")));
  EXPECT_THAT(spoilt([](int64_t, int64_t column) { return column % 8 == 0; }),
              Contains(HasSubstr("a loop over vectors of 8 begins one element too late")));
  EXPECT_THAT(spoilt([](int64_t, int64_t column) { return column % 4 == 3; }),
              Contains(HasSubstr("a loop over vectors of 4 ends one element too early")));
  EXPECT_THAT(patterns("8x16", values([](const auto& x, int64_t i, int64_t) { return i % 8 == 0 ? 0 : x[size_t(i)]; })),
              ElementsAre(HasSubstr("holds one code in every wrong element"), HasSubstr("a loop over vectors of 8 begins")));
  EXPECT_THAT(patterns("8x16", values([](const auto& x, int64_t i, int64_t) { return i % 8 < 4 ? 0 : x[size_t(i)]; })),
              Contains(HasSubstr("0x0000 (0), and in every element of columns 0..3 of each 8")));
  EXPECT_THAT(spoilt([](int64_t row, int64_t) { return row > 1; }), Not(Contains(HasSubstr("; "))));
}

TEST(Patterns, OfTwoCodesAShiftMustHoldForTheWholeTensor) {
  const auto due = [](int64_t i) { return i * i * 2654435761 % 97 < 30 ? 1.0 : 3.0; };
  const auto next_row = [&](int64_t i) { return due((i + 16) % 512); };
  EXPECT_THAT(patterns_of(32, due, next_row), ElementsAre(StartsWith("pattern: y holds the expected values 1 row later (")));
  EXPECT_THAT(patterns_of(32, due, [&](int64_t i) { return i % 3 == 0 ? next_row(i) : due(i); }), ElementsAre())
      << "the right elements contradict it";
}

TEST(Patterns, CodesBesideTheExpectedOnesAreNoShiftOfSmoothData) {
  const auto due = [](int64_t i) { return 1.0 + double(i + 1) / 128; };  // each element has the next code after its predecessor's
  EXPECT_THAT(patterns_of(4, due, [&](int64_t i) { return due(i % 4 == 0 ? i - 1 : i + 1); }), ElementsAre())
      << "three of four hold what the next column should hold";
}

TEST(Patterns, DistancesThatExplainEquallyMuchAreNamedTogether) {
  const auto due = [](int64_t i) { return 1.0 + double(i / 16 % 4 * 16 + i % 16) / 64; };
  EXPECT_THAT(patterns_of(12, due, [&](int64_t i) { return due(i + 16); }),
              ElementsAre(StartsWith(
                  "pattern: y holds the expected values 1 row later, or 3 rows earlier, or 5 rows later (192 of 192")));
}

/// The patterns of packed UE8M0 scales [rows, groups] after `edit` has changed the words. Rows are padded to whole words.
std::vector<std::string> patterns_of_words(int64_t rows, int64_t groups,
                                           const std::function<void(HostTensor& words, const std::vector<uint8_t>& due)>& edit) {
  const int64_t words = (groups + 3) / 4;
  std::vector<uint8_t> due(size_t(rows * words * 4), 0);
  WholePart scale = testing::whole_part(kE8M0, {rows, groups}, {}, {}, "", "y");
  scale.part.places = Places::of_rows([words](int64_t row) { return row * words * 4; });
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t g = 0; g < groups; ++g) {
      due[size_t(r * words * 4 + g)] = uint8_t(100 + (r * 7 + g * 13 + r * g) % 23);
      scale.low.push_back(ordinal(kE8M0, due[size_t(r * words * 4 + g)]));
    }
  class CaseOfPart : public testing::ToyCase {
   public:
    CaseOfPart(const Case& one, WholePart part) : ToyCase(one), part_(std::move(part)) {}
    Expectation expect(const Problem&, const std::vector<HostTensor>*) const override { return expectation_of({part_}); }

   private:
    const WholePart part_;
  };
  const CaseOfPart bound(testing::toy_case("bf16"), scale);
  HostTensor tensor{dense("y", Role::kOutput, kInt32, {rows, words}), std::vector<std::byte>(due.size())};
  std::memcpy(tensor.bytes.data(), due.data(), due.size());
  edit(tensor, due);
  std::vector<std::string> lines;
  for (const Regularity& found : regularities(bound, bound.problem(), {tensor})) lines.push_back(in_words(found));
  return lines;
}

TEST(Patterns, PaddingOfPackedWordsIsLeftOut) {
  EXPECT_THAT(patterns_of_words(9, 7,
                                [](HostTensor& words, const auto&) {
                                  for (size_t i = 0; i < words.bytes.size(); i += 4)
                                    std::reverse(words.bytes.begin() + long(i), words.bytes.begin() + long(i) + 4);
                                }),
              ElementsAre(AllOf(HasSubstr("holds the expected bytes of each word in the opposite order (byte order) ("),
                                HasSubstr("; the rule says nothing about "))));
}

TEST(Patterns, WordsWithoutGapsAreNamed) {
  const int64_t rows = 29, words = 3, padded = 32;
  EXPECT_THAT(patterns_of_words(rows, words * 4,
                                [&](HostTensor& read, const std::vector<uint8_t>& due) {
                                  for (int64_t r = 0; r < rows; ++r)
                                    for (int64_t w = 0; w < words; ++w) {
                                      const int64_t at = w * padded + r, row = at % rows, word = at / rows;
                                      for (int64_t b = 0; b < 4; ++b)
                                        read.bytes[size_t((r * words + w) * 4 + b)] =
                                            std::byte(word < words ? due[size_t((row * words + word) * 4 + b)] : 0);
                                    }
                                }),
              ElementsAre(HasSubstr("holds columns of words without padding, where each column should begin at a multiple of 4 rows (")));
}

TEST(Patterns, BitsOfFp32ScalesExplainEverything) {
  const auto lines = patterns_of_words(8, 8, [](HostTensor& words, const auto&) {
    for (int64_t i = 0; i < words.spec.elements(); ++i) words.set_code(i, std::bit_cast<uint32_t>(0.001f * float(i + 1)));
  });
  EXPECT_THAT(
      lines,
      ElementsAre("pattern: y holds the bits of one fp32 scale in each word, where four UE8M0 bytes are expected (64 of 64 "
                  "wrong elements)"));
}

TEST(Patterns, AnOrIntoOldBytesIsNamed) {
  const auto with_or = [](uint8_t even, uint8_t odd) {
    return patterns_of_words(8, 8, [=](HostTensor& words, const auto&) {
      for (size_t i = 0; i < words.bytes.size(); ++i) words.bytes[i] |= std::byte(i / 8 % 2 == 0 ? even : odd);
    });
  };
  EXPECT_THAT(with_or(0xa5, 0xa5), ElementsAre(HasSubstr("the kernel ORs bytes into words that it did not zero")));
  EXPECT_THAT(with_or(0xa5, 0x5a), Not(ElementsAre(HasSubstr("the kernel ORs bytes into words that it did not zero"))));
}

TEST(Patterns, OneCodeIsNamed) {
  EXPECT_THAT(patterns("2x16", values([](const auto& x, int64_t i, int64_t n) { return i < n ? x[size_t(i)] : 3; })),
              ElementsAre("pattern: y holds one code in every wrong element, 0x4040 (3) (16 of 16 wrong elements)",
                          HasSubstr("errors in every element of row 1 of 2")));
}

/// A loop that does not compute a value again: from a column on, or in whole rows except their first column.
TEST(Patterns, AValueThatIsHeldOnIsNamed) {
  const auto held = [](int64_t from, int64_t source, int64_t first_row = 0, int64_t end_row = 4) {
    return patterns("4x16", values([=](const auto& x, int64_t i, int64_t n) {
                      return i % n < from || i / n < first_row || i / n >= end_row ? x[size_t(i)] : x[size_t(i / n * n + source)];
                    }));
  };
  EXPECT_THAT(held(1, 0, 1, 3), Contains(HasSubstr("the value of the row's first column: one value is stored for the whole row")));
  EXPECT_THAT(held(12, 11), Contains(HasSubstr("from column 12 on, the value of column 11: no new value is computed for these columns")));
  EXPECT_THAT(held(12, 5), Not(Contains(HasSubstr("no new value is computed"))));
}

TEST(Patterns, LostSubnormalsAndTheNanOfMinusZeroAreNamed) {
  const auto codes = [](uint32_t from, uint32_t below, uint32_t to) {
    return [=](HostTensor& y, int64_t) {
      for (int64_t i = 0; i < y.spec.elements(); ++i)
        if (y.code(i) >= from && y.code(i) < below) y.set_code(i, to);
    };
  };
  EXPECT_THAT(patterns("2x16", codes(1, 8, 0), "e4m3fnuz"),
              ElementsAre("pattern: y holds 0 where a subnormal number is expected (subnormal results are flushed) "
                          "(14 of 14 wrong elements)"));
  EXPECT_THAT(patterns("2x16", codes(0, 1, 0x80), "e4m3fnuz"),
              ElementsAre("pattern: y holds 0x80 where 0 is expected: a zero kept its minus sign, which is NaN in e4m3fnuz (2 of "
                          "2 wrong elements)"));
  EXPECT_THAT(patterns("2x16", codes(0, 1, 0x80), "e4m3fn"), ElementsAre());
}

TEST(Patterns, AreNotSeenInFewOrUnrelatedElements) {
  EXPECT_THAT(patterns("2x16", values([](const auto& x, int64_t i, int64_t) { return x[size_t(i)]; })), ElementsAre());
  EXPECT_THAT(patterns("2x16", values([](const auto& x, int64_t i, int64_t) { return i < 3 ? 2 * x[size_t(i)] : x[size_t(i)]; })),
              ElementsAre());
  EXPECT_THAT(
      patterns("2x16", values([](const auto& x, int64_t i, int64_t) { return x[size_t(i)] + 1.0 / 64 * double(i * i % 7 - 3); })),
      ElementsAre());
}

TEST(Patterns, OneWordInTheOppositeOrderIsNamedWithItsPlace) {
  const auto with_word = [](size_t word) {
    return patterns_of_words(16, 8, [=](HostTensor& words, const auto&) {
      const auto first = words.bytes.begin() + long(4 * word);
      std::reverse(first, first + 4);
    });
  };
  EXPECT_THAT(with_word(11),
              ElementsAre(HasSubstr("holds the bytes of one word in the opposite order (byte order): row 5, groups 4..7 (")));
  EXPECT_THAT(patterns_of_words(16, 8, [](HostTensor& words, const auto&) { std::swap(words.bytes[44], words.bytes[45]); }),
              Not(Contains(HasSubstr("byte order")))) << "two bytes of four";
}

// Facts about wrong elements whose values no rule gives.

uint8_t scattered(int64_t i) { return uint8_t(100 + i * i * 2654435761 % 2147483647 % 23); }

TEST(Facts, OneNanByteIsNamed) {
  const auto with_byte = [](uint8_t byte) {
    return patterns_of_words(16, 8, [=](HostTensor& words, const auto&) { words.bytes[29] = std::byte(byte); });
  };
  EXPECT_THAT(with_byte(0xff),
              ElementsAre("pattern: y holds NaN (0xff) where a number is expected (1 of 1 wrong elements; the other 127 elements are "
                          "right: inputs are rare, or memory was not written or was overwritten)"));
  EXPECT_THAT(with_byte(0x40), ElementsAre()) << "another number is not NaN";
}

TEST(Facts, NanBytesEverywhereAreNoStrayWrite) {
  const auto lines = patterns_of_words(16, 8, [](HostTensor& words, const auto&) {
    for (size_t i = 0; i < words.bytes.size(); i += 9) words.bytes[i] = std::byte(0xff);
  });
  EXPECT_THAT(lines, Not(Contains(HasSubstr("memory was not written"))));
}

TEST(Facts, NumbersWhereNanIsExpectedAreNamed) {
  const auto due = [](int64_t i) { return i % 9 == 0 ? NAN : 1.0 + double(i % 50) / 64; };
  EXPECT_THAT(patterns_of(12, due, [&](int64_t i) { return i % 9 == 0 ? double(scattered(i)) : due(i); }),
              Contains(StartsWith("pattern: y holds numbers where NaN is expected (22 of 22 wrong elements)")));
}

/// Patterns of 61 rows of 16 scales. Rows from 48 on hold held(i, right byte); the others are right.
std::vector<std::string> patterns_of_last_rows(const std::function<uint8_t(int64_t i, uint8_t due)>& held) {
  return patterns_of_words(61, 16, [&](HostTensor& words, const std::vector<uint8_t>& due) {
    for (int64_t i = 48 * 16; i < 61 * 16; ++i) words.bytes[size_t(i)] = std::byte(held(i, due[size_t(i)]));
  });
}

TEST(Facts, RowsOfAnEarlierCallAreNamed) {
  EXPECT_THAT(patterns_of_last_rows([](int64_t i, uint8_t) { return scattered(i); }),
              ElementsAre(AllOf(StartsWith("pattern: y holds values of other data in rows 48..60 ("),
                                HasSubstr("the rows were not written by this call, or were computed from other input"))));
  EXPECT_THAT(patterns_of_last_rows([](int64_t i, uint8_t due) { return uint8_t(due - i % 3); }),
              Not(Contains(HasSubstr("other data")))) << "near to what is expected: computed from the right data, wrongly";
  EXPECT_THAT(patterns_of_last_rows([](int64_t, uint8_t due) { return uint8_t(222 - due); }),
              Not(Contains(HasSubstr("other data"))))
      << "a function of what is expected";
  EXPECT_THAT(patterns_of_last_rows([](int64_t i, uint8_t) { return uint8_t(scattered(i) - 80); }),
              Not(Contains(HasSubstr("other data"))))
      << "no scales";
}

TEST(Facts, ScatteredRowsAreNotOfAnEarlierCall) {
  const auto lines = patterns_of_words(61, 16, [](HostTensor& words, const auto&) {
    for (int64_t i = 0; i < 61 * 16; ++i)
      if (i / 16 % 4 == 1) words.bytes[size_t(i)] = std::byte(scattered(i));
  });
  EXPECT_THAT(lines, Not(Contains(HasSubstr("other data"))));
}

/// The fact about rows of scales that hold `held` where `due` is expected. If not `codes_right`, the last code of q is wrong.
std::string rows_beside_codes(const std::function<uint8_t(int64_t i)>& due, const std::function<uint8_t(int64_t i)>& held,
                              bool codes_right = true) {
  constexpr int64_t kRows = 61, kColumns = 16;
  WholePart whole = testing::whole_part(kE8M0, {kRows, kColumns}, {}, {}, "", "scale");
  HostTensor scale{dense("scale", Role::kOutput, kE8M0, {kRows, kColumns}), std::vector<std::byte>(size_t(kRows * kColumns))};
  HostTensor q = scale;
  for (int64_t i = 0; i < kRows * kColumns; ++i) {
    whole.low.push_back(ordinal(kE8M0, due(i)));
    scale.bytes[size_t(i)] = std::byte(held(i)), q.bytes[size_t(i)] = std::byte(due(i));
  }
  if (!codes_right) q.bytes.back() = std::byte(99);
  WholePart codes = whole;
  codes.part.tensor = "q";
  std::vector<WrongPart> parts;
  parts.emplace_back(whole, scale);
  parts.emplace_back(codes, q);
  const std::optional<Regularity> found = rows_of_other_data(parts[0], parts);
  return found ? in_words(*found) : "";
}

TEST(Facts, RowsThatAnotherOutputHasRightWereNotStored) {
  const auto stale = [](int64_t i) { return i < 48 * 16 ? scattered(i) : scattered(i + 1000); };
  EXPECT_THAT(rows_beside_codes(scattered, stale), HasSubstr("; q is right there: these values were not stored"));
  EXPECT_THAT(rows_beside_codes(scattered, stale, false), HasSubstr("; they are no nearer to the values expected there than to those of other rows"));
}

TEST(Facts, FewScalesOfAnEarlierCallAreNamedIfTheyAreWrongBothWays) {
  // One scale in twelve is not 120, in this call and in the earlier one.
  const auto of_call = [](int64_t i) { return uint8_t(scattered(i) < 102 ? 119 + 2 * (i % 2) : 120); };
  const auto last_rows = [&](const std::function<uint8_t(int64_t)>& held) {
    return rows_beside_codes(of_call, [&](int64_t i) { return i < 48 * 16 ? of_call(i) : held(i); });
  };
  EXPECT_THAT(last_rows([&](int64_t i) { return of_call(i + 5000); }), HasSubstr("values of other data in rows "));
  EXPECT_EQ(last_rows([&](int64_t i) { return std::max<uint8_t>(120, of_call(i)); }), "") << "a lower bound: too large alone";
  EXPECT_EQ(last_rows([&](int64_t i) { return uint8_t(of_call(i) + (i % 16 == 5 ? 1 - i / 16 % 2 * 2 : 0)); }), "")
      << "one column";
}

TEST(Facts, WhatTheInputsOfWrongElementsHaveInCommonIsNamed) {
  const auto negative = [](int64_t i) { return scattered(i) % 4 == 0; };
  const auto due = [&](int64_t i) { return (negative(i) ? -1.0 : 1.0) * (1 + double(i % 50) / 64); };
  EXPECT_THAT(patterns_of(12, due, [&](int64_t i) { return negative(i) ? double(scattered(i)) : due(i); }),
              ElementsAre(AllOf(StartsWith("pattern: y holds errors only where x is negative ("),
                                HasSubstr("; no place without errors has this property)"))));
  EXPECT_THAT(patterns_of(12, due, [&](int64_t i) { return i % 4 == 0 ? double(scattered(i)) : due(i); }),
              Not(Contains(HasSubstr("errors only")))) << "at positive and negative ones";
}

TEST(Facts, ErrorsExactlyWhereTheInputIsNanAreSaidOfTheInput) {
  const auto due = [](int64_t i) { return i % 61 == 7 ? double(NAN) : 1 + double(i % 50) / 64; };
  const auto held = [&](int64_t i) { return std::isnan(due(i)) ? 448.0 : due(i); };
  EXPECT_THAT(patterns_of(12, due, held),
              ElementsAre(AllOf(StartsWith("pattern: x has NaN: y holds errors only where x is NaN ("),
                                HasSubstr("; no place without errors has this property; such values in x: 4, the first is x[0, 7])"))))
      << "one code in every wrong element follows from it";
  const auto also = [&](int64_t i) { return i == 3 ? 448.0 : held(i); };
  EXPECT_THAT(patterns_of(12, due, also), Not(Contains(HasSubstr("x has")))) << "an error elsewhere has another reason";
  const auto some = [&](int64_t i) { return i == 7 || i == 68 ? 448.0 : due(i); };
  EXPECT_THAT(patterns_of(12, due, some), Not(Contains(HasSubstr("x has")))) << "two NaN are right";
}

TEST(Facts, RowsThatAnIndexTellsApartAreNamed) {
  Problem problem;
  for (const auto& [name, each] : {std::pair("slot_mapping", 1), std::pair("topk_ids", 2)}) {
    HostTensor index{dense(name, Role::kInput, kInt32, each == 1 ? std::vector<int64_t>{16} : std::vector<int64_t>{16, each}),
                     {}};
    index.bytes.resize(index.spec.bytes());
    for (int64_t i = 0; i < 16 * each; ++i)
      index.set_code(i, uint32_t(each == 1 ? (i + 5) % 16 : i / 2 % 4 == 1 ? i % 2 - 1 : 7 + i));
    problem.tensors.push_back(std::move(index));
  }
  const auto rows = [&](const std::function<bool(int64_t)>& is) {
    std::set<int64_t> in, out;
    for (int64_t row = 0; row < 16; ++row) (is(row) ? in : out).insert(row);
    return rows_of_index(in, out, problem);
  };
  EXPECT_THAT(rows([](int64_t row) { return row == 11; }), StartsWith("rows whose slot_mapping is 0 (a comparison"));
  EXPECT_THAT(rows([](int64_t row) { return row % 4 == 1; }), StartsWith("rows whose topk_ids are all 0 or less"));
  EXPECT_EQ(rows([](int64_t row) { return row == 10; }), "") << "its index is 15";
  EXPECT_EQ(rows([](int64_t row) { return row % 4 == 1 && row > 1; }), "") << "row 1 is such a row";
}

TEST(Facts, OppositeInfinitiesOfTwoRanksAreNamed) {
  WholePart whole = testing::whole_part(kF16, {2, 64}, {}, {}, "", "y");
  HostTensor y{dense("y", Role::kOutput, kF16, {2, 64}), std::vector<std::byte>(256)};
  Problem problem;
  for (int rank = 0; rank < 2; ++rank) {
    HostTensor x{dense("x", Role::kInput, kF16, {2, 64}), std::vector<std::byte>(256)};
    x.spec.rank = rank;
    for (int64_t i = 0; i < 128; ++i)
      x.set_code(i, code_of(kF16, i % 8 == 2 ? (rank == 0 ? INFINITY : -INFINITY) : i % 8 == 3 ? INFINITY : double(i)));
    problem.tensors.push_back(std::move(x));
  }
  for (int64_t i = 0; i < 128; ++i) {
    whole.low.push_back(ordinal(kF16, code_of(kF16, 1)));
    y.set_code(i, code_of(kF16, i % 8 == 2 ? 2 : 1));
  }
  const std::optional<Regularity> found = common_input(WrongPart(whole, y), problem, true);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->words, "errors only where x is Inf on one rank and -Inf on another");
  problem.tensors.pop_back();
  EXPECT_NE(common_input(WrongPart(whole, y), problem, true).value_or(Regularity{}).words, found->words)
      << "one rank has no opposite";
}

// Hypotheses that the outputs refute.

/// The causes of a call that returned `held`. The contract expects `due` and its only mutant `mutant`: one tensor per format.
std::vector<std::string> causes_of(const std::vector<const Format*>& formats, const std::vector<std::vector<uint32_t>>& due,
                                   const std::vector<std::vector<uint32_t>>& mutant,
                                   const std::vector<std::vector<uint32_t>>& held) {
  const auto expected = [&](const std::vector<std::vector<uint32_t>>& codes) {
    std::vector<WholePart> parts;
    for (size_t p = 0; p < codes.size(); ++p) {
      std::vector<int32_t> ordinals;
      for (const uint32_t code : codes[p]) ordinals.push_back(ordinal(*formats[p], code));
      parts.push_back(testing::whole_part(*formats[p], {1, int64_t(codes[p].size())}, ordinals, {}, "", "t" + std::to_string(p)));
    }
    return expectation_of(std::move(parts));
  };
  class CaseOfParts : public testing::ToyCase {
   public:
    CaseOfParts(Expectation right, Expectation wrong)
        : ToyCase(testing::toy_case("bf16")), right_(std::move(right)), wrong_(std::move(wrong)) {}
    Expectation expect(const Problem&, const std::vector<HostTensor>*) const override { return right_; }
    std::vector<Hypothesis> mutants() const override {
      return {{"the mutant", [this](const Problem&, const std::vector<HostTensor>*) { return wrong_; }}};
    }

   private:
    const Expectation right_, wrong_;
  };
  const CaseOfParts bound(expected(due), expected(mutant));
  std::vector<HostTensor> outputs;
  for (size_t p = 0; p < held.size(); ++p) {
    HostTensor tensor{dense("t" + std::to_string(p), Role::kOutput, *formats[p], {1, int64_t(held[p].size())}), {}};
    tensor.bytes.resize(tensor.spec.bytes());
    for (size_t i = 0; i < held[p].size(); ++i) tensor.set_code(int64_t(i), held[p][i]);
    outputs.push_back(std::move(tensor));
  }
  return causes_in_words(diagnose(bound, bound.problem(), outputs));
}

/// Eight codes from `first` on.
std::vector<uint32_t> eight(uint32_t first) {
  std::vector<uint32_t> codes;
  for (uint32_t i = 0; i < 8; ++i) codes.push_back(first + i);
  return codes;
}

TEST(Refuted, AHypothesisWhoseValuesOfAnotherTensorAreNotFoundIsDropped) {
  const std::vector<const Format*> formats(2, &kE8M0);
  EXPECT_THAT(causes_of(formats, {eight(10), eight(50)}, {eight(20), eight(50)}, {eight(20), eight(70)}),
              ElementsAre("explains only 8 of 16 failing elements: the mutant")) << "there may be another mistake";
  EXPECT_THAT(causes_of(formats, {eight(10), eight(50)}, {eight(20), eight(60)}, {eight(20), eight(70)}),
              ElementsAre("no known cause"));
}

TEST(Refuted, AHypothesisThatIsTooMuchAndTooLittleIsDropped) {
  std::vector<uint32_t> mutant = eight(20), held = eight(20);
  held[7] = 17;  // the contract's code
  EXPECT_THAT(causes_of({&kE8M0}, {eight(10)}, {mutant}, {held}),
              ElementsAre("explains 7 of 7 failing elements and contradicts 1 right elements: the mutant"));
  held[6] = 99;  // neither the contract's code nor the mutant's
  EXPECT_THAT(causes_of({&kE8M0}, {eight(10)}, {mutant}, {held}), ElementsAre("no known cause"));
  held[7] = 27;
  EXPECT_THAT(causes_of({&kE8M0}, {eight(10)}, {mutant}, {held}),
              ElementsAre("explains only 7 of 8 failing elements: the mutant"));
}

TEST(Refuted, SignsOfZerosAreLostOrTurnedButNotExchanged) {
  constexpr uint32_t kPlus = 0, kMinus = 0x8000, kOne = 0x3f80;
  const std::vector<uint32_t> due = {kPlus, kMinus, kMinus, kMinus, kPlus, kPlus, kOne, kPlus}, other(8, kOne);
  const auto cause_of = [&](const std::vector<uint32_t>& held) { return causes_of({&kBf16}, {due}, {other}, {held}); };
  const auto zeros = ElementsAre(HasSubstr("zeros: of the other sign"));
  EXPECT_THAT(cause_of({kPlus, kPlus, kPlus, kPlus, kPlus, kPlus, kOne, kPlus}), zeros) << "lost";
  EXPECT_THAT(cause_of({kMinus, kPlus, kPlus, kPlus, kMinus, kMinus, kOne, kMinus}), zeros) << "turned";
  EXPECT_THAT(cause_of({kMinus, kMinus, kMinus, kPlus, kPlus, kPlus, kOne, kPlus}), ElementsAre("no known cause")) << "exchanged";
  const std::vector<uint32_t> lost = {kPlus, kPlus, kPlus, kPlus, kPlus, kPlus, kOne, kPlus};
  EXPECT_THAT(causes_of({&kBf16}, {due}, {lost}, {lost}),
              ElementsAre("explains 3 of 3 failing elements: the mutant", HasSubstr("zeros")))
      << "the only mistake that gives these zeros";
}

// Outputs that another contract of the op accepts, and the case's own contract does not.

TEST(Obeyed, AContractThatExplainsEveryElementIsNamed) {
  const auto bound = testing::toy_op().bind(testing::toy_case("bf16", "4x8"));
  const Problem problem = testing::toy_problem(kBf16, 4, 8);
  /// A contract whose output at element i is made of the input at element i + by.
  struct Later : testing::ToyCase {
    Later(const Case& one, int64_t places) : ToyCase(one), by(places) {}
    Expectation expect(const Problem& given, const std::vector<HostTensor>* outputs) const override {
      Problem moved = given;
      for (int64_t i = 0; i < 32; ++i) moved.tensors[0].set_code(i, given.tensors[0].code((i + by) % 32));
      return ToyCase::expect(moved, outputs);
    }
    int64_t by;
  };
  const Case one = testing::toy_case("bf16", "4x8");
  std::vector<HostTensor> outputs = {{dense("y", Role::kOutput, kBf16, {4, 8}), std::vector<std::byte>(64)}};
  const auto words = [&](int64_t by) {
    for (int64_t i = 0; i < 32; ++i) outputs[0].set_code(i, problem.tensors[0].code((i + by) % 32));
    WorkBudget budget(WorkBudget::kShort);
    const OtherContracts others = [&](const Case&, const Problem&) {
      std::vector<OtherContract> all;
      all.push_back({"acme.three", "places: 0 -> 3", std::make_shared<const Later>(one, 3)});
      all.push_back({"acme.five", "", std::make_shared<const Later>(one, 5)});
      return all;
    };
    std::vector<std::string> found;
    for (const Cause& cause : obeyed_instead({*bound, one, problem, &outputs}, others, budget)) found.push_back(cause.mistakes.front().words);
    return found;
  };
  EXPECT_THAT(words(3), ElementsAre("obeys acme.three instead (places: 0 -> 3)"));
  EXPECT_THAT(words(5), ElementsAre("obeys acme.five instead"));
  EXPECT_THAT(words(4), ElementsAre());
  EXPECT_THAT(words(0), ElementsAre()) << "nothing is wrong";
}

// Inputs that are read from a neighbouring place.

/// The causes of a kernel of the toy op that stores x[source(i)] in y[i]; both have 4 rows of 8 codes.
std::vector<std::string> causes_of_copy(const std::function<int64_t(int64_t)>& source) {
  const auto bound = testing::toy_op().bind(testing::toy_case("bf16", "4x8"));
  const Problem problem = testing::toy_problem(kBf16, 4, 8);
  HostTensor y{dense("y", Role::kOutput, kBf16, {4, 8}), std::vector<std::byte>(64)};
  for (int64_t i = 0; i < 32; ++i) y.set_code(i, problem.tensors[0].code(source(i)));
  return causes_in_words(diagnose(*bound, problem, {y}));
}

TEST(Misread, AnInputThatIsReadOneElementOrOneRowBesideItsPlaceIsNamed) {
  EXPECT_THAT(causes_of_copy([](int64_t i) { return std::min<int64_t>(i + 1, 31); }),
              ElementsAre("explains 28 of 28 failing elements: x: each element is read from 1 element later"));
  EXPECT_THAT(causes_of_copy([](int64_t i) { return std::max<int64_t>(i - 8, 0); }),
              ElementsAre(HasSubstr("31 failing elements: x: each element is read from 1 row earlier")));
}

TEST(Misread, OtherPlacesOfAVectorAreNamed) {
  EXPECT_THAT(causes_of_copy([](int64_t i) { return i ^ 1; }), Contains(HasSubstr("x: [i, j] is read from [i, j ^ 1]")));
  EXPECT_THAT(causes_of_copy([](int64_t i) { return i - i % 8; }),
              Contains(HasSubstr("x: [i, j] is read from [i, j - j mod 8]")));
  EXPECT_THAT(causes_of_copy([](int64_t i) { return i % 4 == 3 ? i - 1 : i; }),
              Contains(EndsWith("explains 8 of 8 failing elements: x: [i, j] with j mod 4 = 3 is read from [i, j - 1]")));
  EXPECT_THAT(causes_of_copy([](int64_t i) { return i % 8; }), Contains(HasSubstr("x: [i, j] is read from [0, j]")));
}

TEST(Misread, LostBitsOfAnAddressAreNamed) {
  EXPECT_THAT(causes_of_copy([](int64_t i) { return i & ~4; }),
              Contains("explains 16 of 16 failing elements: x: bit 2 (4) of the storage offset is not used"));
  EXPECT_THAT(causes_of_copy([](int64_t i) { return i % 4; }),
              Contains(EndsWith("x: bits 2 and up of the storage offset are not used: the first 4 elements are read again and again")));
  EXPECT_THAT(causes_of_copy([](int64_t i) { return (i & ~8) | (i & 4) << 1; }),
              Contains(EndsWith("x: bit 2 of the storage offset is used twice, also in the place of bit 3")));
  EXPECT_THAT(causes_of_copy([](int64_t i) { return (i & ~3) | (i >> 3 & 3); }),
              Contains(EndsWith("x: bits 3..4 of the storage offset are used twice, also in the place of bits 0..1")));
  EXPECT_THAT(causes_of_copy([](int64_t i) { return i / 8 + i % 8; }),
              Contains(EndsWith("x: row i is read starting at element i instead of 8 * i")));
  EXPECT_THAT(causes_of_copy([](int64_t i) { return i * 11 % 7 < 3 ? i & ~4 : i; }), Not(Contains(HasSubstr("storage offset"))))
      << "right elements refute it";
}

TEST(Misread, PitchesAreNamed) {
  EXPECT_THAT(causes_of_copy([](int64_t i) { return std::min<int64_t>(i / 8 * 12 + i % 8, 31); }),
              Contains(HasSubstr("x: row i is read starting at element 12 * i instead of 8 * i")));
  EXPECT_THAT(causes_of_copy([](int64_t i) { return i % 8 < 4    ? i
                                                    : i % 8 == 7 ? 31 - i
                                                                 : i + 1; }),
              Contains(HasSubstr("x: the vectors of 4 elements in a row are read 5 elements apart")));
}

/// Names of the edits of one input, and the codes that the edit `name` makes of `codes`.
std::vector<std::string> names_of_edits(const Format& format, const std::vector<uint32_t>& codes, int64_t products,
                                        const std::string& name, std::vector<uint32_t>* made) {
  HostTensor input{dense("in", Role::kInput, format, {1, int64_t(codes.size())}), {}};
  input.bytes.resize(input.spec.bytes());
  for (size_t i = 0; i < codes.size(); ++i) input.set_code(int64_t(i), codes[i]);
  const Problem problem{{input}};
  std::vector<std::string> names;
  for (const InputEdit& edit : input_edits(problem, products)) {
    names.push_back(edit.name);
    if (edit.name != name) continue;
    const Problem changed = edit.applied(problem);
    for (size_t i = 0; i < codes.size(); ++i) made->push_back(changed.tensors[0].code(int64_t(i)));
  }
  return names;
}

TEST(Misread, IntegersThatAreCutAreNamed) {
  std::vector<uint32_t> zero_points(8, 5), made;
  zero_points[1] = 300, zero_points[2] = uint32_t(-300), zero_points[3] = uint32_t(-100);
  EXPECT_THAT(names_of_edits(kInt32, zero_points, 1, "in: cut to 8 bits", &made), Contains("in: cut to 8 bits"));
  EXPECT_THAT(made, ElementsAre(5, 44, uint32_t(-44), uint32_t(-100), 5, 5, 5, 5));
  std::vector<uint32_t> slots(8, 5);
  slots[1] = 70000, slots[2] = uint32_t(-1);
  made.clear();
  EXPECT_THAT(names_of_edits(kInt32, slots, 1, "in: cut to 16 bits", &made), Contains("in: cut to 15 bits"));
  EXPECT_THAT(made, ElementsAre(5, 4464, uint32_t(-1), 5, 5, 5, 5, 5)) << "-1 marks an absent index";
  EXPECT_THAT(names_of_edits(kInt32, std::vector<uint32_t>(8, 5), 1, "", &made), Not(Contains(HasSubstr("cut")))) << "changes nothing";
}

TEST(Misread, RoundedNumbersAndEndsOfScalesAreNamed) {
  std::vector<uint32_t> numbers(8, code_of(kF32, 1)), made;
  numbers[2] = code_of(kF32, 1 + 0x1p-9);
  EXPECT_THAT(names_of_edits(kF32, numbers, 64, "in: rounded to bf16", &made), Contains("in: rounded to bf16"));
  EXPECT_EQ(made[2], code_of(kF32, 1));
  EXPECT_THAT(names_of_edits(kF32, numbers, 64, "", &made), Not(Contains("in: rounded to f16"))) << "exact in f16";
  made.clear();
  EXPECT_THAT(names_of_edits(kE8M0, {127, 0, 255, 127, 127, 127, 127, 127}, 64, "in: the code 0, which is 2^-127, is read as 2^-126", &made),
              Contains("in: the code 0xff, which is NaN, is read as 2^127"));
  EXPECT_THAT(made, ElementsAre(127, 1, 255, 127, 127, 127, 127, 127));
}

TEST(Misread, CodesOf8BitsAreTriedBeforePlaces) {
  std::vector<uint32_t> codes(32), made;
  for (size_t i = 0; i < codes.size(); ++i) codes[i] = uint32_t(0x30 + i);
  const auto first = [&](const Format& format, const std::string& part) {
    const std::vector<std::string> names = names_of_edits(format, codes, 1, "", &made);
    return std::find_if(names.begin(), names.end(), [&](const std::string& name) { return name.find(part) != name.npos; }) - names.begin();
  };
  const std::string bit = "the lowest bit of the mantissa is not read", place = "is read from [j - j mod 2]";
  EXPECT_LT(first(kE4M3Fn, bit), first(kE4M3Fn, place));
  EXPECT_GT(first(kBf16, bit), first(kBf16, place));
}

TEST(Misread, WrongReadsOfTwoInputsAreNoCause) {
  const auto cause = [](const std::string& input, const std::string& name) { return Cause{{{name, name, 8, input}}, 8, 8}; };
  EXPECT_THAT(causes_in_words({cause("x", "x: read as 0"), cause("w", "w: read as 0")}),
              ElementsAre("several mistakes would fit: x: read as 0; w: read as 0"));
  EXPECT_THAT(causes_in_words({cause("x", "x: read as 0"), cause("x", "x: read twice")}), Contains(HasSubstr("explains 8 of 8")));
  EXPECT_THAT(causes_in_words({cause("x", "x: read as 0"), cause("", "y: drop add(b)")}), Contains(HasSubstr("explains 8 of 8")));
}

TEST(Misread, IsNotNamedIfItSaysThatRightElementsAreWrong) {
  EXPECT_THAT(causes_of_copy([](int64_t i) { return i == 5 ? i : std::min<int64_t>(i + 1, 31); }), ElementsAre("no known cause"))
      << "element 5 is right";
}

TEST(Misread, AnotherOrderIsNot) {
  EXPECT_THAT(causes_of_copy([](int64_t i) { return 31 - i; }), ElementsAre("no known cause"));
  EXPECT_THAT(causes_of_copy([](int64_t i) { return i * 13 % 32; }), ElementsAre("no known cause")) << "scattered";
  EXPECT_THAT(causes_of_copy([](int64_t i) { return i % 8 < 4 ? std::min<int64_t>(i + 1, 31) : i - 1; }),
              ElementsAre("no known cause")) << "half to one side, half to the other";
}

TEST(Misread, TheElementBesideWithinAVectorIsNamedWhateverTheLastOneReads) {
  EXPECT_THAT(causes_of_copy([](int64_t i) { return i % 4 == 3 ? i * 13 % 32 : i + 1; }),
              ElementsAre(HasSubstr("x: [i, j] is read from the element after it, within vectors of 4")));
  EXPECT_THAT(causes_of_copy([](int64_t i) { return i % 4 == 3 ? i * 13 % 32 : i % 4 == 1 ? i : i + 1; }),
              ElementsAre("no known cause")) << "the second of each vector is right";
}

TEST(Tally, ElementsThatMayBeAnythingDoNotCountBesideEnoughOthers) {
  const auto with = [](size_t inside) {
    const Memberships contract{{std::vector<Membership>(16, Membership::kOutside)}, {0}, {}};
    Memberships hypothesis{{std::vector<Membership>(16, Membership::kAnything)}, {}, {}};
    std::fill_n(hypothesis.parts[0].begin(), inside, Membership::kInside);
    return tally(contract, hypothesis);
  };
  EXPECT_EQ(with(8).left(), 0);
  EXPECT_EQ(with(8).open, 8);
  EXPECT_EQ(with(7).left(), 9) << "seven may fit by chance";
}

TEST(Writes, HowPositionsAdvanceIsSaid) {
  const auto written = [](const std::function<bool(int64_t)>& is) {
    std::vector<bool> all;
    for (int64_t i = 0; i < 64; ++i) all.push_back(is(i));
    return progress_of_writes(all, 32);
  };
  EXPECT_THAT(written([](int64_t i) { return i < 13; }), HasSubstr("only the first 13 elements, counted over all rows, are written"));
  EXPECT_THAT(written([](int64_t i) { return i < 32; }), HasSubstr("only row 0 is written"));
  EXPECT_THAT(written([](int64_t i) { return i >= 13; }), HasSubstr("only the first 13 elements, counted over all rows, are missing"));
  EXPECT_THAT(written([](int64_t i) { return i % 16 < 4; }), HasSubstr("4 of each 16 elements"));
  EXPECT_EQ(written([](int64_t i) { return i * i % 7 < 3; }), "") << "no order";
  EXPECT_THAT(written([](int64_t i) { return i >= 32; }), HasSubstr("elements, counted over all rows, are missing"));
  EXPECT_EQ(written([](int64_t i) { return i / 8 == 2; }), "") << "one run has no period";
  EXPECT_EQ(written([](int64_t) { return true; }), "");
}

TEST(Writes, WhatOneThreadStoresAndEndsOfRowsAreSaid) {
  const auto written = [](const std::function<bool(int64_t)>& is, int64_t columns = 100) {
    std::vector<bool> all;
    for (int64_t i = 0; i < 600; ++i) all.push_back(is(i));
    return progress_of_writes(all, columns, 8);
  };
  EXPECT_THAT(written([](int64_t i) { return i < 8; }), HasSubstr("the 16 bytes that one thread stores"));
  EXPECT_THAT(written([](int64_t i) { return i < 264; }), HasSubstr("16 bytes more than 256"));
  EXPECT_THAT(written([](int64_t i) { return i < 272; }), HasSubstr("are written: the grid, a loop")) << "two vectors more";
  EXPECT_THAT(written([](int64_t i) { return i / 100 == 1; }), HasSubstr("only row 1 is written"));
  EXPECT_THAT(written([](int64_t i) { return i < 256; }), HasSubstr("addresses do not use the index of the block"));
  EXPECT_THAT(written([](int64_t i) { return i % 100 < 99; }), HasSubstr("the end of each row is missing, 1 of 100 columns"));
  EXPECT_THAT(written([](int64_t i) { return i % 60 < 59; }), HasSubstr("59 of each 60 elements are written")) << "not the ends of rows";
}

TEST(Writes, TheEndsOfTailsAreSaid) {
  const auto written = [](int64_t rows, int64_t columns, const std::function<bool(int64_t row, int64_t column)>& is) {
    std::vector<bool> all;
    for (int64_t i = 0; i < rows * columns; ++i) all.push_back(is(i / columns, i % columns));
    return progress_of_writes(all, columns, 8);
  };
  EXPECT_THAT(written(2, 65, [](int64_t r, int64_t c) { return r * 65 + c != 128; }),
              HasSubstr("counted over all rows, only element 128, the first behind the last whole vector, is missing"));
  EXPECT_THAT(written(3, 67, [](int64_t, int64_t c) { return c != 64; }),
              HasSubstr("in each row, only element 64, the first behind"));
  EXPECT_EQ(written(2, 65, [](int64_t r, int64_t c) { return r * 65 + c != 100; }), "") << "30 elements are no tail behind 4";
  EXPECT_THAT(written(2, 65, [](int64_t r, int64_t c) { return r * 65 + c != 129; }),
              HasSubstr("only the last element is missing"));
  EXPECT_THAT(written(1, 31, [](int64_t, int64_t c) { return c < 28; }), HasSubstr("31 rounded down to a multiple of 4"));
  EXPECT_THAT(written(1, 31, [](int64_t, int64_t c) { return c < 20; }), HasSubstr("are written: the grid, a loop"));
  EXPECT_THAT(
      written(31, 6, [](int64_t r, int64_t) { return r < 28; }),
      HasSubstr("only the first 28 of 31 rows are written, 31 rounded down to a multiple of 4: the grid or a loop over rows"));
  EXPECT_THAT(written(3, 6, [](int64_t r, int64_t) { return r < 2; }), HasSubstr("only the first 2 of 3 rows are written"));
}

TEST(Misread, AViewWithoutRowsIsNotEdited) {
  Problem problem;
  HostTensor x{dense("x", Role::kInput, kBf16, {54}), std::vector<std::byte>(108)};
  x.spec.shape = {2, 3, 3, 3}, x.spec.strides = {0, 9, 3, 1}, x.spec.storage = 27, x.bytes.resize(54);
  problem.tensors.push_back(std::move(x));
  EXPECT_TRUE(input_edits(problem, 1).empty()) << "row 17 would begin at element 51 of 27";
  problem.tensors[0].spec.strides = {27, 9, 3, 1};
  problem.tensors[0].spec.storage = 54, problem.tensors[0].bytes.resize(108);
  EXPECT_FALSE(input_edits(problem, 1).empty());
}

TEST(Misread, RecordsThatRepeatDoNotTellWhereTheyAreRead) {
  const auto tells = [](int64_t period) {
    Problem problem;
    HostTensor cache{dense("kv_cache", Role::kInput, kUint8, {4, 64}), std::vector<std::byte>(256)};
    for (int64_t i = 0; i < 256; ++i) cache.set_code(i, uint32_t(i % 64 < 60 ? i % period : 100 + i));
    problem.tensors.push_back(std::move(cache));
    InputEdit edit;
    edit.source = [](int64_t r, int64_t c) { return std::pair(r, c % 16); };
    return data_tell(edit, problem, edit.applied(problem));
  };
  EXPECT_FALSE(tells(16)) << "only the last four bytes of a row differ";
  EXPECT_TRUE(tells(61));
}

/// A back end that answers each request with answer(request).
Backend answering(const std::function<CallResult(const CallRequest&)>& answer) {
  Backend backend{"fake", {}, answer};
  backend.contains_crashes = true;
  return backend;
}

TEST(CallsAgain, AnAccessBesideATensorIsNamedWithItsPlace) {
  const Problem problem = testing::toy_op().bind(testing::toy_case("bf16"))->problem();
  const CallRequest request{"toy", "toy.copy", "k", &problem, 1};
  const auto crash = [](const std::string& at) {
    return [=](const CallRequest& made) -> CallResult {
      if (made.beside != Beside::kNothingBefore) return {};
      CallResult result;
      result.status = CallStatus::kBroken;
      result.message =
          "crashed: SIGSEGV at address 0x7f00: " + at + ", in libmine.so+0x11 (at mine.h:12); --in-process under a debugger";
      return result;
    };
  };
  Backend backend = answering(crash("read 2 bytes before the start of 'x'"));
  EXPECT_EQ(access_beside(backend, request), "outside: read 2 bytes before the start of 'x' (at mine.h:12)");
  backend.contains_crashes = false;
  EXPECT_EQ(access_beside(backend, request), "") << "a crash would end this process";
  EXPECT_EQ(access_beside(answering(crash("read far from every tensor")), request), "");
  EXPECT_EQ(access_beside(answering([](const CallRequest&) { return CallResult(); }), request), "");
}

TEST(CallsAgain, ACrashBesideATensorIsRepeatedWithMemoryThere) {
  const Case one = testing::toy_case("bf16", "4x16");
  const std::unique_ptr<const BoundCase> bound = testing::toy_op().bind(one);
  const Problem problem = bound->problem();
  const auto causes = [&](const std::string& access, const char* place) {
    const Backend backend = answering([&](const CallRequest& made) {
      CallResult result;
      if (made.beside == Beside::kWideZones) {
        result.outputs = outputs_of(problem);
        for (int64_t c = 0; c < 16; ++c) result.outputs[0].set_code(2 * 16 + c, 0x7e00 + uint32_t(c));
        result.untouched.resize(1), result.in_place = {false};
        return result;
      }
      result.status = CallStatus::kBroken;
      result.message = "crashed: SIGSEGV at address 0x7f00: " + access + place + ", in libmine.so+0x11";
      return result;
    });
    Verdict verdict = blank_verdict(one, "copy", "toy");
    verdict.outcome = Outcome::kBroken;
    verdict.message = "crashed: SIGSEGV at address 0x7f00: " + access + place + ", in libmine.so+0x11";
    look_for_causes(backend)({*bound, one, problem, nullptr, nullptr, nullptr}, verdict);
    return verdict.causes;
  };
  EXPECT_THAT(causes("read 64 bytes", " behind the end of 'x'"),
              Contains(HasSubstr("16 of 64 elements that were written are wrong")));
  EXPECT_THAT(causes("read 64 bytes", " behind the end of 'x'"), Each(Not(HasSubstr("pattern: y holds the "))));
  EXPECT_THAT(causes("read through a null pointer", ""), Each(Not(HasSubstr("elements that were written are wrong"))));
}

TEST(CallsAgain, ASizeBehindTheLastDimensionIsNamed) {
  const Problem problem = testing::toy_op().bind(testing::toy_case("bf16"))->problem();
  const CallRequest request{"toy", "toy.copy", "k", &problem, 1};
  const auto words = [&](const std::string& at) {
    return access_beside(answering([=](const CallRequest&) {
                           CallResult result;
                           result.status = CallStatus::kBroken;
                           result.message = "crashed: SIGSEGV at address 0x7f00: " + at + ", in libmine.so+0x11 (at mine.h:12)";
                           return result;
                         }),
                         request);
  };
  const std::string shape = words("read 0 bytes behind the end of 'shape of x'");
  EXPECT_EQ(shape, "outside: read shape[2] of 'x', which has 2 dimensions (at mine.h:12)");
  EXPECT_EQ(words("read 8 bytes before the start of 'strides of x'"),
            "outside: read strides[-1] of 'x', which has 2 dimensions (at mine.h:12)");
  EXPECT_TRUE(is_about_extents(shape));
  EXPECT_FALSE(is_about_extents(words("read 0 bytes behind the end of 'x'")));
}

TEST(CallsAgain, WhatLiesBesideAShapeMattersIfOutputsChange) {
  const Problem problem = testing::toy_op().bind(testing::toy_case("bf16"))->problem();
  const CallRequest request{"toy", "toy.copy", "k", &problem, 1};
  const auto matters = [&](bool changes) {
    return depends_on_extents(answering([&, changes](const CallRequest& made) {
                                CallResult result;
                                result.outputs = outputs_of(problem);
                                if (changes) result.outputs[0].set_code(0, made.stack_fill);
                                result.untouched.resize(1), result.in_place = {false};
                                return result;
                              }),
                              request);
  };
  EXPECT_TRUE(matters(true));
  EXPECT_FALSE(matters(false));
}

TEST(CallsAgain, ElementsThatChangeWithTheStackAreUnset) {
  const std::unique_ptr<const BoundCase> bound = testing::toy_op().bind(testing::toy_case("bf16", "2x32"));
  const Problem problem = bound->problem();
  const std::vector<HostTensor> outputs = outputs_of(problem);
  const Expectation right = bound->expect(problem, &outputs);
  const CallRequest request{"toy", "toy.copy", "k", &problem, 1};
  const auto unset_of = [&](const std::function<bool(int64_t)>& changes) {
    return unset_locals(answering([&](const CallRequest& made) {
                          CallResult result;
                          result.outputs = outputs;
                          for (int64_t i = 0; i < 64; ++i)
                            if (changes(i)) result.outputs[0].set_code(i, made.stack_fill);
                          result.untouched.resize(1), result.in_place = {false};
                          return result;
                        }),
                        request, right);
  };
  const Unset some = unset_of([](int64_t i) { return i % 8 == 0; });
  EXPECT_EQ(some.changed, 8);
  EXPECT_THAT(some.words, AllOf(StartsWith("unset: a local or shared variable or array is read before it is set"),
                                HasSubstr("8 of 64 elements of y, in columns 0, 8, ...")));
  EXPECT_EQ(unset_of([](int64_t) { return false; }).words, "");
}

TEST(Writes, BytesOutsideThatTouchTheTensorSayWhichEndIsWrong) {
  EXPECT_THAT(why_outside("wrote outside 'q': 2032 bytes before its start, nearest 1 byte before it"),
              HasSubstr("begins too early"));
  EXPECT_THAT(why_outside("wrote outside 'q': 8 bytes behind its end, first 0 bytes behind it"), HasSubstr("runs too far"));
  EXPECT_EQ(why_outside("wrote outside 'q': 1 byte before its start, nearest 60000 bytes before it"), "");
}

/// A case whose outputs depend on all columns of x: `scale` is the maximum of each group of 8, and `q` is x divided by the row's
/// sum.
class Reductions : public testing::ToyCase {
 public:
  static constexpr int64_t kRows = 8, kColumns = 64, kGroup = 8;

  using ToyCase::ToyCase;
  Problem problem() const override {
    HostTensor x{dense("x", Role::kInput, kF32, {kRows, kColumns}), std::vector<std::byte>(size_t(4 * kRows * kColumns))};
    for (int64_t i = 0; i < kRows * kColumns; ++i) x.set_code(i, code_of(kF32, double(1 + i * i * 7 % 509)));
    return {{std::move(x)}};
  }
  Expectation expect(const Problem& problem, const std::vector<HostTensor>*) const override {
    const std::vector<HostTensor> made = outputs_of(problem.tensors[0], [](int64_t) { return true; });
    std::vector<WholePart> parts;
    for (const HostTensor& tensor : made) {
      WholePart& part = parts.emplace_back(
          testing::whole_part(kF32, {tensor.spec.shape[0], tensor.spec.shape[1]}, {}, {}, "", tensor.spec.name));
      for (int64_t i = 0; i < tensor.spec.elements(); ++i) part.low.push_back(ordinal(kF32, tensor.code(i)));
    }
    return expectation_of(std::move(parts));
  }
  /// The outputs of a kernel that uses only the columns for which `takes` is true.
  static std::vector<HostTensor> outputs_of(const HostTensor& x, const std::function<bool(int64_t)>& takes) {
    HostTensor scale{dense("scale", Role::kOutput, kF32, {kRows, kColumns / kGroup}),
                     std::vector<std::byte>(size_t(4 * kRows * kColumns / kGroup))};
    HostTensor q{dense("q", Role::kOutput, kF32, {kRows, kColumns}), std::vector<std::byte>(size_t(4 * kRows * kColumns))};
    const auto value = [&](int64_t i) { return decode(kF32, x.code(i)); };
    for (int64_t row = 0; row < kRows; ++row) {
      double sum = 0;
      for (int64_t c = 0; c < kColumns; ++c) sum += takes(c) ? value(row * kColumns + c) : 0;
      for (int64_t c = 0; c < kColumns; ++c)
        q.set_code(row * kColumns + c, code_of(kF32, double(float(value(row * kColumns + c) / sum))));
      for (int64_t g = 0; g < kColumns / kGroup; ++g) {
        double largest = 0;
        for (int64_t c = g * kGroup; c < (g + 1) * kGroup; ++c)
          largest = takes(c) ? std::max(largest, value(row * kColumns + c)) : largest;
        scale.set_code(row * (kColumns / kGroup) + g, code_of(kF32, largest));
      }
    }
    return {scale, q};
  }
};

std::vector<std::string> causes_of_reduction(const std::function<bool(int64_t)>& takes) {
  const auto bound = testing::toy_op_of<Reductions>().bind(testing::toy_case());
  const Problem problem = bound->problem();
  return causes_in_words(diagnose(*bound, problem, Reductions::outputs_of(problem.tensors[0], takes)));
}

TEST(LeftOut, TheColumnsThatASumLeavesOutAreNamed) {
  const auto named = [](const char* columns) {
    return Contains(AllOf(StartsWith("explains "),
                          EndsWith(std::string("x: [i, j] with ") + columns + " is left out of the sum or maximum over j")));
  };
  EXPECT_THAT(causes_of_reduction([](int64_t c) { return c % 8 != 7; }), named("j mod 8 = 7"));
  EXPECT_THAT(causes_of_reduction([](int64_t c) { return c < 56; }), named("j >= 56"));
  EXPECT_THAT(causes_of_reduction([](int64_t c) { return c % 16 < 8; }), named("j mod 16 >= 8"));
  EXPECT_THAT(causes_of_reduction([](int64_t c) { return c >= 8; }), named("j < 8"));
  EXPECT_THAT(causes_of_reduction([](int64_t c) { return c % 23 != 5; }), ElementsAre("no known cause")) << "no rule has these";
}

TEST(Misread, AnElementBesideItsPlaceBehindASumIsNamed) {
  const auto bound = testing::toy_op_of<Reductions>().bind(testing::toy_case());
  const Problem problem = bound->problem();
  const auto causes_of = [&](const std::function<int64_t(int64_t)>& source) {
    std::vector<HostTensor> held = Reductions::outputs_of(problem.tensors[0], [](int64_t) { return true; });
    const HostTensor right = held[1];
    for (int64_t i = 0; i < right.spec.elements(); ++i) held[1].set_code(i, right.code(source(i)));  // the row's sum is right
    return causes_in_words(diagnose(*bound, problem, held));
  };
  EXPECT_THAT(
      causes_of([](int64_t i) { return i % 4 == 3 ? i * 13 % 512 : i + 1; }),
      Contains(AllOf(StartsWith("explains "),
                     HasSubstr("x: when read again after the sum or maximum, [i, j] is read from [i, j + 1], within vectors of 4"))));
  EXPECT_THAT(causes_of([](int64_t i) { return i * 13 % 512; }), ElementsAre("no known cause"));
}

TEST(Misread, PlacesInWhichAMistakeIsMadeAreNamed) {
  const auto bound = testing::toy_op().bind(testing::toy_case("bf16", "8x64"));
  const Problem problem = testing::toy_problem(kBf16, 8, 64);
  const auto causes_of = [&](const std::function<bool(int64_t, int64_t)>& is_wrong) {
    HostTensor y{dense("y", Role::kOutput, kBf16, {8, 64}), std::vector<std::byte>(1024)};
    for (int64_t i = 0; i < 512; ++i)
      y.set_code(i, problem.tensors[0].code(is_wrong(i / 64, i % 64) ? std::min<int64_t>(i + 2, 511) : i));
    return causes_in_words(diagnose(*bound, problem, {y}));
  };
  const auto told = [](const char* places) {
    return Contains(HasSubstr(std::string("x: each element is read from 2 elements later, only in ") + places));
  };
  EXPECT_THAT(causes_of([](int64_t, int64_t c) { return c % 16 < 4; }), told("columns 0..3 of each 16"));
  EXPECT_THAT(causes_of([](int64_t r, int64_t) { return r >= 5; }), told("rows from 5 on"));
  EXPECT_THAT(causes_of([](int64_t, int64_t c) { return c < 40; }), told("columns up to 39"));
  EXPECT_THAT(causes_of([](int64_t r, int64_t c) { return (r * 64 + c) * 13 % 7 < 3; }), ElementsAre("no known cause"))
      << "scattered";
}

TEST(LeftOut, TheColumnsThatAMaximumLeavesOutAreFoundFromTheScales) {
  const auto bound = testing::toy_op_of<Reductions>().bind(testing::toy_case());
  const Problem problem = bound->problem();
  const auto found = [&](const std::function<bool(int64_t)>& takes) {
    WorkBudget budget(WorkBudget::kLong);
    const auto maxima = left_out_of_maxima(*bound, problem, Reductions::outputs_of(problem.tensors[0], takes), budget);
    return maxima ? in_words(*maxima) : "";
  };
  EXPECT_THAT(found([](int64_t c) { return c % 8 != 5; }),
              HasSubstr("a maximum that leaves out x[i, j] with j mod 8 = 5"));
  EXPECT_THAT(found([](int64_t c) { return c % 4 != 1; }), HasSubstr("with j mod 4 = 1"));
  EXPECT_EQ(found([](int64_t) { return true; }), "");
}

TEST(LeftOut, OneScaleDoesNotShowAMaximumIfElementsBesideRightScalesAreWrong) {
  const auto bound = testing::toy_op_of<Reductions>().bind(testing::toy_case());
  const Problem problem = bound->problem();
  const auto found = [&](bool others_too) {
    std::vector<HostTensor> outputs = Reductions::outputs_of(problem.tensors[0], [](int64_t) { return true; });
    std::vector<double> group;
    for (int64_t c = 0; c < 8; ++c) group.push_back(decode(kF32, problem.tensors[0].code(c)));
    std::sort(group.begin(), group.end());
    outputs[0].set_code(0, code_of(kF32, group[6]));  // the second largest
    for (int64_t c = 0; c < 16; ++c)
      if (c < 8 || others_too) outputs[1].set_code(c, code_of(kF32, -1));
    WorkBudget budget(WorkBudget::kLong);
    return left_out_of_maxima(*bound, problem, outputs, budget).has_value();
  };
  EXPECT_TRUE(found(false));
  EXPECT_FALSE(found(true));
}

// The cost of testing hypotheses on large outputs.

/// 64 rows of 16 codes: `code` from row `first_row` on, and 10 before. Each element costs as much as 2^16 multiply-accumulates.
/// `rows` counts the rows that are computed.
Expectation costly(uint32_t code, int64_t first_row, const std::shared_ptr<std::atomic<int64_t>>& rows) {
  const Part part{"y", &kE8M0, {64, 16}, ""};
  Answer answer{"", {part}, 64, [code, first_row, rows](int64_t first, int64_t end) {
                  *rows += end - first;
                  AcceptedRows accepted{first, end, {}, {}};
                  for (int64_t i = first * 16; i < end * 16; ++i)
                    accepted.low.push_back(ordinal(kE8M0, i / 16 < first_row ? 10 : code));
                  return AcceptedBlock{{accepted}};
                }};
  answer.products = int64_t{1} << 16;
  return {{answer}};
}

/// A case with forty mutants. Only the last explains the outputs: it expects code 30 from row `first_row` on.
class Costly : public testing::ToyCase {
 public:
  struct Counted {
    std::shared_ptr<std::atomic<int64_t>> right = std::make_shared<std::atomic<int64_t>>(0),
                                          others = std::make_shared<std::atomic<int64_t>>(0),
                                          last = std::make_shared<std::atomic<int64_t>>(0);
  };

  Costly(int64_t first_row, Counted counted)
      : ToyCase(testing::toy_case("bf16")), first_row_(first_row), counted_(std::move(counted)) {}
  Expectation expect(const Problem&, const std::vector<HostTensor>*) const override { return costly(10, 0, counted_.right); }
  std::vector<Hypothesis> mutants() const override {
    std::vector<Hypothesis> all;
    for (int i = 1; i < 40; ++i)
      all.push_back({"other " + std::to_string(i),
                     [this](const Problem&, const std::vector<HostTensor>*) { return costly(20, 0, counted_.others); }});
    all.push_back({"of the code",
                   [this](const Problem&, const std::vector<HostTensor>*) { return costly(30, first_row_, counted_.last); }});
    return all;
  }
  std::vector<std::string> causes(WorkBudget& budget) const {
    HostTensor y{dense("y", Role::kOutput, kE8M0, {64, 16}), std::vector<std::byte>(1024, std::byte{30})};
    std::fill_n(y.bytes.begin(), first_row_ * 16, std::byte{10});
    return causes_in_words(diagnose(*this, problem(), {y}, nullptr, &budget));
  }

 private:
  const int64_t first_row_;
  const Counted counted_;
};

TEST(Cost, MutantsOfALargeOutputSeeFewRowsAndTheBestSeesAll) {
  const Costly::Counted counted;
  WorkBudget budget(WorkBudget::kShort);
  EXPECT_THAT(Costly(0, counted).causes(budget), ElementsAre("explains 1024 of 1024 failing elements: of the code"));
  EXPECT_LE(*counted.others, 39 * 8);
  EXPECT_GE(*counted.last, 64);
  EXPECT_EQ(budget.words(), "");
}

TEST(Cost, OneFailingRowIsAmongTheFew) {
  WorkBudget budget(WorkBudget::kShort);
  EXPECT_THAT(Costly(63, {}).causes(budget), ElementsAre("explains 16 of 16 failing elements: of the code"));
}

TEST(Cost, WhatDoesNotFitIntoTheBudgetIsNotTriedAndSaidSo) {
  WorkBudget budget(WorkBudget::kShort / 16);
  EXPECT_THAT(Costly(0, {}).causes(budget), ElementsAre("no known cause"));
  EXPECT_THAT(budget.words(), HasSubstr(" of 40 mutants were not tried"));
  EXPECT_THAT(budget.words(), HasSubstr("the search for causes covered 2 of 64 rows"));
  EXPECT_THAT(budget.words(), HasSubstr("--diagnose long does more"));
  WorkBudget longer(WorkBudget::kLong);
  EXPECT_THAT(Costly(0, {}).causes(longer), ElementsAre("explains 1024 of 1024 failing elements: of the code"));
}

TEST(Cost, PatternsAreNotSoughtWithoutBudget) {
  const Costly bound(0, {});
  const HostTensor y{dense("y", Role::kOutput, kE8M0, {64, 16}), std::vector<std::byte>(1024, std::byte{12})};
  WorkBudget little(1000), enough(WorkBudget::kShort);
  EXPECT_TRUE(regularities(bound, bound.problem(), {y}, little).empty());
  EXPECT_THAT(little.words(), HasSubstr("patterns of wrong outputs were not searched"));
  EXPECT_FALSE(regularities(bound, bound.problem(), {y}, enough).empty());
}

// Lines about the variants that made the outputs of several cases.

/// Variants of an output [2, 64] in bf16: variant i gives the code i everywhere. `products`: multiply-accumulates of an element.
Expectation variants_of_codes(int codes, int64_t products, std::atomic<int64_t>& elements) {
  Expectation all;
  for (int code = 0; code < codes; ++code) {
    Answer one{"variant " + std::to_string(code), {{"y", &kBf16, {2, 64}}}, 2};
    one.of_columns = [code, &elements](int64_t first, int64_t end, int64_t first_column, int64_t end_column) {
      const size_t size = size_t((end - first) * (end_column - first_column));
      elements += int64_t(size);
      return AcceptedBlock{{{first, end, std::vector<int32_t>(size, ordinal(kBf16, uint32_t(code))), {}}}};
    };
    one.accepted = [of = one.of_columns](int64_t first, int64_t end) { return of(first, end, 0, 64); };
    one.glimpse = [of = one.of_columns] { return of(0, 1, 0, 4); };
    one.products = products;
    all.any_of.push_back(std::move(one));
  }
  return all;
}

HostTensor output_of_codes(const std::function<uint32_t(int64_t)>& code) {
  HostTensor y{dense("y", Role::kOutput, kBf16, {2, 64}), std::vector<std::byte>(256)};
  for (int64_t i = 0; i < 128; ++i) y.set_code(i, code(i));
  return y;
}

TEST(Programs, AFewColumnsRefuteMostVariants) {
  std::atomic<int64_t> elements = 0;
  const Expectation programs = variants_of_codes(10, 1, elements);
  EXPECT_THAT(programs_that_made(programs, {output_of_codes([](int64_t) { return 7; })}), ElementsAre("variant 7"));
  EXPECT_LE(elements, 10 * 4 + 128) << "all elements of one variant, and four of each";
  EXPECT_THAT(programs_that_made(programs, {output_of_codes([](int64_t i) { return i == 127 ? 8u : 7u; })}), ElementsAre())
      << "the last element is compared too";
}

TEST(Programs, PiecesOfCostlyVariantsAreFoundInWindowsOfColumns) {
  std::atomic<int64_t> elements = 0;
  const HostTensor halves = output_of_codes([](int64_t i) { return i % 64 < 32 ? 3u : 5u; });
  const HostTensor wrong = output_of_codes([](int64_t i) { return i == 2 || i == 30 ? 90u : i == 1 ? 91u : 5u; });
  EXPECT_THAT(pieces_that_made(variants_of_codes(10, 1, elements), {halves}),
              ElementsAre("columns 0 to 31 by variant 3", "columns 32 to 63 by variant 5"));
  EXPECT_THAT(pieces_that_made(variants_of_codes(10, 1, elements), {wrong}),
              ElementsAre("nearest variant 5: 125 of 128 elements, not [0, 1]"));
  elements = 0;
  const int64_t costly = int64_t{1} << 40;
  EXPECT_THAT(pieces_that_made(variants_of_codes(10, costly, elements), {halves}),
              ElementsAre("columns 0 to 3, 20 to 23 by variant 3", "columns 40 to 43, 60 to 63 by variant 5"));
  EXPECT_THAT(pieces_that_made(variants_of_codes(10, costly, elements), {wrong}),
              ElementsAre("nearest variant 5: 30 of 32 elements in 16 of 64 columns, not [0, 1]"));
  EXPECT_EQ(elements, 2 * 10 * 2 * 16);
}

TEST(ProgramTally, ManyProgramsAreCountedByTheirUnits) {
  std::vector<std::string> names;
  for (const char* unit : {"one.f32", "two.f32"})
    for (int promoted = 32; promoted <= 192; promoted += 32)
      names.push_back(std::string(unit) + ", promoted every " + std::to_string(promoted) + ", acc * s");
  ProgramTally few, many;
  few.add(names, "case");
  EXPECT_EQ(few.lines().size(), 12u);
  EXPECT_EQ(few.lines().front(), "made by   one.f32, promoted every 128, acc * s; k whole");
  names.push_back("alone.f32, acc * s");
  many.add(names, "case");
  EXPECT_THAT(many.lines(),
              ElementsAre("made by   one of 13 algorithms that these outputs cannot distinguish:", "          alone.f32 in 1 variant",
                          "          one.f32 in 6 variants", "          two.f32 in 6 variants",
                          "          results with more bits distinguish more of them"));
}

/// The toy op, with intervals of these widths at the start of its output.
class CaseOfWidths : public testing::ToyCase {
 public:
  CaseOfWidths(const Case& one, std::vector<int32_t> widths) : ToyCase(one), widths_(std::move(widths)) {}
  Expectation expect(const Problem&, const std::vector<HostTensor>*) const override {
    WholePart y = testing::whole_part(kBf16, {1, 8}, std::vector<int32_t>(8, 100), std::vector<int32_t>(8, 100), "", "y");
    for (size_t i = 0; i < widths_.size(); ++i) {
      if (widths_[i] < 0)
        y.low[i] = Interval::anything().low, y.high[i] = Interval::anything().high;
      else
        y.high[i] += widths_[i];
    }
    return expectation_of({std::move(y)});
  }

 private:
  const std::vector<int32_t> widths_;
};

Op with_widths(const std::vector<int32_t>& widths) { return testing::toy_op_of<CaseOfWidths>(widths); }

std::string table_of(const std::vector<int32_t>& widths) {
  const Op op = with_widths(widths);
  return sharpness_table({&op, 1}, {testing::toy_case("bf16")});
}

TEST(Sharpness, CountsSetsOfOneCodeAndTheWidthOfTheOthers) {
  EXPECT_THAT(table_of({}), HasSubstr("| toy, y bf16 | 1 | 8 | 100.000 % | toy.copy | 100.000 % | 0 | 0 |"));
  EXPECT_THAT(table_of({1, 0, 9}), HasSubstr("| 75.000 % | 0 | 9 |"));
  EXPECT_THAT(table_of({1, 2, 3, 4, 5}), HasSubstr("| 37.500 % | 1 | 5 |"));
  EXPECT_THAT(table_of({4, 4, 4, 4, 4, 4, 4, 4}), HasSubstr("| 0.000 % | 4 | 4 |"));
}

TEST(Sharpness, WhatIsUndefinedIsOpen) { EXPECT_THAT(table_of({-1}), HasSubstr("| 87.500 % | 0 | 0 |")); }

TEST(Sharpness, AnOpWithoutCasesHasNoRow) {
  const Op op = with_widths({});
  EXPECT_THAT(sharpness_table({&op, 1}, {}), Not(HasSubstr("toy")));
}

}  // namespace
}  // namespace assay
