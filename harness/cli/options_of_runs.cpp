#include <charconv>
#include <cmath>
#include <cstdlib>

#include "harness/cli/options.h"

namespace assay {
namespace {

/// Cases of one's own, for verbs that choose among cases.
void add_own_cases(CLI::App& verb, UserTables& tables) {
  CLI::Option* const cases = verb.add_option("--cases", tables.cases,
                                             "case table of your own, used instead of the shipped tables; may be repeated")
                                 ->type_name("FILE.csv");
  verb.add_option("--op", tables.op, "op of a case table of your own that has no column 'op'")
      ->type_name("NAME")
      ->needs(cases);
}

/// Rejects "", the result of an empty shell variable.
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
        return "expected a number of seconds above 0, got '" + text + "'";
      },
      "SECONDS");
  return validator;
}

const CLI::Validator& whole_number() {
  static const CLI::Validator validator(
      [](std::string& text) {
        uint64_t value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error == std::errc() && end == text.data() + text.size()) return std::string();
        return "expected a whole number from 0 to 2^64 - 1, got '" + text + "'";
      },
      "NUMBER");
  return validator;
}

void add_selection(CLI::App& verb, Selection& selection, UserTables& tables) {
  add_own_cases(verb, tables);
  verb.add_option("--suite", selection.suites, "only cases of this op, tier or op/tier; may be repeated")->type_name("NAME[/TIER]");
  verb.add_option("--case", selection.cases, "only cases whose id matches; may be repeated")->type_name("GLOB");
  verb.add_option("--arch", selection.arch, "only cases of this architecture")->type_name("NAME");
  verb.add_option("--warp", selection.warp, "only cases of this warp size")->check(CLI::IsMember({"32", "64"}));
}

void add_run(CLI::App& program, RunArguments& run) {
  CLI::App& verb = *program.add_subcommand("run", "run cases on a back end and check its outputs");
  add_selection(verb, run.selection, run.suites.tables);
  verb.add_option("--backend", run.backend, "kernel library: a name (libassay_NAME.so beside this program), a path, or kernels in Python")
      ->type_name("NAME|PATH.so|python:MODULE:KERNEL")
      ->capture_default_str();
  verb.add_option("--execute", run.execute,
                  "execute AMD code objects on the CPU: gfx942 or gfx950, then options such as ,races or ,schedule=random,seed=3 or "
                  ",approximate=each (outputs that depend on approximate instructions are counted); back end 'hip' is then libassay_hip_executed.so")
      ->type_name("ARCH[,OPTION...]");
  verb.add_option("--kernel", run.kernel, "only kernels whose name matches")->type_name("GLOB");
  verb.add_option("--report", run.reports, "write a report: console, csv:FILE, junit:FILE, json:FILE or html:FILE; may be repeated")
      ->type_name("KIND[:FILE]");
  verb.add_option("--trend", run.trend, "JSON report of an earlier run; the HTML report then shows what changed")
      ->check(a_name())
      ->type_name("FILE.json");
  verb.add_option("--repeat", run.repeat, "call each kernel this many times and require the same bits")->check(CLI::Range(1, 1000000));
  verb.add_flag("--ladder", run.ladder,
                "determinism tests: require the same bits when repeated, in other batches, among other rows, on a stream and from a graph");
  verb.add_flag("--reckon-power", run.reckon_power, "compute mutation scores, also those recorded in golden/power");
  verb.add_option("--ledger", run.ledger, "known-failures list: table of expected outcomes other than pass")
      ->check(a_name())
      ->type_name("FILE.csv");
  verb.add_option("--shard", run.shard,
                  "run only the I-th of N shares of the cases; default: from GTEST_SHARD_INDEX, SLURM_PROCID or Open MPI, if set")
      ->type_name("I/N");
  verb.add_option("--record", run.record, "write inputs and outputs of each call into this folder, for assay judge and assay gate")->check(a_name())->type_name("DIR");
  verb.add_flag("--in-process", run.in_process, "load the library into this process instead of a worker process, for debuggers");
  verb.add_option("--timeout", run.timeout_seconds, "seconds after which a call in a worker process counts as hung")
      ->check(seconds())
      ->capture_default_str();
}

void add_list(CLI::App& program, ListArguments& listed) {
  CLI::App& list = *program.add_subcommand(
      "list",
      "list the cases: a summary by op, or the ids of a selection; with --op, what a kernel of that op gets");
  add_selection(list, listed.selection, listed.suites.tables);
  list.add_flag("--all", listed.all, "print all ids");
  list.get_option("--op")
      ->description(
          "describe this op: tensors, parameters, contracts, and the keys of `accepts` with their values; with --cases: op of a table "
          "without a column 'op'")
      ->remove_needs(list.get_option("--cases"));
}

void add_inputs(CLI::App& program, InputsArguments& inputs) {
  CLI::App& verb = *program.add_subcommand("inputs", "write inputs of cases as safetensors, for kernels in any language; assay judge then checks their outputs");
  add_selection(verb, inputs.selection, inputs.suites.tables);
  verb.add_option("--output", inputs.output, "folder to make")->required()->check(a_name())->type_name("DIR");
}

