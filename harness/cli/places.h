// Locates tables and kernel libraries.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "harness/core/call.h"
#include "harness/core/cases.h"
#include "harness/core/op.h"
#include "suites/registry.h"

namespace assay {

/// Folder with suites/ and reference/contracts/: the environment variable ASSAY_DATA, else share/assay/ of the installation, else
/// the source tree of the build.
std::string data_root();

/// Tables of the user.
struct UserTables {
  std::vector<std::string> contracts;  ///< contract tables, read after the shipped tables
  std::vector<std::string> cases;      ///< case tables, read instead of the shipped tables; empty: the shipped tables are read
  std::string op;                      ///< the op of those case tables that have no column `op`
};

/// The ops, and the tables of the user. main() creates it for all verbs.
struct Suites {
  std::shared_ptr<const OpRegistry> ops;
  UserTables tables;
};

/// Opens the contract registry: the shipped rows and the user's. Throws TableError.
void open_contracts(const Suites& suites);

/// Opens the contract registry; loads and checks all cases. Throws TableError.
std::vector<Case> open_cases(const Suites& suites);

/// The selected cases. Throws UsageError with similar names if no case is selected.
std::vector<Case> selected_of(const std::vector<Case>& all, const Selection& selection);
/// Loads cases with open_cases_for(), and returns the selected ones.
std::vector<Case> open_selected_cases(const Suites& suites, const Selection& selection);

/// The cases of a run, and the number of selected cases that do not run, by tier.
struct CasesOfTiers {
  std::vector<Case> chosen;            ///< in order: quick tier and cases of a user's table; full tier; far tier
  std::map<std::string, size_t> left;  ///< by tier: number of selected cases that do not run
};

/// `tier`: keeps this tier and smaller ones; empty: the tiers of the selection, else the quick tier. Globs over ids select from
/// all tiers. Throws UsageError if no case remains. `left` counts only cases for which `counts` returns true.
CasesOfTiers cases_of_tiers(std::vector<Case> selected, const Selection& selection, const std::string& tier,
                            const std::function<bool(const Case&)>& counts);

/// "full tier not run (9123 cases; --tier full)"; empty if every tier ran.
std::string tiers_not_run_text(const std::map<std::string, size_t>& left);

/// The case with that id, or the only case that matches the glob. Of matches that differ only in warp size, returns the first.
/// Throws UsageError with similar ids of the same op if no case matches, or with the matching ids if several do.
const Case& case_named(const std::vector<Case>& cases, const std::string& id_or_glob);

struct BackendRequest {
  std::string backend;      ///< a name such as "cpu"; a path, which has a '/' or ends with ".so"; "python:MODULE:KERNEL"
  bool in_process = false;  ///< open even a library given by path in this process, not in a worker
  double timeout_seconds = 60;
  /// Ends the running call once it returns true (WorkerOptions::ended). Only for a library in a worker.
  std::function<bool()> ended = {};
};

/// The limit of a WorkBudget for --diagnose none, short or long; 0 for none.
int64_t diagnosis_budget(const std::string& diagnose);

/// Whether the library runs in worker processes: true for a library given by path, and for kernels in Python.
bool is_in_worker(const BackendRequest& request);

/// Opens a back end. NAME loads libassay_NAME.so, from beside the program or its installed lib/assay/, into this process. A
/// library given by path, and a kernel in Python, run in a worker process. Call open_contracts() before. Throws UsageError for an
/// unknown name, LibraryError (also if require_known_offers() refuses the library), and NoDeviceError.
Backend open_backend(const OpRegistry& ops, const BackendRequest& request);

// Loads only the case tables of the ops that a selection names.

/// Opens the contract registry; loads and checks the tables of --cases, or the shipped tables of these ops. Throws TableError.
std::vector<Case> open_cases_of(const Suites& suites, std::span<const Op> ops);

/// As open_cases(), but loads only tables of ops that the selection may name, because loading all tables would take most of the
/// time of a short command. If the text before the first '/' of a suite or glob is not an op's name, it may name any op.
std::vector<Case> open_cases_for(const Suites& suites, const Selection& selection);

// Checks what a kernel library advertises: an offer that no case can match is an error in the library.

/// Needs an open contract registry. Throws LibraryError for an unknown op or contract, a case parameter that the op lacks, or a
/// value that no cell of that column can have. The message names the kernel, the text, and similar names.
void require_known_offers(const OpRegistry& ops, const LibraryInfo& library);

/// One line that counts the offered contracts without a case and names the first; empty if every offered contract has a case.
/// No kernel is called under such a contract. Leaves out contracts of ops that have no case in `cases`.
std::string offers_without_cases(const LibraryInfo& library, const std::vector<Case>& cases);

/// True if the library runs on the CPU and none of its kernels states warp sizes. Then cases that differ only in warp size make
/// the same call.
bool ignores_warp(const LibraryInfo& library);

/// Removes cases that differ from an earlier one only in warp size.
std::vector<Case> each_data_once(std::vector<Case> cases);

}  // namespace assay
