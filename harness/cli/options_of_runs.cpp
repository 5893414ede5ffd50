#include <cmath>
#include <cstdlib>

#include "harness/cli/options.h"
#include "harness/cli/places.h"

namespace assay {
namespace {

/// Cases of one's own, for verbs that choose among cases.
void add_own_cases(CLI::App& verb) {
  CLI::Option* const cases = verb.add_option("--cases", own_cases().files,
                                             "a table with rows of your own, read instead of the shipped tables; may be repeated")
                                 ->type_name("FILE.csv");
  verb.add_option("--op", own_cases().op, "the op of a table of your own that has no column 'op'")
      ->type_name("NAME")
      ->needs(cases);
}

/// "" would be ignored where a shell's variable was empty.
const CLI::Validator& a_name() {
  static const CLI::Validator validator([](std::string& text) { return text.empty() ? std::string("is empty") : std::string(); }, "");
  return validator;
}

}  // namespace

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
  verb.add_option("--trend", run.trend, "a JSON report of an earlier run: the HTML report says what changed")
      ->check(a_name())
      ->type_name("FILE.json");
  verb.add_option("--repeat", run.repeat, "call each kernel so often and demand the same bits")->check(CLI::Range(1, 1000000));
  verb.add_flag("--ladder", run.ladder,
                "demand the same bits when repeated, in other batches, among other rows, on a stream, from a graph");
  verb.add_flag("--reckon-power", run.reckon_power, "compute what the data show, also where golden/power has it");
  verb.add_option("--ledger", run.ledger, "known deviations: their outcomes are demanded instead of pass")->check(a_name())->type_name("FILE.csv");
  verb.add_option("--shard", run.shard,
                  "only the I-th of N shares of the cases; without it GoogleTest's, Slurm's and Open MPI's variables hold")
      ->type_name("I/N");
  verb.add_option("--record", run.record, "write what each kernel was given and returned, for assay judge")->check(a_name())->type_name("DIR");
  verb.add_flag("--in-process", run.in_process, "load also a library given by path into this process, for debuggers");
  verb.add_option("--timeout", run.timeout_seconds, "seconds after which a call in a worker process counts as hung")
      ->check(seconds())
      ->capture_default_str();
}

void add_list(CLI::App& program, ListArguments& listed) {
  CLI::App& list = *program.add_subcommand(
      "list",
      "expand the case tables: a summary by op, or the ids of what is selected; or describe an op to authors of plug-ins");
  add_selection(list, listed.selection);
  list.add_flag("--all", listed.all, "every id");
  list.get_option("--op")
      ->description(
          "its tensors, parameters, contracts, and the keys of `accepts` with their cells; with --cases, the op of a table that "
          "has no column 'op'")
      ->remove_needs(list.get_option("--cases"));
}

void add_judge(CLI::App& program, JudgeArguments& judge) {
  CLI::App& verb = *program.add_subcommand("judge", "judge what was recorded or dumped, without any kernel");
  verb.add_option("targets", judge.targets,
                  "DIR... of run --record; FILE.safetensors or role=FILE.npy ... with --contract, of an all-reduce a file a rank; "
                  "FILE:TENSOR with --as scale")
      ->required();
  verb.add_option("--contract", judge.contract,
                  "of a dump whose tensors are named x, gamma, q, scale, y or a, b, scale_a, scale_b, d")
      ->type_name("ID");
  verb.add_option("--param", judge.parameters, "parameter of a dump, such as group_size=128 or eps=1e-6; may be repeated")
      ->type_name("NAME=VALUE");
  verb.add_option("--layout", judge.layout, "of the scale tensor, where its shape does not tell; of a GEMM that of scale_a")->type_name("NAME");
  verb.add_option("--tensor", judge.tensors, "name of a role's tensor in the file; may be repeated")->type_name("ROLE=NAME");
  verb.add_option("--as", judge.as, "a lone tensor: scale, or ue8m0_scale if its consumer takes powers of two only")
      ->check(CLI::IsMember({"scale", "ue8m0_scale"}));
  verb.add_option("--report", judge.reports, "as of run; may be repeated")->type_name("KIND[:FILE]");
  verb.add_option("--ledger", judge.ledger, "as of run, for recordings")->check(a_name())->type_name("FILE.csv");
  add_selection(verb, judge.selection);
}

void add_gate(CLI::App& program, GateArguments& gate) {
  CLI::App& verb = *program.add_subcommand(
      "gate", "hold recorded runs against an earlier one: the same bits, changed within the budget, or a violation");
  verb.add_option("recordings", gate.targets, "of run --record")->type_name("DIR...")->required();
  verb.add_option("--baseline", gate.baseline, "the earlier recording, of run --record")->type_name("DIR")->required();
  verb.add_flag("--same-bits", gate.same_bits, "a change within the budget does not pass either");
  verb.add_option("--report", gate.reports, "as of run; may be repeated")->type_name("KIND[:FILE]");
  verb.add_option("--ledger", gate.ledger, "as of run")->check(a_name())->type_name("FILE.csv");
  add_selection(verb, gate.selection);
}

void add_golden(CLI::App& program, GoldenArguments& golden) {
  CLI::App& verb = *program.add_subcommand("golden", "check the golden files of the quick tier, or write them");
  verb.add_option("action", golden.action, "check or write")->required()->check(CLI::IsMember({"check", "write"}));
  verb.add_option("--observed", golden.backend, "write the bits that this back end returns")->type_name("NAME|PATH.so");
  verb.add_option("--timeout", golden.timeout_seconds, "of --observed, as of run")->check(seconds())->capture_default_str();
  verb.add_option("--part", golden.part, "of check: look at this part alone")->check(CLI::IsMember({"predicted", "observed", "power", "casts"}));
  verb.add_option("--sample", golden.sample, "of check: compute 5 % of golden/power again, drawn with this seed, and not all")->type_name("SEED");
  verb.add_option("--folder", golden.folder, "instead of golden/ beside the suites")->type_name("DIR");
}

void add_explain(CLI::App& program, ExplainArguments& explain) {
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

void add_hunt(CLI::App& program, HuntArguments& hunt) {
  CLI::App& verb = *program.add_subcommand("hunt", "invent cases of an op until a kernel breaks its contract, or time is over");
  add_selection(verb, hunt.selection);
  verb.remove_option(verb.get_option("--op"));
  verb.add_option("--op", hunt.op, "cells of its cases are put together anew, with other seeds")->type_name("NAME")->required();
  verb.add_option("--minutes", hunt.minutes, "how long")->check(CLI::Range(0.0, 1e6))->capture_default_str();
  verb.add_option("--count", hunt.count, "cases at most")->check(CLI::Range(int64_t{1}, int64_t{1} << 40))->capture_default_str();
  verb.add_option("--seed", hunt.seed, "of what is invented")->check(CLI::NonNegativeNumber)->capture_default_str();
  verb.add_option("--backend", hunt.backend, "as of run")->type_name("NAME|PATH.so")->capture_default_str();
  verb.add_option("--kernel", hunt.kernel, "only kernels of this name")->type_name("GLOB");
  verb.add_option("--output", hunt.output, "a table for --cases with the first violation of each kernel")->type_name("FILE.csv");
  verb.add_option("--timeout", hunt.timeout_seconds, "as of run")->check(seconds())->capture_default_str();
}

}  // namespace assay
