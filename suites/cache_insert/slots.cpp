#include "suites/cache_insert/slots.h"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <set>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "harness/fill/philox.h"
#include "suites/cache_insert/tensors.h"

namespace assay {
namespace {

int64_t integer(const std::string& text) {
  int64_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size())
    throw std::invalid_argument("'" + text + "': expected places such as 3;-1;0, or order, pages, shuffled or holes with a number of rows, such as holes:7");
  return value;
}

std::vector<int64_t> listed(const std::string& cell) {
  std::vector<int64_t> slots;
  std::istringstream places(cell);
  for (std::string place; std::getline(places, place, ';');) slots.push_back(integer(place));
  return slots;
}

constexpr std::pair<SlotPattern, const char*> kPatterns[] = {{SlotPattern::kOrder, "order"},
                                                             {SlotPattern::kPages, "pages"},
                                                             {SlotPattern::kShuffled, "shuffled"},
                                                             {SlotPattern::kHoles, "holes"}};

SlotPattern pattern_named(const std::string& word) {
  for (const auto& [pattern, name] : kPatterns)
    if (word == name) return pattern;
  integer(word);  // reports text that is neither a pattern nor a number
  return SlotPattern::kOrder;  // a number before the colon
}

std::vector<int64_t> in_pattern(SlotPattern pattern, int64_t rows, int64_t places, int64_t block_size, uint64_t seed) {
  std::vector<int64_t> slots(static_cast<size_t>(places));
  std::iota(slots.begin(), slots.end(), int64_t{0});
  if (pattern == SlotPattern::kPages) {
    for (int64_t i = 0; i < places; ++i) slots[size_t(i)] = places - block_size * (1 + i / block_size) + i % block_size;
  } else if (pattern == SlotPattern::kShuffled || pattern == SlotPattern::kHoles) {
    const Random random(seed, uint32_t(CacheStream::kSlots));
    for (int64_t i = places - 1; i > 0; --i) std::swap(slots[size_t(i)], slots[size_t(random.below(i + 1, i))]);
  }
  if (rows > places) throw std::invalid_argument(std::to_string(rows) + " rows do not fit in " + std::to_string(places) + " places");
  slots.resize(size_t(rows));
  for (size_t i = 1; pattern == SlotPattern::kHoles && i < slots.size(); i += 3) slots[i] = -1;
  return slots;
}

}  // namespace

std::string SlotCell::text() const {
  for (const auto& [known, name] : kPatterns)
    if (known == pattern) return std::string(name) + ":" + std::to_string(rows);
  std::string text;
  for (const int64_t slot : listed) text += (text.empty() ? "" : ";") + std::to_string(slot);
  return text;
}

SlotCell parse_slots(const std::string& cell) {
  const size_t colon = cell.find(':');
  if (colon == std::string::npos) return {SlotPattern::kListed, 0, listed(cell)};
  return {pattern_named(cell.substr(0, colon)), integer(cell.substr(colon + 1)), {}};
}

std::vector<int64_t> slots_of(const SlotCell& cell, int64_t places, int64_t block_size, uint64_t seed) {
  const std::vector<int64_t> slots =
      cell.pattern == SlotPattern::kListed ? cell.listed : in_pattern(cell.pattern, cell.rows, places, block_size, seed);
  if (slots.empty()) throw std::invalid_argument("names no place");
  std::set<int64_t> taken;
  for (const int64_t slot : slots) {
    if (slot >= places) throw std::invalid_argument(std::to_string(slot) + " is beyond the " + std::to_string(places) + " places of the cache");
    if (slot >= 0 && !taken.insert(slot).second) throw std::invalid_argument(std::to_string(slot) + " is taken by two rows");
  }
  return slots;
}

}  // namespace assay
