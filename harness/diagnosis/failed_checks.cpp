// What checks reported that the compiler put into the library under test: an index outside a local array, a division by 0.
#include <string>

#include "harness/compare/verdict.h"
#include "harness/core/call.h"
#include "harness/diagnosis/diagnose.h"
#include "harness/diagnosis/wrong_part.h"

namespace assay {

namespace {

/// The text between kBeforeCrash and the hint at the end of a message such as "crashed: SIGSEGV at ...; before that, outside:
/// index 8 of an array of type 'float [8]' (at mine.h:12); --in-process under a debugger shows where".
std::string reported_before_crash(const std::string& message) {
  const size_t at = message.find(kBeforeCrash);
  if (at == std::string::npos) return "";
  const std::string words = message.substr(at + std::string(kBeforeCrash).size());
  return words.substr(0, words.find("; --in-process"));
}

/// The causes that stay true if the values of the wrong elements mean nothing.
bool is_about_places(const std::string& words) {
  return words.starts_with("outside: ") || words.starts_with("never written: ") ||
         words.find(kEveryElement) != std::string::npos ||
         (words.starts_with("explains ") && !words.starts_with("explains only "));
}

}  // namespace

void put_failed_checks_first(const CallResult* result, Verdict& verdict) {
  if (verdict.outcome != Outcome::kFail && verdict.outcome != Outcome::kBroken) return;
  std::string reported = reported_before_crash(verdict.message);
  if (reported.empty() && result != nullptr) reported = result->undefined;
  if (reported.empty()) return;
  std::erase_if(verdict.causes, [](const std::string& words) { return !is_about_places(words); });
  verdict.causes.insert(verdict.causes.begin(), reported);
}

}  // namespace assay
