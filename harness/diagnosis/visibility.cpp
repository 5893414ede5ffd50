#include "harness/diagnosis/visibility.h"

#include <algorithm>
#include <map>
#include <optional>

namespace assay {
namespace {

/// An ordinal of one format as the same code's ordinal in another: what a reader of the bytes would see.
int32_t reread(const Format& written, const Format& read, int32_t o) {
  return written == read ? o : ordinal(read, code_from_ordinal(written, o));
}

/// Elements whose accepted sets have no code in common, place by place in storage.
int64_t disjoint(const ExpectedTensor& right, const ExpectedTensor& edited) {
  int64_t count = 0;
  for (int64_t i = 0; i < right.elements(); ++i) {
    const int32_t low = reread(*edited.format, *right.format, edited.low[size_t(i)]);
    const int32_t high = edited.high.empty() ? low : reread(*edited.format, *right.format, edited.high_at(i));
    count += high < right.low[size_t(i)] || low > right.high_at(i);
  }
  return count;
}

/// The same where the edit puts its elements elsewhere in storage. What it leaves unwritten differs.
int64_t disjoint_in_storage(const ExpectedTensor& right, const ExpectedTensor& edited) {
  std::vector<int64_t> place;
  for (int64_t i = 0; i < edited.elements(); ++i) {
    const auto at = size_t(edited.offset_at(i));
    if (at >= place.size()) place.resize(at + 1, -1);
    place[at] = i;
  }
  int64_t count = 0;
  for (int64_t i = 0; i < right.elements(); ++i) {
    const auto at = size_t(right.offset_at(i));
    const int64_t j = at < place.size() ? place[at] : -1;
    count += j < 0 || edited.high_at(j) < right.low[size_t(i)] || edited.low[size_t(j)] > right.high_at(i);
  }
  return count;
}

/// Elements of all outputs that tell the edit apart.
int64_t outside_of(const Expectation& right, const Expectation& edited) {
  int64_t count = 0;
  for (size_t t = 0; t < right.tensors.size(); ++t) {
    const ExpectedTensor &a = right.tensors[t], &b = edited.tensors[t];
    count += a.offset == b.offset ? disjoint(a, b) : disjoint_in_storage(a, b);
  }
  return count;
}

/// The first row of a case alone, which shows most edits at a fraction of the price.
struct FirstRow {
  Problem problem;
  Expectation right;
  std::map<std::string, Hypothesis> neighbours;

  /// Whether elements tell the edit apart that stand in the same places: then they do among all rows too. Where storage differs
  /// it may be by the number of rows.
  bool shows(const std::string& edit) const {
    const auto found = neighbours.find(edit);
    if (found == neighbours.end()) return false;
    const Expectation edited = found->second.expect(problem, nullptr);
    for (size_t t = 0; t < right.tensors.size(); ++t)
      if (right.tensors[t].offset == edited.tensors[t].offset && disjoint(right.tensors[t], edited.tensors[t]) > 0) return true;
    return false;
  }
};

/// Whether each tensor of the row begins the tensor of all rows.
bool begins(const Expectation& row, const Expectation& all) {
  const auto same = [](const std::vector<int32_t>& a, const std::vector<int32_t>& b) {
    return a.size() <= b.size() && std::equal(a.begin(), a.end(), b.begin());
  };
  for (size_t t = 0; t < all.tensors.size(); ++t)
    if (!same(row.tensors[t].low, all.tensors[t].low) || !same(row.tensors[t].high, all.tensors[t].high)) return false;
  return true;
}

/// None of an op whose rows are not independent, or where a row alone is judged otherwise, as one of a tile.
std::optional<FirstRow> first_row(const Op& op, const Case& one, const Problem& problem, const Expectation& right) {
  if (!op.rows || op.rows(one) < 2) return std::nullopt;
  auto [row, of_row] = op.with_rows(one, problem, {0});
  FirstRow first{std::move(of_row), {}, {}};
  first.right = op.expect(row, first.problem, nullptr);
  if (!begins(first.right, right)) return std::nullopt;
  for (Hypothesis& hypothesis : op.neighbours(row)) first.neighbours.emplace(hypothesis.name, std::move(hypothesis));
  return first;
}

}  // namespace

Sight look(const Op& op, const Case& whole) {
  const Case one = op.excerpt(whole);
  const Problem problem = op.problem(one);
  const Expectation right = op.expect(one, problem, nullptr);
  Sight sight;
  for (const ExpectedTensor& tensor : right.tensors) sight.data.push_back(data_power(tensor));
  for (const Hypothesis& hypothesis : op.neighbours(one)) {
    Visibility seen{hypothesis.name, hypothesis.equivalent, 0, 0};
    if (hypothesis.equivalent.empty()) {
      const Expectation edited = hypothesis.expect(problem, nullptr);
      for (const ExpectedTensor& tensor : right.tensors) seen.elements += tensor.elements();
      seen.outside = outside_of(right, edited);
    }
    sight.faults.push_back(std::move(seen));
  }
  return sight;
}

std::vector<Visibility> visibilities(const Op& op, const Case& one) { return look(op, one).faults; }

Power power_of(const Op& op, const Case& whole) {
  const Case one = op.excerpt(whole);
  const Problem problem = op.problem(one);
  const Expectation right = op.expect(one, problem, nullptr);
  const std::optional<FirstRow> first = first_row(op, one, problem, right);
  Power power;
  for (const ExpectedTensor& tensor : right.tensors) power.data.push_back(data_power(tensor));
  for (const Hypothesis& hypothesis : op.neighbours(one)) {
    if (!hypothesis.equivalent.empty()) continue;
    ++power.faults;
    const bool seen = (first && first->shows(hypothesis.name)) || outside_of(right, hypothesis.expect(problem, nullptr)) > 0;
    if (!seen) power.blind_to.push_back(hypothesis.name);
  }
  return power;
}

}  // namespace assay
