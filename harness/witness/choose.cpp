#include "harness/witness/choose.h"

#include <algorithm>
#include <map>
#include <set>

#include "harness/diagnosis/visibility.h"
#include "harness/witness/candidate.h"

namespace assay {
namespace {

/// Size limits for rows that only represent a kind of data and kill no further mutant: in total, and for each.
constexpr int64_t kMostBytesOfKinds = 24 << 10, kMostBytesOfKind = 6 << 10;

using Rows = std::set<int64_t>;

std::string rows_text(const Rows& rows) {
  std::string text = " rows ";
  for (const int64_t row : rows) text += (row == *rows.begin() ? "" : ",") + std::to_string(row);
  return text;
}

bool differs(const std::vector<WholePart>& right, const std::vector<WholePart>& edited) {
  for (size_t p = 0; p < right.size(); ++p)
    if (elements_apart(right[p], edited[p]) > 0) return true;
  return false;
}

class Chooser {
 public:
  Chooser(const Op& op, int64_t most_bytes) : op_(op), most_bytes_(most_bytes) {}

  Chosen choose(const std::vector<Case>& cases) {
    chosen_.witness = {"", op_.name, cases.front().text("contract"), {}, {}};
    std::vector<Candidate> candidates = candidates_of(op_, cases, most_bytes_);
    for (const Candidate& candidate : candidates) take_rows_of(candidate);
    std::stable_sort(candidates.begin(), candidates.end(),
                     [](const Candidate& a, const Candidate& b) { return bytes_of(a.problem) < bytes_of(b.problem); });
    for (const Candidate& candidate : candidates) take_whole_if_it_shows_more(candidate);
    drop_what_others_show();
    for (const auto& [name, shown] : edits_) {
      ++chosen_.edits;
      if (!shown) chosen_.unseen.push_back(name);
    }
    for (Taken& taken : taken_) chosen_.witness.calls.push_back(std::move(taken.call));
    return std::move(chosen_);
  }

 private:
  /// Non-equivalent mutants that no chosen input kills yet. Equivalent ones are only counted.
  std::vector<Hypothesis> open_edits(const BoundCase& bound) {
    std::vector<Hypothesis> open;
    for (Hypothesis& edit : bound.mutants())
      if (!edit.suspect && edit.equivalent.empty() && !edits_.try_emplace(edit.name, false).first->second)
        open.push_back(std::move(edit));
    return open;
  }

  void take_rows_of(const Candidate& candidate) {
    std::map<int64_t, std::set<std::string>> shows;  // batch row -> mutants that it kills
    for (const Hypothesis& edit : open_edits(*candidate.bound)) {
      if (edit.by_rows) continue;
      const std::vector<WholePart> edited = computed(edit.expect(candidate.problem, nullptr));
      for (size_t p = 0; p < candidate.right.size(); ++p) {
        Rows rows;
        elements_apart(candidate.right[p], edited[p], &rows);
        for (const int64_t row : rows) shows[candidate.batch_row(candidate.right[p].part, row)].insert(edit.name);
      }
    }
    Rows rows;
    const int64_t row_bytes = bytes_of(candidate.problem) / std::max<int64_t>(1, candidate.batch);
    while (!shows.empty()) {
      const auto best = std::max_element(shows.begin(), shows.end(),
                                         [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); });
      const std::set<std::string> shown = best->second;
      rows.insert(best->first);
      for (auto at = shows.begin(); at != shows.end();) {
        for (const std::string& name : shown) at->second.erase(name);
        at = at->second.empty() ? shows.erase(at) : std::next(at);
      }
    }
    const bool new_kind = row_bytes <= kMostBytesOfKind && !kinds_.contains(candidate.one->name.fills);
    if (rows.empty() && (!new_kind || bytes_of_kinds_ + row_bytes > kMostBytesOfKinds)) return;
    if (rows.empty()) {
      rows.insert(candidate.richest_row());
      bytes_of_kinds_ += row_bytes;
    }
    kinds_.insert(candidate.one->name.fills);
    take(candidate, rows);
  }

