// Says which row or element of a tensor lies at an address outside of the tensor. An author knows rows better than bytes: "row 16
// of a, which has 8 rows" tells that an index of a group was multiplied twice.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "harness/core/call.h"
#include "harness/diagnosis/diagnose.h"

namespace assay {
namespace {

/// "4096 bytes behind the end of 'a'" in a longer text.
struct Outside {
  std::string name;
  int64_t bytes = 0;  ///< behind the end, or before the start
  bool before = false;
  size_t end = 0;  ///< index in the text, behind the name
};

std::optional<Outside> outside_in(const std::string& words) {
  for (const std::string_view where : {" bytes before the start of '", " bytes behind the end of '"}) {
    const size_t at = words.find(where);
    if (at == words.npos) continue;
    const size_t begin = words.find_last_not_of("0123456789", at - 1) + 1, name = at + where.size(), end = words.find('\'', name);
    if (begin == at || end == words.npos) continue;
    Outside found{words.substr(name, end - name), 0, where.starts_with(" bytes before"), end + 1};
    std::from_chars(words.data() + begin, words.data() + at, found.bytes);
    return found;
  }
  return std::nullopt;
}

/// "row 16; a has 8 rows" for a position in bytes; empty if the rows are not equally far apart, or the position is next to the
/// tensor.
std::string row_text(const TensorSpec& spec, const Outside& outside) {
  if (spec.shape.empty() || spec.elements() == 0 || spec.far > 0 || spec.packed) return "";
  const int64_t unit = spec.format->bytes(),
                place = outside.before ? -outside.bytes : int64_t(spec.bytes_of_kernel()) + outside.bytes;
  if (spec.shape.size() == 1) {
    if (place % unit != 0 || spec.strides[0] != 1 || spec.offset != 0 || outside.bytes < unit) return "";
    return fmt::format("element {}; {} has {} element{}", place / unit, spec.name, spec.shape[0], spec.shape[0] == 1 ? "" : "s");
  }
  const int64_t rows = spec.elements() / spec.shape.back(), of_matrix = spec.shape.end()[-2], pitch = spec.row(1) - spec.row(0);
  const int64_t row_bytes = pitch * unit;
  if (rows < 2 || pitch < spec.shape.back() || spec.strides.back() != 1 || spec.offset != 0 || outside.bytes < row_bytes)
    return "";
  for (size_t d = 0; d + 2 < spec.shape.size(); ++d)
    if (spec.strides[d] != spec.shape[d + 1] * spec.strides[d + 1]) return "";
  const int64_t row = place >= 0 ? place / row_bytes : -((-place + row_bytes - 1) / row_bytes);
  const std::string all =
      rows == of_matrix ? fmt::format("{} rows", rows) : fmt::format("{} matrices of {} rows", rows / of_matrix, of_matrix);
  return fmt::format("{}row {}; {} has {}", place % row_bytes == 0 ? "the start of " : "", row, spec.name, all);
}

}  // namespace

std::string with_row_outside(const std::string& words, const Problem& problem) {
  const std::optional<Outside> outside = outside_in(words);
  if (!outside) return words;
  const auto tensor = std::find_if(problem.tensors.begin(), problem.tensors.end(),
                                   [&](const HostTensor& one) { return one.spec.name == outside->name; });
  if (tensor == problem.tensors.end()) return words;
  const std::string row = row_text(tensor->spec, *outside);
  return row.empty() ? words : words.substr(0, outside->end) + ", which is " + row + words.substr(outside->end);
}

}  // namespace assay
