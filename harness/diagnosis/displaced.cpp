// Data at wrong addresses, found by a search for the bytes: rows that an in-place tensor holds elsewhere, rows that were copied
// from another place of an input, and outputs that were stored a constant distance away.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/diagnosis/wrong_part.h"

namespace assay {
namespace {

using Bytes = std::vector<std::byte>;
constexpr int64_t kFewestBytes = 16, kMostBytes = 64;  ///< of a run of elements that is searched for
constexpr size_t kFewestDifferent = 4;                 ///< codes in a run; others occur in many places by chance
constexpr int64_t kMostSearched = int64_t{1} << 27;    ///< rows times bytes

/// The first elements of each row that has wrong elements, as long as their offsets are consecutive.
struct Run {
  int64_t row = 0, elements = 0, first_byte = 0;
};

std::vector<Run> runs_of(const WrongPart& wrong) {
  const int64_t columns = wrong.part().columns(), size = wrong.format().bytes();
  std::vector<Run> all;
  int64_t last = -1;
  for (const int64_t i : wrong.failing()) {
    const int64_t row = i / columns;
    if (row == last) continue;
    last = row;
    Run run{row, 1, wrong.part().offset(row, 0) * size};
    while (run.elements < columns && run.elements * size < kMostBytes &&
           wrong.part().offset(row, run.elements) == wrong.part().offset(row, 0) + run.elements)
      ++run.elements;
    if (run.elements * size >= kFewestBytes) all.push_back(run);
  }
  return all;
}

Bytes bytes_of(const WrongPart& wrong, const std::vector<uint32_t>& codes) {
  Bytes all(codes.size() * size_t(wrong.format().bytes()));
  for (size_t i = 0; i < codes.size(); ++i)
    std::memcpy(all.data() + i * size_t(wrong.format().bytes()), &codes[i], size_t(wrong.format().bytes()));
  return all;
}

/// The bytes that a run should hold, or that it holds; nothing if they are unknown or not varied enough.
std::optional<Bytes> due_bytes(const WrongPart& wrong, const Run& run) {
  std::vector<uint32_t> codes;
  for (int64_t i = 0; i < run.elements; ++i) {
    const std::optional<uint32_t> code = wrong.due(run.row * wrong.part().columns() + i);
    if (!code) return std::nullopt;
    codes.push_back(*code);
  }
  if (std::set<uint32_t>(codes.begin(), codes.end()).size() < kFewestDifferent) return std::nullopt;
  return bytes_of(wrong, codes);
}

std::optional<Bytes> held_bytes(const WrongPart& wrong, const Run& run) {
  const auto first = wrong.codes().begin() + run.row * wrong.part().columns();
  const std::vector<uint32_t> codes(first, first + run.elements);
  if (std::set<uint32_t>(codes.begin(), codes.end()).size() < kFewestDifferent) return std::nullopt;
  return bytes_of(wrong, codes);
}

/// The only place of `wanted` in `memory`; nothing if there is none, or several.
std::optional<int64_t> only_place(const Bytes& memory, const Bytes& wanted) {
  const void* const first = memmem(memory.data(), memory.size(), wanted.data(), wanted.size());
  if (!first) return std::nullopt;
  const auto at = static_cast<const std::byte*>(first) - memory.data();
  const size_t next = size_t(at) + 1;
  if (memmem(memory.data() + next, memory.size() - next, wanted.data(), wanted.size())) return std::nullopt;
  return at;
}

std::string distance_text(int64_t bytes) {
  return fmt::format("{} byte{} {}", std::abs(bytes), std::abs(bytes) == 1 ? "" : "s", bytes > 0 ? "after" : "before");
}

/// "blocks are stored 544 bytes apart instead of 512": distances that grow with the number of the block, or with the place in it.
/// `to`: for each run, the byte at which its data are.
std::string other_strides(const WrongPart& wrong, const std::vector<Run>& runs, const std::map<int64_t, int64_t>& to) {
  const TensorSpec& spec = wrong.tensor().spec;
  for (const int64_t stride : spec.strides) {
    const int64_t block = stride * spec.format->bytes();
    if (block <= kMostBytes) continue;
    const auto line_through =
        [&](const auto& of) -> std::optional<std::pair<int64_t, int64_t>> {  // distance per step, and the unit
      std::optional<std::pair<int64_t, int64_t>> first, line;  // (step, distance) of the first run; (distance, steps) between two
      std::set<int64_t> steps;
      int64_t unit = 0;
      for (const auto& [i, at] : to) {
        const int64_t step = of(runs[size_t(i)].first_byte), apart = at - runs[size_t(i)].first_byte;
        steps.insert(step);
        if (!first) first = {step, apart};
        unit = std::gcd(unit, step - first->first);
        if (step == first->first ? apart != first->second
                                 : line && (apart - first->second) * line->second != line->first * (step - first->first))
          return std::nullopt;
        if (!line && step != first->first) line = {apart - first->second, step - first->first};
      }
      constexpr size_t kFewestSteps = 3;  // two points always lie on a line
      if (!line || steps.size() < kFewestSteps || line->first == 0 || line->first * unit % line->second != 0) return std::nullopt;
      return std::pair(line->first * unit / line->second, unit);
    };
    if (const auto line = line_through([&](int64_t byte) { return byte / block; }); line && line->second == 1)
      return fmt::format("blocks are stored {} bytes apart instead of {}", block + line->first, block);
    if (const auto line = line_through([&](int64_t byte) { return byte % block; }))
      return fmt::format("rows of a block of {} bytes that should be {} bytes apart are stored {} bytes apart", block,
                         line->second, line->second + line->first);
  }
  return "";
}

bool byte_sized(const WrongPart& wrong) { return wrong.format().bits % 8 == 0 && !wrong.tensor().spec.packed; }

}  // namespace

std::string stored_elsewhere(const WrongPart& wrong) {
  constexpr int64_t kFewestRows = 3;
  if (!byte_sized(wrong)) return "";
  const Bytes& memory = wrong.tensor().bytes;
  const std::vector<Run> runs = runs_of(wrong);
  if (int64_t(runs.size()) < kFewestRows || int64_t(runs.size() * memory.size()) > kMostSearched) return "";
  std::map<int64_t, int64_t> to;  // row number in `runs` -> byte at which its data are
  for (size_t i = 0; i < runs.size(); ++i) {
    const std::optional<Bytes> due = due_bytes(wrong, runs[i]);
    if (!due) return "";
    if (const std::optional<int64_t> at = only_place(memory, *due)) to[int64_t(i)] = *at;
  }
  if (to.empty()) return "";
  const auto apart = [&](const auto& found) { return found.second - runs[size_t(found.first)].first_byte; };
  const int64_t distance = apart(*to.begin());
  if (to.size() == runs.size() && distance != 0 &&
      std::all_of(to.begin(), to.end(), [&](const auto& one) { return apart(one) == distance; }))
    return fmt::format("each row is stored {} its address", distance_text(distance));
  if (to.size() == runs.size())
    if (const std::string strides = other_strides(wrong, runs, to); !strides.empty()) return strides;
  // Several rows share an address, which holds the row that was stored last.
  const TensorSpec& spec = wrong.tensor().spec;
  for (const int64_t stride : spec.strides) {
    const int64_t block = stride * spec.format->bytes();
    if (block <= kMostBytes) continue;
    std::map<int64_t, std::vector<size_t>> rows;  // block -> its rows
    for (size_t i = 0; i < runs.size(); ++i) rows[runs[i].first_byte / block].push_back(i);
    std::set<int64_t> starts;
    bool one_of_each = true, shares = false;
    for (const auto& [number, members] : rows) {
      int64_t found = 0, others = 0;
      for (const size_t i : members) {
        others += runs[i].first_byte % block != runs[members.front()].first_byte % block;
        if (const auto at = to.find(int64_t(i)); at != to.end() && at->second / block == number)
          ++found, starts.insert(at->second % block);
      }
      one_of_each = one_of_each && found == 1, shares = shares || others > 0;
    }
    if (one_of_each && shares && starts.size() == 1 && to.size() == rows.size())
      return fmt::format(
          "all rows in a block of {} bytes are stored at byte {} of the block, where the last one is found: the address does not "
          "use the position in the block",
          block, *starts.begin());
  }
  return "";
}

Rule copied_from_elsewhere(const WrongPart& wrong, const Problem& problem) {
  if (!byte_sized(wrong)) return std::nullopt;
  const std::vector<Run> runs = runs_of(wrong);
  const int64_t columns = wrong.part().columns(), size = wrong.format().bytes();
  for (const HostTensor& input : problem.tensors) {
    if (input.spec.role != Role::kInput || input.spec.rank != wrong.part().rank || input.spec.packed || input.spec.far != 0 ||
        int64_t(runs.size() * input.bytes.size()) > kMostSearched)
      continue;
    std::optional<int64_t> distance;
    std::map<int64_t, int64_t> source;  // row -> byte of the input from which it should be copied
    bool holds = !runs.empty();
    size_t told = 0;
    for (const Run& run : runs) {
      const std::optional<Bytes> due = due_bytes(wrong, run), held = held_bytes(wrong, run);
      const std::optional<int64_t> right = due ? only_place(input.bytes, *due) : std::nullopt;
      if (!right) continue;
      source[run.row] = *right;
      const std::optional<int64_t> actual = held ? only_place(input.bytes, *held) : std::nullopt;
      if (!actual) continue;
      ++told;
      if (!distance) distance = *actual - *right;
      if (!(holds = *actual - *right == *distance)) break;
    }
    if (!holds || !distance || *distance == 0 || told < 2) continue;
    int64_t explained = 0, left_out = 0;
    for (const int64_t i : wrong.failing()) {
      const auto row = source.find(i / columns);
      const int64_t at = row == source.end() ? -1 : row->second + i % columns * size + *distance;
      if (at < 0 || at + size > int64_t(input.bytes.size())) {  // not known, or outside of the input
        ++left_out;
        continue;
      }
      uint32_t code = 0;
      std::memcpy(&code, input.bytes.data() + at, size_t(size));
      explained += code == wrong.codes()[size_t(i)];
    }
    if (explained + left_out < int64_t(wrong.failing().size()) || 2 * left_out > explained) continue;
    return Explanation{fmt::format("bytes of {} that are {} the right ones: it is read at a wrong address", input.spec.name,
                                   distance_text(*distance)),
                       explained, left_out};
  }
  return std::nullopt;
}

std::string stored_at_distance(const WholePart& whole, const HostTensor& tensor,
                               const std::function<bool(int64_t offset)>& is_written) {
  const Part& part = whole.part;
  constexpr int64_t kFewestBits = 16, kMostElements = int64_t{1} << 18;
  const int64_t stored = stored_elements(part, tensor), elements = part.elements();
  if (elements == 0 || elements * part.format->bits < kFewestBits || elements > kMostElements) return "";
  const TensorSpec& spec = tensor.spec;
  const int64_t row = spec.shape.size() > 1 ? spec.strides.end()[-2] : 0;
  std::set<std::pair<int64_t, int64_t>> distances;  // with the number of rows, or 0
  for (const int64_t away : {1, 2, 4, 8})
    for (const int64_t by : {away, -away}) {
      if (row > 0) distances.insert({by * row, by});
      if (row != 1) distances.insert({by, 0});
    }
  std::set<int64_t> own;
  for (int64_t i = 0; i < elements; ++i) own.insert(whole.offset_at(i));
  int64_t written_beside = 0;  // storage elements that belong to no element of the part
  bool has_written = false;
  for (int64_t at = 0; at < stored; ++at)
    if (is_written(at)) own.contains(at) ? void(has_written = true) : void(++written_beside);
  for (const bool of_values : {true, false})
    for (const auto& [by, rows] : distances) {
      bool holds = true, elsewhere = false, not_zero = false;
      for (int64_t i = 0; i < elements && holds; ++i) {
        const int64_t from = whole.offset_at(i), at = from + by;
        holds = at >= 0 && at < stored && is_written(at) &&
                (!of_values || membership(part, tensor, stored, at, whole.at(i)) == Membership::kInside);
        elsewhere = elsewhere || !is_written(from);
        not_zero = not_zero || (holds && load_code(part, tensor, at) != 0);
      }
      if (!holds || !elsewhere || !not_zero || (!of_values && (has_written || written_beside != elements))) continue;
      const int64_t away = std::abs(rows != 0 ? rows : by);
      return fmt::format("address: {} of {} is stored {} {}{} {}{}", rows != 0 ? "each row" : "each element", part.label(), away,
                         rows != 0 ? "row" : "element", away == 1 ? "" : "s", by > 0 ? "later" : "earlier",
                         of_values ? "" : ", with values of another one");
    }
  return "";
}

}  // namespace assay
