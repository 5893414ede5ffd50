#include "reference/flow/rank_reduce/words.h"

#include "reference/recipe/formula.h"

namespace assay {
namespace {

std::string owner_words(const RankOwners& owners) {
  if (owners.any) return "whichever rank that is";
  if (owners.stripe > 0) return std::to_string(owners.stripe) + " elements each in turn";
  return "each of equal parts of whole packets of " + std::to_string(owners.of_bytes) + " bytes, the last with what is left";
}

std::string order_words(const RankReduce& contract) {
  const std::string owners = owner_words(contract.owners);
  switch (contract.order) {
    case RankOrder::kFromOwner:
      return "from the owner of the element on, around the ranks; owners have " + owners;
    case RankOrder::kBehindOwner:
      return "from the rank behind the owner on, around the ranks to the owner; owners have " + owners;
    case RankOrder::kAnyTree:
      return "in any tree of additions";
    case RankOrder::kChunks: {
      const std::string size = std::to_string(contract.chunk);
      return "rank 0, 1, ... of " + size + " ranks at a time, each chunk begun like the sum, and then the sums of the chunks";
    }
    default:
      return "rank 0, 1, ...";
  }
}

}  // namespace

std::vector<std::string> rank_lines(const RankReduce& contract, const Format& x) {
  std::vector<std::string> lines;
  lines.push_back(contract.wire.empty() ? "v     = the number of a rank"
                                        : "v     = " + formula(rank_recipe(contract.wire, x), "x[rank]"));
  if (contract.wire_of_words && x.bytes() == 2)
    lines.back() += " where it and the next number are +0 and share a word of 32 bits, else x[rank]";
  if (contract.codec.group > 0) {
    const RankCodec& codec = contract.codec;
    const std::string extreme = codec.signed_extreme ? "the number of largest magnitude with its sign" : "the largest magnitude";
    lines.push_back("coded   every " + std::to_string(codec.group) + " numbers, each " + std::to_string(codec.apart) +
                    " from the next, have one scale; m is " + extreme);
    lines.push_back("d     = " + formula(rank_recipe(codec.scale, x), "m"));
    if (!codec.mult.empty()) lines.push_back("e     = " + formula(rank_recipe(codec.mult, x), "d"));
    lines.push_back("code  = " + formula(rank_recipe(codec.code, x), "v"));
    lines.push_back("v     = " + formula(rank_recipe(codec.decode, x), "code") +
                    (codec.of_numbers ? ", once of each rank's numbers and once of the sums" : ", of the sums"));
    if (codec.keeps_sums())
      lines.push_back("owner = has its sum as it is, and the others what the codec made of it; owners have " +
                      owner_words(contract.owners));
  }
  lines.push_back("order = " + order_words(contract));
  lines.push_back(contract.from_zero ? "sum   = +0 at first" : "sum   = the first number at first");
  lines.push_back("sum   = " + formula(rank_recipe(contract.add, x), "sum") + " for each further number");
  lines.push_back(
      "y     = " + formula(rank_recipe(contract.y, x), "sum") +
      (contract.codec.keeps_sums() ? ", the same bits on every rank but the owner" : ", the same bits on every rank"));
  return lines;
}

}  // namespace assay
