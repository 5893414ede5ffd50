#include "harness/cli/invent.h"

#include <algorithm>
#include <stdexcept>

#include "harness/fill/fill.h"

namespace assay {
namespace {

constexpr uint64_t kSeeds = 1'000'000;
constexpr size_t kOneCellIn = 4;   ///< from another case
constexpr size_t kOneDrawnIn = 8;  ///< drawn
constexpr size_t kPowers = 14;     ///< sizes lie beside 2^0 .. 2^13
constexpr double kMostDrawn = 1 << 22;
/// A list may be long: a kernel may have 8 or 16 places for it.
constexpr size_t kMostEntries = 20;
/// Becomes slot 5 if it is cut to 32 bits.
constexpr int64_t kFarBelowZero = -4294967291;

bool is_number(const std::string& cell) {
  return !cell.empty() && cell.size() < 10 && std::all_of(cell.begin(), cell.end(), ::isdigit);
}

std::vector<std::string> entries_of(const std::string& list) {
  std::vector<std::string> entries(1);
  for (const char c : list)
    if (c == ';')
      entries.emplace_back();
    else
      entries.back() += c;
  return entries;
}

}  // namespace

Inventor::Inventor(const Op& op, std::vector<Case> from, uint64_t seed) : op_(op), from_(std::move(from)), random_(seed) {
  if (from_.empty()) throw std::invalid_argument("there are no cases to generate new ones from");
  for (const Case& one : from_) {
    if (one.op != op.name) throw std::invalid_argument("a case of op " + one.op + " among those of op " + op.name);
    known_.insert(one.id);
  }
  for (const FillInfo& fill : all_fills()) fills_.push_back(fill.name);
  for (const std::string& column : op.columns) kinds_[column] = kind_of(column);
}

Inventor::Cells Inventor::kind_of(const std::string& column) const {
  bool empty = false, number = false, list = false, fill = false, other = false;
  for (const Case& one : from_) {
    const auto found = one.parameters.find(column);
    const std::string cell = found == one.parameters.end() ? "" : found->second;
    if (cell.empty())
      empty = true;
    else if (is_number(cell))
      number = true;
    else if (cell.find(';') != std::string::npos)
      list = true;
    else if (std::find(fills_.begin(), fills_.end(), cell) != fills_.end())
      fill = true;
    else
      other = true;
  }
  if (list) return Cells::kList;  // other cells of the column may hold one entry, or a pattern of slots
  if (other || (fill && number)) return Cells::kOther;
  if (fill) return Cells::kFill;
  if (empty && op_.optional_columns.contains(column)) return Cells::kOptionalNumber;
  return number ? Cells::kSize : Cells::kOther;
}

std::string Inventor::drawn_list(const std::string& cell) {
  std::vector<std::string> entries = entries_of(cell);
  if (std::any_of(entries.begin(), entries.end(), [](const std::string& e) { return e.empty() || e.find(':') != std::string::npos; }))
    return cell;  // a pattern of slots
  switch (below(4)) {
    case 0: entries.push_back(std::to_string(below(70))); break;
    case 1:
      if (entries.size() > 1) entries.erase(entries.begin() + std::ptrdiff_t(below(entries.size())));
      break;
    case 2: entries[below(entries.size())] = std::to_string(below(2) == 0 ? kFarBelowZero : int64_t(below(40))); break;
    default:
      while (entries.size() < 2 + below(kMostEntries - 1)) entries.push_back(std::to_string(below(6)));
  }
  std::string list;
  for (const std::string& entry : entries) list += (list.empty() ? "" : ";") + entry;
  return list;
}

std::string Inventor::drawn(Cells kind, const std::string& cell) {
  switch (kind) {
    case Cells::kFill: return cell.empty() ? cell : fills_[below(fills_.size())];
    case Cells::kList: return drawn_list(cell);
    case Cells::kSize: {
      const int64_t beside[] = {0, -1, 1, -8, 8};
      return std::to_string((int64_t{1} << below(kPowers)) + beside[below(std::size(beside))]);
    }
    case Cells::kOptionalNumber: {
      const int64_t numbers[] = {1, 3, 5, 8, 255, 1032, 2049, 8193};
      return below(3) == 0 ? "" : std::to_string(numbers[below(std::size(numbers))]);
    }
    case Cells::kOther: break;
  }
  return cell;
}

std::optional<Case> Inventor::next() {
  Case one = any();
  const std::string begun = one.id;
  double elements = 1;
  for (auto& [column, cell] : one.parameters) {
    if (column == "seed") {
      cell = std::to_string(1 + random_() % kSeeds);
      continue;
    }
    if (column == "contract" || column == "warp") continue;
    if (below(kOneCellIn) == 0) {
      const auto other = any().parameters.find(column);
      if (other != one.parameters.end()) cell = other->second;
    }
    if (below(kOneDrawnIn) == 0) cell = drawn(kinds_[column], cell);
    if (kinds_[column] == Cells::kSize && is_number(cell)) elements *= double(std::max(1, std::stoi(cell)));
  }
  if (elements > kMostDrawn) return std::nullopt;
  one.why = "invented from " + begun;
  one.blind_to.clear();
  try {
    one = checked_case(op_, std::move(one));
  } catch (const std::exception&) {
    return std::nullopt;  // e.g. a group size that does not divide the row, or a generator that the format cannot represent
  }
  if (!known_.insert(one.id).second) return std::nullopt;
  return one;
}

}  // namespace assay
