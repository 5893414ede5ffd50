#include "suites/gemm/gemm_op.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>

#include "harness/core/expectation.h"
#include "reference/dot/exact_dot.h"
#include "reference/formats/catalogue.h"
#include "suites/rows/row_tensors.h"

namespace assay {
namespace {

constexpr int64_t kAnything = Relation::kAnything;

/// For each element of d [m, n]: its own index, since it must keep its bits; kAnything where `changed` is true.
template <class Changed>
std::vector<int64_t> all_but(const GemmCase& c, Changed changed) {
  std::vector<int64_t> same(size_t(c.m * c.n));
  for (int64_t row = 0; row < c.m; ++row)
    for (int64_t column = 0; column < c.n; ++column)
      same[size_t(row * c.n + column)] = changed(row, column) ? kAnything : row * c.n + column;
  return same;
}

/// Sets row i of a dense matrix, or element i of a vector, to the old row or element order[i].
void reorder(HostTensor& tensor, const std::vector<int64_t>& order) {
  const HostTensor before = tensor;
  const auto rows = int64_t(order.size());
  byte_rows(tensor, rows) = byte_rows(before, rows)(order, Eigen::all);
}

/// Columns in reverse order. If a block of columns shares a scale of b, its columns stay together.
std::vector<int64_t> opposite_columns(const GemmCase& c) {
  const int64_t group = c.scale_b.grid().row_block > 1 ? c.scale_b.grid().row_block : c.n;
  std::vector<int64_t> order(static_cast<size_t>(c.n));
  for (int64_t column = 0; column < c.n; ++column) {
    const int64_t first = column / group * group, end = std::min(first + group, c.n);
    order[size_t(column)] = first + end - 1 - column;
  }
  return order;
}

/// Reorders the columns of c [m, n].
void reorder_columns(HostTensor& tensor, const std::vector<int64_t>& order, int64_t rows) {
  const HostTensor before = tensor;
  const auto n = int64_t(order.size());
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t column = 0; column < n; ++column) tensor.set_code(row * n + column, before.code(row * n + order[size_t(column)]));
}

Relation columns(const GemmCase& c, const Problem& problem) {
  Relation relation{"columns", "columns in the opposite order", problem, "d", {}};
  const std::vector<int64_t> order = opposite_columns(c);
  for (HostTensor& tensor : relation.problem.tensors) {
    const std::string& role = tensor.spec.name;
    if (role == "b") {
      if (c.contract.shuffle.any()) tensor.bytes = unshuffled(c.contract.shuffle, tensor.bytes.data(), c.n, c.k);
      reorder(tensor, order);
      if (c.contract.shuffle.any()) tensor.bytes = shuffled(c.contract.shuffle, tensor.bytes.data(), c.n, c.k);
    }
    if (role == "scale_b" && c.scale_b.grid().row_block == 1) tensor = c.scale_b.of_rows(tensor, order);
    if (role == "bias" || role == "azp_adj" || (role == "global_scale_b" && c.has_outer_of_rows_of_b())) reorder(tensor, order);
    if (role == "c") reorder_columns(tensor, order, c.m);
  }
  for (int64_t i = 0; i < c.m * c.n; ++i) relation.same_as.push_back(i / c.n * c.n + order[size_t(i % c.n)]);
  return relation;
}

Relation spoiled_row(const GemmCase& c, const Problem& problem) {
  const int64_t spoiled = c.m / 2;
  const Format& format = c.contract.codes_of_a();
  const bool integers = format.is_integer() || format.specials == Specials::kFinite;  // the format has no NaN
  Relation relation{"other rows", fmt::format("row {} of a is {}", spoiled, integers ? "another" : "NaN"), problem, "d",
                    all_but(c, [=](int64_t row, int64_t) { return row == spoiled; })};
  HostTensor& a = find(relation.problem.tensors, "a");
  for (int64_t k = 0; k < c.k; ++k) {
    const int64_t at = spoiled * c.k + k;
    a.set_code(at, integers ? a.code(at) ^ 1u : code_of(format, std::nan("")));
  }
  return relation;
}

/// Doubles or halves the last scale of a row, or of a block of rows of b. If that scale is 0, Inf or NaN, it becomes 1.
void change_scale(HostTensor& tensor, const GemmScale& scale, int64_t row) {
  const int64_t last = scale.grid().columns - 1;
  const double value = scale.values(tensor).values[size_t(row * (last + 1) + last)];
  scale.set(tensor, row, last, value == 0 || !std::isfinite(value) ? 1 : value > 1 ? value / 2 : 2 * value);
}

void add_scales(const GemmCase& c, const Problem& problem, std::vector<Relation>& all) {
  const LevelGrid &a = c.scale_a.grid(), &b = c.scale_b.grid();
  if (a.row_block > 0 && a.rows > 1) {
    const int64_t changed = a.rows / 2;
    all.push_back({"scales", fmt::format("a changed scale in row {} of a", changed), problem, "d",
                   all_but(c, [=](int64_t row, int64_t) { return row / a.row_block == changed; })});
    change_scale(find(all.back().problem.tensors, "scale_a"), c.scale_a, changed);
  }
  if (b.row_block > 0 && b.rows > 1) {
    const int64_t changed = b.rows / 2;
    all.push_back({"scales", fmt::format("a changed scale in row block {} of b", changed), problem, "d",
                   all_but(c, [=](int64_t, int64_t column) { return column / b.row_block == changed; })});
    change_scale(find(all.back().problem.tensors, "scale_b"), c.scale_b, changed);
  }
}

/// Adds calls in which one outer scale (a scale to which block scales are relative) is doubled: that of the middle row.
void add_outer_scales(const GemmCase& c, const Problem& problem, std::vector<Relation>& all) {
  const auto change = [&](const char* role, const std::string& what, int64_t row, std::vector<int64_t> same_as) {
    all.push_back({"scales", what, problem, "d", std::move(same_as)});
    HostTensor& scale = find(all.back().problem.tensors, role);
    scale.set_code(row, code_of(kF32, 2 * decode(kF32, scale.code(row))));
  };
  if (c.has_outer_of_rows_of_a() && c.m > 1)
    change("global_scale_a", fmt::format("a changed global scale of row {} of a", c.m / 2), c.m / 2,
           all_but(c, [at = c.m / 2](int64_t row, int64_t) { return row == at; }));
  if (c.has_outer_of_rows_of_b() && c.n > 1)
    change("global_scale_b", fmt::format("a changed global scale of row {} of b", c.n / 2), c.n / 2,
           all_but(c, [at = c.n / 2](int64_t, int64_t column) { return column == at; }));
}

/// Changes the padding of the scale buffers from NaN to finite bytes, or from finite bytes to NaN.
void add_padding(const GemmCase& c, const Problem& problem, std::vector<Relation>& all) {
  Relation relation{"padding", fmt::format("padding of the scale buffers holds {}", c.absent_finite ? "NaN" : "finite bytes"), problem, "d", {}};
  bool any = false;
  const auto change = [&](const char* role, const GemmScale& scale) {
    if (!scale.layout() || !scale.are_bytes()) return;
    HostTensor& tensor = find(relation.problem.tensors, role);
    HostTensor other = scale.with_other_padding(tensor, !c.absent_finite);
    any |= other.bytes != tensor.bytes;
    tensor = std::move(other);
  };
  change("scale_a", c.scale_a);
  change("scale_b", c.scale_b);
  if (!any) return;
  relation.same_as.resize(size_t(c.stored_rows() * c.n));
  std::iota(relation.same_as.begin(), relation.same_as.end(), 0);
  if (c.groups.any())
    c.groups.for_each_unused([&](int64_t row) { std::fill_n(relation.same_as.begin() + row * c.n, c.n, kAnything); });
  all.push_back(std::move(relation));
}

Relation rows_apart(const GemmCase& c, const Problem& problem) {
  constexpr int64_t kMore = 16;  // keeps 16-byte loads aligned
  Relation relation{"pitch", fmt::format("rows of a, b and d lie {} elements further apart", kMore), problem, "d",
                    all_but(c, [](int64_t, int64_t) { return false; })};
  for (HostTensor& tensor : relation.problem.tensors)
    if (tensor.spec.name == "a" || tensor.spec.name == "d" || (tensor.spec.name == "b" && !c.contract.shuffle.any())) pull_apart(tensor, kMore);
  return relation;
}

}  // namespace

