#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "harness/run/run.h"
#include "harness/text/guarded_json.h"
#include "harness/text/text_file.h"
#include "suites/judges/contest.h"
#include "suites/registry.h"

namespace assay::judges {
namespace {

// The results as Markdown tables, and requirements that are not met.

constexpr const char* kSummaryHead =
    "| no. | judge | faults | caught | Assay there | Assay's cases | healthy | healthy, Assay's cases | own pair |\n"
    "|---|---|---|---|---|---|---|---|---|\n";

using ByScale = std::array<Tally, kScales.size()>;

const Tally* find_or_null(const std::map<std::string, Tally>& tallies, const std::string& id) {
  const auto found = tallies.find(id);
  return found == tallies.end() ? nullptr : &found->second;
}

Tally tally_at(const std::map<std::string, ByScale>& tallies, const std::string& id, size_t scale) {
  const auto found = tallies.find(id);
  return found == tallies.end() ? Tally{} : found->second[scale];
}

/// Whether the rule applies to at least one case of the kernel.
bool met(const Rule& rule, const Entry& entry) {
  Tally sum = tally_at(entry.marks.on_recipe, rule.id, 1);
  if (const Tally* quick = find_or_null(entry.marks.on_quick, rule.id)) sum.add(*quick);
  return sum.cases > 0;
}

std::string share(const Tally& tally) {
  return tally.cases == 0 ? "" : std::to_string(tally.refused) + "/" + std::to_string(tally.cases);
}

std::string counts(const std::array<int64_t, kScales.size()>& numbers) {
  std::string text;
  for (const int64_t number : numbers) text += (text.empty() ? "" : ", ") + std::to_string(number);
  return text;
}

/// "0, 1, 2 of 6": rejected cases for each factor of kScales, and the number of cases.
std::string refusals(const ByScale& tallies) {
  std::array<int64_t, kScales.size()> numbers;
  for (size_t scale = 0; scale < kScales.size(); ++scale) numbers[scale] = tallies[scale].refused;
  return tallies[1].cases == 0 ? "" : counts(numbers) + " of " + std::to_string(tallies[1].cases);
}

/// Totals for one rule over all kernels.
struct Sums {
  int64_t faults = 0, on_quick = 0;
  std::array<int64_t, kScales.size()> caught{}, assay{};
  ByScale healthy{}, pairs{};
  Tally healthy_quick;

  void add(const Rule& rule, const Entry& entry) {
    const Contestant& who = entry.contestant;
    const Tally* quick = find_or_null(entry.marks.on_quick, rule.id);
    faults += !who.healthy;
    on_quick += !who.healthy && quick && quick->caught();
    if (who.healthy && who.reference_contract.empty() && quick) healthy_quick.add(*quick);
    for (size_t scale = 0; scale < kScales.size(); ++scale) {
      const Tally own = tally_at(entry.marks.on_recipe, rule.id, scale);
      if (who.healthy)
        (who.reference_contract.empty() ? healthy : pairs)[scale].add(own);
      else
        caught[scale] += own.caught(), assay[scale] += tally_at(entry.marks.assay_on_recipe, rule.recipe, scale).caught();
    }
  }
};

std::string summary_line(size_t number, const Rule& rule, const Sums& sums) {
  std::string text = "| ";
  for (const std::string& cell :
       {std::to_string(number), rule.id, std::to_string(sums.faults), counts(sums.caught), counts(sums.assay),
        std::to_string(sums.on_quick), refusals(sums.healthy),
        share(sums.healthy_quick) +
            (sums.healthy_quick.own_refused > 0 ? " (" + std::to_string(sums.healthy_quick.own_refused) + ")" : ""),
        refusals(sums.pairs)})
    text += cell + " | ";
  text.back() = '\n';
  return text;
}

std::string assay_line(const std::vector<Entry>& entries) {
  int64_t faults = 0, caught = 0;
  ByScale own{};
  Tally quick;
  for (const Entry& entry : entries) {
    if (!entry.contestant.healthy) ++faults, caught += entry.marks.assay.caught();
    if (!entry.contestant.healthy || !entry.contestant.reference_contract.empty()) continue;
    quick.add(entry.marks.assay);
    for (const auto& [recipe, tallies] : entry.marks.assay_on_recipe)
      for (size_t scale = 0; scale < kScales.size(); ++scale) own[scale].add(tallies[scale]);
  }
  return "| | **assay** | " + std::to_string(faults) + " | | | " + std::to_string(caught) + " | " + refusals(own) + " | " +
         share(quick) + " | |\n";
}

std::string summary(const std::vector<Rule>& rules, const std::vector<Entry>& entries) {
  std::string text = kSummaryHead;
  for (size_t i = 0; i < rules.size(); ++i) {
    Sums sums;
    for (const Entry& entry : entries) {
      if (rules[i].is_for(entry.marks.kind) && met(rules[i], entry)) sums.add(rules[i], entry);
    }
    text += summary_line(i + 1, rules[i], sums);
  }
  return text + assay_line(entries);
}

std::string kernel_line(const std::vector<std::pair<size_t, const Rule*>>& rules, const Entry& entry) {
  std::string text = "| " + entry.contestant.name + " | " + share(entry.marks.assay) + " |";
  for (const auto& [number, rule] : rules) {
    const Tally own = tally_at(entry.marks.on_recipe, rule->id, 1);
    text += own.cases > 0 && own.refused == 0 ? " - |" : " " + share(own) + " |";
  }
  return text + "\n";
}

/// The table of one op kind: its faulty kernels, and whether each rule for this kind rejects them.
std::string of_kind(const std::string& kind, const std::vector<Rule>& rules, const std::vector<Entry>& entries) {
  std::vector<std::pair<size_t, const Rule*>> judges;
  std::string head = "| fault | assay |", line = "|---|---|";
  for (size_t i = 0; i < rules.size(); ++i) {
    if (!rules[i].is_for(kind)) continue;
    judges.emplace_back(i + 1, &rules[i]);
    head += " " + std::to_string(i + 1) + " |", line += "---|";
  }
  std::string text;
  for (const Entry& entry : entries)
    if (entry.marks.kind == kind && !entry.contestant.healthy) text += kernel_line(judges, entry);
  return text.empty() ? "" : "\n" + head + "\n" + line + "\n" + text;
}

}  // namespace

std::string tables(const std::vector<Rule>& rules, const std::vector<Entry>& entries) {
  std::string text = summary(rules, entries);
  for (const char* kind : {"quant", "norm", "norm_quant", "reduce", "reduce_norm", "gemm"}) text += of_kind(kind, rules, entries);
  return text;
}

std::vector<std::string> complaints(const std::vector<Rule>& rules, const std::vector<Entry>& entries) {
  std::vector<std::string> all;
  for (const Entry& entry : entries) {
    const std::string& name = entry.contestant.name;
    if (!entry.contestant.healthy && !entry.marks.assay.caught()) all.push_back("Assay passes " + name + ", which is faulty");
    if (!entry.contestant.healthy) continue;
    if (entry.marks.assay.caught()) all.push_back("Assay fails " + name + ", which is correct");
    for (const auto& [recipe, tallies] : entry.marks.assay_on_recipe)
      for (const Tally& tally : tallies)
        if (tally.caught()) all.push_back("Assay fails " + name + ", which is correct, on the data of recipe " + recipe);
  }
  for (const Rule& rule : rules) {
    const auto judged = [&](const Entry& entry) {
      const Tally own = tally_at(entry.marks.on_recipe, rule.id, 1);
      return rule.is_for(entry.marks.kind) && own.cases + own.cannot > 0;
    };
    if (std::none_of(entries.begin(), entries.end(), judged)) all.push_back("rule " + rule.id + " was applied to no kernel on its own data");
  }
  return all;
}

// Cache of results in a file, so that after a new fault only this fault is measured.

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Tally, cases, refused, cannot, own_refused)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Marks, kind, on_recipe, assay_on_recipe, on_quick, assay)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(KeptMarks, state, marks)

