// Says which row or element of a tensor lies at an address outside of the tensor. An author knows rows better than bytes: "row 16
// of a, which has 8 rows" tells that an index of a group was multiplied twice.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <regex>
#include <string>
#include <string_view>

#include "harness/core/call.h"
#include "harness/diagnosis/diagnose.h"

namespace assay {

std::optional<PlaceOutside> place_outside(const std::string& words) {
  for (const std::string_view where : {" bytes before the start of '", " bytes behind the end of '"}) {
    const size_t at = words.find(where);
    if (at == words.npos) continue;
    const size_t begin = words.find_last_not_of("0123456789", at - 1) + 1, name = at + where.size(), end = words.find('\'', name);
    if (begin == at || end == words.npos) continue;
    PlaceOutside found{words.substr(name, end - name), 0, where.starts_with(" bytes before"), begin, end + 1};
    std::from_chars(words.data() + begin, words.data() + at, found.bytes);
    return found;
  }
  return std::nullopt;
}

const HostTensor* tensor_named(const Problem& problem, std::string_view name) {
  const auto found = std::find_if(problem.tensors.begin(), problem.tensors.end(),
                                  [&](const HostTensor& one) { return one.spec.name == name; });
  return found == problem.tensors.end() ? nullptr : &*found;
}

namespace {

/// "row 16; a has 8 rows" for a position in bytes; empty if the rows are not equally far apart, or the position is next to the
/// tensor.
std::string row_text(const TensorSpec& spec, const PlaceOutside& outside) {
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
  const std::optional<PlaceOutside> outside = place_outside(words);
  const HostTensor* const tensor = outside ? tensor_named(problem, outside->name) : nullptr;
  if (tensor == nullptr) return words;
  const std::string row = row_text(tensor->spec, *outside);
  return row.empty() ? words : words.substr(0, outside->end) + ", which is " + row + words.substr(outside->end);
}

std::string row_behind(const std::string& message, const Problem& problem) {
  constexpr std::string_view kWrote = "wrote outside '", kFirst = " behind its end, first 0 bytes behind it";
  constexpr int64_t kFewestBytes = 16;
  const size_t begin = message.find(kWrote), first = message.find(kFirst);
  if (begin == message.npos || first == message.npos) return "";
  const size_t name = begin + kWrote.size(), end = message.find('\'', name), digits = message.find_last_of(' ', first - 1);
  const size_t number = digits == message.npos ? digits : message.find_last_not_of("0123456789", digits - 1) + 1;
  if (end == message.npos || number == message.npos || number >= digits) return "";
  const HostTensor* const tensor = tensor_named(problem, std::string_view(message).substr(name, end - name));
  if (tensor == nullptr) return "";
  const TensorSpec& spec = tensor->spec;
  if (spec.shape.size() < 2 || spec.elements() == 0 || spec.packed || spec.strides.back() != 1) return "";
  int64_t bytes = 0;
  std::from_chars(message.data() + number, message.data() + digits, bytes);
  const int64_t row = spec.shape.back() * spec.format->bytes();
  // A byte keeps its value if the guard zone holds the same one, so some of a row's bytes may count as unwritten.
  if (row < kFewestBytes || bytes > row || 16 * bytes < 15 * row) return "";
  const int64_t rows = spec.elements() / spec.shape.back();
  return fmt::format(
      "one whole row is written behind the last of the {} rows of {}: the row index {} is not skipped, because a loop or a bound is "
      "too large by 1, or because an entry that marks padding is used as an index",
      rows, spec.name, rows);
}

std::string misaligned_address(const std::string& message, const Problem& problem) {
  static const std::regex kAccess(
      R"(a (load|store) of ([0-9]+) bytes at ([A-Za-z_0-9.]+)\[([0-9]+)(?:, ([0-9]+))?\], [0-9]+ bytes? past a multiple of [0-9]+, by block ([0-9]+), thread ([0-9]+))");
  std::smatch match;
  if (!std::regex_search(message, match, kAccess)) return "";
  const std::string name = match[3];
  const HostTensor* const tensor = tensor_named(problem, name);
  if (tensor == nullptr) return "";
  const TensorSpec& spec = tensor->spec;
  const bool is_matrix = match[5].matched;
  if (spec.packed || spec.strides.back() != 1 || spec.shape.size() != (is_matrix ? 2 : 1)) return "";
  const auto number = [&](size_t group) { return int64_t(std::stoll(match[group].str())); };
  const int64_t pitch = is_matrix ? spec.strides[0] : 0, place = is_matrix ? number(4) * pitch + number(5) : number(4);
  const int64_t vector = number(2) / spec.format->bytes(), block = number(6), thread = number(7);
  const std::string verb = match[1] == "load" ? "loads" : "stores";
  const auto apart = [&](const char* what, int64_t count, int64_t right) {
    return fmt::format("address: {} {} {} elements behind the start of {}: {}s are probably {} elements apart instead of {}",
                       fmt::format("{} {}", what, count), verb, place, name, what == std::string_view("block") ? "row" : what,
                       place / count, right);
  };
  // Blocks and threads with lower numbers came first, and their addresses are multiples.
  if (block > 0 && thread == 0 && is_matrix && place % block == 0 && place / block != pitch &&
      std::abs(place / block - pitch) < vector)
    return apart("block", block, pitch);
  if (block == 0 && thread > 0 && place % thread == 0 && place / thread != vector && place / thread < 2 * vector)
    return apart("thread", thread, vector);
  if (block == 0 && thread == 0 && place > 0 && place < vector)
    return fmt::format(
        "address: the first thread {} {} element{} behind the start of {}: an index, a pointer or an offset is too large "
        "by {}",
        verb, place, place == 1 ? "" : "s", name, place);
  return "";
}

}  // namespace assay
