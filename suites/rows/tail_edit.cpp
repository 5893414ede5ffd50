#include "suites/rows/tail_edit.h"

#include <algorithm>

#include "suites/rows/expect.h"

namespace assay {
namespace {

constexpr int64_t kLeastTail = 8;

/// One past the last column in which some row has a nonzero value.
int64_t end_of_numbers(const RowCase& c, const std::vector<HostTensor>& outputs) {
  const HostTensor& numbers = find(outputs, c.group_size() > 0 ? "q" : "y");
  int64_t end = 0;
  for (int64_t row = 0; row < c.m; ++row) {
    for (int64_t column = c.n - 1; column >= end; --column) {
      const double value = decode(*numbers.spec.format, numbers.code(c.stored_row(row) * c.n + column));
      if (value == 0 || value != value) continue;
      end = column + 1;
      break;
    }
  }
  return end;
}

}  // namespace

Hypothesis tail_hypothesis(const RowCase& c, const Contract& contract) {
  Hypothesis tail;
  tail.name = "x: the last columns are read as zero";
  tail.expect = [c, contract](const Problem& problem, const std::vector<HostTensor>* outputs) {
    const int64_t end = outputs ? end_of_numbers(c, *outputs) : std::max<int64_t>(0, c.n - kLeastTail);
    return expect_rows(contract, c, problem, outputs, {.end = end, .explains = false});
  };
  tail.in_words = [c](const std::vector<HostTensor>& outputs) {
    return "x: the columns from " + std::to_string(end_of_numbers(c, outputs)) + " on are read as zero";
  };
  return tail;
}

}  // namespace assay
