#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <random>
#include <regex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "harness/cli/places.h"
#include "harness/cli/supervisor.h"
#include "harness/cli/verbs.h"
#include "harness/core/op.h"
#include "harness/diagnosis/diagnose.h"
#include "harness/diagnosis/visibility.h"
#include "harness/fill/fill.h"
#include "harness/report/causes.h"
#include "harness/report/console.h"
#include "harness/report/progress_report.h"
#include "harness/run/run.h"
#include "harness/run/run_case.h"
#include "harness/text/messages.h"
#include "harness/text/text_file.h"
#include "suites/registry.h"

namespace assay {

// Case tables that --cases reads.

/// A table with the header and one case. Its cell `blind_to` has the mutants that the inputs of the case do not kill.
std::string case_table(const Op& op, const Case& one, const std::string& why);

std::string case_table(const Op& op, const Case& one, const std::string& why) {
  std::string header = "op,", row = csv_cell(op.name) + ",";
  for (const std::string& column : op.columns) {
    header += column + ",";
    row += csv_cell(one.text(column)) + ",";
  }
  std::string blind;
  for (const Visibility& seen : visibilities(*op.bind(one)))
    if (seen.equivalent.empty() && !seen.visible()) blind += (blind.empty() ? "" : "; ") + seen.fault;
  return header + "why,blind_to\n" + row + csv_cell(why) + "," + csv_cell(blind) + "\n";
}

/// Makes new cases of an op: copies a case, changes its seed, and replaces some cells by cells of other cases. A new case can therefore
/// combine input generators, shapes and chain lengths that no row combines. Some cells get random values: a size next to a power of two,
/// any fill, entries of a list, a row stride, a number of earlier calls. The same cases and seed always give the same new cases.
class Inventor {
 public:
  /// Throws std::invalid_argument if there are no cases, or cases of several ops.
  Inventor(const Op& op, std::vector<Case> from, uint64_t seed);

  /// Tries to make a case; returns nothing if it is invalid, or if the case already exists.
  std::optional<Case> next();

 private:
  /// The kind of value in a column, derived from the cells of all cases.
  enum class Cells { kOther, kFill, kSize, kOptionalNumber, kList, kCalls };

  const Case& any() { return from_[below(from_.size())]; }
  size_t below(size_t n) { return size_t(random_() % n); }
  Cells kind_of(const std::string& column) const;
  /// A random value for the column; `cell` itself if the kind of the column is kOther.
  std::string drawn(const std::string& column, const std::string& cell);
  std::string drawn_list(const std::string& cell);