  /// A row is credited with the mutants that it kills by itself, which may be fewer than it kills among other rows.
  void take(const Candidate& candidate, const Rows& rows) {
    const bool whole = candidate.bound->independent_rows() == 0 || int64_t(rows.size()) == candidate.batch;
    CaseOfRows some = whole ? CaseOfRows{nullptr, candidate.problem, {}}
                            : candidate.bound->with_rows(candidate.problem, {rows.begin(), rows.end()});
    const BoundCase& bound = whole ? *candidate.bound : *some.bound;
    Case one = with_cells(*candidate.one, some.cells);
    Problem problem = std::move(some.problem);
    const std::vector<WholePart> right = computed(bound.expect(problem, nullptr));
    std::set<std::string> shown;
    for (const Hypothesis& edit : bound.mutants()) {
      if (edit.suspect || !edit.equivalent.empty()) continue;
      // A mutant of a GEMM may be computed by several algorithms, and each has to differ.
      const Expectation edited = edit.expect(problem, nullptr);
      const bool apart = std::all_of(edited.any_of.begin(), edited.any_of.end(), [&](const Answer& answer) { return differs(right, computed(answer)); });
      edits_[edit.name] = edits_[edit.name] || apart;
      if (apart) shown.insert(edit.name);
    }
    const std::string from = candidate.one->data_id() + (whole ? "" : rows_text(rows));
    taken_.push_back({{from, std::move(one), std::move(problem), {}}, candidate.one->name.fills, std::move(shown)});
  }

  /// Drops calls, largest first, whose mutants other calls kill, unless a call is the only one for its kind of data and small
  /// enough.
  void drop_what_others_show() {
    std::stable_sort(taken_.begin(), taken_.end(),
                     [](const Taken& a, const Taken& b) { return bytes_of(a.call.problem) > bytes_of(b.call.problem); });
    for (size_t i = 0; i < taken_.size();) {
      std::set<std::string> others;
      bool kind_stays = bytes_of(taken_[i].call.problem) > kMostBytesOfKind;
      for (size_t j = 0; j < taken_.size(); ++j) {
        if (j == i) continue;
        others.insert(taken_[j].shown.begin(), taken_[j].shown.end());
        kind_stays = kind_stays || taken_[j].kind == taken_[i].kind;
      }
      const std::set<std::string>& shown = taken_[i].shown;
      const bool spare = kind_stays && std::includes(others.begin(), others.end(), shown.begin(), shown.end());
      if (spare)
        taken_.erase(taken_.begin() + std::ptrdiff_t(i));
      else
        ++i;
    }
    std::reverse(taken_.begin(), taken_.end());
  }

  void take_whole_if_it_shows_more(const Candidate& candidate) {
    for (const Hypothesis& edit : open_edits(*candidate.bound)) {
      const std::vector<WholePart> edited = computed(edit.expect(candidate.problem, nullptr));
      int64_t apart = 0;
      for (size_t p = 0; p < candidate.right.size(); ++p) apart += elements_apart(candidate.right[p], edited[p]);
      if (apart == 0) continue;
      Rows all;
      for (int64_t row = 0; row < candidate.batch; ++row) all.insert(row);
      return take(candidate, all);
    }
  }

  struct Taken {
    WitnessCall call;
    std::string kind;             ///< kind of data
    std::set<std::string> shown;  ///< mutants that it kills
  };

  const Op& op_;
  const int64_t most_bytes_;
  Chosen chosen_;
  std::vector<Taken> taken_;
  std::map<std::string, bool> edits_;  ///< mutant -> whether a chosen row kills it
  std::set<std::string> kinds_;
  int64_t bytes_of_kinds_ = 0;
};

}  // namespace

Chosen choose_inputs(const Op& op, const std::vector<Case>& cases, int64_t most_bytes) {
  return Chooser(op, most_bytes).choose(cases);
}

}  // namespace assay
