#include "harness/cli/options.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "harness/cli/regenerate.h"

namespace assay {
namespace {

/// Options for the user's own cases, for verbs that select cases.
void add_own_cases(CLI::App& verb, UserTables& tables) {
  verb.add_option("--cases", tables.cases,
                  "case table of your own, used instead of the shipped tables (signoff uses both); may be repeated")
      ->type_name("FILE.csv");
  verb.add_option("--op", tables.op, "op of a case table of your own that has no column 'op'")->type_name("NAME");
}

/// Examples below a verb's options. Each is a complete command line.
void examples(CLI::App& verb, const std::vector<std::string>& lines) {
  std::string text = "Examples:";
  for (const std::string& line : lines) text += "\n  " + line;
  verb.footer(text);
}

/// For each option or argument of a verb: the actions that use it, such as "write" and "check". A command line with an option
/// that its action does not use is an error.
using Users = std::map<std::string, std::vector<std::string>>;

void refuse_unused(CLI::App& verb, const Users& users, const std::function<std::string()>& action) {
  verb.parse_complete_callback([&verb, users, action] {
    const std::string now = action();
    for (const auto& [name, actions] : users) {
      const bool used = std::any_of(actions.begin(), actions.end(),
                                    [&](const std::string& one) { return now == one || now.starts_with(one + " "); });
      if (verb.get_option(name)->count() == 0 || used) continue;
      std::string by;
      for (const std::string& one : actions) by += (by.empty() ? "" : " and ") + verb.get_name() + " " + one;
      throw CLI::ValidationError(verb.get_name() + " " + now + (name.starts_with("-") ? " does not use " : " takes no ") + name +
                                 "; only " + by + (actions.size() == 1 ? " does" : " do"));
    }
  });
}

/// Refuses --op without --cases, because --op only says to which op the user's own case table belongs.
void refuse_op_without_cases(CLI::App& verb) {
  verb.parse_complete_callback([&verb] {
    const CLI::Option* const op = verb.get_option("--op");
    if (op->count() > 0 && verb.get_option("--cases")->count() == 0)
      throw CLI::ValidationError(
          "--op without --cases: expected --cases FILE.csv, whose op it names; to select shipped cases: --suite " +
          op->results().front());
  });
}

/// Options that say how many failures the console prints, and in how much detail.
void add_shown(CLI::App& verb, Shown& shown) {
  verb.add_option_function<std::string>(
          "--show", [&shown](const std::string& what) { shown.all = what == "all"; },
          "what to print about failures. causes: a block for each cause. all: a block for each failure, and also counts for "
          "every contract and the reasons of all skips")
      ->check(CLI::IsMember({"causes", "all"}))
      ->default_str("causes");
  verb.add_option("--max-failures", shown.failures,
                  "print at most this many blocks of failures; each further cause gets one line")
      ->check(whole_number())
      ->capture_default_str();
}

/// Rejects an empty argument, which an unset shell variable gives.
const CLI::Validator& a_name() {
  static const CLI::Validator validator([](std::string& text) { return text.empty() ? std::string("is empty") : std::string(); },
                                        "");
  return validator;
}

/// Options for the history file that a run is added to.
void add_history_file(CLI::App& verb, std::string& history, std::string& commit) {
  CLI::Option* const file =
      verb.add_option("--history", history, "add the verdicts to this history file, for assay history; created if missing")
          ->check(a_name())
          ->type_name("FILE");
  verb.add_option("--commit", commit, "with --history: commit of the kernels; default: GITHUB_SHA or CI_COMMIT_SHA, if set")
      ->type_name("TEXT")
      ->needs(file);
}

void add_diagnose(CLI::App& verb, std::string& how) {
  verb.add_option(
          "--diagnose", how,
          "how much work to spend on finding the cause of a failure: none, short (about 5 s) or long; the limit counts "
          "evaluated elements, not seconds, so every machine reports the same causes")
      ->check(CLI::IsMember({"none", "short", "long"}))
      ->capture_default_str();
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
  verb.add_option("--suite", selection.suites, "only cases of this op, tier or op/tier; may be repeated")
      ->type_name("NAME[/TIER]");
  verb.add_option("--case", selection.cases, "only cases whose id matches this glob; may be repeated")->type_name("GLOB");
  verb.add_option("--arch", selection.arch, "leave out cases that are only for other architectures")->type_name("NAME");
  verb.add_option("--warp", selection.warp, "only cases of this warp size")->check(CLI::IsMember({"32", "64"}));
}

void add_run(CLI::App& program, RunArguments& run) {
  CLI::App& verb = *program.add_subcommand("run", "run cases on a back end and check its outputs");
  examples(verb, {"assay run --backend ./libmine.so", "assay run --backend ./libmine.so --suite rms_norm --tier full",
                  "assay run --suite quant_group --report html:report.html --report csv:verdicts.csv",
                  "assay run --case 'rms_norm/vllm.rms_norm@2026-06-18/*' --record recording"});
  add_selection(verb, run.selection, run.suites.tables);
  refuse_op_without_cases(verb);
  verb.add_option("--tier", run.tier,
                  "run this tier and all smaller ones; default: the tiers that --suite names; without any, all tiers if --case "
                  "is given, and quick otherwise")
      ->check(CLI::IsMember({"quick", "full", "far"}));
  add_shown(verb, run.shown);
  verb.add_option("--backend", run.backend,
                  "kernel library: a NAME (for libassay_NAME.so beside this program), a path, or a Python module with kernels")
      ->type_name("NAME|PATH.so|python:MODULE:KERNEL")
      ->capture_default_str();
  verb.add_option(
          "--execute", run.execute,
          "execute AMD code objects on the CPU, for gfx942 or gfx950. Options follow after commas: gfx942,races (reports data "
          "races), gfx942,schedule=random,seed=3 (runs waves in random order), gfx942,approximate=each (counts outputs that "
          "depend on approximate instructions). With this option, --backend hip loads libassay_hip_executed.so")
      ->type_name("ARCH[,OPTION...]");
  verb.add_option("--kernel", run.kernel, "only kernels whose name matches this glob")->type_name("GLOB");
  verb.add_option("--report", run.reports,
                  "write a report: console, csv:FILE, junit:FILE, json:FILE, html:FILE, md:FILE, sarif:FILE, or github "
                  "(annotations and step summary of GitHub Actions); may be repeated")
      ->type_name("KIND[:FILE]");
  verb.add_option("--trend", run.trend,
                  "JSON report of an earlier run, or a history file; the HTML report then shows what changed since; default: the "
                  "newest run of --history")
      ->check(a_name())
      ->type_name("FILE");
  add_history_file(verb, run.history, run.commit);
  verb.add_option("--repeat", run.repeat, "call each kernel this many times and require the same bits")
      ->check(CLI::Range(1, 1000000));
  verb.add_option("--rerun-failed", run.rerun_failed,
                  "repeat a failed call this many times; if some calls pass, the outcome is 'flaky', which is still a failure")
      ->check(CLI::Range(0, 1000));
  verb.add_flag(
      "--ladder", run.ladder,
      "determinism tests: require the same bits if calls are repeated, or run in other batches, among other rows, on a stream "
      "or from a graph");
  add_diagnose(verb, run.diagnose);
  verb.add_flag("--reckon-power", run.reckon_power, "recompute mutation scores instead of reading golden/power");
  CLI::Option* const list = verb.add_option("--ledger,--known-failures", run.ledger,
                                            "known-failures list: a table of expected outcomes other than pass")
                                ->check(a_name())
                                ->type_name("FILE.csv");
  verb.add_flag("--strict", run.strict, "fail if a row of the known-failures list matches no case of its op")->needs(list);
  verb.add_option("--shard", run.shard,
                  "run only the I-th of N shares of the cases; default: from GTEST_SHARD_INDEX, SLURM_PROCID or Open MPI, if set")
      ->type_name("I/N");
  verb.add_option("--record", run.record,
                  "write inputs and outputs of each call into this folder, for assay judge and assay gate")
      ->check(a_name())
      ->type_name("DIR");
  verb.add_flag("--in-process", run.in_process,
                "load the library into this process instead of a worker process, so that a debugger can stop in kernels");
  verb.add_option("--timeout", run.timeout_seconds, "seconds after which a call in a worker process counts as hung")
      ->check(seconds())
      ->capture_default_str();
}

void add_list(CLI::App& program, ListArguments& listed) {
  CLI::App& list = *program.add_subcommand(
      "list", "list the cases: a summary by op, or the ids of a selection; with --op, what a kernel of that op receives");
  examples(list, {"assay list", "assay list rms_norm", "assay list --suite rms_norm/quick", "assay list --op rms_norm"});
  add_selection(list, listed.selection, listed.suites.tables);
  list.add_option("names", listed.names, "only cases of this op, tier or op/tier, or whose id matches this glob this glob")
      ->type_name("NAME|GLOB");
  list.add_flag("--all", listed.all, "print all ids");
  list.get_option("--op")->description(
      "describe this op: tensors, parameters, contracts, and the keys of `accepts` with their values; with --cases: op of a "
      "table "
      "without a column 'op'");
  list.parse_complete_callback([&list] {
    if (list.get_option("--op")->count() == 0 || list.get_option("--cases")->count() > 0) return;
    for (const char* unused : {"names", "--suite", "--case", "--arch", "--warp", "--all"})
      if (list.get_option(unused)->count() > 0)
        throw CLI::ValidationError(std::string("list --op describes an op and does not use ") + unused +
                                   "; to list cases of an op: assay list OP");
  });
}

void add_new(CLI::App& program, NewArguments& made) {
  CLI::App& verb = *program.add_subcommand(
      "new", "write the first files of a plug-in, or a skeleton of a contract, case, op or format into the source tree");
  examples(verb, {"assay new plugin mine", "assay new contract acme.group_fp8 --from vllm.group_fp8 --output acme.csv",
                  "assay new case acme.group_fp8 --from vllm.group_fp8", "assay new op my_norm --from layer_norm",
                  "assay new format e5m3"});
  verb.add_option("what", made.what, "plugin, contract, case, op or format")
      ->required()
      ->check(CLI::IsMember({"plugin", "contract", "case", "op", "format"}));
  verb.add_option("name", made.name, "name of the plug-in, op or format; for contract and case: id of the contract")
      ->required()
      ->check(a_name());
  verb.add_option("--from", made.from, "for contract, case and op: the contract or op to copy from")->type_name("ID|OP");
  verb.add_option("--output", made.output,
                  "for plugin: folder to create, default: the name; for contract and case: table of your own to write instead of "
                  "the tables of the source tree")
      ->type_name("DIR|FILE.csv");
  refuse_unused(verb, {{"--from", {"contract", "case", "op"}}, {"--output", {"plugin", "contract", "case"}}},
                [&made] { return made.what; });
}

void add_inputs(CLI::App& program, InputsArguments& inputs) {
  CLI::App& verb = *program.add_subcommand(
      "inputs", "write inputs of cases as safetensors, for kernels in any language; assay judge then checks their outputs");
  examples(verb, {"assay inputs --suite quant_group/quick --output inputs"});
  add_selection(verb, inputs.selection, inputs.suites.tables);
  refuse_op_without_cases(verb);
  verb.add_option("--output", inputs.output, "folder to create")->required()->check(a_name())->type_name("DIR");
}

void add_judge(CLI::App& program, JudgeArguments& judge) {
  CLI::App& verb = *program.add_subcommand("judge", "check recorded or dumped outputs, without any kernel");
  examples(verb,
           {"assay judge recording", "assay judge dump.safetensors --contract vllm.group_fp8",
            "assay judge dump.safetensors --contract vllm.rms_norm@2026-06-18 --param eps=1e-6 --tensor x=hidden --tensor y=out",
            "assay judge layers.safetensors --contract vllm.group_fp8 --tensor x='layers.*.x' --tensor q='layers.*.q' --tensor "
            "scale='layers.*.scale'",
            "assay judge dump.safetensors:scale --as ue8m0_scale --layout ue8m0x4_tma --param m=61 --param groups=16",
            "assay judge model-00001-of-00002.safetensors model-00002-of-00002.safetensors --lint"});
  verb.add_option("targets", judge.targets,
                  "folders that run --record wrote, or folders of `assay inputs` to which outputs were added; with --contract: "
                  "FILE.safetensors or ROLE=FILE.npy ..., for an all-reduce one file per rank; "
                  "with --as: FILE:TENSOR; with --lint: FILE.safetensors ...")
      ->required();
  verb.add_option("--contract", judge.contract,
                  "contract to check the tensors against; tensors without the op's names (x, gamma, q, scale, y; GEMM: a, b, "
                  "scale_a, scale_b, d) need --tensor")
      ->type_name("ID");
  verb.add_option("--param", judge.parameters,
                  "parameter of the dumped call, such as group_size=128 or eps=1e-6; may be repeated")
      ->type_name("NAME=VALUE");
  verb.add_option("--layout", judge.layout, "layout of the scale tensor (GEMM: of scale_a), if several layouts fit its shape")
      ->type_name("NAME");
  verb.add_option(
          "--tensor", judge.tensors,
          "name that the tensor of this role has in the file; if the names contain a *, one call is checked for each text "
          "that the * can stand for; may be repeated")
      ->type_name("ROLE=NAME");
  verb.add_option("--as", judge.as,
                  "check a single scale tensor: as scale, or as ue8m0_scale if the GEMM that reads it accepts only powers of two")
      ->check(CLI::IsMember({"scale", "ue8m0_scale"}));
  verb.add_flag(
      "--lint", judge.lint,
      "check codes and scales of a quantized checkpoint (FP8 blocks, MXFP8, MXFP4, NVFP4) without its original weights");
  verb.add_option("--report", judge.reports, "has the same meaning as for assay run; may be repeated")->type_name("KIND[:FILE]");
  verb.add_option("--ledger,--known-failures", judge.ledger, "for recordings: has the same meaning as for assay run")
      ->check(a_name())
      ->type_name("FILE.csv");
  add_history_file(verb, judge.history, judge.commit);
  add_diagnose(verb, judge.diagnose);
  add_selection(verb, judge.selection, judge.suites.tables);
  refuse_op_without_cases(verb);
  add_shown(verb, judge.shown);
}

void add_history(CLI::App& program, HistoryArguments& history) {
  CLI::App& verb = *program.add_subcommand(
      "history", "show since which run cases fail, flip or return other bits, from a file of run --history");
  examples(verb, {"assay history kernels.history",
                  "assay history kernels.history --contract 'vllm.rms_norm*' --chip sm_90 --report html:history.html"});
  verb.add_option("file", history.file, "file that run --history wrote")->required()->type_name("FILE");
  verb.add_option("--case", history.cases, "only cases whose id matches this glob; may be repeated")->type_name("GLOB");
  verb.add_option("--contract", history.contracts, "only contracts whose id matches this glob; may be repeated")
      ->type_name("GLOB");
  verb.add_option("--kernel", history.kernels, "only kernels whose name matches this glob; may be repeated")->type_name("GLOB");
  verb.add_option("--chip", history.chips,
                  "only runs on chips whose architecture, or 'ARCHITECTURE, DEVICE', matches this glob; may be repeated")
      ->type_name("GLOB");
  verb.add_option("--last", history.last, "only the newest runs, at most this many")
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 40));
  verb.add_option("--report", history.reports, "console or html:FILE; may be repeated")->type_name("KIND[:FILE]");
  verb.add_flag("--all", history.everything, "on the console, list every run, case and contract");
}