std::vector<Relation> gemm_relations(const GemmCase& c, const Problem& problem) {
  std::vector<Relation> all;
  if (c.contract.sorted_ids) return slot_relations(c, problem);
  if (c.m == 0) return all;
  add_padding(c, problem, all);
  if (c.groups.any() || c.gap > 0) return all;
  if (c.n > 1) all.push_back(columns(c, problem));
  if (c.m > 1) all.push_back(spoiled_row(c, problem));
  add_scales(c, problem, all);
  add_outer_scales(c, problem, all);
  all.push_back(rows_apart(c, problem));
  return all;
}
namespace {

/// The fewest rows and columns of a part of d for which error statistics are computed.
constexpr int64_t kLeastOfPart = 8;

struct PartOfD {
  int64_t row, rows, column, columns;
};

/// The block number `part` on the diagonal of d. Two such blocks share no row and no column.
PartOfD part_of(const GemmCase& c, int part) {
  const int64_t rows = c.m / ErrorStatistics::kParts, columns = c.n / ErrorStatistics::kParts;
  return {part * rows, rows, part * columns, columns};
}

/// The exact results of a part of d and the sums of the magnitudes of their products.
struct ExactPart {
  PartOfD part;
  std::vector<double> values, magnitudes;
};
using ExactParts = std::vector<ExactPart>;

ExactParts exact_parts(const GemmCase& c, const DotInputs& inputs) {
  const ExactGemm product(c, inputs);
  ExactParts all;
  for (int i = 0; i < ErrorStatistics::kParts; ++i) {
    const PartOfD part = part_of(c, i);
    std::vector<double> values(size_t(part.rows * part.columns)), magnitudes(values.size());
    DotOutputs wanted;
    wanted.value = values, wanted.absolute_sum = magnitudes;
    exact_dot(product.factors(), {part.row, part.rows, part.column, part.columns}, wanted);
    all.push_back({part, std::move(values), std::move(magnitudes)});
  }
  return all;
}

/// `got`: the results of the part, row by row.
ErrorStatistic statistic(const ExactPart& exact, const std::vector<double>& got) {
  double sum = 0, squares = 0, count = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    if (!(exact.magnitudes[i] > 0) || !std::isfinite(got[i]) || !std::isfinite(exact.values[i])) continue;
    const double error = std::copysign(1.0, exact.values[i]) * (got[i] - exact.values[i]) / exact.magnitudes[i];
    sum += error, squares += error * error, count += 1;
  }
  if (count == 0) return {};
  const double mean = sum / count;
  return {mean, std::sqrt(std::max(0.0, squares / count - mean * mean))};
}