  const Op& op_;
  std::vector<Case> from_;
  std::set<std::string> known_;
  std::map<std::string, Cells> kinds_;
  std::vector<std::string> fills_;  ///< all input generators
  std::mt19937_64 random_;
};

namespace {

constexpr uint64_t kSeeds = 1'000'000;
constexpr size_t kOneCellIn = 4;   ///< one cell in 4 comes from another case
constexpr size_t kOneDrawnIn = 8;  ///< one cell in 8 gets a random value
constexpr size_t kPowers = 14;     ///< random sizes are next to 2^0 .. 2^13
constexpr double kMostDrawn = 1 << 22;
/// Lists grow to this number of entries, because a kernel may wrongly have room for only 8 or 16.
constexpr size_t kMostEntries = 20;
/// A negative slot, which a kernel must skip. A kernel that truncates it to 32 bits uses slot 5.
constexpr int64_t kFarBelowZero = -4294967291;

bool is_small_number(const std::string& cell) {
  return !cell.empty() && cell.size() < 10 && std::all_of(cell.begin(), cell.end(), ::isdigit);
}

std::vector<std::string> entries_of(const std::string& list) {
  std::vector<std::string> entries(1);
  for (const char c : list)
    if (c == ';')
      entries.emplace_back();
    else
      entries.back() += c;
  return entries;
}

}  // namespace

Inventor::Inventor(const Op& op, std::vector<Case> from, uint64_t seed) : op_(op), from_(std::move(from)), random_(seed) {
  if (from_.empty()) throw std::invalid_argument("there are no cases to generate new ones from");
  for (const Case& one : from_) {
    if (one.op != op.name) throw std::invalid_argument("expected cases of op " + op.name + ", got one of op " + one.op);
    known_.insert(one.id);
  }
  for (const FillInfo& fill : all_fills()) fills_.push_back(fill.name);
  for (const std::string& column : op.columns) kinds_[column] = kind_of(column);
}

Inventor::Cells Inventor::kind_of(const std::string& column) const {
  if (column == "before") return Cells::kCalls;
  bool empty = false, number = false, list = false, fill = false, other = false;
  for (const Case& one : from_) {
    const auto found = one.parameters.find(column);
    const std::string cell = found == one.parameters.end() ? "" : found->second;
    if (cell.empty())
      empty = true;
    else if (is_small_number(cell))
      number = true;
    else if (cell.find(';') != std::string::npos)
      list = true;
    else if (std::find(fills_.begin(), fills_.end(), cell) != fills_.end())
      fill = true;
    else
      other = true;
  }
  if (list) return Cells::kList;  // other cells of the column may hold a single entry of a list, or name a pattern of slots
  if (other || (fill && number)) return Cells::kOther;
  if (fill) return Cells::kFill;
  if (empty && op_.optional_columns.contains(column)) return Cells::kOptionalNumber;
  return number ? Cells::kSize : Cells::kOther;
}

std::string Inventor::drawn_list(const std::string& cell) {
  std::vector<std::string> entries = entries_of(cell);
  if (std::any_of(entries.begin(), entries.end(),
                  [](const std::string& e) { return e.empty() || e.find(':') != std::string::npos; }))
    return cell;  // a pattern of slots
  switch (below(4)) {
    case 0: entries.push_back(std::to_string(below(70))); break;
    case 1:
      if (entries.size() > 1) entries.erase(entries.begin() + std::ptrdiff_t(below(entries.size())));
      break;
    case 2: entries[below(entries.size())] = std::to_string(below(2) == 0 ? kFarBelowZero : int64_t(below(40))); break;
    default:
      while (entries.size() < 2 + below(kMostEntries - 1)) entries.push_back(std::to_string(below(6)));
  }
  std::string list;
  for (const std::string& entry : entries) list += (list.empty() ? "" : ";") + entry;
  return list;
}

std::string Inventor::drawn(const std::string& column, const std::string& cell) {
  switch (kinds_[column]) {
    case Cells::kFill:
      if (cell.empty()) return cell;
      // Kernels need not work with scales of 0, NaN or 2^127, so scales come from generators that a shipped case uses for them.
      if (column.find("scale") != column.npos) {
        const std::map<std::string, std::string> other = any().parameters;
        const auto found = other.find(column);
        return found == other.end() || found->second.empty() ? cell : found->second;
      }
      return fills_[below(fills_.size())];
    case Cells::kList: return drawn_list(cell);
    case Cells::kSize: {
      const int64_t beside[] = {0, -1, 1, -8, 8};
      return std::to_string((int64_t{1} << below(kPowers)) + beside[below(std::size(beside))]);
    }
    case Cells::kOptionalNumber: {
      const int64_t numbers[] = {1, 3, 5, 8, 255, 1032, 2049, 8193};
      return below(3) == 0 ? "" : std::to_string(numbers[below(std::size(numbers))]);
    }
    case Cells::kCalls: {
      const char* const numbers[] = {"1", "2", "5", "33"};  // with thousands of earlier calls, a call would exceed its time limit
      return numbers[below(std::size(numbers))];
    }
    case Cells::kOther: break;
  }
  return cell;
}

std::optional<Case> Inventor::next() {
  Case one = any();
  const std::string begun = one.id;
  double elements = 1;
  for (auto& [column, cell] : one.parameters) {
    if (column == "seed") {
      cell = std::to_string(1 + random_() % kSeeds);
      continue;
    }
    if (column == "contract" || column == "warp") continue;
    if (below(kOneCellIn) == 0) {
      const auto other = any().parameters.find(column);
      if (other != one.parameters.end()) cell = other->second;
    }
    if (below(kOneDrawnIn) == 0) cell = drawn(column, cell);
    if (kinds_[column] == Cells::kSize && is_small_number(cell)) elements *= double(std::max(1, std::stoi(cell)));
  }
  if (elements > kMostDrawn) return std::nullopt;
  one.why = "generated from " + begun;
  one.blind_to.clear();
  try {
    one = checked_case(op_, std::move(one));
  } catch (const std::exception&) {
    return std::nullopt;  // e.g. a group size that does not divide the row, or a generator that the format cannot represent
  }
  if (!known_.insert(one.id).second) return std::nullopt;
  return one;
}

// assay explain CASE --minimize: finds the smallest case that still fails on the same kernel for the same cause.
namespace {

/// Input generators, the simplest first. A failure on a simpler generator is easier to understand.
constexpr const char* kKnownSimple[] = {"zeros", "ones", "lone", "ramp", "steps", "distinct", "uniform01", "normal"};

/// Removes the counts from a cause, or the digits from a message. Two failures with the same result are of the same kind.
std::string essence(std::string text) {
  static const std::regex numbers("(columns from )[0-9]+|: 0xff .*");
  if (const std::optional<ToldCause> cause = parse_cause(text)) return std::regex_replace(cause->mistake, numbers, "$1");
  text = text.substr(0, text.find(" ("));
  std::erase_if(text, [](char c) { return '0' <= c && c <= '9'; });
  return text;
}

/// The first cause as the report prints it, but without the number of elements that it explains.
std::string cause_in_words(const std::string& cause) {
  const std::optional<ToldCause> told = parse_cause(cause);
  return told ? told->mistake : cause.substr(0, cause.find(" ("));
}

/// A key for the kind of failure: its first cause, else the violated rule, else the message. A smaller case whose failure has
/// another key does not count.
std::string essence_of(const Verdict& verdict) {
  if (!verdict.causes.empty() && verdict.causes.front() != "no known cause") return essence(verdict.causes.front());
  if (!verdict.violations.empty()) return verdict.violations.front().rule;
  return essence(verdict.message.empty() ? std::string(name(verdict.outcome)) : verdict.message);
}

/// The text of essence_of() for display, with its numbers.
std::string words_of(const Verdict& verdict) {
  const bool of_message = (verdict.causes.empty() || verdict.causes.front() == "no known cause") && !verdict.message.empty();
  const bool of_cause = !verdict.causes.empty() && verdict.causes.front() != "no known cause";
  return of_message ? verdict.message : of_cause ? cause_in_words(verdict.causes.front()) : essence_of(verdict);
}

/// Calls one kernel with smaller cases, tests whether they fail for the original cause, and counts the calls.
class Shrinker {
 public:
  Shrinker(const Op& op, const Backend& backend, const KernelOffer& kernel) : op_(op), backend_(backend), kernel_(kernel) {
    options_.diagnose = look_for_causes(backend_, WorkBudget::kShort, other_contracts);
  }

