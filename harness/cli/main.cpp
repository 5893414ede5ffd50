// assay: reads the command line and hands it to a verb.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <new>
#include <system_error>

#include "harness/backend/library.h"
#include "harness/backend/worker.h"
#include "harness/cli/places.h"
#include "harness/cli/verbs.h"
#include "harness/core/error.h"
#include "harness/core/printable.h"

namespace {

using assay::RunArguments;
using assay::Selection;

/// CLI11's PositiveNumber takes NaN, which compares with nothing, and Inf, which no clock can wait for.
const CLI::Validator& seconds() {
  static const CLI::Validator validator(
      [](std::string& text) {
        char* end = nullptr;
        const double value = std::strtod(text.c_str(), &end);
        if (end != text.c_str() && *end == '\0' && std::isfinite(value) && value > 0) return std::string();
        return "'" + text + "' is no number of seconds above 0";
      },
      "SECONDS");
  return validator;
}

/// Cases of one's own, for verbs that choose among cases.
void add_own_cases(CLI::App& verb) {
  CLI::Option* const cases =
      verb.add_option("--cases", assay::own_cases().files, "a table with rows of your own, read instead of the shipped tables; may be repeated")
          ->type_name("FILE.csv");
  verb.add_option("--op", assay::own_cases().op, "the op of a table of your own that has no column 'op'")->type_name("NAME")->needs(cases);
}

void add_selection(CLI::App& verb, Selection& selection) {
  add_own_cases(verb);
  verb.add_option("--suite", selection.suites, "op, op/tier or tier; may be repeated")->type_name("NAME[/TIER]");
  verb.add_option("--case", selection.cases, "glob over case ids; may be repeated")->type_name("GLOB");
  verb.add_option("--arch", selection.arch, "only cases of this architecture")->type_name("NAME");
  verb.add_option("--warp", selection.warp, "only cases of this warp size")->check(CLI::IsMember({"32", "64"}));
}

void add_run(CLI::App& program, RunArguments& run) {
  CLI::App& verb = *program.add_subcommand("run", "run cases on a back end and judge them");
  add_selection(verb, run.selection);
  verb.add_option("--backend", run.backend, "a name (libassay_NAME.so beside this program) or the path of a kernel library")
      ->type_name("NAME|PATH.so")
      ->capture_default_str();
  verb.add_option("--kernel", run.kernel, "only kernels of this name")->type_name("GLOB");
  verb.add_option("--report", run.reports, "console, csv:FILE, junit:FILE, json:FILE, html:FILE; may be repeated")
      ->type_name("KIND[:FILE]");
  verb.add_option("--trend", run.trend, "a JSON report of an earlier run: the HTML report says what changed")->type_name("FILE.json");
  verb.add_option("--repeat", run.repeat, "call each kernel so often and demand the same bits")->check(CLI::Range(1, 1000000));
  verb.add_flag("--ladder", run.ladder,
                "demand the same bits when repeated, in other batches, among other rows, on a stream, from a graph");
  verb.add_option("--ledger", run.ledger, "known deviations: their outcomes are demanded instead of pass")->type_name("FILE.csv");
  verb.add_option("--shard", run.shard,
                  "only the I-th of N shares of the cases; without it GoogleTest's, Slurm's and Open MPI's variables hold")
      ->type_name("I/N");
  verb.add_option("--record", run.record, "write what each kernel was given and returned, for assay judge")->type_name("DIR");
  verb.add_flag("--in-process", run.in_process, "load also a library given by path into this process, for debuggers");
  verb.add_option("--timeout", run.timeout_seconds, "seconds after which a call in a worker process counts as hung")
      ->check(seconds())
      ->capture_default_str();
}

void add_judge(CLI::App& program, assay::JudgeArguments& judge) {
  CLI::App& verb = *program.add_subcommand("judge", "judge what was recorded or dumped, without any kernel");
  verb.add_option("targets", judge.targets,
                  "DIR... of run --record; FILE.safetensors or role=FILE.npy ... with --contract; FILE:TENSOR with --as scale")
      ->required();
  verb.add_option("--contract", judge.contract, "of a dump whose tensors are named x, gamma, q, scale, y or a, b, scale_a, scale_b, d")->type_name("ID");
  verb.add_option("--param", judge.parameters, "parameter of a dump, such as group_size=128 or eps=1e-6; may be repeated")
      ->type_name("NAME=VALUE");
  verb.add_option("--layout", judge.layout, "of the scale tensor, where its shape does not tell")->type_name("NAME");
  verb.add_option("--tensor", judge.tensors, "name of a role's tensor in the file; may be repeated")->type_name("ROLE=NAME");
  verb.add_option("--as", judge.as, "a lone tensor: scale, or ue8m0_scale if its consumer takes powers of two only")
      ->check(CLI::IsMember({"scale", "ue8m0_scale"}));
  verb.add_option("--report", judge.reports, "as of run; may be repeated")->type_name("KIND[:FILE]");
  verb.add_option("--ledger", judge.ledger, "as of run, for recordings")->type_name("FILE.csv");
  add_selection(verb, judge.selection);
}

void add_gate(CLI::App& program, assay::GateArguments& gate) {
  CLI::App& verb = *program.add_subcommand("gate", "hold recorded runs against an earlier one: the same bits, changed within the budget, or a violation");
  verb.add_option("recordings", gate.targets, "of run --record")->type_name("DIR...")->required();
  verb.add_option("--baseline", gate.baseline, "the earlier recording, of run --record")->type_name("DIR")->required();
  verb.add_flag("--same-bits", gate.same_bits, "a change within the budget does not pass either");
  verb.add_option("--report", gate.reports, "as of run; may be repeated")->type_name("KIND[:FILE]");
  verb.add_option("--ledger", gate.ledger, "as of run")->type_name("FILE.csv");
  add_selection(verb, gate.selection);
}

void add_golden(CLI::App& program, assay::GoldenArguments& golden) {
  CLI::App& verb = *program.add_subcommand("golden", "check the golden files of the quick tier, or write them");
  verb.add_option("action", golden.action, "check or write")->required()->check(CLI::IsMember({"check", "write"}));
  verb.add_option("--observed", golden.backend, "write the bits that this back end returns")->type_name("NAME|PATH.so");
  verb.add_option("--timeout", golden.timeout_seconds, "of --observed, as of run")->check(seconds())->capture_default_str();
  verb.add_option("--folder", golden.folder, "instead of golden/ beside the suites")->type_name("DIR");
}

void add_explain(CLI::App& program, assay::ExplainArguments& explain) {
  CLI::App& verb = *program.add_subcommand("explain", "one case in full: contract as formula, trace with spans, diagnosis");
  verb.add_option("case", explain.case_id, "case id, as in a report, or a glob that one case matches")->required();
  add_own_cases(verb);
  verb.add_option("--backend", explain.backend)->type_name("NAME|PATH.so")->capture_default_str();
  verb.add_option("--kernel", explain.kernel)->type_name("GLOB");
  verb.add_option("--element", explain.element, "output element to trace")->expected(2)->type_name("ROW COLUMN");
  verb.add_flag("--call", explain.call_only, "only what a plug-in gets: tensors, parameters, layouts; and the contract");
  CLI::Option* minimize = verb.add_flag(
      "--minimize", explain.minimize, "print the smallest case that still fails for the same cause, as a row of the op's table");
  verb.add_option("--output", explain.output, "write that row to a table of its own")->type_name("FILE.csv")->needs(minimize);
}

void add_contracts(CLI::App& program, assay::ContractsArguments& contracts) {
  CLI::App& verb =
      *program.add_subcommand("contracts", "the numeric contracts: list, show ID, diff A B, match --op OP or match FILE..., specials");
  verb.add_option("action", contracts.action)->required()->check(CLI::IsMember({"list", "show", "diff", "match", "specials"}));
  verb.add_option("ids", contracts.ids, "of match: a dump, FILE.safetensors or role=FILE.npy ...")->type_name("ID|FILE");
  verb.add_flag("--evidence", contracts.evidence, "of list: whether the code of each row was run, read or neither");
  verb.add_option("--backend", contracts.backend, "of match")->type_name("NAME|PATH.so")->capture_default_str();
  verb.add_option("--op", contracts.op, "of match");
  verb.add_option("--kernel", contracts.kernel, "of match")->type_name("GLOB");
  verb.add_option("--case", contracts.cases, "of match: glob over case ids; may be repeated")->type_name("GLOB");
  verb.add_option("--param", contracts.parameters, "of match on files, as of judge")->type_name("NAME=VALUE");
  verb.add_option("--tensor", contracts.tensors, "of match on files, as of judge")->type_name("ROLE=NAME");
  verb.add_option("--layout", contracts.layout, "of match on files, as of judge")->type_name("NAME");
  verb.add_option("--timeout", contracts.timeout_seconds, "of match, as of run")->check(seconds())->capture_default_str();
  CLI::Option* write = verb.add_option("--write", contracts.write, "of specials: put the table into its section of this file");
  verb.add_option("--check", contracts.check, "of specials: exit 1 if the section is not the table")->excludes(write);
}

void add_hunt(CLI::App& program, assay::HuntArguments& hunt) {
  CLI::App& verb = *program.add_subcommand("hunt", "invent cases of an op until a kernel breaks its contract, or time is over");
  add_selection(verb, hunt.selection);
  verb.remove_option(verb.get_option("--op"));
  verb.add_option("--op", hunt.op, "cells of its cases are put together anew, with other seeds")->type_name("NAME")->required();
  verb.add_option("--minutes", hunt.minutes, "how long")->check(CLI::Range(0.0, 1e6))->capture_default_str();
  verb.add_option("--count", hunt.count, "cases at most")->check(CLI::Range(int64_t{1}, int64_t{1} << 40))->capture_default_str();
  verb.add_option("--seed", hunt.seed, "of what is invented")->capture_default_str();
  verb.add_option("--backend", hunt.backend, "as of run")->type_name("NAME|PATH.so")->capture_default_str();
  verb.add_option("--kernel", hunt.kernel, "only kernels of this name")->type_name("GLOB");
  verb.add_option("--output", hunt.output, "a table for --cases with the first violation of each kernel")->type_name("FILE.csv");
  verb.add_option("--timeout", hunt.timeout_seconds, "as of run")->check(seconds())->capture_default_str();
}

void add_arch(CLI::App& program, assay::ArchArguments& arch) {
  CLI::App& verb = *program.add_subcommand("arch", "the matrix units: list, show ID, diff A B, verify DIR of recorded results");
  verb.add_option("action", arch.action)->required()->check(CLI::IsMember({"list", "show", "verify", "diff"}));
  verb.add_option("targets", arch.targets, "unit ids; of verify a folder GPU/FORMAT/{a,b,c,d}_*.txt of recorded results, or a table that --output wrote")
      ->type_name("ID|DIR|FILE.csv");
  verb.add_option("--units", arch.units, "a table with units of your own; may be repeated")->type_name("FILE.csv");
  verb.add_option("--backend", arch.backend, "of verify, instead of a folder: what these units return, held against their rows")
      ->type_name("NAME|PATH.so");
  verb.add_option("--kernel", arch.kernel, "of verify --backend")->type_name("GLOB");
  verb.add_option("--unit", arch.unit, "of verify --backend or FILE.csv: only units of this id")->type_name("GLOB");
  verb.add_option("--output", arch.output, "of verify --backend: a table of digests, if all is as predicted")->type_name("FILE.csv");
  verb.add_option("--elements", arch.elements, "of verify --backend: of each unit, kind of data and length of chains")
      ->check(CLI::Range(1, 1 << 28))
      ->capture_default_str();
  verb.add_option("--seed", arch.seed, "of verify --backend")->capture_default_str();
  verb.add_option("--timeout", arch.timeout_seconds, "of verify --backend, as of run")->check(seconds())->capture_default_str();
}

void add_probe(CLI::App& program, assay::ProbeArguments& probe) {
  CLI::App& verb = *program.add_subcommand("probe", "find out what the matrix units and the conversions of a device do, by asking");
  verb.add_option("--backend", probe.backend, "as of run")->type_name("NAME|PATH.so")->capture_default_str();
  verb.add_option("--kernel", probe.kernel, "only kernels of this name")->type_name("GLOB");
  verb.add_option("--unit", probe.unit, "only instructions that are called by this id; conversions are then left out")->type_name("GLOB");
  verb.add_option("--output", probe.output, "write a row for each unit that was found, for --contracts")->type_name("FILE.csv");
  verb.add_option("--elements", probe.elements, "of each kind of inputs before a unit is found; twice as many check it")
      ->check(CLI::Range(256, 1 << 24))
      ->capture_default_str();
  verb.add_option("--seed", probe.seed, "of the inputs")->capture_default_str();
  verb.add_option("--timeout", probe.timeout_seconds, "as of run")->check(seconds())->capture_default_str();
}

void add_witness(CLI::App& program, assay::WitnessArguments& witness) {
  CLI::App& verb = *program.add_subcommand("witness", "what real implementations returned on inputs that tell their rows from every mistake");
  verb.add_option("action", witness.action,
                  "inputs: choose them; run: call a library on them; keep: commit what their rows allow; check: rows pass and their edits fail; drift: which rows a release still obeys")
      ->required()
      ->check(CLI::IsMember({"inputs", "run", "keep", "check", "drift"}));
  verb.add_option("folders", witness.targets, "of run the inputs, of keep and drift what was run, of check witnesses (default golden/witness)")->type_name("DIR...");
  verb.add_option("--folder", witness.folder, "where inputs, run and keep write; what drift holds releases against (default golden/witness)")->type_name("DIR");
  verb.add_option("--op", witness.op, "inputs of this op alone");
  verb.add_option("--contract", witness.contract, "only these contracts")->type_name("GLOB");
  verb.add_option("--without", witness.without, "of inputs: leave out these cases, such as rows that real kernels do not take")->type_name("GLOB");
  verb.add_option("--backend", witness.backend, "of run: as of run")->type_name("NAME|PATH.so");
  verb.add_option("--kernel", witness.kernel, "of run: only kernels of this name")->type_name("GLOB");
  verb.add_option("--package", witness.package, "of run: what is called, with its version or commit");
  verb.add_option("--flags", witness.flags, "of run: of its build, where they change bits");
  verb.add_option("--write", witness.write, "of check and drift: put the table into its section of this file")->type_name("FILE.md");
  verb.add_option("--check", witness.check, "of check and drift: exit 1 if that section is not the table")->type_name("FILE.md");
  verb.add_option("--timeout", witness.timeout_seconds, "as of run")->check(seconds())->capture_default_str();
}

/// A verb that makes a table of the suites.
void add_table(CLI::App& program, const std::string& name, const std::string& what, assay::PowerArguments& arguments) {
  CLI::App& verb = *program.add_subcommand(name, what);
  CLI::Option* op = verb.add_option("--op", arguments.op, "only this op");
  CLI::Option* write =
      verb.add_option("--write", arguments.write, "put the table into the section `assay " + name + "` of this file")
          ->type_name("FILE.md")
          ->excludes(op);
  verb.add_option("--check", arguments.check, "exit 1 if that section of the file is not the table")
      ->type_name("FILE.md")
      ->excludes(op)
      ->excludes(write);
}

int say(assay::ExitCode code, const std::string& words) {
  std::fprintf(stderr, "assay: %s\n", assay::printable_lines(words).c_str());
  return code;
}

/// Names that somebody looked up and that there are not ("unknown contract 'x'"); any other index out of range is a defect.
bool is_lookup(const std::out_of_range& error) { return std::string_view(error.what()).starts_with("unknown "); }

/// Exit codes of product.md: a wrong command line, table, dump or library is 2; what the machine or this program itself did wrong is
/// 3, since it says nothing about a kernel; a missing device is 77.
int guarded(const std::function<int()>& verb) {
  const std::string defect = "internal error, a defect of assay and not of its input: ";
  try {
    return verb();
  } catch (const assay::NoDeviceError& error) {
    return say(assay::kNoDevice, error.what());
  } catch (const assay::HarnessError& error) {
    return say(assay::kHarnessFailed, error.what());
  } catch (const std::system_error& error) {
    return say(assay::kHarnessFailed, error.what());
  } catch (const std::bad_alloc&) {
    return say(assay::kHarnessFailed, "out of memory");
  } catch (const std::out_of_range& error) {
    return is_lookup(error) ? say(assay::kUsageOrNothingRan, error.what()) : say(assay::kHarnessFailed, defect + error.what());
  } catch (const std::logic_error& error) {
    return say(assay::kHarnessFailed, defect + error.what());
  } catch (const std::exception& error) {
    return say(assay::kUsageOrNothingRan, error.what());
  } catch (...) {
    return say(assay::kHarnessFailed, defect + "an exception of unknown type");
  }
}

/// What was printed must have arrived: a verdict that nobody can read is none.
int delivered(int code) {
  const bool flushed = std::fflush(stdout) == 0;
  const int error = errno;
  if (flushed && std::ferror(stdout) == 0) return code;
  const int lost = say(assay::kHarnessFailed, std::string("standard output was lost") + (flushed ? "" : std::string(": ") + std::strerror(error)));
  return code == assay::kAllAsExpected ? lost : code;
}

/// A closed descriptor 0, 1 or 2 would become the next file that is opened, and what is printed would land in it.
void hold_standard_descriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(descriptor, F_GETFD) >= 0) continue;
    const int file = ::open(descriptor == STDOUT_FILENO ? "/dev/full" : "/dev/null", O_RDWR);
    if (file >= 0 && file != descriptor) ::dup2(file, descriptor), ::close(file);
  }
}

}  // namespace