/// The contract with one fraction bit less in each aligned term.
DotContract coarser(DotContract contract) {
  contract.unit.fraction_bits -= 1;
  return contract;
}

ErrorStatistic lower(ErrorStatistic x, ErrorStatistic y) { return {std::min(x.bias, y.bias), std::min(x.spread, y.spread)}; }
ErrorStatistic upper(ErrorStatistic x, ErrorStatistic y) { return {std::max(x.bias, y.bias), std::max(x.spread, y.spread)}; }

}  // namespace

/// Why the errors of a case are not checked; empty if they may be.
static std::string why_unchecked(const GemmCase& c) {
  constexpr int kParts = ErrorStatistics::kParts;
  if (c.contract.of_unknown_unit())
    return "no check of error sizes: the instruction's accumulation is undocumented, so the errors of correct kernels are "
           "unknown";
  if (c.fill.empty())
    return "no check of error sizes: nobody knows how the inputs of a dump were made, so the errors of correct kernels are "
           "unknown";
  if (!c.scales.of_rows()) return "no check of error sizes: the parts of d that would be compared share scales";
  if (c.m < kParts * kLeastOfPart || c.n < kParts * kLeastOfPart)
    return fmt::format(
        "no check of error sizes: d is too small for {} parts of at least {} rows and columns that share no row or column",
        kParts, kLeastOfPart);
  return "";
}