  /// The verdict of the case on the kernel; nothing if the case does not fail.
  std::optional<Verdict> failure(const Case& one) {
    ++calls_;
    const Verdict verdict = run_case(op_, one, kernel_, backend_, options_);
    if (verdict.outcome != Outcome::kFail && verdict.outcome != Outcome::kBroken) return std::nullopt;
    return verdict;
  }

  void aim_at(const Verdict& verdict) {
    cause_ = essence_of(verdict);
    words_ = words_of(verdict);
    outcome_ = verdict.outcome;
  }
  /// The original failure as text.
  const std::string& words() const { return words_; }
  int calls() const { return calls_; }

  /// Changes cells of the case. Returns the changed case if it is valid, the kernel offers it, and it fails for the same cause.
  std::optional<Case> still_fails(Case one, const CellChanges& cells) {
    try {
      one = checked_case(op_, with_cells(std::move(one), cells));
      if (!why_not_offered(kernel_, one).empty()) return std::nullopt;
      const std::optional<Verdict> verdict = failure(one);
      if (!verdict || verdict->outcome != outcome_ || essence_of(*verdict) != cause_) return std::nullopt;
      return one;
    } catch (const std::exception&) {
      return std::nullopt;  // invalid case: a group size that does not divide the row, or a generator that the format cannot
                            // represent
    }
  }