void add_gate(CLI::App& program, GateArguments& gate) {
  CLI::App& verb = *program.add_subcommand(
      "gate", "compare recordings with an earlier one: new, gone, known and fixed failures, changed and equal bits");
  examples(
      verb,
      {"assay gate --baseline before after", "assay gate --baseline before after --same-bits --report json:gate.json",
       "assay gate --baseline kernels.history after --commit 4f2a91c",
       "assay gate --baseline before after --known-failures known.csv --strict --report md:gate.md --report junit:gate.xml"});
  verb.add_option("recordings", gate.targets, "folders of run --record")->type_name("DIR...")->required();
  verb.add_option(
          "--baseline", gate.baseline,
          "folder of the earlier recording, or a file of run --history; in such a file, the baseline is the newest other run "
          "on the same chip whose outcomes were all as expected")
      ->type_name("DIR|FILE")
      ->required();
  CLI::Option* const number = verb.add_option("--run", gate.baseline_run, "with a history: this run is the baseline")
                                  ->check(CLI::Range(int64_t{1}, int64_t{1} << 62))
                                  ->type_name("N");
  verb.add_option("--commit", gate.baseline_commit,
                  "with a history: the newest run of this commit is the baseline; its first characters are enough")
      ->check(a_name())
      ->type_name("ID")
      ->excludes(number);
  verb.add_flag("--same-bits", gate.same_bits, "close the gate for every change of bits, even within the accepted intervals");
  verb.add_flag("--strict", gate.strict,
                "also close the gate for a failure that was fixed (until you remove its row and renew the baseline), and for a "
                "row of the known-failures list that matches no case of its op");
  verb.add_option("--report", gate.reports, "has the same meaning as for assay run; may be repeated")->type_name("KIND[:FILE]");
  verb.add_option("--ledger,--known-failures", gate.ledger, "has the same meaning as for assay run")
      ->check(a_name())
      ->type_name("FILE.csv");
  add_selection(verb, gate.selection, gate.suites.tables);
  refuse_op_without_cases(verb);
  add_shown(verb, gate.shown);
}

