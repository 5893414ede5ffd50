// The verbs of the program: each has a function from parsed arguments to the exit code. main.cpp parses the arguments.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/cli/places.h"
#include "harness/core/cases.h"
#include "harness/report/console.h"

namespace assay {

struct RunArguments {
  std::string backend = "cpu";  ///< name or path of a library
  std::string kernel = "*";
  std::string execute;  ///< "ARCH[,OPTION...]": execute AMD code objects on the CPU; empty: do not
  Selection selection;
  std::vector<std::string> reports;
  int repeat = 1;
  int rerun_failed = 0;  ///< number of times that a failed call is repeated, to learn whether the case is flaky
  bool in_process = false;
  double timeout_seconds = 60;
  std::string record;  ///< folder for inputs and outputs of all calls; empty: none
  std::string ledger;  ///< known-failures list; empty: none
  bool strict = false;  ///< fail if a row of the known-failures list matches no case
  std::string shard;   ///< "I/N"; empty: taken from the environment
  bool ladder = false;
  bool reckon_power = false;  ///< recompute mutation scores even if golden/power has them
  std::string diagnose = "short";  ///< work to spend on finding causes: "none", "short", "long"
  std::string trend;  ///< JSON report of an earlier run, or a history file: the HTML report shows changes since; empty: none
  std::string history;  ///< history file that the run is added to; empty: none
  std::string commit;   ///< commit of the kernels, for the history; empty: from the environment
  std::string tier;   ///< the last tier to run: "quick", "full", "far"; empty: what the selection names, else quick
  Shown shown{};
  std::vector<std::string> command;  ///< the whole command line, for reports
  Suites suites{};
};

struct JudgeArguments {
  std::vector<std::string> targets;     ///< folders of recordings, or a dump: FILE.safetensors[:TENSOR], FILE.npy[:FORMAT],
                                        ///< role=FILE
  std::string contract, layout;         ///< for a dump
  std::string as;                       ///< "scale" or "ue8m0_scale": a single scale tensor
  bool lint = false;                    ///< the targets are files of a quantized checkpoint
  std::vector<std::string> parameters;  ///< "group_size=128"
  std::vector<std::string> tensors;     ///< "role=name in the file"
  std::vector<std::string> reports;
  std::string ledger;  ///< as for run
  std::string history, commit;  ///< as for run; only for recordings
  std::string diagnose = "short";  ///< as for run
  Selection selection;
  std::vector<std::string> command;  ///< as for run
  Shown shown{};
  Suites suites{};
};

struct HistoryArguments {
  std::string file;
  std::vector<std::string> cases, contracts, kernels, chips;  ///< globs; empty: all
  int64_t last = 0;                                           ///< number of newest runs; 0: all
  std::vector<std::string> reports;                           ///< "console", "html:FILE"
  bool everything = false;                                    ///< list every run, case and contract
};

struct GateArguments {
  std::string baseline;              ///< folder of the earlier recording, or a history file
  int64_t baseline_run = 0;          ///< with a history file: number of the baseline's run; 0: not given
  std::string baseline_commit;       ///< with a history file: beginning of that run's commit; empty: not given
  std::vector<std::string> targets;  ///< folders of the recordings to check
  bool same_bits = false;            ///< fail for every change of bits, also within the accepted intervals
  bool strict = false;  ///< fixed failures fail the gate too, so that someone renews the known-failures list and the baseline
  std::vector<std::string> reports;
  std::string ledger;  ///< as for run
  Selection selection;
  std::vector<std::string> command;  ///< as for run
  Shown shown{};
  Suites suites{};
};

struct KnownArguments {
  std::string action;                      ///< "write"
  std::string from;                        ///< JSON report
  std::string issue, owner, reason, since;  ///< cells of the new rows; reason and since may be empty
  std::string keep;                        ///< earlier list, whose rows are copied if their cases still fail; empty: none
  std::string output;                      ///< empty: standard output
};

struct GoldenArguments {
  std::string action;   ///< "check", "write" or "diff"
  std::vector<std::string> targets;  ///< for diff: names of architectures, or folders of golden files
  std::vector<std::string> reports;  ///< for diff: "json:FILE", "html:FILE"
  std::string ledger;                ///< for write --observed: known-failures list; a case on it is recorded only if it passes
  std::string backend;  ///< for write: records what this back end returns; empty: what the reference predicts
  std::string folder;   ///< golden folder; empty: golden/ of the data folder
  std::vector<std::string> ops;      ///< for check --part predicted or observed and write --observed: only these ops; empty: all
  std::string part;     ///< for check: "predicted", "observed", "power" or "casts"; empty: all
  std::optional<uint64_t> sample;  ///< for check: seed of the 5 % sample of golden/power to recompute; nullopt: all
  double timeout_seconds = 60;
  Suites suites{};
};

struct ExplainArguments {
  std::string case_id;
  std::string backend = "cpu";
  std::string kernel = "*";
  std::vector<int64_t> element;  ///< row and column to trace; empty: the worst element, else [0, 0]
  bool call_only = false;        ///< print only the contract and the call that a kernel receives
  bool minimize = false;         ///< print only the smallest case that still fails, as a row of the op's table
  std::string output;            ///< with minimize: write that row to this file; empty: none
  Suites suites{};
};

struct ContractsArguments {
  std::string action;  ///< "list", "show", "diff", "check", "match" or "specials"
  std::vector<std::string> ids;  ///< for check: tables of contracts
  std::string arch;            ///< for list: leave out contracts of other chips; empty: all
  std::string vendor, search, release;  ///< for list
  bool evidence = false;       ///< for list: print the evidence for each contract instead of its purpose
  std::string write, check;  ///< for specials: file whose section `assay contracts specials` is written or compared
  std::string backend = "cpu", op, kernel = "*";
  std::vector<std::string> cases;  ///< for match: globs over case ids
  std::vector<std::string> parameters, tensors;  ///< for match on files (`ids`): as for judge
  std::string layout;
  double timeout_seconds = 60;
  Suites suites{};
};

struct ArchArguments {
  std::string action;                ///< "list", "show", "verify" or "diff"
  std::vector<std::string> targets;  ///< instruction ids; for verify: a folder of recordings, or a table of recorded digests
  std::vector<std::string> units;    ///< tables with the user's instructions
  std::string backend;               ///< for verify: back end to run instead of reading recordings; empty: none
  std::string kernel = "*", unit = "*";
  std::string output;        ///< for verify --backend: table to write the digests to; empty: none
  int64_t elements = 12800;  ///< elements of d to compare for each instruction, kind of data and chain length
  uint64_t seed = 1;
  double timeout_seconds = 60;
  Suites suites{};
};

struct ProbeArguments {
  std::string backend = "cpu";
  std::string kernel = "*", unit = "*";  ///< globs over kernels and over instruction ids
  std::string output;                    ///< table to write, with a row for every model found; empty: none
  int64_t elements = 1024;               ///< results of each kind of data from which a model is found; twice as many verify it
  uint64_t seed = 1;
  double timeout_seconds = 60;
  std::string part;                      ///< "instructions" or "conversions"; empty: both
  std::vector<std::string> reports;      ///< "json:FILE", "html:FILE"
  std::vector<std::string> command;      ///< as for run
  Suites suites{};
};

struct SignoffArguments {
  std::string backend = "cpu";
  std::string output;        ///< folder of the sign-off: created, or continued
  std::string verify;        ///< folder of a sign-off whose digests are recomputed; empty: none
  std::string ledger;        ///< allowed deviations, as for run; empty: none
  std::string scope;         ///< table of ops and formats that must be offered and pass; empty: suites/signoff.csv
  std::string golden;        ///< folder of recorded outputs to compare with; empty: golden/observed of this architecture
  std::string by;            ///< who signs
  std::string tier = "full"; ///< the last tier
  std::vector<std::string>
      ops;                   ///< only these ops are run, and the verdict is for a partial scope; empty: all that the library offers
  std::string unit = "*";    ///< glob over ids of instructions to probe; the page says how many instructions were probed
  int64_t elements = 1024;   ///< as for probe
  double minutes = 0;        ///< no step starts after this many minutes; 0: no limit
  int jobs = 1;              ///< number of steps that run at once
  double timeout_seconds = 60;
  std::vector<std::string> command;  ///< as for run
  Suites suites{};
};

struct HuntArguments {
  Selection selection;  ///< cases to recombine; nothing selected: the op's quick tier
  std::string op, backend = "cpu", kernel = "*";
  double minutes = 1;
  int64_t count = 1'000'000;  ///< upper bound on generated cases
  uint64_t seed = 1;
  std::string output;  ///< table for the first violation of each kernel; empty: none
  std::string diagnose = "short";  ///< as for run
  double timeout_seconds = 60;
  Suites suites{};
};

struct ListArguments {
  Selection selection;
  bool all = false;                  ///< if nothing is selected, list every id instead of a summary
  std::vector<std::string> names{};  ///< positional arguments, which select more cases: ops, tiers, op/tier or globs over ids
  Suites suites{};
};

struct NewArguments {
  std::string what;    ///< "plugin", "contract", "case", "op" or "format"
  std::string name;    ///< for case: the contract
  std::string from;    ///< contract or op to copy from; empty: a default
  std::string output;  ///< for plugin: folder; empty: the name
  Suites suites{};
};

struct InputsArguments {
  Suites suites{};
  Selection selection;
  std::string output;
};

struct WitnessArguments {
  std::string action;                ///< "inputs", "run", "keep", "check" or "drift"
  std::vector<std::string> targets;  ///< folders of recorded outputs; for keep and drift: output of `run`
  std::string folder;                ///< folder to write to; for drift: folder of outputs to compare releases with
  std::string op, contract = "*";    ///< for inputs and run: glob over contracts
  std::vector<std::string> without;  ///< for inputs: globs over ids of excluded cases
  std::string backend, package, flags, kernel = "*";  ///< for run
  std::string write, check;                           ///< for check and drift: Markdown file that contains their table
  double timeout_seconds = 60;
  Suites suites{};
};

/// For `assay power` and `assay sharpness`.
struct PowerArguments {
  std::string op;     ///< empty: all
  std::string write;  ///< Markdown file in which the command's section is replaced by the table
  std::string check;  ///< Markdown file in which the command's section must equal the table
  Suites suites{};
};

struct RegenerateArguments {
  std::string golden;              ///< folder of golden files; empty: golden/ in the data folder
  std::vector<std::string> parts;  ///< names of derived_parts(); empty: all
  bool check = false;              ///< only report which files are out of date
  bool recompute = false;          ///< compute all records of golden/power
  bool measured = true;            ///< also regenerate the tables that other programs of the build tree measure
  std::function<std::map<std::string, std::string>()> docs{};  ///< makes the pages of docs/reference; empty: leaves them out
  uint64_t seed = 1;               ///< seed of the sample of golden/power that a check recomputes
  Suites suites{};
};

/// Prints a command's table, writes it into the command's section of a Markdown file, or compares it with that section.
/// Looks for the section before it computes the table, which may take minutes.
int put_table(const std::string& command, const std::function<std::string()>& table, const std::string& write,
              const std::string& check);

/// Each verb prints to stdout and returns the program's exit code. main.cpp converts exceptions.
int run_verb(const RunArguments& arguments);
int judge_verb(const JudgeArguments& arguments);
int gate_verb(const GateArguments& arguments);
int history_verb(const HistoryArguments& arguments);
int known_verb(const KnownArguments& arguments);
int hunt_verb(const HuntArguments& arguments);
int list_verb(const ListArguments& arguments);
int new_verb(const NewArguments& arguments);
int inputs_verb(const InputsArguments& arguments);
int golden_verb(const GoldenArguments& arguments);
/// golden diff (golden_diff.cpp): compares recorded outputs of two chips, and models of several.
int golden_diff(const GoldenArguments& arguments);
int signoff_verb(const SignoffArguments& arguments);
int minimize_verb(const ExplainArguments& arguments);  ///< explain --minimize (hunt.cpp)
int explain_verb(const ExplainArguments& arguments);
int arch_verb(const ArchArguments& arguments);
int probe_verb(const ProbeArguments& arguments);
int contracts_verb(const ContractsArguments& arguments);
int regenerate_verb(const RegenerateArguments& arguments);
int power_verb(const PowerArguments& arguments);
int sharpness_verb(const PowerArguments& arguments);
int witness_verb(const WitnessArguments& arguments);
/// contracts check (contract_check.cpp): reports problems of a user's contracts that loading a table does not find.
int check_contracts(const ContractsArguments& arguments);
/// witness run (witness.cpp): calls a library on recorded inputs.
int run_witnesses(const WitnessArguments& arguments);
/// witness keep (witness.cpp): stores outputs that the contracts accept.
int keep_witnesses(const WitnessArguments& arguments);
int match_verb(const ContractsArguments& arguments);  ///< contracts match, on a kernel or on files
int match_dump(const ContractsArguments& arguments);  ///< contracts match on a user's files instead of a kernel

}  // namespace assay