namespace {

/// A hash of all data on which stored results depend. The length of each piece is hashed too.
class State {
 public:
  void add(const void* bytes, size_t size) {
    digest_.add(&size, sizeof size);
    digest_.add(bytes, size);
  }
  void add(const std::string& text) { add(text.data(), text.size()); }
  std::string text() const { return std::to_string(digest_.value()); }

 private:
  Digest digest_;
};

std::string bytes_of(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + file);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

std::map<std::string, KeptMarks> read_kept(const std::string& file) {
  if (!std::filesystem::exists(file)) return {};
  try {
    return read_json(file).get<std::map<std::string, KeptMarks>>();
  } catch (const nlohmann::json::exception& error) {
    throw std::runtime_error(file + " is not a file of measured kernels: " + error.what());
  }
}

void write_kept(const std::string& file, const std::map<std::string, KeptMarks>& all) {
  write_atomically(file, nlohmann::json(all).dump(1) + "\n");
}

std::vector<std::string> what_marks_depend_on(const std::string& root, const std::string& healthy_library) {
  std::vector<std::string> files = {root + "/suites/judges/rules.csv", root + "/suites/judges/recipes.csv", healthy_library,
                                    "/proc/self/exe"};
  for (const auto& entry : std::filesystem::directory_iterator(root + "/reference/contracts"))
    if (entry.path().extension() == ".csv") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

Kept::Kept(std::string file, const Field& field, const std::vector<std::string>& files) : file_(std::move(file)), field_(field) {
  if (file_.empty()) return;
  marks_ = read_kept(file_);
  State state;
  for (const std::string& one : files) state.add(bytes_of(one));
  common_ = state.text();
}

std::string Kept::state_of(const Contestant& contestant) const {
  constexpr int kCalls = 4;
  State state;
  state.add(common_);
  state.add(contestant.twin);
  int calls = 0;
  for (const Case& one : field_.quick) {
    if (!why_not_offered(contestant.kernel, one).empty()) continue;
    state.add(one.id);
    const bool of_ranks = one.parameters.contains("ranks");  // not called: a call with ranks leaves state in the group
    if (of_ranks || ++calls > kCalls) continue;
    const Problem problem = shipped_ops().find(one.op).bind(one)->problem();
    const CallResult result = contestant.backend->call({one.op, one.text("contract"), contestant.kernel.name, &problem, 1});
    state.add(result.message);
    for (const HostTensor& output : result.outputs) state.add(output.bytes.data(), output.bytes.size());
  }
  return state.text();
}

std::optional<Marks> Kept::of(const Contestant& contestant) {
  if (file_.empty()) return std::nullopt;
  const std::string state = state_of(contestant);
  const std::lock_guard lock(mutex_);
  states_[contestant.name] = state;
  const auto found = marks_.find(contestant.name);
  if (found == marks_.end()) return std::nullopt;
  if (found->second.state == state) return found->second.marks;
  ++stale_;
  return std::nullopt;
}

void Kept::add(const Contestant& contestant, const Marks& marks) {
  if (file_.empty()) return;
  const std::lock_guard lock(mutex_);
  marks_[contestant.name] = {states_.at(contestant.name), marks};
  write_kept(file_, marks_);
}

}  // namespace assay::judges
