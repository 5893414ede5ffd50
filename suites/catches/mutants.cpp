// Runs machine-made mutants of a kernel library on the quick tier of some ops. Each case runs on every kernel without a mutant,
// then on every mutant that the case executes and that no earlier case killed. ci/mutants makes the library and reads the lines
// that this program writes:
//   case N ID               case number N (from 0) ran on all mutants
//   reached MUTANT          a case executes this mutation
//   refused MUTANT ID       the mutant declines a call that the healthy library serves; other cases may still kill it
//   killed MUTANT OUTCOME ID
//   end CASES
// With --causes, a file gets the report of each killed mutant: "== MUTANT", then what `assay run` prints for the case that kills
// it and for a few more cases of the same contract.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "harness/backend/worker.h"
#include "harness/core/cases.h"
#include "harness/diagnosis/diagnose.h"
#include "harness/report/causes.h"
#include "harness/report/console.h"
#include "harness/run/run.h"
#include "suites/catches/mutant_switch.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace {

using namespace assay;
using assay_mutants::State;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::duration<double> kLeastTime{1.0};  ///< no call of a mutant counts as hung before this time
constexpr int kSlower = 20;  ///< a mutant that runs this many times as long as the healthy kernel counts as hung

/// Cases in an order that depends on the seed. Two cases with equal inputs (32 and 64 lanes) stay adjacent and share the inputs.
std::vector<Case> shuffled(std::vector<Case> cases, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::map<std::string, uint64_t> keys;
  for (const Case& one : cases)
    if (const std::string data = one.data_id(); !keys.contains(data)) keys.emplace(data, random());
  std::stable_sort(cases.begin(), cases.end(),
                   [&](const Case& a, const Case& b) { return keys.at(a.data_id()) < keys.at(b.data_id()); });
  return cases;
}

std::set<int> numbers_in(const std::string& file) {
  std::ifstream stream(file);
  std::set<int> numbers;
  for (int number = 0; stream >> number;) {
    if (number <= 0 || number >= assay_mutants::kMost)
      throw std::runtime_error(file + ": " + std::to_string(number) + " is not a mutant");
    numbers.insert(number);
  }
  return numbers;
}

class Runner {
 public:
  /// `causes`: the file to which the report of each killed mutant is appended; if empty, no reports are written.
  Runner(std::string library, std::string program, State* state, const std::vector<Case>& cases, const std::string& causes)
      : library_(std::move(library)), program_(std::move(program)), state_(state), cases_(cases) {
    if (!causes.empty()) causes_.open(causes, std::ios::app);
    open();
  }

  /// Whether some kernel of the library accepts the case.
  bool takes(const Case& one) const { return kernel_of(one, 0) != nullptr; }

  void run(const Case& one, std::set<int>& alive, std::set<int>& reached) {
    DataMemory memory;
    for (kernel_ = 0; kernel_of(one, kernel_) != nullptr; ++kernel_) run_on_kernel(one, memory, alive, reached);
  }

 private:
  void run_on_kernel(const Case& one, DataMemory& memory, std::set<int>& alive, std::set<int>& reached) {
    const Op& op = shipped_ops().find(one.op);
    std::memset(state_->reached, 0, sizeof state_->reached);
    const auto begin = Clock::now();
    limit_ = std::chrono::seconds(60);
    Verdict healthy = verdict_of(op, one, 0, memory);
    if (healthy.outcome != Outcome::kPass && healthy.outcome != Outcome::kSkip) {
      open();  // a library may keep state between calls, such as flags of ranks, and an earlier mutant may have left it wrong
      healthy = verdict_of(op, one, 0, memory);
    }
    if (healthy.outcome == Outcome::kSkip) return;  // the kernel declines this shape or layout
    if (healthy.outcome != Outcome::kPass)
      throw std::runtime_error(std::string("expected pass from the library without a mutant, got ") + name(healthy.outcome) + " in " + one.id +
                               ": " + healthy.message);
    limit_ = std::max(kLeastTime, kSlower * std::chrono::duration<double>(Clock::now() - begin));
    std::set<int> here;
    for (const int mutant : alive)
      if (state_->reached[mutant]) here.insert(mutant);
    for (const int mutant : here) {
      if (reached.insert(mutant).second) std::printf("reached %d\n", mutant);
      Verdict verdict = verdict_of(op, one, mutant, memory);
      if (verdict.outcome != Outcome::kPass && verdict.outcome != Outcome::kSkip) {
        open();  // a new worker, so that state left by other mutants does not kill this mutant
        verdict = verdict_of(op, one, mutant, memory);
      }
      const Outcome seen = verdict.outcome;
      if (seen == Outcome::kSkip) std::printf("refused %d %s\n", mutant, one.id.c_str());
      if (seen == Outcome::kPass || seen == Outcome::kSkip) continue;
      std::printf("killed %d %s %s\n", mutant, name(seen), one.id.c_str());
      alive.erase(mutant);
      if (causes_.is_open()) report(op, one, mutant, verdict);
      if (seen == Outcome::kBroken) open();  // starts a new worker: the harness no longer calls a kernel that hung several times
    }
  }

  void open() {
    state_->chosen = 0;
    backend_ = open_in_worker(library_, "mutants", {.timeout_seconds = 60, .program = program_, .ended = [this] {
                                return state_->chosen != 0 && Clock::now() > deadline_;
                              }});
  }

