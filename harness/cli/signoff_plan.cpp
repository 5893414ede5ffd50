// The steps of assay signoff: which commands of this program test what a library offers.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/cli/places.h"
#include "harness/cli/signoff.h"
#include "harness/probe/instruction.h"
#include "suites/rulebook.h"

namespace assay::signoff {
namespace {

namespace fs = std::filesystem;
using Strings = std::vector<std::string>;

/// Rough seconds that one core needs to check a case: one second for a norm of 30 million elements, or for a GEMM of 3e9
/// multiply-accumulates.
double work_of(const Case& one) {
  const auto number = [&](const char* name) {
    const auto found = one.parameters.find(name);
    return found == one.parameters.end() ? 1.0 : std::max(1.0, std::strtod(found->second.c_str(), nullptr));
  };
  constexpr double kOfCase = 0.02, kElements = 3e7, kProducts = 3e9;
  const double elements = number("m") * number("n") * number("ranks");
  return kOfCase + elements / kElements + elements * number("k") / kProducts;
}

class Planner {
 public:
  Planner(const SignoffArguments& arguments, const LibraryInfo& library, const std::vector<Case>& cases)
      : arguments_(arguments), library_(library), cases_(cases) {}

  std::vector<Step> steps() {
    for (const KernelOffer& kernel : library_.kernels)
      for (const std::string& contract : kernel.contracts) offered_[kernel.op].insert(contract);
    std::map<std::string, std::map<std::string, double>> tiers;  // estimated seconds by op and tier
    for (const Case& one : cases_)
      if (const auto op = offered_.find(one.op); op != offered_.end() && op->second.contains(contract_of(one)))
        tiers[one.op][one.tier] += work_of(one);
    for (const char* tier : {"own", "quick", "full"})
      if (tier != std::string("full") || arguments_.tier == "full")
        for (const auto& [op, of_op] : tiers)
          if (of_op.contains(tier) && is_wanted(op)) {
            add_run(op, tier);
            steps_.back().work = of_op.at(tier);
            if (tier == std::string("quick")) quick_ops_.push_back(op), quick_work_ += of_op.at(tier);
          }
    add_probes();
    if (!quick_ops_.empty()) add_golden();
    return std::move(steps_);
  }

  Json scope() const {
    std::map<std::string, std::set<std::string>> contracts;
    std::map<std::string, int64_t> number;
    for (const Case& one : cases_)
      if (one.tier == "own" || one.tier == "quick" || one.tier == arguments_.tier)
        contracts[one.op].insert(contract_of(one)), ++number[one.op];
    Json scope = Json::array();
    for (const auto& [op, all] : contracts) {
      const auto offered = offered_.find(op);
      scope.push_back({{"op", op},
                       {"contracts", all.size()},
                       {"offered", offered == offered_.end() ? 0 : offered->second.size()},
                       {"cases", number.at(op)}});
    }
    return scope;
  }

  Json offers() const {
    const auto conversions = offered_.find("cast");
    return {{"kernels", library_.kernels.size()},
            {"instructions", is_wanted("mma") ? offered_instructions(library_, "*", "*").size() : 0},
            {"conversions", conversions == offered_.end() || !is_wanted("cast") ? 0 : conversions->second.size()}};
  }

 private:
  bool is_wanted(const std::string& op) const { return signoff::is_wanted(arguments_, op); }
  static std::string contract_of(const Case& one) {
    const auto found = one.parameters.find("contract");
    return found == one.parameters.end() ? "" : found->second;
  }
  std::string path(const std::string& file) const { return (fs::path(arguments_.output) / file).string(); }
  Strings called(const char* verb) const {
    return {verb, "--backend", arguments_.backend, "--timeout", fmt::format("{:g}", arguments_.timeout_seconds)};
  }

  void add(const std::string& name, const char* kind, Strings arguments, Strings files) {
    for (const std::string& table : arguments_.suites.tables.contracts) arguments.insert(arguments.end(), {"--contracts", table});
    steps_.push_back({name, kind, std::move(arguments), std::move(files)});
  }

