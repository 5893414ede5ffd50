#include "suites/judges/contestants.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <stdexcept>

#include "harness/backend/worker.h"
#include "harness/diagnosis/run_hooks.h"
#include "suites/catches/measuring.h"
#include "suites/registry.h"

namespace assay::judges {
namespace {

Backend open(const std::string& path) { return shared_between_threads(open_in_process(path, path)); }

constexpr std::array kShape = {"m", "n"};

bool has_column(const KernelOffer& kernel, const char* name) {
  const std::vector<std::string>& columns = shipped_ops().find(kernel.op).columns;
  return std::find(columns.begin(), columns.end(), name) != columns.end();
}

/// False for casts, which have no rows of numbers, and for caches, which have records.
bool has_rows(const KernelOffer& kernel) {
  return std::all_of(kShape.begin(), kShape.end(), [&](const char* name) { return has_column(kernel, name); });
}

/// Adds healthy kernels of one contract with the outputs of another as reference, as the projects' tests do.
void add_pairs(const Libraries& libraries, const std::vector<Rule>& rules, std::vector<Contestant>& all) {
  std::set<std::array<std::string, 2>> pairs;
  for (const Rule& rule : rules) pairs.insert(rule.pairs.begin(), rule.pairs.end());
  for (const auto& [contract, reference] : pairs) {
    const auto does = [&, c = contract](const KernelOffer& k) {
      return std::count(k.contracts.begin(), k.contracts.end(), c) > 0;
    };
    const auto found = std::find_if(libraries.cpu.library.kernels.begin(), libraries.cpu.library.kernels.end(), does);
    if (found == libraries.cpu.library.kernels.end()) throw std::runtime_error("rules.csv: no kernel does " + contract);
    KernelOffer kernel = *found;
    kernel.contracts = {contract};
    all.push_back({contract + " with " + reference, true, &libraries.cpu, kernel, "", reference});
  }
}

}  // namespace

Libraries::Libraries(const std::string& folder)
    : faulty_path(folder + "/libassay_faulty.so"),
      cpu(open(healthy_library(folder))),
      faulty(open(faulty_path)),
      varied(open(folder + "/libassay_varied.so")),
      zero(all_zero(cpu)) {}

const Backend* Libraries::with_groups_of_its_own() { return &of_ranks.emplace_back(open(faulty_path)); }

std::string healthy_library(const std::string& folder) { return folder + "/libassay_cpu.so"; }

std::vector<Contestant> contestants(Libraries& libraries, const std::string& root, const std::vector<Rule>& rules) {
  std::map<std::string, Subject> known;
  for (Subject& subject : subjects(root)) known.emplace(subject.kernel, subject);
  std::vector<Contestant> all;
  for (const KernelOffer& kernel : libraries.faulty.library.kernels) {
    const auto subject = known.find(kernel.name);
    const bool race = subject != known.end() && subject->second.causes == std::vector<std::string>{"race"};
    const Backend* from = has_column(kernel, "ranks") ? libraries.with_groups_of_its_own() : &libraries.faulty;
    if (has_rows(kernel) && !race) all.push_back({kernel.name, false, from, kernel, kernel.twin});
  }
  for (const KernelOffer& kernel : libraries.varied.library.kernels) {
    const std::string& kind = known.at(kernel.name).kind;
    if (kind == "outside" || kind == "healthy")
      all.push_back({kernel.name, kind == "healthy", &libraries.varied, kernel, kernel.twin});
  }
  std::set<std::string> ops;
  for (KernelOffer kernel : libraries.cpu.library.kernels) {
    if (!has_rows(kernel) || !ops.insert(kernel.op).second) continue;
    kernel.contracts.resize(1);
    all.push_back({"all zero (" + kernel.op + ")", false, &libraries.zero, kernel, kernel.name});
  }
  add_pairs(libraries, rules, all);
  return all;
}

}  // namespace assay::judges
