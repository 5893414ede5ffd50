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

std::vector<Visibility> visibilities(const Op& op, const Case& whole) {
  const Case one = op.excerpt(whole);
  const Problem problem = op.problem(one);
  const Expectation right = op.expect(one, problem, nullptr);
  std::vector<Visibility> all;
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
    all.push_back(std::move(seen));
  }
  return all;
}

std::vector<std::string> blind_faults(const Op& op, const Case& one) {
  std::vector<std::string> blind;
  for (const Visibility& seen : visibilities(op, one))
    if (seen.equivalent.empty() && !seen.visible()) blind.push_back(seen.fault);
  return blind;
}

}  // namespace assay