  /// The kernel at index `which` among the kernels that accept the case; nullptr if there are fewer.
  const KernelOffer* kernel_of(const Case& one, size_t which) const {
    for (const KernelOffer& offer : backend_.library.kernels)
      if (offer.op == one.op && why_not_offered(offer, one).empty() && which-- == 0) return &offer;
    return nullptr;
  }

  Verdict verdict_of(const Op& op, const Case& one, int mutant, DataMemory& memory) {
    const KernelOffer* const kernel = kernel_of(one, kernel_);
    state_->chosen = mutant;
    const auto start_clock = [this] { deadline_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(limit_); };
    CaseOptions options;
    if (causes_.is_open())
      options.diagnose = [&](const Evidence& evidence, Verdict& seen) {
        start_clock();  // the diagnosis calls the mutant again
        deadline_ += std::chrono::seconds(60);
        look_for_causes(backend_, WorkBudget::kShort, other_contracts)(evidence, seen);
      };
    start_clock();
    Verdict verdict = run_case(op, one, *kernel, backend_, options, &memory);
    state_->chosen = 0;
    return verdict;
  }

  /// Writes the report of a killed mutant. Runs more cases of the contract first, because all failures determine the cause.
  void report(const Op& op, const Case& one, int mutant, const Verdict& killed) {
    constexpr int kMostCases = 12, kMostFailures = 3;
    RunResult result;
    result.verdicts = {killed};
    const auto contract_of = [](const Case& of) {
      const auto found = of.parameters.find("contract");
      return found == of.parameters.end() ? std::string() : found->second;
    };
    const auto begin = std::find_if(cases_.begin(), cases_.end(), [&](const Case& other) { return other.id == one.id; });
    int tried = 0, failures = 1;
    for (auto at = begin; at != cases_.end() && killed.outcome == Outcome::kFail; ++at) {
      if (at->op != one.op || at->name.warp != one.name.warp || at->data_id() == one.data_id() ||
          contract_of(*at) != contract_of(one))
        continue;
      const KernelOffer* const offer = kernel_of(*at, kernel_);
      if (offer == nullptr || offer->name != killed.kernel) continue;
      DataMemory memory;
      result.verdicts.push_back(verdict_of(op, *at, mutant, memory));
      failures += result.verdicts.back().outcome == Outcome::kFail;
      if (result.verdicts.back().outcome == Outcome::kBroken) open();
      if (++tried == kMostCases || failures == kMostFailures || result.verdicts.back().outcome == Outcome::kBroken) break;
    }
    reconcile(result);
    causes_ << "== " << mutant << '\n' << failures_text(result, {.all = false, .failures = kMostFailures}, false) << std::flush;
  }

  std::string library_, program_;
  State* state_;
  const std::vector<Case>& cases_;
  std::ofstream causes_;
  Backend backend_;
  size_t kernel_ = 0;  ///< index of the current kernel among the kernels that accept the case
  std::chrono::duration<double> limit_{60};
  Clock::time_point deadline_;
};

}  // namespace

int main(int argc, char** argv) {
  std::string root, program, library, state_file, mutants, causes;
  std::vector<std::string> ops;
  uint64_t seed = 1;
  size_t from = 0;
  CLI::App app("runs the mutants of a library on the quick tier of ops");
  app.add_option("--root", root, "the source tree")->required();
  app.add_option("--program", program, "the program assay, which runs the kernels in worker processes")->required();
  app.add_option("--library", library, "library of kernels that contains the mutants")->required();
  app.add_option("--state", state_file, "file that tells the library which mutant is active; this program creates it")->required();
  app.add_option("--mutants", mutants, "file that lists the numbers of the mutants to run")->required();
  app.add_option("--op", ops, "op whose quick cases are run; may be repeated")->required();
  app.add_option("--seed", seed, "seed of the random order of the cases");
  app.add_option("--from", from, "index of the first case, in the shuffled order");
  app.add_option("--causes", causes, "file for the reports of killed mutants, with their causes");
  CLI11_PARSE(app, argc, argv);
  try {
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    open_rulebook(root);
    std::ofstream(state_file, std::ios::binary) << std::string(sizeof(State), '\0');
    if (setenv("ASSAY_MUTANTS", state_file.c_str(), 1) != 0) throw std::runtime_error("cannot set ASSAY_MUTANTS");
    State* const state = assay_mutants::open_state(state_file.c_str());
    if (!state) throw std::runtime_error("cannot map " + state_file);
    std::set<int> alive = numbers_in(mutants), reached;
    std::vector<std::string> suites;
    for (const std::string& op : ops) suites.push_back(op + "/quick");
    const std::vector<Case> cases = shuffled(
        select_cases(load_cases(shipped_ops().all(), root), {.suites = suites, .cases = {}, .arch = {}, .warp = {}}), seed);
    Runner runner(library, program, state, cases, causes);
    size_t ran = 0;
    for (size_t i = from; i < cases.size() && !alive.empty(); ++i) {
      if (runner.takes(cases[i])) runner.run(cases[i], alive, reached), ++ran;
      std::printf("case %zu %s\n", i, cases[i].id.c_str());
    }
    if (from == 0 && ran == 0 && !alive.empty())
      throw std::runtime_error("no kernel of the library accepts a quick case of the ops of --op");
    std::printf("end %zu\n", cases.size());
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "mutants: %s\n", error.what());
    return 2;
  }
}
