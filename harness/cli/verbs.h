// The verbs of the program: arguments as read, exit code as returned. main.cpp reads, the verbs do.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/core/cases.h"

namespace assay {

struct RunArguments {
  std::string backend = "cpu";  ///< a name, or the path of a library
  std::string kernel = "*";
  std::string execute;  ///< "ARCH[,OPTION...]": AMD code objects are executed on the CPU; empty: they run on the GPU
  Selection selection;
  std::vector<std::string> reports;
  int repeat = 1;
  bool in_process = false;
  double timeout_seconds = 60;
  std::string record;  ///< folder for what kernels were given and returned; empty: none
  std::string ledger;  ///< table of known deviations; empty: none
  std::string shard;   ///< "I/N"; empty: what the environment says
  bool ladder = false;
  bool reckon_power = false;  ///< also where golden/power has it
  std::string trend;  ///< JSON report of an earlier run, which the HTML report is held against; empty: none
  std::vector<std::string> command;  ///< the whole command line, for reports
};

struct JudgeArguments {
  std::vector<std::string> targets;     ///< folders of recordings, or a dump: FILE.safetensors[:TENSOR], FILE.npy[:FORMAT], role=FILE
  std::string contract, layout;         ///< of a dump
  std::string as;                       ///< "scale" or "ue8m0_scale": a lone tensor
  std::vector<std::string> parameters;  ///< "group_size=128"
  std::vector<std::string> tensors;     ///< "role=name in the file"
  std::vector<std::string> reports;
  std::string ledger;  ///< as of run
  Selection selection;
  std::vector<std::string> command;  ///< as of run
};

struct GateArguments {
  std::string baseline;              ///< folder of the recording that runs are held against
  std::vector<std::string> targets;  ///< folders of recordings of what is to pass
  bool same_bits = false;            ///< a change within the budget does not pass either
  std::vector<std::string> reports;
  std::string ledger;  ///< as of run
  Selection selection;
  std::vector<std::string> command;  ///< as of run
};

struct GoldenArguments {
  std::string action;   ///< "check" or "write"
  std::string backend;  ///< write what this back end returns; empty: what the reference predicts
  std::string folder;   ///< instead of golden/ in the data folder
  std::string part;     ///< of check: "predicted", "observed", "power" or "casts"; empty: all
  std::optional<uint64_t> sample;  ///< of check: seed of the 5 % of golden/power that are computed again; none: all are
  double timeout_seconds = 60;
};

struct ExplainArguments {
  std::string case_id;
  std::string backend = "cpu";
  std::string kernel = "*";
  std::vector<int64_t> element;  ///< row and column to trace; empty: the worst one, else [0, 0]
  bool call_only = false;        ///< only what a plug-in gets, and the contract
  bool minimize = false;         ///< print the smallest case that still fails instead, as a row of the op's table
  std::string output;            ///< and write it to this file
};

struct ContractsArguments {
  std::string action;  ///< "list", "show", "diff", "match" or "specials"
  std::vector<std::string> ids;
  bool evidence = false;       ///< of list: how each row is known, instead of what it is for
  std::string write, check;  ///< of specials: file whose section `assay contracts specials` gets the table, or must be it
  std::string backend = "cpu", op, kernel = "*";
  std::vector<std::string> cases;  ///< of match: globs over ids
  std::vector<std::string> parameters, tensors;  ///< of match on files (`ids`): as of judge
  std::string layout;
  double timeout_seconds = 60;
};

struct ArchArguments {
  std::string action;                ///< "list", "show", "verify" or "diff"
  std::vector<std::string> targets;  ///< unit ids; of verify a folder of recordings, or a table of what was observed
  std::vector<std::string> units;    ///< tables with units of one's own
  std::string backend;               ///< of verify: instead of recordings; empty: none
  std::string kernel = "*", unit = "*";
  std::string output;        ///< of verify --backend: table of what was observed; empty: none
  int64_t elements = 12800;  ///< of each unit, kind of data and length of chains
  uint64_t seed = 1;
  double timeout_seconds = 60;
};

struct ProbeArguments {
  std::string backend = "cpu";
  std::string kernel = "*", unit = "*";  ///< globs over kernels, and over the ids that they are called by
  std::string output;                    ///< table that gets a row for every unit that was found; empty: none
  int64_t elements = 1024;               ///< of each kind of inputs, before a unit is found; twice as many check it
  uint64_t seed = 1;
  double timeout_seconds = 60;
};

struct HuntArguments {
  Selection selection;  ///< cases whose cells are put together anew; nothing selected: the op's quick tier
  std::string op, backend = "cpu", kernel = "*";
  double minutes = 1;
  int64_t count = 1'000'000;  ///< cases at most
  uint64_t seed = 1;
  std::string output;  ///< table of the first violation of each kernel; empty: none
  double timeout_seconds = 60;
};

struct ListArguments {
  Selection selection;
  bool all = false;  ///< every id, though nothing is selected
};

struct InputsArguments {
  Selection selection;
  std::string output;
};

struct WitnessArguments {
  std::string action;                ///< "inputs", "run", "keep", "check" or "drift"
  std::vector<std::string> targets;  ///< folders of witnesses; of keep and drift what was run
  std::string folder;                ///< where files are written; of drift: what releases are held against
  std::string op, contract = "*";    ///< of inputs and run: glob over contracts
  std::vector<std::string> without;  ///< of inputs: globs over ids of cases that are left out
  std::string backend, package, flags, kernel = "*";  ///< of run
  std::string write, check;                           ///< of check and drift: file with the section of their table
  double timeout_seconds = 60;
};

/// Of power and of sharpness.
struct PowerArguments {
  std::string op;     ///< empty: all
  std::string write;  ///< file whose section of the command gets the table
  std::string check;  ///< file whose section must be the table
};

struct RegenerateArguments {
  std::string golden;              ///< folder of golden files; empty: golden/ in the data folder
  std::vector<std::string> parts;  ///< of derived_parts(); empty: all
  bool check = false;              ///< say which files are out of date, and write none
  bool recompute = false;          ///< compute all records of golden/power
  bool measured = true;            ///< also the tables that other programs of the build tree measure
  std::function<std::map<std::string, std::string>()> docs{};  ///< makes the pages of docs/reference; empty: they are left out
  uint64_t seed = 1;               ///< of the sample of golden/power that a check computes again
};

/// Prints a table that a command owns, writes it into the command's section of a Markdown file, or holds that section against it.
/// The table is made once the file is known to have that section.
int put_table(const std::string& command, const std::function<std::string()>& table, const std::string& write,
              const std::string& check);

/// Each prints to stdout and gives the program's exit code. What they throw main.cpp turns into one.
int run_verb(const RunArguments& arguments);
int judge_verb(const JudgeArguments& arguments);
int gate_verb(const GateArguments& arguments);
int hunt_verb(const HuntArguments& arguments);
int list_verb(const ListArguments& arguments);
int inputs_verb(const InputsArguments& arguments);
int golden_verb(const GoldenArguments& arguments);
int minimize_verb(const ExplainArguments& arguments);
int explain_verb(const ExplainArguments& arguments);
int arch_verb(const ArchArguments& arguments);
int probe_verb(const ProbeArguments& arguments);
int contracts_verb(const ContractsArguments& arguments);
int regenerate_verb(const RegenerateArguments& arguments);
int power_verb(const PowerArguments& arguments);
int sharpness_verb(const PowerArguments& arguments);
int witness_verb(const WitnessArguments& arguments);
/// Of it, witness_run.cpp: calls a library on the inputs of witnesses.
int run_witnesses(const WitnessArguments& arguments);
/// witness_keep.cpp: commits what the rows of witnesses allow.
int keep_witnesses(const WitnessArguments& arguments);
int match_verb(const ContractsArguments& arguments);
int match_dump(const ContractsArguments& arguments);  ///< of match on a user's files, instead of a kernel

}  // namespace assay