void add_known(CLI::App& program, KnownArguments& known) {
  CLI::App& verb = *program.add_subcommand("known", "write a known-failures list from the JSON report of a run");
  examples(verb, {"assay known write --from run.json --issue https://example.com/issues/12 --output known.csv",
                  "assay known write --from run.json --issue https://example.com/issues/13 --keep known.csv --output known.csv"});
  verb.add_option("action", known.action)->required()->check(CLI::IsMember({"write"}));
  verb.add_option("--from", known.from, "JSON report of a run; each unexpected failure in the report becomes a row of the list")
      ->required()
      ->check(a_name())
      ->type_name("FILE.json");
  verb.add_option("--issue", known.issue, "link to the issue of these failures")->required()->check(a_name())->type_name("URL");
  verb.add_option("--owner", known.owner, "who works on these failures; default: your user name")->type_name("NAME");
  verb.add_option("--reason", known.reason, "why they fail; default: the cause in the report")->type_name("TEXT");
  verb.add_option("--since", known.since, "date since when they fail; default: today")->type_name("YYYY-MM-DD");
  verb.add_option("--keep", known.keep, "earlier list; its rows are copied, except those whose cases no longer fail")
      ->check(a_name())
      ->type_name("FILE.csv");
  verb.add_option("--output", known.output, "file to write; default: standard output")->check(a_name())->type_name("FILE.csv");
}