  /// The sizes of a case that can be reduced for this kernel.
  Shrinking shrinking(const Case& one) const { return op_.bind(one)->shrinking(kernel_.multiple_of).value_or(Shrinking{}); }

  /// Finds the smallest size of the axis with which the case still fails: tries 1 to 8, then doubles, then bisects.
  Case shrink(const Case& one, const ShrinkAxis& axis) {
    constexpr int64_t kInTurn = 8;
    const auto at = [&](int64_t units) { return still_fails(one, axis.cells(units)); };
    int64_t passes = 0;
    for (int64_t units = 1; units < axis.now; units += units < kInTurn ? 1 : units) {
      std::optional<Case> smaller = at(units);
      if (!smaller) {
        passes = units;
        continue;
      }
      for (int64_t fails = units; fails - passes > 1;) {
        const int64_t middle = passes + (fails - passes) / 2;
        if (std::optional<Case> between = at(middle))
          smaller = between, fails = middle;
        else
          passes = middle;
      }
      return *smaller;
    }
    return one;
  }

 private:
  const Op& op_;
  const Backend& backend_;
  const KernelOffer& kernel_;
  CaseOptions options_;
  std::string cause_, words_;
  Outcome outcome_ = Outcome::kFail;
  int calls_ = 0;
};

/// Reduces the size of axis `i` of the case. After another axis was reduced, a second call may reduce it further.
Case shrink_axis(Shrinker& shrinker, const Case& one, size_t i) {
  const Shrinking now = shrinker.shrinking(one);
  return i < now.axes.size() ? shrinker.shrink(one, now.axes[i]) : one;
}

Case shrink_shape(Shrinker& shrinker, Case one) {
  one = shrink_axis(shrinker, one, 0);
  for (const auto& cells : shrinker.shrinking(one).instead) {
    if (const auto smaller = shrinker.still_fails(one, cells)) {
      one = *smaller;
      break;
    }
  }
  for (size_t i = 1; i < shrinker.shrinking(one).axes.size(); ++i) one = shrink_axis(shrinker, one, i);
  return shrink_axis(shrinker, one, 0);
}

/// Tries simpler input generators, the simplest first, and keeps the first one with which the case still fails.
Case simplify_fill(Shrinker& shrinker, const Case& smallest) {
  const auto from = std::find_if(std::begin(kKnownSimple), std::end(kKnownSimple),
                                 [&](const char* fill) { return smallest.text("fill") == fill; });
  for (const char* const* fill = std::begin(kKnownSimple); fill != from; ++fill) {
    if (const auto other = shrinker.still_fails(smallest, {{"fill", *fill}, {"seed", "1"}}))
      return shrink_shape(shrinker, *other);
  }
  return shrinker.still_fails(smallest, {{"seed", "1"}}).value_or(smallest);
}

}  // namespace

int minimize_verb(const ExplainArguments& arguments) {
  const std::vector<Case> cases = open_cases_for(arguments.suites, {.cases = {arguments.case_id}});
  const Case& start = case_named(cases, arguments.case_id);
  const Op& op = arguments.suites.ops->find(start.op);
  if (!op.bind(start)->shrinking({}))
    throw UsageError("--minimize does not support op " + op.name + "; assay run reports which elements are wrong");
  const Backend backend = open_backend(*arguments.suites.ops, {arguments.backend, false, 60});
  int offered = 0;
  for (const KernelOffer& kernel : backend.library.kernels) {
    if (!glob_match(arguments.kernel, kernel.name) || !why_not_offered(kernel, start).empty()) continue;
    ++offered;
    Shrinker shrinker(op, backend, kernel);
    const std::optional<Verdict> verdict = shrinker.failure(start);
    if (!verdict) continue;
    shrinker.aim_at(*verdict);
    const Case smallest = simplify_fill(shrinker, shrink_shape(shrinker, start));
    const std::string why =
        "smallest case that fails on " + kernel.name + " of " + backend.name + ": " + shrinker.words() + "; from " + start.id;
    const std::string text = case_table(op, smallest, why);
    fmt::print("{}", text);
    fmt::print(stderr, "assay: reduced to {} of {} elements in {} calls: {}\n", shrinker.shrinking(smallest).elements,
               shrinker.shrinking(start).elements, shrinker.calls(), smallest.id);
    if (!arguments.output.empty()) write_atomically(arguments.output, text);
    return kUnexpected;
  }
  if (offered == 0)
    throw UsageError("no kernel '" + arguments.kernel + "' of back end " + arguments.backend + " takes " + start.id);
  fmt::print("nothing to minimize: {} passes\n", start.id);
  return kAllAsExpected;
}

// assay hunt: fuzzing. Generates cases until the time is over or enough cases were made, and counts violations by kernel.
namespace {

constexpr size_t kBatch = 64;          ///< cases per run
constexpr int kFutileTries = 100'000;  ///< attempts in a row without a new case, after which the hunt ends

constexpr int kCallsInARow = 25;       ///< number of calls in a row of each kernel, in each batch
constexpr int kBatchTries = 8;         ///< batch invariance of a kernel is tested on at most this number of cases

/// Findings for one kernel.
struct Prey {
  int64_t judged = 0, violations = 0;
  int batch_tries = 0;
  std::string of_batch;  ///< a case whose output bits depend on the other rows of the batch, as its contract allows
  double budget_use = 0;
  std::string nearest;  ///< the case with the largest budget use
};

/// The selected cases of the op that the back end offers.
std::vector<Case> offered(const std::vector<Case>& selected, const HuntArguments& arguments, const Backend& backend) {
  std::vector<Case> cases;
  for (const Case& one : selected) {
    const auto takes = [&](const KernelOffer& kernel) {
      return glob_match(arguments.kernel, kernel.name) && why_not_offered(kernel, one).empty();
    };
    if (one.op == arguments.op && std::any_of(backend.library.kernels.begin(), backend.library.kernels.end(), takes))
      cases.push_back(one);
  }
  if (cases.empty())
    throw UsageError("NOTHING RAN: back end " + arguments.backend + " offers no selected case of op " + arguments.op +
                     " by a kernel '" + arguments.kernel + "'");
  return cases;
}

class Hunt {
 public:
  Hunt(const HuntArguments& arguments, const Op& op, const Backend& backend, std::vector<Case> begin_with)
      : arguments_(arguments), op_(op), backend_(backend), inventor_(op, std::move(begin_with), arguments.seed),
        end_(Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(60 * arguments.minutes))) {
    options_.kernel_glob = arguments.kernel;
    options_.threads = int(std::max(1u, std::thread::hardware_concurrency()));
    options_.each.diagnose = look_for_causes(backend, diagnosis_budget(arguments.diagnose), other_contracts);
    options_.on_judged = [this](const Verdict& verdict) {
      const auto known = prey_.find(verdict.kernel);
      if ((known != prey_.end() && known->second.violations > 0) || !told_.insert(verdict.kernel).second) return;
      progress_.clear();
      fmt::print(stderr, "assay: {}: {} on {}; now looking for its cause\n", name(verdict.outcome), printable(verdict.case_id),
                 printable(verdict.kernel));
    };
    options_.ended = [this]() -> const char* {
      if (const char* signal = ended_by()) return signal;
      return Clock::now() < end_ ? nullptr : "the time limit";
    };
    options_.calls_in_a_row = kCallsInARow;
  }

