#include "harness/diagnosis/visibility.h"

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
      for (size_t t = 0; t < right.tensors.size(); ++t) {
        const ExpectedTensor &a = right.tensors[t], &b = edited.tensors[t];
        seen.elements += a.elements();
        seen.outside += a.offset == b.offset ? disjoint(a, b) : disjoint_in_storage(a, b);
      }
    }
    sight.faults.push_back(std::move(seen));
  }
  return sight;
}

std::vector<Visibility> visibilities(const Op& op, const Case& one) { return look(op, one).faults; }

Power power_of(const Op& op, const Case& one) {
  Sight sight = look(op, one);
  Power power{0, {}, std::move(sight.data)};
  for (const Visibility& seen : sight.faults) {
    if (!seen.equivalent.empty()) continue;
    ++power.faults;
    if (!seen.visible()) power.blind_to.push_back(seen.fault);
  }
  return power;
}

}  // namespace assay