void add_golden(CLI::App& program, GoldenArguments& golden) {
  CLI::App& verb =
      *program.add_subcommand("golden", "check or write golden files of the quick tier, or compare those of several chips");
  examples(verb, {"assay golden check --part predicted", "assay golden write --observed cpu --folder gold",
                  "assay golden diff gold/observed/cpu later/observed/cpu",
                  "assay golden diff sm_89 sm_90 sm_100 --report html:chips.html"});
  verb.add_option("action", golden.action, "check, write or diff")->required()->check(CLI::IsMember({"check", "write", "diff"}));
  verb.add_option("targets", golden.targets, "for diff: architectures, or folders of golden files such as gold/observed/cpu")
      ->type_name("ARCH|DIR");
  verb.add_option("--report", golden.reports, "for diff: write json:FILE or html:FILE; may be repeated")->type_name("KIND:FILE");
  verb.add_option(
          "--ledger,--known-failures", golden.ledger,
          "with write --observed: known-failures list, as for assay run; a case on the list is recorded only if it passes")
      ->check(a_name())
      ->type_name("FILE.csv");
  verb.add_option("--observed", golden.backend, "with write: record the outputs of this back end")->type_name("NAME|PATH.so");
  verb.add_option("--timeout", golden.timeout_seconds, "with --observed: has the same meaning as for assay run")
      ->check(seconds())
      ->capture_default_str();
  verb.add_option("--part", golden.part, "for check: check only this part")
      ->check(CLI::IsMember({"predicted", "observed", "power", "casts"}));
  verb.add_option("--sample", golden.sample, "for check: recompute only a 5 % sample of golden/power, which this seed selects")
      ->type_name("SEED");
  verb.add_option("--op", golden.ops,
                  "for check --part predicted or observed and for write --observed: only this op; may be repeated")
      ->type_name("NAME");
  verb.add_option("--folder", golden.folder, "golden folder; default: golden/ of the data folder")->type_name("DIR");
  refuse_unused(verb,
                {{"targets", {"diff"}},
                 {"--report", {"diff"}},
                 {"--observed", {"write"}},
                 {"--timeout", {"write --observed"}},
                 {"--ledger", {"write --observed"}},
                 {"--part", {"check"}},
                 {"--sample", {"check"}},
                 {"--op", {"check --part predicted", "check --part observed", "write --observed"}}},
                [&golden] {
                  if (golden.action == "check" && !golden.part.empty()) return "check --part " + golden.part;
                  return golden.action + (golden.action == "write" && !golden.backend.empty() ? " --observed" : "");
                });
}

