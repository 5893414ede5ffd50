// Checks which tier first detects each kernel in strangers.csv. These kernels (kernels/strangers) are independent plain loops,
// each with one mistake that is not a mutant. Needs libassay_strangers.so and the program assay in the given folder.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "harness/backend/worker.h"
#include "harness/core/cases.h"
#include "harness/run/run.h"
#include "reference/table/table.h"
#include "suites/catches/diagnosis_scores.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace {

using namespace assay;

/// What strangers.csv states about a kernel.
struct Claim {
  std::string seen;  ///< the first tier in which it fails; "ladder": fails only with --ladder; "no tier": never; "right": healthy
  std::string contract;
};

std::map<std::string, Claim> claims_of(const std::string& file, const LibraryInfo& library) {
  const Table table = read_table(file);
  const std::vector<std::string> columns = {"kernel", "seen", "why"};
  table.require_columns(columns);
  table.allow_columns(columns);
  std::map<std::string, Claim> claims;
  for (const TableRow& row : table.rows) {
    const std::string kernel = table.text(row, "kernel"), seen = table.text(row, "seen");
    if (!std::set<std::string>{"right", "quick", "far", "full", "ladder", "no tier"}.contains(seen))
      throw table.error(row, "seen", "'" + seen + "' is not one of: right, quick, far, full, ladder, no tier");
    if (table.text(row, "why").empty()) throw table.error(row, "why", "expected a text: the kernel's mistake, and the inputs that expose it");
    const KernelOffer* offer = library.find_kernel(kernel);
    if (!offer) throw table.error(row, "kernel", "the library does not offer '" + kernel + "'");
    if (!claims.emplace(kernel, Claim{seen, offer->contracts.front()}).second) throw table.error(row, "kernel", "an earlier row already has this kernel");
  }
  for (const KernelOffer& offer : library.kernels)
    if (!claims.contains(offer.name)) throw std::runtime_error(file + " has no row for '" + offer.name + "'");
  return claims;
}

/// Numbers of verdicts for one kernel in one tier.
struct Counts {
  int64_t judged = 0, wrong = 0;
  std::string first;  ///< the first failing case
};

/// Runs the kernels that match glob `kernels` on the cases with 32 lanes. Cases with 64 lanes have the same inputs.
std::map<std::string, Counts> run(const Backend& backend, const std::vector<Case>& cases, const std::string& kernels,
                                  bool ladder = false) {
  RunOptions options;
  options.each.ladder = ladder;
  options.kernel_glob = kernels;
  options.calls_in_a_row = ladder ? 0 : 256;
  std::map<std::string, Counts> counts;
  for (const Verdict& verdict : run_all(shipped_ops().all(), cases, backend, options).verdicts) {
    if (verdict.outcome == Outcome::kSkip) continue;
    Counts& of = counts[verdict.kernel];
    ++of.judged;
    if (verdict.outcome != Outcome::kFail && verdict.outcome != Outcome::kBroken) continue;
    if (of.wrong++ == 0) of.first = verdict.case_id;
  }
  return counts;
}

std::vector<Case> cases_of(const std::string& root, const std::string& tier, const std::map<std::string, Claim>& claims) {
  std::set<std::string> contracts;
  for (const auto& [kernel, claim] : claims) contracts.insert(claim.contract);
  std::vector<Case> chosen;
  for (Case& one : select_cases(load_cases(shipped_ops().all(), root), {.suites = {tier}, .cases = {}, .arch = {}, .warp = "32"}))
    if (contracts.contains(one.text("contract"))) chosen.push_back(std::move(one));
  return chosen;
}

/// Only the cases that were written for bugs of released kernels.
std::vector<Case> of_findings(std::vector<Case> cases) {
  std::erase_if(cases, [](const Case& one) { return one.origin.file.find("_findings.csv") == std::string::npos; });
  return cases;
}

int judge(const std::string& kernel, const Claim& claim, const Counts& quick, const Counts& full) {
  const std::string seen = quick.wrong > 0         ? "quick"
                           : full.wrong > 0        ? (claim.seen == "ladder" || claim.seen == "far" ? claim.seen : "full")
                           : claim.seen == "right" ? "right"
                                                   : "no tier";
  const std::string first = quick.wrong > 0 ? quick.first : full.first;
  std::printf("%s fails %lld of %lld quick cases and %lld of %lld full cases%s\n", kernel.c_str(), static_cast<long long>(quick.wrong),
              static_cast<long long>(quick.judged), static_cast<long long>(full.wrong), static_cast<long long>(full.judged),
              first.empty() ? "" : ("; the first is " + first).c_str());
  if (quick.judged == 0) std::printf("NOT AS CLAIMED: no quick case calls %s\n", kernel.c_str());
  if (seen != claim.seen)
    std::printf("NOT AS CLAIMED: %s: expected '%s' (column seen of strangers.csv), got '%s'\n", kernel.c_str(), claim.seen.c_str(),
                seen.c_str());
  return seen != claim.seen || quick.judged == 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::string root, folder, glob = "*";
  unsigned one_in = 1;
  CLI::App program("checks that the tier in column `seen` of strangers.csv finds the mistake of each kernel in kernels/strangers");
  program.add_option("root", root, "the source tree")->required();
  program.add_option("folder", folder, "the build tree, with the libraries")->required();
  program.add_option("kernels", glob, "glob of the names of kernels");
  program.add_option("--sample", one_in, "check only one kernel in N")->check(CLI::Range(1, 1000));
  CLI11_PARSE(program, argc, argv);
  try {
    open_rulebook(root);
    Backend backend = open_in_worker(folder + "/libassay_strangers.so", "strangers", {.program = folder + "/assay"});
    const std::map<std::string, Claim> claims = claims_of(root + "/suites/catches/strangers.csv", backend.library);
    std::erase_if(backend.library.kernels, [&](const KernelOffer& kernel) { return !in_sample(kernel.name, one_in); });
    const std::map<std::string, Counts> quick = run(backend, cases_of(root, "quick", claims), glob);
    int wrong = 0;
    std::map<std::string, Counts> full;  // takes minutes, so only for kernels whose row in strangers.csv needs it
    for (const auto& [kernel, counts] : quick)
      if (const Claim& claim = claims.at(kernel);
          counts.wrong == 0 && (claim.seen == "full" || claim.seen == "far" || claim.seen == "no tier"))
        full.merge(run(backend, cases_of(root, claim.seen == "far" ? "far" : "full", {{kernel, claim}}), kernel));
    for (const auto& [kernel, counts] : quick)
      if (const Claim& claim = claims.at(kernel); claim.seen == "ladder") {
        const std::vector<Case> found = of_findings(cases_of(root, "full", {{kernel, claim}}));
        const std::map<std::string, Counts> plain = run(backend, found, kernel);
        if (plain.at(kernel).wrong > 0) throw std::runtime_error(kernel + " fails without the ladder: " + plain.at(kernel).first);
        full.merge(run(backend, found, kernel, true));
      }
    for (const auto& [kernel, counts] : quick) wrong += judge(kernel, claims.at(kernel), counts, full[kernel]);
    std::printf("%zu kernels, %d of them not as strangers.csv claims\n", quick.size(), wrong);
    return wrong > 0 || quick.empty();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "strangers: %s\n", error.what());
    return 2;
  }
}
