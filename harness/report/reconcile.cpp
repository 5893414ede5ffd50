#include "harness/report/reconcile.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "harness/report/causes.h"

namespace assay {
namespace {

/// A list of this length may be truncated (causes_in_words() in diagnosis/diagnose.h).
constexpr size_t kLongestList = 3;

/// A failing case and the causes that the diagnosis found.
struct Diagnosed {
  Verdict* verdict;
  std::vector<ToldCause> causes;
  std::set<std::string> mistakes;  ///< mutants of its causes, without numbers

  bool may_be_cut() const { return causes.size() >= kLongestList; }
};

std::string key_of(const ToldCause& cause) { return with_numbers_masked(cause.mistake); }

/// Returns false if the diagnosis did not search for mutants: a crash, padding, a race.
bool diagnosed(Verdict& verdict, Diagnosed& result) {
  if (verdict.outcome != Outcome::kFail || verdict.causes.empty()) return false;
  result = {&verdict, {}, {}};
  for (const std::string& words : verdict.causes) {
    const std::optional<ToldCause> cause = parse_cause(words);
    if (!cause) continue;
    result.mistakes.insert(key_of(*cause));
    result.causes.push_back(*cause);
  }
  return !result.causes.empty() || is_unknown(verdict.causes.front());
}

/// All failing cases of one kernel and contract.
class Kernel {
 public:
  void add(Diagnosed one) { cases_.push_back(std::move(one)); }

  void mark() {
    for (Diagnosed& one : cases_)
      if (!one.causes.empty()) mark(one);
  }

 private:
  /// Data sets, so that one data set at two warp sizes counts once.
  using Data = std::set<std::string>;

  Data fitting(const std::string& mistake) const {
    Data data;
    for (const Diagnosed& one : cases_)
      for (const ToldCause& cause : one.causes)
        if (cause.complete() && key_of(cause) == mistake) data.insert(data_of(*one.verdict));
    return data;
  }

  bool is_well_founded(const std::string& mistake) const {
    if (fitting(mistake).size() > 1) return true;
    return std::any_of(cases_.begin(), cases_.end(), [&](const Diagnosed& one) {
      // a violation is counted as one element although it involves many
      const bool violated = !one.verdict->violations.empty();
      return std::any_of(one.causes.begin(), one.causes.end(), [&](const ToldCause& cause) {
        return (violated || cause.explained >= kEnoughElements) && key_of(cause) == mistake;
      });
    });
  }

  /// Cases that `mistake` does not explain but `another` does. With `another` empty: cases that another mutant or none explains.
  Data refuting(const std::string& mistake, const std::string& another) const {
    Data data;
    for (const Diagnosed& one : cases_) {
      const bool explained_otherwise = another.empty() || one.mistakes.contains(another);
      if (!one.may_be_cut() && !one.mistakes.contains(mistake) && explained_otherwise) data.insert(data_of(*one.verdict));
    }
    return data;
  }

  /// The cases that refute a cause with alternatives: an alternative explains them, and this cause does not.
  Data refuted_beside_others(const Diagnosed& one, const std::string& mistake) const {
    for (const std::string& other : one.mistakes) {
      if (other == mistake || !refuting(other, mistake).empty()) continue;
      if (Data data = refuting(mistake, other); !data.empty()) return data;
    }
    return {};
  }

  static std::string cases_text(const Data& data) {
    return data.size() == 1 ? *data.begin() : fmt::format("{} and {} more", *data.begin(), data.size() - 1);
  }

  void mark(const Diagnosed& one) const {
    std::vector<std::string> asserted, doubted, others;
    std::string fits;
    size_t at = 0;
    for (const std::string& words : one.verdict->causes) {
      if (!parse_cause(words)) {
        others.push_back(words);
        continue;
      }
      const ToldCause& cause = one.causes[at++];
      const std::string mistake = key_of(cause);
      const Data beside = refuted_beside_others(one, mistake), refuted = refuting(mistake, "");
      if (!beside.empty()) {
        doubted.push_back(fmt::format("refuted by {}: {}", cases_text(beside), words));
      } else if (is_well_founded(mistake)) {
        asserted.push_back(words);
      } else if (!refuted.empty()) {
        if (fits.empty())
          fits = fmt::format("; {} fits {} case{}, refuted by {}", cause.mistake, fitting(mistake).size(),
                             fitting(mistake).size() == 1 ? "" : "s", refuted.size());
        doubted.push_back(fmt::format("refuted by {}: {}", cases_text(refuted), words));
      } else {
        if (fits.empty()) fits = fmt::format("; too few failing elements to decide, {} would fit", cause.mistake);
        doubted.push_back(fmt::format("not asserted, too few elements: {}", words));
      }
    }
    if (asserted.empty()) asserted.push_back("no known cause" + fits);
    asserted.insert(asserted.end(), others.begin(), others.end());
    asserted.insert(asserted.end(), doubted.begin(), doubted.end());
    one.verdict->causes = std::move(asserted);
  }

  std::vector<Diagnosed> cases_;
};

}  // namespace

void reconcile(RunResult& result) {
  std::map<std::tuple<std::string, std::string, std::string>, Kernel> kernels;
  for (Verdict& verdict : result.verdicts)
    if (Diagnosed one; diagnosed(verdict, one)) kernels[{verdict.kernel, verdict.op, verdict.contract}].add(std::move(one));
  for (auto& [key, kernel] : kernels) kernel.mark();
}

}  // namespace assay