void add_explain(CLI::App& program, ExplainArguments& explain) {
  CLI::App& verb =
      *program.add_subcommand("explain",
                              "explain one case: print its contract as formulas, the mutants that its inputs expose, the steps "
                              "of one element with accepted intervals, and, if the case fails, the cause");
  examples(verb,
           {"assay explain 'quant_group/vllm.group_fp8/bf16.m5.n1024.g128.row/normal.s1/w32'",
            "assay explain 'quant_group/vllm.group_fp8/bf16.m5.n1024.g128.row/normal.s1/w32' --backend ./libmine.so --minimize"});
  verb.add_option("case", explain.case_id, "case id as in a report, or a glob that matches one case")->required();
  add_own_cases(verb, explain.suites.tables);
  verb.add_option("--backend", explain.backend, "has the same meaning as for assay run")
      ->type_name("NAME|PATH.so")
      ->capture_default_str();
  verb.add_option("--kernel", explain.kernel, "only kernels whose name matches this glob")->type_name("GLOB");
  verb.add_option("--element", explain.element, "output element to trace; default: the worst one")
      ->expected(2)
      ->type_name("ROW COLUMN");
  verb.add_flag("--call", explain.call_only,
                "show only the contract and the call that a kernel receives (tensors, parameters, layouts)");
  CLI::Option* minimize =
      verb.add_flag("--minimize", explain.minimize,
                    "find the smallest case that still fails with the same cause, and print it as a table row");
  verb.add_option("--output", explain.output, "with --minimize: write the row to this case table")
      ->type_name("FILE.csv")
      ->needs(minimize);
  refuse_unused(verb,
                {{"--element", {"CASE"}},
                 {"--minimize", {"CASE", "--minimize"}},
                 {"--backend", {"CASE", "--minimize"}},
                 {"--kernel", {"CASE", "--minimize"}}},
                [&explain] {
                  return std::string(explain.call_only ? "--call" : explain.minimize ? "--minimize" : "CASE");
                });
}

void add_hunt(CLI::App& program, HuntArguments& hunt) {
  CLI::App& verb = *program.add_subcommand("hunt",
                                           "fuzz: run new cases that recombine the parameters and seeds of an op's cases, until "
                                           "the time limit; print the first failure of each kernel");
  examples(verb, {"assay hunt --op rms_norm --backend ./libmine.so --minutes 5 --output found.csv"});
  add_selection(verb, hunt.selection, hunt.suites.tables);
  verb.remove_option(verb.get_option("--op"));
  verb.add_option("--op", hunt.op, "op whose cases are recombined")->type_name("NAME")->required();
  verb.add_option("--minutes", hunt.minutes, "time limit")->check(CLI::Range(0.0, 1e6))->capture_default_str();
  verb.add_option("--count", hunt.count, "largest number of cases")
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 40))
      ->capture_default_str();
  verb.add_option("--seed", hunt.seed, "seed of the generated cases")->check(whole_number())->capture_default_str();
  verb.add_option("--backend", hunt.backend, "has the same meaning as for assay run")
      ->type_name("NAME|PATH.so")
      ->capture_default_str();
  verb.add_option("--kernel", hunt.kernel, "only kernels whose name matches this glob")->type_name("GLOB");
  verb.add_option("--output", hunt.output, "write the first failing case of each kernel to this case table")
      ->type_name("FILE.csv");
  add_diagnose(verb, hunt.diagnose);
  verb.add_option("--timeout", hunt.timeout_seconds, "has the same meaning as for assay run")
      ->check(seconds())
      ->capture_default_str();
}