  void add_run(const std::string& op, const std::string& tier) {
    const std::string name = op + " " + tier, file = step_file(name, ".json");
    Strings arguments = called("run");
    arguments.insert(arguments.end(), {"--suite", tier == "own" ? op : op + "/" + tier, "--shard", "1/1", "--report", "console",
                                       "--report", "json:" + path(file)});
    if (tier != "full") arguments.push_back("--ladder");
    if (tier == "own") {
      for (const std::string& table : arguments_.suites.tables.cases) arguments.insert(arguments.end(), {"--cases", table});
      if (!arguments_.suites.tables.op.empty()) arguments.insert(arguments.end(), {"--op", arguments_.suites.tables.op});
    }
    if (!arguments_.ledger.empty()) arguments.insert(arguments.end(), {"--ledger", path("ledger.csv")});
    add(name, "run", arguments, {file});
  }

  void add_probes() {
    std::set<std::string> chips;
    if (is_wanted("mma"))
      for (const OfferedInstruction& one : offered_instructions(library_, "*", arguments_.unit))
        chips.insert(chip_of_unit(one.contract));
    for (const std::string& chip : chips) {
      const std::string name = "probe " + chip;
      const Strings files = {step_file(name, ".json"), step_file(name, ".csv")};
      Strings arguments = called("probe");
      const std::string unit = arguments_.unit == "*" ? chip + ".*" : arguments_.unit;
      arguments.insert(arguments.end(),
                       {"--part", "instructions", "--unit", unit, "--elements", std::to_string(arguments_.elements), "--report",
                        "json:" + path(files[0]), "--output", path(files[1])});
      add(name, "probe", arguments, files);
      if (arguments_.unit != "*") break;  // a single command probes all instructions that match --unit
    }
    if (!offered_.contains("cast") || !is_wanted("cast")) return;
    Strings arguments = called("probe");
    arguments.insert(arguments.end(), {"--part", "conversions", "--report", "json:" + path("conversions.json")});
    add("conversions", "probe", arguments, {"conversions.json"});
  }

  void add_golden() {
    Strings reference = {"golden", "check", "--part", "predicted"};
    Strings arguments = {"golden",           "write",       "--observed",
                         arguments_.backend, "--timeout",   fmt::format("{:g}", arguments_.timeout_seconds),
                         "--folder",         path("golden")};
    for (const std::string& op : quick_ops_)
      for (Strings* words : {&reference, &arguments}) words->insert(words->end(), {"--op", op});
    add("reference", "golden", reference, {});
    steps_.back().work = quick_work_;
    if (!arguments_.ledger.empty()) arguments.insert(arguments.end(), {"--ledger", path("ledger.csv")});
    add("golden", "golden", arguments, {"golden/"});
    steps_.back().work = quick_work_;
    const std::string shipped = data_root() + "/golden/observed/" + library_.arch,
                      before = arguments_.golden.empty() ? shipped : arguments_.golden;
    if (arguments_.golden.empty() && !fs::is_directory(shipped)) return;
    add("golden diff", "diff",
        {"golden", "diff", path("golden/observed/" + library_.arch), before, "--report", "json:" + path("golden.diff.json")},
        {"golden.diff.json"});
    steps_.back().after = "golden";
  }

  const SignoffArguments& arguments_;
  const LibraryInfo& library_;
  const std::vector<Case>& cases_;
  std::map<std::string, std::set<std::string>> offered_;
  Strings quick_ops_;
  double quick_work_ = 0;
  std::vector<Step> steps_;
};

}  // namespace

bool is_wanted(const SignoffArguments& arguments, const std::string& op) {
  return arguments.ops.empty() || std::find(arguments.ops.begin(), arguments.ops.end(), op) != arguments.ops.end();
}

std::string step_file(const std::string& name, const char* suffix) {
  std::string file = name;
  std::replace(file.begin(), file.end(), ' ', '.');
  return file + suffix;
}

Plan plan_of(const SignoffArguments& arguments, const LibraryInfo& library, const std::vector<Case>& cases) {
  Planner planner(arguments, library, cases);
  Plan plan;
  plan.steps = planner.steps();
  plan.scope = planner.scope();
  plan.offers = planner.offers();
  return plan;
}

}  // namespace assay::signoff
