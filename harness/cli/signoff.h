// The files in the folder of assay signoff, and the rules for its verdict PASS.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/cli/chip_reports.h"
#include "harness/cli/verbs.h"
#include "harness/core/case.h"
#include "harness/run/run.h"

namespace assay::signoff {

inline constexpr const char* kManifest = "signoff.json";  ///< steps with their results and digests
inline constexpr const char* kPage = "signoff.html";
inline constexpr const char* kInputs = "inputs.csv";    ///< digest of every file that the sign-off read
inline constexpr const char* kDigests = "digests.csv";  ///< digest of every other file of the folder

/// A part of a sign-off: one command of this program.
struct Step {
  std::string name;                    ///< "rms_norm quick"
  std::string kind;                    ///< "run", "probe", "golden" or "diff"
  std::vector<std::string> arguments;  ///< command line of this program
  std::vector<std::string> files;      ///< files that it writes, relative to the folder; NAME/ is a folder
  double work = 0;                     ///< estimated seconds on one core; the longest steps start first
  std::string after = {};              ///< the step whose files it reads; empty: none
};

/// Whether --suite lets the sign-off run this op.
bool is_wanted(const SignoffArguments& arguments, const std::string& op);

/// The path of a step's file, relative to the folder: the step's name with dots for spaces, then the suffix.
std::string step_file(const std::string& name, const char* suffix);

/// The steps that test a library's kernels, and the part of all ops and contracts that the library offers.
struct Plan {
  std::vector<Step> steps;
  Json scope;   ///< for each op: numbers of contracts and of cases by tier, and how many of these the library offers
  Json offers;  ///< numbers of kernels, instructions and conversions
};
Plan plan_of(const SignoffArguments& arguments, const LibraryInfo& library, const std::vector<Case>& cases);

/// One condition of PASS.
struct Rule {
  std::string what, found;
  bool kept;
  bool open = false;  ///< true: undecided until the remaining steps have run
  const char* mark() const { return kept ? "ok  " : open ? "open" : "FAIL"; }
};

/// A row of the minimum scope: at least one case whose op and format match must pass. `op`, `format`: globs separated by |.
struct Need {
  std::string need, op, format, why;
};

/// Reads the minimum scope, a table with columns need, op, format, why. Throws TableError, also for a glob that matches no format or none of `ops`;
/// if `ops` is empty, does not check the globs over ops.
std::vector<Need> read_needs(const std::string& file, const std::vector<std::string>& ops = {});

/// Counts the verdicts in a JSON report of `assay run`. --verify counts them again.
Json counts_of(const Json& report);

/// Counts, formats, contracts, largest budget use, determinism tests and failures of a JSON report of `assay run`.
Json summary_of_run(const Json& report, const std::map<std::string, const Case*>& cases, const std::vector<Deviation>& allowed);

/// Sums over the steps of kind "run" in a manifest.
struct Totals {
  int64_t judged = 0, passed = 0, unexpected = 0, deviating = 0, elements = 0, single_code = 0;
  std::map<std::string, int64_t> held, absent;                            ///< determinism test (rung) -> verdicts
  std::map<std::string, std::map<std::string, Json>> cells;               ///< op -> format -> counts {pass, bad, deviating}
  std::map<std::string, Json> worst;                                      ///< op -> output furthest from its interval's middle
  std::map<std::string, std::vector<std::string>> contracts;              ///< op -> contracts with a verdict on outputs
  std::map<std::string, int64_t> judged_of, repeat_of, elements_of;       ///< by op
  std::map<std::string, int64_t> covered;                                 ///< index of an allowed deviation -> number of verdicts that it covers
  std::vector<Json> failures;
};
Totals totals_of(const Json& manifest);

/// All conditions of PASS, each with its state: kept, broken or open.
std::vector<Rule> rules_of(const Json& manifest, const Totals& totals);

struct Headline {
  std::string state;  ///< "PASS", "FAIL" or "INCOMPLETE"
  std::string text;   ///< "PASS for a partial scope: 3 of 36 ops, 9 of 515 contracts"
};
/// Derives the state from the rules. The text names the scope, and says "all" only if every op and contract has a verdict and no
/// option left anything out.
Headline headline_of(const Json& manifest, const Totals& totals, const std::vector<Rule>& rules);

/// The HTML page, which prints to two to four sheets of A4. `manifest_digest`: digest of the manifest, which has the digests of all results.
std::string page_of(const Json& manifest, const std::string& manifest_digest);

}  // namespace assay::signoff