void add_contracts(CLI::App& program, ContractsArguments& contracts) {
  CLI::App& verb = *program.add_subcommand("contracts",
                                           "list, show, compare and check contracts. Actions: list, show ID, diff A B, check "
                                           "FILE..., match --op OP or match FILE..., specials");
  examples(verb, {"assay contracts list --op rms_norm", "assay contracts list --vendor vllm --search ue8m0",
                  "assay contracts list --vendor vllm --release 0.33.0 --op quant_group", "assay contracts show vllm.group_fp8",
                  "assay contracts diff vllm.group_fp8 sglang.group_8bit", "assay contracts check acme.csv --cases cases.csv",
                  "assay contracts match --op rms_norm --backend ./libmine.so",
                  "assay contracts match dump.safetensors --param eps=1e-6"});
  verb.add_option("action", contracts.action)
      ->required()
      ->check(CLI::IsMember({"list", "show", "diff", "check", "match", "specials"}));
  verb.add_option(
          "ids", contracts.ids,
          "contract ids; for list: globs over ids; for check: FILE.csv ...; for match: FILE.safetensors or ROLE=FILE.npy ...")
      ->type_name("ID|FILE");
  CLI::Option* const vendor =
      verb.add_option("--vendor", contracts.vendor, "for list: only contracts whose id begins with this name and a dot")
          ->type_name("NAME");
  verb.add_option("--arch", contracts.arch,
                  "for list: leave out contracts of other chips (for sm_90, for example, ID.gfx942 and ID_fnuz); a contract that "
                  "names no chip stays")
      ->type_name("CHIP");
  verb.add_option("--release", contracts.release,
                  "for list with --vendor: only contracts of this release of the vendor's code, such as 0.33.0, or of its "
                  "code at this date")
      ->needs(vendor)
      ->type_name("RELEASE|DATE");
  verb.add_option("--search", contracts.search, "for list: only contracts whose id or cells contain this text; ignores case")
      ->type_name("TEXT");
  verb.add_option("--cases", contracts.suites.tables.cases,
                  "for check, diff and match --op: case table of your own; may be repeated")
      ->type_name("FILE.csv");
  verb.add_flag("--evidence", contracts.evidence,
                "for list: print for each contract whether its code was run, executed on the CPU, only read, or none of these");
  verb.add_option("--backend", contracts.backend, "for match: has the same meaning as for assay run")
      ->type_name("NAME|PATH.so")
      ->capture_default_str();
  verb.add_option("--op", contracts.op,
                  "for list: only contracts of this op; for match: op whose contracts are compared; for check and diff: op of a "
                  "table of --cases without a column 'op'");
  verb.add_option("--kernel", contracts.kernel, "for match: only kernels whose name matches this glob")->type_name("GLOB");
  verb.add_option("--case", contracts.cases, "for match: only cases whose id matches this glob; may be repeated")
      ->type_name("GLOB");
  verb.add_option("--param", contracts.parameters, "for match on files: has the same meaning as for assay judge")
      ->type_name("NAME=VALUE");
  verb.add_option("--tensor", contracts.tensors, "for match on files: has the same meaning as for assay judge")
      ->type_name("ROLE=NAME");
  verb.add_option("--layout", contracts.layout, "for match on files: has the same meaning as for assay judge")->type_name("NAME");
  verb.add_option("--timeout", contracts.timeout_seconds, "for match: has the same meaning as for assay run")
      ->check(seconds())
      ->capture_default_str();
  CLI::Option* write =
      verb.add_option("--write", contracts.write, "for specials: write the printed table into its section of this file");
  verb.add_option("--check", contracts.check, "for specials: exit 1 if that section of the file is out of date")->excludes(write);
  refuse_unused(verb,
                {{"ids", {"list", "show", "diff", "check", "match FILE"}},
                 {"--evidence", {"list"}},
                 {"--vendor", {"list"}},
                 {"--release", {"list"}},
                 {"--search", {"list"}},
                 {"--arch", {"list"}},
                 {"--cases", {"diff", "check", "match --op"}},
                 {"--backend", {"match --op"}},
                 {"--op", {"list", "diff", "check", "match --op", "match FILE"}},
                 {"--kernel", {"match --op"}},
                 {"--case", {"match --op"}},
                 {"--param", {"match FILE"}},
                 {"--tensor", {"match FILE"}},
                 {"--layout", {"match FILE"}},
                 {"--timeout", {"match --op"}},
                 {"--write", {"specials"}},
                 {"--check", {"specials"}}},
                [&contracts] {
                  return contracts.action + (contracts.action != "match" ? "" : contracts.ids.empty() ? " --op" : " FILE");
                });
}

void add_arch(CLI::App& program, ArchArguments& arch) {
  CLI::App& verb = *program.add_subcommand(
      "arch", "list, show, compare and verify tensor core instructions. Actions: list, show ID, diff A B, verify");
  examples(verb, {"assay arch list gfx942", "assay arch show sm_90.wgmma.e4m3.f32",
                  "assay arch diff sm_90.wgmma.e4m3.f32 sm_89.mma.e4m3.f32", "assay arch verify --backend cuda --unit 'sm_90*'"});
  verb.add_option("action", arch.action)->required()->check(CLI::IsMember({"list", "show", "verify", "diff"}));
  verb.add_option("targets", arch.targets,
                  "ids of instructions; for list: globs over ids, or chips; for verify: a folder GPU/FORMAT/{a,b,c,d}_*.txt of "
                  "recorded results, or a table that --output wrote")
      ->type_name("ID|DIR|FILE.csv");
  verb.add_option("--units", arch.units, "table with instructions of your own; may be repeated")->type_name("FILE.csv");
  verb.add_option("--backend", arch.backend,
                  "for verify: compare the models with results of this back end instead of recorded results")
      ->type_name("NAME|PATH.so");
  verb.add_option("--kernel", arch.kernel, "for verify --backend: only kernels whose name matches this glob")->type_name("GLOB");
  verb.add_option("--unit", arch.unit, "for verify: only instructions whose id matches this glob")->type_name("GLOB");
  verb.add_option("--output", arch.output,
                  "for verify --backend: write digests of the results to this table if all are as predicted")
      ->type_name("FILE.csv");
  verb.add_option("--elements", arch.elements,
                  "for verify --backend: number of results to compare for each instruction, kind of data and length of a chain "
                  "of instructions")
      ->check(CLI::Range(1, 1 << 28))
      ->capture_default_str();
  verb.add_option("--seed", arch.seed, "for verify --backend: seed of the operands")
      ->check(whole_number())
      ->capture_default_str();
  verb.add_option("--timeout", arch.timeout_seconds, "for verify --backend: has the same meaning as for assay run")
      ->check(seconds())
      ->capture_default_str();
  refuse_unused(verb,
                {{"targets", {"list", "show", "diff", "verify"}},
                 {"--backend", {"verify --backend"}},
                 {"--kernel", {"verify --backend"}},
                 {"--unit", {"verify"}},
                 {"--output", {"verify --backend"}},
                 {"--elements", {"verify --backend"}},
                 {"--seed", {"verify --backend"}},
                 {"--timeout", {"verify --backend"}}},
                [&arch] { return arch.action + (arch.action == "verify" && !arch.backend.empty() ? " --backend" : ""); });
}

