#include "suites/rows/padding.h"

namespace assay {

PaddingRule padding_rule(const std::string& rules, const std::string& kind) {
  const size_t at = rules.find(kind + ":");
  if (at == std::string::npos) return PaddingRule::kFree;
  const size_t begin = at + kind.size() + 1;
  const std::string word = rules.substr(begin, rules.find(' ', at) - begin);
  return word == "00" ? PaddingRule::kZero : word == "untouched" ? PaddingRule::kUntouched : PaddingRule::kFree;
}

}  // namespace assay