  void run() {
    while (!lost_ && options_.ended() == nullptr) {
      const std::vector<Case> cases = batch();
      if (cases.empty()) return;
      invented_ += int64_t(cases.size());
      const RunResult result = run_all(arguments_.suites.ops->all(), cases, backend_, options_);
      lost_ = result.device_lost;
      if (!result.harness_error.empty()) throw std::runtime_error(result.harness_error);
      for (const Verdict& verdict : result.verdicts) take(verdict, cases);
      for (const Verdict& verdict : result.verdicts) try_batches(verdict, cases);
      progress_.at(size_t(std::chrono::duration<double>(Clock::now() - begun_).count()),
                   fmt::format("{} cases, {} kernels with violations", invented_, broken_kernels()));
    }
    progress_.clear();
  }

  int report() const {
    int64_t judged = 0;
    for (const auto& [kernel, prey] : prey_) {
      judged += prey.judged;
      fmt::print(
          "{:<28} {} of {} verdicts are violations of a contract{}{}\n", kernel, prey.violations, prey.judged,
          prey.budget_use == 0 ? "" : fmt::format("; highest budget use {:.3g}: {}", prey.budget_use, prey.nearest),
          prey.of_batch.empty() ? "" : fmt::format("; bits depend on the batch, which the contract allows: {}", prey.of_batch));
    }
    if (unjudged_ > 0) fmt::print("{} cases could not be checked; the first: {}\n", unjudged_, printable(first_unjudged_));
    fmt::print("{} cases of op {} were generated from seed {}; {}\n", invented_, op_.name, arguments_.seed,
               broken_kernels() == 1 ? "1 kernel breaks its contract"
                                     : fmt::format("{} kernels break their contract", broken_kernels()));
    if (ended_by() != nullptr) return exit_code_of_ending();
    if (lost_) return kDeviceLost;
    return judged == 0 ? kUsageOrNothingRan : broken_kernels() > 0 ? kUnexpected : kAllAsExpected;
  }