ErrorStatistics::ErrorStatistics(const GemmCase& c) : case_(c), words_(why_unchecked(c)) {
  if (words_.empty()) calibrate();
}

ErrorStatistics::OfParts ErrorStatistics::of(const Problem& problem, const HostTensor& d) const {
  return errors_of(case_, problem, d);
}

ErrorStatistics::OfParts ErrorStatistics::errors_of(const GemmCase& c, const Problem& problem, const HostTensor& d) {
  const DotInputs inputs = gemm_inputs(c, problem);
  const ExactParts exact = exact_parts(c, inputs);
  OfParts all;
  for (size_t p = 0; p < exact.size(); ++p) {
    const auto& [row, rows, column, columns] = exact[p].part;
    std::vector<double> got(exact[p].values.size());
    for (size_t i = 0; i < got.size(); ++i)
      got[i] = decode(*c.y, d.code((row + int64_t(i) / columns) * c.n + column + int64_t(i) % columns));
    all[p] = statistic(exact[p], got);
  }
  return all;
}

namespace {

/// A variant of a member of the contract.
struct KnownProgram {
  DotContract contract;
  DotProgram program;
};

std::vector<KnownProgram> known_programs(const GemmCase& c) {
  std::vector<KnownProgram> programs;
  for (const DotContract& member : c.contract.members)
    for (const DotProgram& program : dot_programs(member, c.k)) programs.push_back({member, program});
  return programs;
}

/// The data of a run of the calibration, and their exact results.
struct Run {
  GemmCase c;
  Problem problem;
  DotInputs inputs;
  ExactParts exact;

  Run(const GemmCase& of, int64_t number) : c(of) {
    c.seed = of.seed + uint64_t(number) + 1;
    problem = gemm_problem(c);
    inputs = gemm_inputs(c, problem);
    exact = exact_parts(c, inputs);
  }
  Run(const Run&) = delete;  // `inputs` points into `problem`

  ErrorStatistics::OfParts errors(const DotContract& contract, const DotProgram& program) const {
    const DotRows rows(contract, program, inputs, *c.y);
    ErrorStatistics::OfParts all;
    for (size_t i = 0; i < exact.size(); ++i) {
      const PartOfD& part = exact[i].part;
      all[i] = statistic(exact[i], rows.values({part.row, part.row + part.rows, part.column, part.column + part.columns}).low);
    }
    return all;
  }
};

}  // namespace

bool ErrorStatistics::outside(const Ranges& ranges, const OfParts& seen) {
  const auto all_parts = [&](auto is_outside) {
    for (size_t i = 0; i < seen.size(); ++i)
      if (!is_outside(seen[i], ranges[i])) return false;
    return true;
  };
  // A bias or spread smaller than the variant's is no mistake: the kernel is then more accurate.
  return all_parts([](const auto& x, const Range& r) { return x.bias < std::min(r.low.bias, -r.high.bias); }) ||
         all_parts([](const auto& x, const Range& r) { return x.bias > std::max(r.high.bias, -r.low.bias); }) ||
         all_parts([](const auto& x, const Range& r) { return x.spread > r.high.spread; });
}

ErrorStatistics::Ranges ErrorStatistics::ranges_of(const std::vector<OfParts>& runs) {
  Ranges ranges;
  for (size_t part = 0; part < ranges.size(); ++part) {
    ranges[part] = {runs.front()[part], runs.front()[part]};
    for (const OfParts& one : runs) ranges[part] = {lower(ranges[part].low, one[part]), upper(ranges[part].high, one[part])};
  }
  return ranges;
}

