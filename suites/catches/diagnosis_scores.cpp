#include "suites/catches/diagnosis_scores.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <random>
#include <set>

#include "harness/diagnosis/diagnose.h"
#include "harness/run/run.h"
#include "harness/text/messages.h"
#include "reference/contracts/scale_spec.h"
#include "reference/table/table.h"
#include "suites/registry.h"

namespace assay {
namespace {

std::vector<std::string> split(const std::string& text, const std::string& between) {
  std::vector<std::string> parts;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(between, at), text.size());
    parts.push_back(text.substr(at, end - at));
    at = end + between.size();
  }
  return parts;
}

/// Largest case, in elements: small enough that a test can evaluate all mutants on all cases.
constexpr int64_t kMostElements = 1 << 15;
/// The limit for kernels of faults.csv: large enough for a case in which a 16-bit offset wraps.
constexpr int64_t kMostOfFaults = (1 << 16) + (1 << 14);

/// How many rows are added to a case: two, or the rows of one scale group if these are more.
int64_t more_rows(const Case& one) {
  const auto group = one.parameters.find("group_size");
  const int64_t rows = group == one.parameters.end() || group->second.empty() ? 1 : parse_scale_spec(group->second).block().rows;
  return std::max<int64_t>(2, rows);
}

/// Sets the number of rows in a slot pattern ("holes:33") to m. For a list of slots, sets m back to `rows_before`.
void place_all_rows(Case& one, int64_t rows_before) {
  const auto slots = one.parameters.find("slot_mapping");
  if (slots == one.parameters.end()) return;
  if (slots->second.find(';') != std::string::npos) one.parameters["m"] = std::to_string(rows_before);
  const std::string all = ":" + std::to_string(rows_before);
  if (slots->second.ends_with(all)) slots->second.replace(slots->second.size() - all.size(), all.size(), ":" + one.text("m"));
}

/// Adds a tile if the case is one of op mma, whose m and n are fixed. Returns false for other ops.
bool add_tile(Case& one) {
  const auto tiles = one.parameters.find("tiles");
  if (tiles == one.parameters.end()) return false;
  tiles->second = std::to_string(one.integer("tiles") + 1);
  return true;
}

std::vector<Case> changed_cases(const std::vector<Case>& cases, const KernelOffer& kernel, int64_t most_elements,
                                const std::string& warp) {
  std::vector<Case> changed;
  std::set<std::string> ids;
  for (Case one : cases) {
    if (one.op != kernel.op || one.text("contract") != kernel.contracts.front() || one.text("warp") != warp) continue;
    const bool tiled = add_tile(one);
    const auto has = [&one](const char* size) { return one.parameters.contains(size) && !one.text(size).empty(); };
    const bool has_rows = has("m");  // otherwise the shape comes from other cells
    const int64_t rows = has_rows ? one.integer("m") : 0;
    const bool has_columns = !tiled && has_rows && has("n");  // the columns of a cache are those of its record
    // On the CPU, the blocks of a rank run one after the other. Only a message of one block then shows a missing end barrier.
    const auto use = one.parameters.find("use");
    const bool grows = use == one.parameters.end() || use->second != "in_a_row";
    // A case that would become too large keeps its rows. It is not left out, because some mistakes show only in large cases.
    const bool is_high = has_columns && (rows + more_rows(one)) * one.integer("n") > most_elements;
    if (!tiled && has_rows && grows && !is_high) one.parameters["m"] = std::to_string(rows + more_rows(one));
    if (has_rows) place_all_rows(one, rows);
    const auto stride = one.parameters.find("row_stride");
    const bool doubles = has_columns && grows && 2 * one.integer("m") * one.integer("n") <= most_elements;
    if (doubles && stride != one.parameters.end() && !stride->second.empty())  // keep the gaps between rows
      stride->second = std::to_string(one.integer("row_stride") + one.integer("n"));
    if (doubles) one.parameters["n"] = std::to_string(2 * one.integer("n"));
    if (has("seed")) one.parameters["seed"] = std::to_string(one.integer("seed") + 100);
    if (has_columns && one.integer("m") * one.integer("n") > most_elements) continue;
    try {
      const Op& op = shipped_ops().find(one.op);  // before `one` is moved
      one = checked_case(op, std::move(one));
    } catch (const TableError&) {
      continue;  // the contract does not support this shape
    }
    if (ids.insert(one.id).second) changed.push_back(std::move(one));
  }
  return changed;
}

/// Whether the line's cause explains all failures and contradicts nothing, or is only about padding.
bool explains_everything(const std::string& words) {
  long long explained = 0, failing = -1;
  int end = 0;
  std::sscanf(words.c_str(), "explains %lld of %lld failing elements%n", &explained, &failing, &end);
  const bool is_whole = end > 0 && explained == failing && words.find(" and contradicts ") == std::string::npos;
  return is_whole || words.find("every element is right") != std::string::npos;
}

bool is_pattern(const std::string& line) { return line.starts_with("pattern: "); }

const KernelOffer& offer_of(const Backend& backend, const std::string& name) {
  if (const KernelOffer* offer = backend.library.find_kernel(name)) return *offer;
  throw std::runtime_error(backend.library.path + " does not offer " + name);
}

}  // namespace

bool Subject::is_right(Said said) const {
  if (causes.empty()) return said == Said::kUnknown;
  return said == Said::kFirst || said == Said::kTied || said == Said::kAllSeen;
}