void add_judge(CLI::App& program, JudgeArguments& judge) {
  CLI::App& verb = *program.add_subcommand("judge", "check recorded or dumped outputs, without any kernel");
  verb.add_option("targets", judge.targets,
                  "folders of run --record, or of inputs with outputs beside them; or FILE.safetensors or ROLE=FILE.npy ... with --contract, one file per rank of an all-reduce; "
                  "or FILE:TENSOR with --as")
      ->required();
  verb.add_option("--contract", judge.contract,
                  "contract of the dumped tensors, which are named as the op names them: x, gamma, q, scale, y, or a, b, scale_a, scale_b, d")
      ->type_name("ID");
  verb.add_option("--param", judge.parameters, "parameter of the dumped call, such as group_size=128 or eps=1e-6; may be repeated")
      ->type_name("NAME=VALUE");
  verb.add_option("--layout", judge.layout, "layout of the scale tensor (GEMM: of scale_a), if its shape leaves it open")->type_name("NAME");
  verb.add_option("--tensor", judge.tensors, "name in the file of the tensor with this role; may be repeated")->type_name("ROLE=NAME");
  verb.add_option("--as", judge.as, "check a single scale tensor: scale, or ue8m0_scale if its consumer takes powers of two only")
      ->check(CLI::IsMember({"scale", "ue8m0_scale"}));
  verb.add_option("--report", judge.reports, "as for run; may be repeated")->type_name("KIND[:FILE]");
  verb.add_option("--ledger", judge.ledger, "as for run; for recordings only")->check(a_name())->type_name("FILE.csv");
  add_selection(verb, judge.selection, judge.suites.tables);
}

void add_gate(CLI::App& program, GateArguments& gate) {
  CLI::App& verb = *program.add_subcommand(
      "gate", "compare recordings with an earlier one: same bits, changed within the accepted intervals, or a violation");
  verb.add_option("recordings", gate.targets, "folders of run --record")->type_name("DIR...")->required();
  verb.add_option("--baseline", gate.baseline, "folder of the earlier recording")->type_name("DIR")->required();
  verb.add_flag("--same-bits", gate.same_bits, "reject every change of bits, also within the accepted intervals");
  verb.add_option("--report", gate.reports, "as for run; may be repeated")->type_name("KIND[:FILE]");
  verb.add_option("--ledger", gate.ledger, "as for run")->check(a_name())->type_name("FILE.csv");
  add_selection(verb, gate.selection, gate.suites.tables);
}

void add_golden(CLI::App& program, GoldenArguments& golden) {
  CLI::App& verb = *program.add_subcommand("golden", "check or write the golden files of the quick tier");
  verb.add_option("action", golden.action, "check or write")->required()->check(CLI::IsMember({"check", "write"}));
  verb.add_option("--observed", golden.backend, "with write: record what this back end returns")->type_name("NAME|PATH.so");
  verb.add_option("--timeout", golden.timeout_seconds, "as for run; with --observed")->check(seconds())->capture_default_str();
  verb.add_option("--part", golden.part, "for check: check only this part")
      ->check(CLI::IsMember({"predicted", "observed", "power", "casts"}));
  verb.add_option("--sample", golden.sample, "for check: recompute a 5 % sample of golden/power, drawn with this seed, instead of all")
      ->type_name("SEED");
  verb.add_option("--folder", golden.folder, "golden folder; default: golden/ of the data folder")->type_name("DIR");
}

void add_explain(CLI::App& program, ExplainArguments& explain) {
  CLI::App& verb = *program.add_subcommand("explain", "show one case: contract as formulas, what its data can expose, trace with accepted intervals, cause");
  verb.add_option("case", explain.case_id, "case id as in a report, or a glob that matches one case")->required();
  add_own_cases(verb, explain.suites.tables);
  verb.add_option("--backend", explain.backend)->type_name("NAME|PATH.so")->capture_default_str();
  verb.add_option("--kernel", explain.kernel)->type_name("GLOB");
  verb.add_option("--element", explain.element, "output element to trace; default: the worst one")->expected(2)->type_name("ROW COLUMN");
  verb.add_flag("--call", explain.call_only, "show only the call that a plug-in gets (tensors, parameters, layouts) and the contract");
  CLI::Option* minimize = verb.add_flag(
      "--minimize", explain.minimize, "search the smallest case that still fails for the same cause, and print it as a table row");
  verb.add_option("--output", explain.output, "with --minimize: write the row to this case table")->type_name("FILE.csv")->needs(minimize);
}

void add_hunt(CLI::App& program, HuntArguments& hunt) {
  CLI::App& verb = *program.add_subcommand("hunt", "fuzz: recombine parameters and seeds of an op's cases until a kernel fails or time is over");
  add_selection(verb, hunt.selection, hunt.suites.tables);
  verb.remove_option(verb.get_option("--op"));
  verb.add_option("--op", hunt.op, "op whose cases are recombined")->type_name("NAME")->required();
  verb.add_option("--minutes", hunt.minutes, "time limit")->check(CLI::Range(0.0, 1e6))->capture_default_str();
  verb.add_option("--count", hunt.count, "largest number of cases")->check(CLI::Range(int64_t{1}, int64_t{1} << 40))->capture_default_str();
  verb.add_option("--seed", hunt.seed, "seed of the generated cases")->check(whole_number())->capture_default_str();
  verb.add_option("--backend", hunt.backend, "as for run")->type_name("NAME|PATH.so")->capture_default_str();
  verb.add_option("--kernel", hunt.kernel, "only kernels whose name matches")->type_name("GLOB");
  verb.add_option("--output", hunt.output, "write the first failing case of each kernel to this case table")->type_name("FILE.csv");
  verb.add_option("--timeout", hunt.timeout_seconds, "as for run")->check(seconds())->capture_default_str();
}

}  // namespace assay
