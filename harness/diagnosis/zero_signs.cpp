#include "harness/diagnosis/zero_signs.h"

#include "harness/compare/element.h"

namespace assay {
namespace {

/// Whether -0 and +0 have adjacent ordinals. False for a format with a single zero.
bool has_two_zeros(const Format& format) {
  return format.has_sign() && decode(format, code_from_ordinal(format, ordinal(format, 0) - 1)) == 0;
}

void widen(const Format& format, AcceptedRows& rows) {
  if (!has_two_zeros(format)) return;
  const int32_t plus = ordinal(format, 0), minus = plus - 1;
  if (rows.high.empty()) rows.high = rows.low;
  for (size_t i = 0; i < rows.low.size(); ++i) {
    if (rows.low[i] == plus) rows.low[i] = minus;
    if (rows.high[i] == minus) rows.high[i] = plus;
  }
}

}  // namespace

Expectation with_either_zero(const Expectation& right) {
  Expectation either = right;
  for (Answer& answer : either.any_of) {
    std::vector<const Format*> formats;
    for (const Part& part : answer.parts) formats.push_back(part.format);
    const auto widened = [formats](AcceptedBlock block) {
      for (size_t p = 0; p < block.parts.size(); ++p) widen(*formats[p], block.parts[p]);
      return block;
    };
    answer.accepted = [accepted = answer.accepted, widened](int64_t first, int64_t end) { return widened(accepted(first, end)); };
    answer.glimpse = nullptr;
    if (answer.of_columns)
      answer.of_columns = [of_columns = answer.of_columns, widened](int64_t first, int64_t end, int64_t first_column,
                                                                    int64_t end_column) {
        return widened(of_columns(first, end, first_column, end_column));
      };
  }
  return either;
}

}  // namespace assay
