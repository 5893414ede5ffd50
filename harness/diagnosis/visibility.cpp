#include "harness/diagnosis/visibility.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "harness/compare/verdict.h"
#include "harness/core/expectation.h"
#include "harness/text/messages.h"
#include "reference/table/table.h"

namespace assay {
namespace {

// Compares a mutant's answer with the contract's. An element distinguishes the two if they accept no common code for it.

/// The accepted intervals of all outputs (parts) of an answer.
using Whole = std::vector<WholePart>;

/// The smallest number of elements that distinguish the mutant from an answer (variant) of the contract; 0: some answer fits.
/// If the mutant has several variants, `edited` is its first one.
int64_t outside_of(const std::vector<Whole>& right, const Whole& edited);

/// Whether an element of the mutant's Hypothesis::first_row, stored at the same offset as in the contract, distinguishes it.
bool is_apart_in_first_rows(const Whole& right, const Answer& edited);

/// Which steps (rows or groups) of a mutant's answer to compare.
enum class Steps { kAll, kFirst };

/// Whether each answer of the contract has an element that distinguishes the mutant from it. The first elements and the first
/// step show most mutants, so they are tried first. With kAll, further steps follow until one shows the mutant. A mutant that
/// stores elements at other offsets is computed completely.
bool is_apart(const std::vector<Whole>& right, const Answer& edited, Steps steps);

/// An interval of codes that were written in one format, as a reader of another format sees them: equal bytes, other values.
Interval reread(const Format& written, const Format& read, Interval accepted) {
  if (written == read || accepted.any()) return accepted;
  const auto end = [&](int32_t o) { return ordinal(read, code_from_ordinal(written, o)); };
  const int32_t low = end(accepted.low);
  return {low, accepted.single() ? low : end(accepted.high)};
}

const std::vector<int32_t>& highs(const WholePart& part) { return part.high.empty() ? part.low : part.high; }
const std::vector<int32_t>& highs(const AcceptedRows& rows) { return rows.high.empty() ? rows.low : rows.high; }

/// Number of elements for which contract and mutant accept no common code, if both store each element at the same offset. Adds
/// the rows of these elements to `rows`.
int64_t disjoint(const WholePart& right, const WholePart& edited, std::set<int64_t>* rows = nullptr) {
  if (*right.part.format == *edited.part.format && right.low == edited.low && highs(right) == highs(edited)) return 0;
  int64_t count = 0;
  for (int64_t i = 0; i < right.part.elements(); ++i) {
    if (right.at(i).meets(reread(*edited.part.format, *right.part.format, edited.at(i)))) continue;
    ++count;
    if (rows != nullptr) rows->insert(i / right.part.columns());
  }
  return count;
}

/// disjoint() for a mutant that stores its elements at other offsets. Storage that it leaves unwritten counts as different.
int64_t disjoint_in_storage(const WholePart& right, const WholePart& edited) {
  std::vector<int64_t> place;
  for (int64_t i = 0; i < edited.part.elements(); ++i) {
    const auto at = size_t(edited.offset_at(i));
    if (at >= place.size()) place.resize(at + 1, -1);
    place[at] = i;
  }
  int64_t count = 0;
  for (int64_t i = 0; i < right.part.elements(); ++i) {
    const auto at = size_t(right.offset_at(i));
    const int64_t j = at < place.size() ? place[at] : -1;
    count += j < 0 || !right.at(i).meets(edited.at(j));
  }
  return count;
}

bool in_the_same_places(const Part& a, const Part& b) {
  if (a.places.dense() && b.places.dense()) return a.columns() == b.columns();
  const int64_t columns = a.places.rows_are_runs() && b.places.rows_are_runs() ? std::min<int64_t>(1, a.columns()) : a.columns();
  for (int64_t row = 0; row < a.rows(); ++row)
    for (int64_t column = 0; column < columns; ++column)
      if (a.offset(row, column) != b.offset(row, column)) return false;
  return true;
}

/// Number of elements, over all outputs, that distinguish the mutant from one answer.
int64_t outside_of(const Whole& right, const Whole& edited) {
  int64_t count = 0;
  for (size_t p = 0; p < right.size(); ++p) count += elements_apart(right[p], edited[p]);
  return count;
}

/// True if the mutant's answer and the contract accept no common code for some element of `rows`. `rows` is a part of the
/// mutant's answer; if it is a single row, it may hold only the first columns.
bool is_apart(const WholePart& right, const Part& edited, const AcceptedRows& rows) {
  const auto first = rows.first * right.part.columns();
  const std::vector<int32_t>& high = highs(rows);
  if (*right.part.format == *edited.format && std::equal(rows.low.begin(), rows.low.end(), right.low.begin() + first) &&
      std::equal(high.begin(), high.end(), highs(right).begin() + first))
    return false;
  for (size_t i = 0; i < rows.low.size(); ++i)
    if (!right.at(first + int64_t(i)).meets(reread(*edited.format, *right.part.format, {rows.low[i], high[i]}))) return true;
  return false;
}

/// As is_apart(); false if the mutant stores an element of `rows` at another offset than the contract does. `rows` may hold only
/// the first columns.
bool is_apart_in_place(const WholePart& right, const Part& edited, const AcceptedRows& rows) {
  const Part& own = right.part;
  if (rows.first == rows.end || rows.end > own.rows() || own.columns() != edited.columns()) return false;
  const bool dense = own.places.dense() && edited.places.dense();
  const int64_t columns = dense ? 0 : int64_t(rows.low.size()) / (rows.end - rows.first);
  for (int64_t row = rows.first; row < rows.end; ++row)
    for (int64_t column = 0; column < columns; ++column)
      if (own.offset(row, column) != edited.offset(row, column)) return false;
  return is_apart(right, edited, rows);
}

/// is_apart_in_place() for a block of the mutant's answer.
bool is_apart_in(const Whole& right, const Answer& edited, const AcceptedBlock& block) {
  for (size_t p = 0; p < right.size(); ++p)
    if (is_apart_in_place(right[p], edited.parts[p], block.parts[p])) return true;
  return false;
}

/// Whether an element distinguishes the mutant, if its answer is already computed. Stops at the first output (part) that has one.
bool is_apart_at_once(const Whole& right, const Answer& edited) {
  AcceptedBlock all = edited.accepted(0, edited.steps);
  for (size_t p = 0; p < right.size(); ++p)
    if (elements_apart(right[p], {edited.parts[p], std::move(all.parts[p].low), std::move(all.parts[p].high)}) > 0) return true;
  return false;
}

bool in_the_same_places(const Whole& right, const Answer& edited) {
  for (size_t p = 0; p < right.size(); ++p)
    if (right[p].part.shape != edited.parts[p].shape || !in_the_same_places(right[p].part, edited.parts[p])) return false;
  return true;
}

int64_t outside_of(const std::vector<Whole>& right, const Whole& edited) {
  int64_t least = outside_of(right.front(), edited);
  for (size_t i = 1; i < right.size() && least > 0; ++i) least = std::min(least, outside_of(right[i], edited));
  return least;
}

bool is_apart_in_first_rows(const Whole& right, const Answer& edited) {
  const AcceptedBlock block = edited.accepted(0, 1);
  for (size_t p = 0; p < edited.parts.size(); ++p)
    for (const WholePart& own : right)
      if (own.part.label() == edited.parts[p].label() && is_apart_in_place(own, edited.parts[p], block.parts[p])) return true;
  return false;
}

bool is_apart(const std::vector<Whole>& right, const Answer& edited, Steps steps) {
  const bool single = right.size() == 1;
  const auto apart_from_all = [&](const AcceptedBlock& block) {
    return std::all_of(right.begin(), right.end(), [&](const Whole& one) { return is_apart_in(one, edited, block); });
  };
  if (edited.steps > 0 && edited.glimpse && apart_from_all(edited.glimpse())) return true;
  if (single && edited.steps > 0 && apart_from_all(edited.accepted(0, 1))) return true;
  if (single && edited.ready) return steps == Steps::kAll && is_apart_at_once(right.front(), edited);
  if (!std::all_of(right.begin(), right.end(), [&](const Whole& one) { return in_the_same_places(one, edited); }))
    return outside_of(right, computed(edited)) > 0;
  std::vector<std::atomic<bool>> apart(right.size());
  const auto all_apart = [&] { return std::all_of(apart.begin(), apart.end(), [](const auto& one) { return one.load(); }); };
  const auto look = [&](StepRange range) {
    if (range.first == range.end || all_apart()) return;
    const AcceptedBlock block = edited.accepted(range.first, range.end);
    for (size_t i = 0; i < right.size(); ++i)
      for (size_t p = 0; p < right[i].size() && !apart[i]; ++p)
        if (is_apart(right[i][p], edited.parts[p], block.parts[p])) apart[i] = true;
  };
  std::vector<StepRange> others = block_ranges(edited);
  if (others.empty()) return false;
  if (!single) look({0, 1});
  if (steps == Steps::kFirst || all_apart()) return all_apart();
  others.front().first = 1;
  for_each_in_parallel(int64_t(others.size()), [&](int64_t i) { look(others[size_t(i)]); });
  return all_apart();
}

}  // namespace

int64_t elements_apart(const WholePart& right, const WholePart& edited, std::set<int64_t>* rows) {
  return in_the_same_places(right.part, edited.part) ? disjoint(right, edited, rows) : disjoint_in_storage(right, edited);
}

bool tells_apart(const std::vector<Whole>& right, const Answer& edited) { return is_apart(right, edited, Steps::kAll); }

namespace {

// Mutation analysis: could a case detect a mutant? Compares the mutant's answer with what the contract accepts.

std::vector<Hypothesis> mistakes_of(const BoundCase& bound) {
  std::vector<Hypothesis> all = bound.mutants();
  std::erase_if(all, [](const Hypothesis& hypothesis) { return hypothesis.suspect; });
  return all;
}

/// All answers of an expectation.
std::vector<Whole> answers_of(const Expectation& expectation) {
  std::vector<Whole> all;
  for (const Answer& answer : expectation.any_of) all.push_back(computed(answer));
  return all;
}

}  // namespace

VisibilityReport fault_visibility(const BoundCase& bound) {
  const std::unique_ptr<const BoundCase> excerpt = bound.excerpt();
  const BoundCase& one = excerpt ? *excerpt : bound;
  const Problem problem = one.problem();
  const std::vector<Whole> right = answers_of(one.expect(problem, nullptr));
  VisibilityReport report;
  for (const WholePart& part : right.front()) report.data.push_back(data_power(part));
  for (const Hypothesis& hypothesis : mistakes_of(one)) {
    Visibility seen{hypothesis.name, hypothesis.equivalent, 0, 0};
    if (hypothesis.equivalent.empty()) {
      for (const WholePart& part : right.front()) seen.elements += part.part.elements();
      seen.outside = outside_of(right, computed(hypothesis.expect(problem, nullptr)));
    }
    report.faults.push_back(std::move(seen));
  }
  return report;
}

std::vector<Visibility> visibilities(const BoundCase& bound) { return fault_visibility(bound).faults; }

namespace {

Power power_of_data(const BoundCase& bound, const std::vector<std::string>& declared, const Problem* made,
                    bool look_behind_first_row) {
  const std::unique_ptr<const BoundCase> excerpt = bound.excerpt();
  const BoundCase& one = excerpt ? *excerpt : bound;
  std::optional<Problem> of_excerpt;
  if (made == nullptr || excerpt) made = &of_excerpt.emplace(one.problem());
  const Problem& problem = *made;
  const std::vector<Whole> right = answers_of(one.expect(problem, nullptr));
  const auto is_declared = [&](const std::string& fault) {
    return std::any_of(declared.begin(), declared.end(), [&](const std::string& glob) { return glob_match(glob, fault); });
  };
  const auto shows = [&](const Hypothesis& hypothesis, Steps of_declared) {
    if (hypothesis.first_row) {
      const Answer first = hypothesis.first_row(problem).any_of.front();
      if (std::all_of(right.begin(), right.end(), [&](const Whole& one) { return is_apart_in_first_rows(one, first); }))
        return true;
    }
    const Expectation edited = hypothesis.expect(problem, nullptr);
    return is_apart(right, edited.any_of.front(), is_declared(hypothesis.name) ? of_declared : Steps::kAll);
  };
  Power power;
  for (const WholePart& part : right.front()) power.data.push_back(data_power(part));
  for (const Hypothesis& hypothesis : mistakes_of(one)) {
    if (!hypothesis.equivalent.empty()) continue;
    ++power.faults;
    if (shows(hypothesis, Steps::kFirst)) continue;
    power.blind_to.push_back(hypothesis.name);
    if (look_behind_first_row && is_declared(hypothesis.name) && shows(hypothesis, Steps::kAll))
      power.seen_later.push_back(hypothesis.name);
  }
  return power;
}

}  // namespace

Power power_of(const BoundCase& bound, const std::vector<std::string>& declared, const Problem* made) {
  return power_of_data(bound, declared, made, false);
}

Power power_to_record(const BoundCase& bound, const std::vector<std::string>& declared) {
  return power_of_data(bound, declared, nullptr, true);
}

namespace {

// Finds data that distinguish two contracts, and the size of the difference.

std::string words(const Format& format, int32_t o) {
  char text[64];
  const uint32_t code = code_from_ordinal(format, o);
  std::snprintf(text, sizeof text, "0x%0*x = %.9g", format.bits / 4, code, decode(format, code));
  return text;
}

double value_of(const Format& format, int32_t o) { return decode(format, code_from_ordinal(format, o)); }

/// Difference relative to the larger magnitude; 0 if a value is not finite.
double part_between(double a, double b) {
  const double larger = std::max(std::fabs(a), std::fabs(b));
  return std::isfinite(larger) && larger > 0 ? std::fabs(a - b) / larger : 0;
}

/// An interval of codes that were written in one format, as a reader of another format sees them: equal bytes, other values.
Interval reread(Interval accepted, const Format& written, const Format& read) {
  const auto end = [&](int32_t o) { return ordinal(read, code_from_ordinal(written, o)); };
  return {end(accepted.low), end(accepted.high)};
}

void compare(const WholePart& a, const WholePart& b, Separation& result) {
  const Format& format = *a.part.format;
  SeparatedTensor tensor{.name = a.part.label(), .elements = a.part.elements()};
  for (int64_t i = 0; i < a.part.elements(); ++i) {
    const Interval own = a.at(i);
    if (own.any() || b.at(i).any()) continue;
    const Interval other = reread(b.at(i), *b.part.format, format);
    if (own.meets(other)) continue;
    ++tensor.outside;
    if (own.low != kNanOrdinal && other.low != kNanOrdinal) {
      const bool below = other.high < own.low;
      const int32_t from = below ? other.high : other.low, to = below ? own.low : own.high;
      tensor.worst_ulps = std::max<int64_t>(tensor.worst_ulps, std::abs(ulps_between(format, from, to)));
      tensor.worst_part = std::max(tensor.worst_part, part_between(value_of(format, from), value_of(format, to)));
    }
    const int64_t columns = a.part.columns();
    if (result.witness.empty())
      result.witness = a.part.label() + "[" + std::to_string(a.part.number_of(i / columns)) + ", " + std::to_string(i % columns) +
                       "] " + words(format, own.low) + " against " + words(*b.part.format, b.at(i).low);
  }
  result.tensors.push_back(std::move(tensor));
}

}  // namespace

bool same_call(const Problem& a, const Problem& b) {
  if (a.tensors.size() != b.tensors.size() || a.parameters != b.parameters) return false;
  for (size_t i = 0; i < a.tensors.size(); ++i) {
    const TensorSpec &x = a.tensors[i].spec, &y = b.tensors[i].spec;
    if (x.name != y.name || x.role != y.role || !(*x.format == *y.format) || x.shape != y.shape || x.strides != y.strides ||
        x.storage != y.storage || x.offset != y.offset || a.tensors[i].bytes.empty() != b.tensors[i].bytes.empty())
      return false;
  }
  return true;
}

bool judges_call(const BoundCase& other, const Problem& problem) {
  const Problem own = other.problem();
  if (!other.judges_any_sizes()) return same_call(problem, own);
  return problem.parameters == own.parameters && std::equal(problem.tensors.begin(), problem.tensors.end(), own.tensors.begin(),
                                                            own.tensors.end(), [](const HostTensor& a, const HostTensor& b) {
                                                              return a.spec.name == b.spec.name && a.spec.role == b.spec.role &&
                                                                     *a.spec.format == *b.spec.format &&
                                                                     a.spec.shape.size() == b.spec.shape.size();
                                                            });
}

std::unique_ptr<const BoundCase> under_contract(const Op& op, const Case& one, const std::string& contract) {
  try {
    return op.bind(with_cells(one, {{"contract", contract}}));
  } catch (const TableError&) {
    return nullptr;
  }
}

std::vector<Separation> separate(std::span<const Op> ops, const std::vector<Case>& cases, const std::string& a,
                                 const std::string& b) {
  std::vector<Separation> found;
  std::set<std::string> seen;
  for (const Op& op : ops) {
    for (const Case& one : cases) {
      if (one.op != op.name || (one.tier != "quick" && one.tier != "own") || one.text("contract") != a ||
          !seen.insert(op.name + one.name.data()).second)
        continue;
      const std::unique_ptr<const BoundCase> own = op.bind(one), other = under_contract(op, one, b);
      if (!other) continue;
      const Problem problem = own->problem();
      const std::vector<WholePart> first = computed(own->expect(problem, nullptr)),
                                   second = computed(other->expect(problem, nullptr));
      Separation result{one.name.data(), {}, {}};
      for (size_t t = 0; t < first.size(); ++t) compare(first[t], second[t], result);
      found.push_back(std::move(result));
    }
  }
  return found;
}

}  // namespace assay
