#include "harness/cli/invent.h"

#include <stdexcept>

namespace assay {
namespace {

constexpr uint64_t kSeeds = 1'000'000;
constexpr size_t kOneCellIn = 4;  ///< one cell in four comes from another case

}  // namespace

Inventor::Inventor(const Op& op, std::vector<Case> from, uint64_t seed) : op_(op), from_(std::move(from)), random_(seed) {
  if (from_.empty()) throw std::invalid_argument("there are no cases to generate new ones from");
  for (const Case& one : from_) {
    if (one.op != op.name) throw std::invalid_argument("a case of op " + one.op + " among those of op " + op.name);
    known_.insert(one.id);
  }
}

std::optional<Case> Inventor::next() {
  Case one = any();
  const std::string begun = one.id;
  for (auto& [column, cell] : one.parameters) {
    if (column == "seed") {
      cell = std::to_string(1 + random_() % kSeeds);
    } else if (column != "contract" && column != "warp" && below(kOneCellIn) == 0) {
      const auto other = any().parameters.find(column);
      if (other != one.parameters.end()) cell = other->second;
    }
  }
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