 private:
  using Clock = std::chrono::steady_clock;

  std::vector<Case> batch() {
    std::vector<Case> cases;
    const int64_t most = std::min<int64_t>(kBatch, arguments_.count - invented_);
    for (int futile = 0; int64_t(cases.size()) < most && futile < kFutileTries; ++futile)
      if (std::optional<Case> one = inventor_.next()) cases.push_back(*std::move(one)), futile = 0;
    return cases;
  }

  void take(const Verdict& verdict, const std::vector<Case>& cases) {
    if (verdict.outcome == Outcome::kSkip || verdict.device_lost) return;
    if (verdict.message.find(": needs the operand ") != std::string::npos)
      return;                                      // the random generator needs an operand that the op lacks
    if (verdict.outcome == Outcome::kNotJudged) {  // e.g. a generator that makes NaN, for a format without NaN
      if (unjudged_++ == 0) first_unjudged_ = verdict.case_id + ": " + verdict.message;
      return;
    }
    Prey& prey = prey_[verdict.kernel];
    ++prey.judged;
    for (const TensorFinding& tensor : verdict.tensors)
      if (verdict.outcome == Outcome::kPass && tensor.budget_use > prey.budget_use)
        prey.budget_use = tensor.budget_use, prey.nearest = verdict.case_id;
    if (verdict.outcome == Outcome::kPass || prey.violations++ > 0) return;
    std::string table;
    const auto add = [&](const std::string& id) {
      const std::string one = found_case(case_of(id, cases), verdict.kernel);
      table += table.empty() ? one : without_header(one);
      if (written_.insert(id).second) rows_ += rows_.empty() ? one : without_header(one);
    };
    add(verdict.case_id);
    if (verdict.climb) std::for_each(verdict.climb->with.begin(), verdict.climb->with.end(), add);
    if (!arguments_.output.empty()) write_atomically(arguments_.output, rows_);
    progress_.clear();
    fmt::print("{}\n{}", failure_text(with_repro(verdict)), table);
  }