int main(int argc, char** argv) {
  hold_standard_descriptors();
  CLI::App program("Conformance suite for the low-precision kernels of LLM inference.");
  program.name("assay");
  program.require_subcommand(1);
  program.fallthrough();  // so that --contracts may stand behind the verb
  program.set_version_flag("--version", ASSAY_VERSION);

  RunArguments run;
  add_run(program, run);
  assay::ListArguments listed;
  CLI::App& list = *program.add_subcommand("list", "expand the case tables: a summary by op, or the ids of what is selected; or describe an op to authors of plug-ins");
  add_selection(list, listed.selection);
  list.add_flag("--all", listed.all, "every id");
  list.get_option("--op")
      ->description("its tensors, parameters, contracts, and the keys of `accepts` with their cells; with --cases, the op of a table that has no column 'op'")
      ->remove_needs(list.get_option("--cases"));
  assay::JudgeArguments judge;
  add_judge(program, judge);
  assay::GateArguments gate;
  add_gate(program, gate);
  assay::GoldenArguments golden;
  add_golden(program, golden);
  assay::ExplainArguments explain;
  add_explain(program, explain);
  assay::ContractsArguments contracts;
  add_contracts(program, contracts);
  assay::ArchArguments arch;
  add_arch(program, arch);
  assay::HuntArguments hunt;
  add_hunt(program, hunt);
  assay::ProbeArguments probe;
  add_probe(program, probe);
  assay::WitnessArguments witness;
  add_witness(program, witness);
  assay::PowerArguments power;
  add_table(program, "power", "which fills tell which single-step faults from their contract, as a table", power);
  assay::PowerArguments sharpness;
  add_table(program, "sharpness", "how many elements of rows of 7168 may have one code only, as a table", sharpness);
  program.add_option("--contracts", assay::more_contracts(), "a table with contracts or units of your own; may be repeated")
      ->type_name("FILE.csv");
  std::string library;
  CLI::App& worker = *program.add_subcommand("worker", "")->group("");  // hidden: started by run for a library given by path
  worker.add_option("--library", library)->required();

  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == 0 ? delivered(assay::kAllAsExpected) : assay::kUsageOrNothingRan;
  }
  run.command = judge.command = gate.command = {argv, argv + argc};
  // A reader that left must not end a run before its reports are written; other verbs have none, and end like `cat`.
  for (const char* const verb : {"run", "judge", "gate", "golden", "probe"})
    if (program.got_subcommand(verb)) ::signal(SIGPIPE, SIG_IGN);
  const int code = guarded([&] {
    if (program.got_subcommand("run")) return assay::run_verb(run);
    if (program.got_subcommand("judge")) return assay::judge_verb(judge);
    if (program.got_subcommand("gate")) return assay::gate_verb(gate);
    if (program.got_subcommand("hunt")) return assay::hunt_verb(hunt);
    if (program.got_subcommand("list")) return assay::list_verb(listed);
    if (program.got_subcommand("golden")) return assay::golden_verb(golden);
    if (program.got_subcommand("explain") && explain.minimize) return assay::minimize_verb(explain);
    if (program.got_subcommand("explain")) return assay::explain_verb(explain);
    if (program.got_subcommand("arch")) return assay::arch_verb(arch);
    if (program.got_subcommand("probe")) return assay::probe_verb(probe);
    if (program.got_subcommand("witness")) return assay::witness_verb(witness);
    if (program.got_subcommand("power")) return assay::power_verb(power);
    if (program.got_subcommand("sharpness")) return assay::sharpness_verb(sharpness);
    if (program.got_subcommand("contracts"))
      return contracts.action == "match" ? assay::match_verb(contracts) : assay::contracts_verb(contracts);
    return assay::worker_main(library);
  });
  return delivered(code);
}
