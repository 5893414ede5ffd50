// Where threads wait, in words.
#include <cstdio>

#include "kernels/simt/cpu/slot.h"

namespace simt::cpu {

std::string Slot::describe(int begin, int end) const {
  std::string text;
  for (int t = begin; t < end;) {
    int last = t;
    while (last + 1 < end && places_[size_t(last) + 1] == places_[size_t(t)] &&
           (places_[size_t(t)] != Place::kWarp || same_wait(size_t(last) + 1, size_t(t))))
      ++last;
    text += text.empty() ? "threads " : ", threads ";
    text += std::to_string(t) + "-" + std::to_string(last) + " " + name(size_t(t));
    t = last + 1;
  }
  return text;
}

std::string Slot::name(size_t t) const {
  if (places_[t] == Place::kBlock) return "wait at the barrier";
  if (places_[t] == Place::kGone) return "are gone";
  const std::string detail = std::to_string(what_[t] >> 8 & 0xff);
  std::string text = "wait at ";
  switch (what_[t] >> 8 & 0xf00) {
    case kReduce:
      text += "a reduction over " + detail + " lanes";
      break;
    case kIndexed:
      text += "a shuffle";
      break;
    case kVote:
      text += "a vote";
      break;
    case kWarpSync:
      text += "the warp's barrier";
      break;
    case kMatrix:
      text += "an instruction of the matrix unit";
      break;
    default:
      text += "a shuffle (xor " + detail + ")";
  }
  if (!(what_[t] & kSubset)) return text;
  char mask[32];
  snprintf(mask, sizeof mask, " with mask 0x%llx", static_cast<unsigned long long>(lanes_[t]));
  return text + mask;
}

}  // namespace simt::cpu
