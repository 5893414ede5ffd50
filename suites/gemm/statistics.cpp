#include "suites/gemm/statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <mutex>

#include "harness/core/blocks.h"
#include "reference/dot/exact_dot.h"
#include "suites/gemm/operands.h"

namespace assay {
namespace {

/// Smallest number of rows and columns of a part for meaningful statistics.
constexpr int64_t kLeastOfPart = 8;

struct PartOfD {
  int64_t row, rows, column, columns;
};

/// A diagonal block of d.
PartOfD part_of(const GemmCase& c, int part) {
  const int64_t rows = c.m / ErrorStatistics::kParts, columns = c.n / ErrorStatistics::kParts;
  return {part * rows, rows, part * columns, columns};
}

ErrorStatistic statistic(const GemmCase& c, const PartOfD& part, const std::vector<double>& exact, const std::vector<double>& magnitudes,
                         const std::vector<double>& d) {
  double sum = 0, squares = 0, count = 0;
  for (int64_t row = 0; row < part.rows; ++row)
    for (int64_t column = 0; column < part.columns; ++column) {
      const auto i = size_t(row * part.columns + column);
      const double got = d[size_t((part.row + row) * c.n + part.column + column)];
      if (!(magnitudes[i] > 0) || !std::isfinite(got) || !std::isfinite(exact[i])) continue;
      const double error = std::copysign(1.0, exact[i]) * (got - exact[i]) / magnitudes[i];
      sum += error, squares += error * error, count += 1;
    }
  if (count == 0) return {};
  const double mean = sum / count;
  return {mean, std::sqrt(std::max(0.0, squares / count - mean * mean))};
}

/// The contract with one fraction bit less per term.
DotContract coarser(DotContract contract) {
  contract.unit.fraction_bits -= 1;
  return contract;
}

ErrorStatistic lower(ErrorStatistic x, ErrorStatistic y) { return {std::min(x.bias, y.bias), std::min(x.spread, y.spread)}; }
ErrorStatistic upper(ErrorStatistic x, ErrorStatistic y) { return {std::max(x.bias, y.bias), std::max(x.spread, y.spread)}; }

}  // namespace

ErrorStatistics::ErrorStatistics(const GemmCase& c) : case_(c) {
  if (c.contract.of_unknown_unit())
    words_ = "no power here: how the unit adds nobody knows, so errors of right kernels are not known";
  else if (!c.scales.of_rows())
    words_ = "no power here: parts of d share scales";
  else if (c.m < kParts * kLeastOfPart || c.n < kParts * kLeastOfPart)
    words_ = fmt::format("no power here: {} parts of d without a common row or column have fewer than {} rows or columns each", kParts, kLeastOfPart);
  else
    calibrate();
}

ErrorStatistics::OfParts ErrorStatistics::of(const Problem& problem, const std::vector<double>& d) const {
  const DotInputs inputs = gemm_inputs(case_, problem);
  const DotProblem product{operand_a(case_, problem, inputs), operand_b(case_, problem, inputs), case_.k};
  OfParts all;
  for (int i = 0; i < kParts; ++i) {
    const PartOfD part = part_of(case_, i);
    std::vector<double> exact(size_t(part.rows * part.columns)), magnitudes(exact.size());
    DotOutputs wanted;
    wanted.value = exact, wanted.absolute_sum = magnitudes;
    exact_dot(product, {part.row, part.rows, part.column, part.columns}, wanted);
    all[size_t(i)] = statistic(case_, part, exact, magnitudes, d);
  }
  return all;
}

ErrorStatistics::OfParts ErrorStatistics::of(const Problem& problem, const HostTensor& d) const {
  std::vector<double> values(size_t(case_.m * case_.n));
  for (int64_t i = 0; i < case_.m * case_.n; ++i) values[size_t(i)] = decode(*case_.y, d.code(i));
  return of(problem, values);
}

bool ErrorStatistics::refutes(const OfParts& seen) const {
  const auto all_parts = [&](const Ranges& ranges, auto outside) {
    for (size_t i = 0; i < seen.size(); ++i)
      if (!outside(seen[i], ranges[i])) return false;
    return true;
  };
  return std::all_of(programs_.begin(), programs_.end(), [&](const Ranges& ranges) {
    // A bias or a spread that is smaller than the program's is no fault: a kernel may add more exactly than it.
    return all_parts(ranges, [](const auto& x, const Range& r) { return x.bias < std::min(r.low.bias, -r.high.bias); }) ||
           all_parts(ranges, [](const auto& x, const Range& r) { return x.bias > std::max(r.high.bias, -r.low.bias); }) ||
           all_parts(ranges, [](const auto& x, const Range& r) { return x.spread > r.high.spread; });
  });
}

void ErrorStatistics::calibrate() {
  struct Program {
    DotContract contract;
    DotProgram program;
  };
  std::vector<Program> programs;
  for (const DotContract& member : case_.contract.members)
    for (const DotProgram& program : dot_programs(member, case_.k)) programs.push_back({member, program});
  std::vector<std::vector<OfParts>> right(programs.size(), std::vector<OfParts>(kRuns)), wrong = right;
  for_each_in_parallel(kRuns, [&](int64_t run) {
    GemmCase other = case_;
    other.seed = case_.seed + uint64_t(run) + 1;
    const Problem problem = gemm_problem(other);
    const DotInputs inputs = gemm_inputs(other, problem);
    for (size_t p = 0; p < programs.size(); ++p) {
      const auto& [contract, program] = programs[p];
      right[p][size_t(run)] = of(problem, DotRows(contract, program, inputs, *case_.y).rows(0, case_.m).low);
      wrong[p][size_t(run)] = of(problem, DotRows(coarser(contract), program, inputs, *case_.y).rows(0, case_.m).low);
    }
  });
  for (const std::vector<OfParts>& runs : right) {
    Ranges ranges;
    for (size_t part = 0; part < ranges.size(); ++part) {
      ranges[part] = {runs.front()[part], runs.front()[part]};
      for (const OfParts& one : runs) ranges[part] = {lower(ranges[part].low, one[part]), upper(ranges[part].high, one[part])};
    }
    programs_.push_back(ranges);
  }
  power_ = 1;
  for (const std::vector<OfParts>& runs : wrong)
    power_ = std::min(power_, double(std::count_if(runs.begin(), runs.end(), [&](const OfParts& one) { return refutes(one); })) / kRuns);
  words_ = has_power() ? fmt::format("errors of kernels with one fraction bit less are told from these in {:.3g} % of {} runs", 100 * power_, kRuns)
                       : fmt::format("no power here: errors with one fraction bit less are told from these in {:.3g} % of {} runs", 100 * power_, kRuns);
}

std::shared_ptr<const ErrorStatistics> error_statistics(const GemmCase& c) {
  static std::mutex mutex;
  static std::map<std::string, std::shared_ptr<const ErrorStatistics>> known;
  const std::string key = fmt::format("{} {} {} {} {} {} {} {} {}", c.id(), c.m, c.n, c.k, c.fill, c.b, c.scale, c.y->name, c.seed) + c.scales.name;
  {
    const std::lock_guard lock(mutex);
    if (const auto found = known.find(key); found != known.end()) return found->second;
  }
  auto made = std::make_shared<const ErrorStatistics>(c);  // outside the lock, so that threads waiting for it can start another
                                                           // case
  const std::lock_guard lock(mutex);
  return known.emplace(key, std::move(made)).first->second;
}

std::vector<Violation> error_violations(const GemmCase& c, const Problem& problem, const std::vector<HostTensor>& outputs) {
  const auto statistics = error_statistics(c);
  if (!statistics->has_power()) return {};
  const ErrorStatistics::OfParts seen = statistics->of(problem, find(outputs, "d"));
  if (!statistics->refutes(seen)) return {};
  std::string words = "errors are not those of any known program: of three parts of d";
  for (const ErrorStatistic& part : seen) words += fmt::format("{} bias {:.3g}, spread {:.3g}", &part == seen.data() ? "" : ";", part.bias, part.spread);
  return {{"errors of a known program", words, 0, {}}};
}

}  // namespace assay