  /// Tests whether the verdict's kernel is batch invariant, until a case shows that it is or is not, at most kBatchTries times. Bits that
  /// change with the batch are a violation only if the contract forbids the change.
  void try_batches(const Verdict& verdict, const std::vector<Case>& cases) {
    const auto prey = prey_.find(verdict.kernel);
    if (verdict.outcome != Outcome::kPass || prey == prey_.end() || options_.ended() != nullptr) return;
    if (prey->second.batch_tries == kBatchTries || prey->second.violations > 0) return;
    CaseOptions options = options_.each;
    options.ladder = true;
    const KernelOffer& kernel = *backend_.library.find_kernel(verdict.kernel);
    const Verdict again = run_case(op_, case_of(verdict.case_id, cases), kernel, backend_, options);
    ++prey->second.batch_tries;
    if (!again.climb) return;
    const std::vector<std::string>& held = again.climb->held;
    const bool is_broken = !again.climb->broken.empty();
    if (is_broken || std::find(held.begin(), held.end(), "batch") != held.end()) prey->second.batch_tries = kBatchTries;
    if (is_broken && again.climb->breaks_contract) take(again, cases);
    else if (again.climb->broken == "batch") prey->second.of_batch = verdict.case_id;
  }

  static const Case& case_of(const std::string& id, const std::vector<Case>& cases) {
    return *std::find_if(cases.begin(), cases.end(), [&](const Case& c) { return c.id == id; });
  }
  std::string found_case(const Case& one, const std::string& kernel) const {
    return case_table(op_, one, "found by assay hunt on " + kernel + " of " + backend_.name + "; " + one.why);
  }
  static std::string without_header(const std::string& table) { return table.substr(table.find('\n') + 1); }

  /// The case is in no shipped table, so the repro line names the table that the hunt writes.
  Verdict with_repro(Verdict verdict) const {
    const std::string file = arguments_.output.empty() ? "FILE.csv, which --output FILE.csv writes," : arguments_.output;
    verdict.repro = fmt::format("assay run --backend {} --cases {} --case '{}' --kernel {}", arguments_.backend, file,
                                verdict.case_id, verdict.kernel);
    if (!verdict.climb || verdict.climb->broken.empty()) return verdict;
    for (const std::string& id : verdict.climb->with) verdict.repro += fmt::format(" --case '{}'", id);
    if (verdict.climb->with.empty()) verdict.repro += " --ladder";
    return verdict;
  }

  int64_t broken_kernels() const {
    return std::count_if(prey_.begin(), prey_.end(), [](const auto& of) { return of.second.violations > 0; });
  }

  const HuntArguments& arguments_;
  const Op& op_;
  const Backend& backend_;
  Inventor inventor_;
  const Clock::time_point begun_ = Clock::now(), end_;
  ProgressReport progress_{size_t(60 * arguments_.minutes), "s"};
  RunOptions options_;
  std::map<std::string, Prey> prey_;
  std::set<std::string> told_;  ///< kernels whose first violation was printed to stderr before its cause was known
  std::string rows_;  ///< a case table with the first violation of each kernel
  std::set<std::string> written_;  ///< case ids in rows_: a case on which two kernels fail is written once
  std::string first_unjudged_;
  int64_t invented_ = 0, unjudged_ = 0;
  bool lost_ = false;
};

}  // namespace

int hunt_verb(const HuntArguments& arguments) {
  if (!arguments.output.empty()) require_writable(arguments.output);
  Selection selection = arguments.selection;
  if (selection.suites.empty() && arguments.suites.tables.cases.empty()) selection.suites = {arguments.op + "/quick"};
  const std::vector<Case> selected = open_selected_cases(arguments.suites, selection);
  const Op& op = arguments.suites.ops->find(arguments.op);
  const auto ended = [] { return ended_by() != nullptr; };
  const Backend backend =
      open_backend(*arguments.suites.ops, {arguments.backend, false, arguments.timeout_seconds, ended});
  Hunt hunt(arguments, op, backend, offered(selected, arguments, backend));
  end_on_signals();
  hunt.run();
  return hunt.report();
}

}  // namespace assay