int64_t Score::failing() const { return std::accumulate(said.begin(), said.end(), int64_t(0)); }

void Score::add(const Score& other) {
  cases += other.cases;
  right += other.right;
  for (size_t i = 0; i < kSaid; ++i) said[i] += other.said[i];
}

std::vector<std::string> causes_in(const std::string& cell) { return split(cell, " + "); }

bool names(const std::string& line, const std::string& cause) {
  const std::vector<std::string> ways = split(cause, " or ");
  return std::any_of(ways.begin(), ways.end(), [&](const std::string& way) { return glob_match("*" + way + "*", line); });
}

std::vector<Subject> subjects(const std::string& root) {
  std::vector<Subject> all;
  const Table faults = read_table(root + "/suites/catches/faults.csv");
  for (const TableRow& row : faults.rows)
    all.push_back({faults.text(row, "fault"), "changed", causes_in(faults.text(row, "cause"))});
  const Table varied = read_table(root + "/suites/catches/diagnosis.csv");
  for (const TableRow& row : varied.rows)
    all.push_back({varied.text(row, "kernel"), varied.text(row, "kind"), causes_in(varied.text(row, "causes")),
                   split(varied.text(row, "pattern"), " or ")});
  return all;
}

Said judge_words(const std::vector<std::string>& said, const std::vector<std::string>& causes) {
  std::vector<std::string> mutants = said;
  std::erase_if(mutants, is_pattern);
  // "pattern: ..." and "no known cause" name no cause. Nor does a padding line beside a pattern: many mistakes change padding.
  const bool padding_alone = mutants.size() == 1 && said.size() > 1 && mutants.front().starts_with("padding:");
  if (mutants.empty() || padding_alone || mutants.front() == "no known cause") return Said::kUnknown;
  std::vector<std::string> lines = mutants;
  if (lines.size() > 1 && lines.back().starts_with("padding:")) {
    // the line about padding follows the causes of wrong elements
    if (std::any_of(causes.begin(), causes.end(), [](const std::string& cause) { return cause.starts_with("padding"); }))
      for (std::string& line : lines) line += "; and " + lines.back();
    lines.pop_back();
  }
  const auto named_in = [&](const std::string& line) {
    return size_t(std::count_if(causes.begin(), causes.end(),
                                [&](const std::string& cause) { return names(line, cause); }));
  };
  const auto nothing_else_in = [&](const std::string& line) { return named_in(line) == split(line, "; and ").size(); };
  if (named_in(lines.front()) == causes.size() && nothing_else_in(lines.front())) return Said::kFirst;
  for (size_t i = 0; i < lines.size() && explains_everything(mutants.front()); ++i)
    if (named_in(lines[i]) > 0 && nothing_else_in(lines[i]) && explains_everything(mutants[i]))
      return i > 0 ? Said::kTied : Said::kAllSeen;
  return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) { return named_in(line) > 0; }) ? Said::kLater
                                                                                                              : Said::kOther;
}

bool misled_by_patterns(const std::vector<std::string>& said, const std::vector<std::string>& patterns) {
  return std::any_of(said.begin(), said.end(), [&](const std::string& line) {
    return is_pattern(line) &&
           std::none_of(patterns.begin(), patterns.end(), [&](const std::string& one) { return names(line, one); });
  });
}

bool has_shapes(const Backend& backend, const Subject& subject) {
  const std::vector<std::string>& columns = shipped_ops().find(offer_of(backend, subject.kernel).op).columns;
  return std::find(columns.begin(), columns.end(), "m") != columns.end();
}

Score measure(const Backend& backend, const Subject& subject, const std::vector<Case>& cases) {
  const KernelOffer& kernel = offer_of(backend, subject.kernel);
  RunOptions options;
  options.kernel_glob = kernel.name;
  options.each.diagnose = look_for_causes(backend);
  const int64_t most = subject.kind == "changed" || subject.kind == "finding" ? kMostOfFaults : kMostElements;
  const std::string warp =
      subject.kind == "finding" ? "32" : "64";  // kernels/strangers use no lanes; some of their cases exist only for 32
  Score score;
  for (const Verdict& verdict :
       run_all(shipped_ops().all(), changed_cases(cases, kernel, most, warp), backend, options).verdicts) {
    if (verdict.outcome == Outcome::kSkip) continue;
    ++score.cases;
    if (verdict.outcome == Outcome::kPass) continue;
    std::vector<std::string> words = verdict.causes;
    if (words.empty()) words = {verdict.message};  // the message of a broken case names the mistake
    Said said = judge_words(words, subject.causes);
    if (subject.causes.empty() && misled_by_patterns(words, subject.patterns)) said = Said::kOther;
    ++score.said[size_t(said)];
    score.right += subject.is_right(said);
    if (subject.is_right(said)) continue;
    score.missed.push_back(verdict.case_id);
    for (const std::string& line : words) score.missed.back() += "\n      " + line;
  }
  return score;
}

Backend corrupted(Backend backend, int64_t every) {
  backend.call = [call = backend.call, every](const CallRequest& request) {
    CallResult result = call(request);
    std::mt19937_64 random(uint64_t(every) + request.problem->tensors.front().bytes.size());
    for (HostTensor& tensor : result.outputs) {
      for (size_t i = random() % size_t(every); i < tensor.bytes.size(); i += 1 + random() % size_t(2 * every))
        tensor.bytes[i] ^= std::byte(1 + random() % 255);
    }
    return result;
  };
  return backend;
}

}  // namespace assay