void add_probe(CLI::App& program, ProbeArguments& probe) {
  CLI::App& verb = *program.add_subcommand(
      "probe", "call the tensor core instructions and conversions of a device on chosen inputs, and find out what they compute");
  examples(verb, {"assay probe --backend cuda", "assay probe --backend cpu --unit 'gfx942*' --output probed.csv"});
  verb.add_option("--backend", probe.backend, "has the same meaning as for assay run")
      ->type_name("NAME|PATH.so")
      ->capture_default_str();
  verb.add_option("--kernel", probe.kernel, "only kernels whose name matches this glob")->type_name("GLOB");
  verb.add_option("--unit", probe.unit, "only instructions whose id matches this glob, and no conversions")->type_name("GLOB");
  verb.add_option("--output", probe.output,
                  "write a table with a row for each instruction whose model was found; --contracts reads such a table")
      ->type_name("FILE.csv");
  verb.add_option(
          "--elements", probe.elements,
          "number of results for each kind of data that a model must explain; then it must predict twice as many new ones")
      ->check(CLI::Range(256, 1 << 24))
      ->capture_default_str();
  verb.add_option("--seed", probe.seed, "seed of the operands")->check(whole_number())->capture_default_str();
  verb.add_option("--timeout", probe.timeout_seconds, "has the same meaning as for assay run")
      ->check(seconds())
      ->capture_default_str();
  verb.add_option("--part", probe.part, "only this part")->check(CLI::IsMember({"instructions", "conversions"}));
  verb.add_option("--report", probe.reports, "write a report of the models found: json:FILE or html:FILE; may be repeated")
      ->type_name("KIND:FILE");
}

void add_signoff(CLI::App& program, SignoffArguments& signoff) {
  CLI::App& verb = *program.add_subcommand(
      "signoff", "sign off a chip: run all tests step by step, and write one page with verdict, scope, deviations and digests");
  examples(verb, {"assay signoff --backend ./libmine.so --output signoff --by 'Ada Lovelace'",
                  "assay signoff --backend cuda --output signoff --ledger known.csv --scope scope.csv",
                  "assay signoff --verify signoff"});
  CLI::Option* const output =
      verb.add_option("--output", signoff.output, "folder to create; the same command continues an interrupted sign-off")
          ->check(a_name())
          ->type_name("DIR");
  verb.add_option("--backend", signoff.backend, "has the same meaning as for assay run")
      ->type_name("NAME|PATH.so")
      ->capture_default_str();
  verb.add_option("--by", signoff.by, "who signs off")->type_name("NAME");
  verb.add_option("--ledger,--known-failures", signoff.ledger, "allowed deviations: a known-failures list, as for assay run")
      ->check(a_name())
      ->type_name("FILE.csv");
  verb.add_option("--scope", signoff.scope,
                  "minimum scope: a table with the columns need, op, format and why, of ops that the library must offer; "
                  "default: suites/signoff.csv")
      ->check(a_name())
      ->type_name("FILE.csv");
  verb.add_option("--golden", signoff.golden,
                  "recorded outputs to compare with; default: those of this architecture in golden/observed")
      ->check(a_name())
      ->type_name("DIR");
  verb.add_option("--suite", signoff.ops,
                  "run only this op; may be repeated. The verdict is then for a partial scope, and the page lists the ops that "
                  "did not run")
      ->type_name("OP");
  verb.add_option("--tier", signoff.tier, "full: run the quick and the full tier; quick: run only the quick tier, for a trial")
      ->check(CLI::IsMember({"quick", "full"}))
      ->capture_default_str();
  add_own_cases(verb, signoff.suites.tables);
  verb.add_option(
          "--unit", signoff.unit,
          "probe only instructions whose id matches this glob; the page says how many of the offered instructions were probed")
      ->type_name("GLOB")
      ->capture_default_str();
  verb.add_option("--elements", signoff.elements, "has the same meaning as for assay probe")
      ->check(CLI::Range(256, 1 << 24))
      ->capture_default_str();
  verb.add_option("--jobs", signoff.jobs,
                  "number of steps that run at once; if more than 1, the longest steps start first. One step for every 3 or 4 "
                  "cores is fastest")
      ->check(CLI::Range(1, 64))
      ->type_name("N")
      ->capture_default_str();
  verb.add_option("--minutes", signoff.minutes,
                  "start no step after this many minutes, for machines with a time limit; 0: no limit")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  verb.add_option("--timeout", signoff.timeout_seconds, "has the same meaning as for assay run")
      ->check(seconds())
      ->capture_default_str();
  verb.add_option("--verify", signoff.verify,
                  "recompute the digests of all files of this sign-off folder, and list the altered files")
      ->check(a_name())
      ->type_name("DIR");
  verb.parse_complete_callback([&verb, output] {
    const bool verifies = verb.get_option("--verify")->count() > 0;
    if (!verifies && output->count() == 0) throw CLI::ValidationError("signoff: needs --output DIR, or --verify DIR");
    if (!verifies) return;
    for (const CLI::Option* option : verb.get_options())
      if (option->count() > 0 && option->get_name() != "--verify")
        throw CLI::ValidationError("signoff --verify does not use " + option->get_name());
  });
}