bool ErrorStatistics::refutes(const OfParts& seen) const {
  return std::all_of(programs_.begin(), programs_.end(), [&](const Ranges& ranges) { return outside(ranges, seen); });
}

bool ErrorStatistics::cannot_refute(const GemmCase& c, const OfParts& seen) {
  std::vector<std::unique_ptr<const Run>> runs(kFewRuns);
  for_each_in_parallel(kFewRuns, [&](int64_t run) { runs[size_t(run)] = std::make_unique<const Run>(c, run); });
  for (const auto& [contract, program] : known_programs(c)) {
    std::vector<OfParts> errors(kFewRuns);
    for_each_in_parallel(kFewRuns, [&, &contract = contract, &program = program](int64_t run) {
      errors[size_t(run)] = runs[size_t(run)]->errors(contract, program);
    });
    if (!outside(ranges_of(errors), seen)) return true;
  }
  return false;
}

void ErrorStatistics::calibrate() {
  const std::vector<KnownProgram> programs = known_programs(case_);
  std::vector<std::vector<OfParts>> right(programs.size(), std::vector<OfParts>(kRuns)), wrong = right;
  for_each_in_parallel(kRuns, [&](int64_t number) {
    const Run run(case_, number);
    for (size_t p = 0; p < programs.size(); ++p) {
      const auto& [contract, program] = programs[p];
      right[p][size_t(number)] = run.errors(contract, program);
      wrong[p][size_t(number)] = run.errors(coarser(contract), program);
    }
  });
  for (const std::vector<OfParts>& runs : right) programs_.push_back(ranges_of(runs));
  power_ = 1;
  for (const std::vector<OfParts>& runs : wrong)
    power_ = std::min(power_, double(std::count_if(runs.begin(), runs.end(), [&](const OfParts& one) { return refutes(one); })) / kRuns);
  words_ = has_power()
               ? fmt::format("the check of error sizes detects one fraction bit too few in {:.3g} % of {} simulated runs",
                             100 * power_, kRuns)
               : fmt::format("no check of error sizes: it would detect one fraction bit too few in only {:.3g} % of {} simulated runs",
                             100 * power_, kRuns);
}

std::shared_ptr<const ErrorStatistics> error_statistics(const GemmCase& c) {
  static std::mutex mutex;
  static std::map<std::string, std::shared_ptr<const ErrorStatistics>> known;
  const std::string key = fmt::format("{} {} {} {} {} {} {} {} {}", c.id(), c.m, c.n, c.k, c.fill, c.b, c.scale, c.y->name, c.seed) + c.scales.name;
  {
    const std::lock_guard lock(mutex);
    if (const auto found = known.find(key); found != known.end()) return found->second;
  }
  auto made = std::make_shared<const ErrorStatistics>(c);  // outside the lock, so that other threads can work on another case
                                                           // meanwhile
  const std::lock_guard lock(mutex);
  return known.emplace(key, std::move(made)).first->second;
}

std::vector<Violation> error_violations(const GemmCase& c, const Problem& problem, const std::vector<HostTensor>& outputs) {
  if (!why_unchecked(c).empty()) return {};
  const ErrorStatistics::OfParts seen = ErrorStatistics::errors_of(c, problem, find(outputs, "d"));
  if (ErrorStatistics::cannot_refute(c, seen)) return {};
  const auto statistics = error_statistics(c);
  if (!statistics->has_power() || !statistics->refutes(seen)) return {};
  std::string words =
      "expected errors no larger than those of a known algorithm, got in three parts of d, divided by the sum of |a * b|:";
  for (const ErrorStatistic& part : seen) words += fmt::format("{} bias {:.3g}, spread {:.3g}", &part == seen.data() ? "" : ";", part.bias, part.spread);
  return {{"errors of a known algorithm", words, 0, {}}};
}

}  // namespace assay