void add_witness(CLI::App& program, WitnessArguments& witness) {
  CLI::App& verb = *program.add_subcommand(
      "witness", "record and check outputs of released implementations, on inputs that kill the mutants of their contracts");
  examples(verb,
           {"assay witness inputs --folder inputs",
            "assay witness run inputs --backend ./libvllm.so --package 'vllm 0.33.0' --folder outputs", "assay witness check"});
  verb.add_option("action", witness.action,
                  "what to do. inputs: choose inputs, except calls that left_out.csv lists. run: call a library on such inputs. "
                  "keep: store the outputs that the contracts accept. check: require that the contracts accept the stored "
                  "outputs, and that their mutants do not. drift: show which contracts a release obeys")
      ->required()
      ->check(CLI::IsMember({"inputs", "run", "keep", "check", "drift"}));
  verb.add_option("folders", witness.targets,
                  "for run: folders of inputs; for keep and drift: folders that run wrote; for check: folder of stored outputs "
                  "(default golden/witness)")
      ->type_name("DIR...");
  verb.add_option("--folder", witness.folder,
                  "for inputs, run and keep: folder to write to; for drift: folder of stored outputs to compare with (default "
                  "golden/witness)")
      ->type_name("DIR");
  verb.add_option("--op", witness.op, "only this op");
  verb.add_option("--contract", witness.contract, "only contracts whose id matches this glob")->type_name("GLOB");
  verb.add_option("--without", witness.without, "for inputs: leave out these cases, e.g. cases that real kernels refuse")
      ->type_name("GLOB");
  verb.add_option("--backend", witness.backend, "for run: kernel library")->type_name("NAME|PATH.so");
  verb.add_option("--kernel", witness.kernel, "for run: only kernels whose name matches this glob")->type_name("GLOB");
  verb.add_option("--package", witness.package, "for run: name and version or commit of the library");
  verb.add_option("--flags", witness.flags, "for run: build flags of the library that change result bits");
  verb.add_option("--write", witness.write, "for check and drift: write the printed table into its section of this page")
      ->type_name("FILE.md");
  verb.add_option("--check", witness.check, "for check and drift: exit 1 if that section of the page is out of date")
      ->type_name("FILE.md");
  verb.add_option("--timeout", witness.timeout_seconds, "for run: has the same meaning as for assay run")
      ->check(seconds())
      ->capture_default_str();
  refuse_unused(verb,
                {{"folders", {"run", "keep", "check", "drift"}},
                 {"--folder", {"inputs", "run", "keep", "drift"}},
                 {"--op", {"inputs"}},
                 {"--contract", {"inputs", "run", "keep", "check", "drift"}},
                 {"--without", {"inputs"}},
                 {"--backend", {"run"}},
                 {"--kernel", {"run"}},
                 {"--package", {"run"}},
                 {"--flags", {"run"}},
                 {"--write", {"check", "drift"}},
                 {"--check", {"check", "drift"}},
                 {"--timeout", {"run"}}},
                [&witness] { return witness.action; });
}

void add_regenerate(CLI::App& program, RegenerateArguments& regenerate) {
  CLI::App& verb = *program.add_subcommand("regenerate", "rewrite every generated file, or check that all are up to date");
  examples(verb, {"assay regenerate", "assay regenerate --check --part docs"});
  std::vector<std::string> names;
  for (const DerivedPart& part : derived_parts()) names.push_back(part.name);
  CLI::Option* const check =
      verb.add_flag("--check", regenerate.check, "write nothing; exit 1 and name each file that is out of date");
  verb.add_option("--part", regenerate.parts, "only this kind of generated file; may be repeated")->check(CLI::IsMember(names));
  verb.add_flag("--recompute", regenerate.recompute, "recompute all records of golden/power, also those that are up to date");
  verb.add_flag("!--without-measured", regenerate.measured,
                "leave out suites/DIAGNOSIS.md and suites/judges/TABLES.md, which take minutes to generate");
  verb.add_option("--seed", regenerate.seed, "seed of the 5 % sample of golden/power that --check recomputes")
      ->check(whole_number())
      ->needs(check)
      ->capture_default_str();
  verb.add_option("--golden", regenerate.golden, "folder of golden files; default: golden/ beside suites/")->type_name("DIR");
}

void add_table(CLI::App& program, const std::string& name, const std::string& what, PowerArguments& arguments) {
  CLI::App& verb = *program.add_subcommand(name, what);
  examples(verb, {"assay " + name, "assay " + name + " --op rms_norm"});
  CLI::Option* op = verb.add_option("--op", arguments.op, "only this op");
  CLI::Option* write =
      verb.add_option("--write", arguments.write, "write the table into the section `assay " + name + "` of this file")
          ->type_name("FILE.md")
          ->excludes(op);
  verb.add_option("--check", arguments.check, "exit 1 if that section of the file is out of date")
      ->type_name("FILE.md")
      ->excludes(op)
      ->excludes(write);
}

}  // namespace assay
