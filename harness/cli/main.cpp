// assay: parses the command line and calls a verb.
#include <signal.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "harness/backend/worker.h"
#include "harness/cli/docs.h"
#include "harness/cli/exit_codes.h"
#include "harness/cli/options.h"
#include "harness/cli/places.h"
#include "harness/text/error.h"
#include "reference/recipe/lanes.h"

int main(int argc, char** argv) {
  assay::hold_standard_descriptors();
  CLI::App program("Conformance suite for the low-precision kernels of LLM inference.");
  program.name("assay");
  program.require_subcommand(1);
  program.fallthrough();  // so that --contracts may follow the verb
  program.set_version_flag("--version", ASSAY_VERSION);

  assay::RunArguments run;
  assay::add_run(program, run);
  assay::ListArguments listed;
  assay::add_list(program, listed);
  assay::InputsArguments inputs;
  assay::add_inputs(program, inputs);
  assay::JudgeArguments judge;
  assay::add_judge(program, judge);
  assay::GateArguments gate;
  assay::add_gate(program, gate);
  assay::GoldenArguments golden;
  assay::add_golden(program, golden);
  assay::ExplainArguments explain;
  assay::add_explain(program, explain);
  assay::ContractsArguments contracts;
  assay::add_contracts(program, contracts);
  assay::ArchArguments arch;
  assay::add_arch(program, arch);
  assay::HuntArguments hunt;
  assay::add_hunt(program, hunt);
  assay::ProbeArguments probe;
  assay::add_probe(program, probe);
  assay::WitnessArguments witness;
  assay::add_witness(program, witness);
  assay::RegenerateArguments regenerate;
  assay::add_regenerate(program, regenerate);
  assay::PowerArguments power;
  assay::add_table(program, "power", "table: which input generators kill which mutants", power);
  assay::PowerArguments sharpness;
  assay::add_table(program, "sharpness", "table: how many elements accept exactly one code", sharpness);
  assay::DocsArguments docs;
  assay::add_docs(program, docs);
  std::vector<std::string> rows;
  program.add_option("--contracts", rows, "table with contracts or instructions of your own; may be repeated")
      ->type_name("FILE.csv");
  std::string library;
  CLI::App& worker = *program.add_subcommand("worker", "")->group("");  // hidden: `run` starts it for a library given by path
  worker.add_option("--library", library)->required();

  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == 0 ? assay::delivered(assay::kAllAsExpected) : assay::kUsageOrNothingRan;
  }
  const auto ops = std::make_shared<const assay::OpRegistry>(assay::shipped_ops());
  for (assay::Suites* const suites :
       {&run.suites, &listed.suites, &inputs.suites, &judge.suites, &gate.suites, &golden.suites, &explain.suites, &contracts.suites, &arch.suites, &hunt.suites,
        &probe.suites, &witness.suites, &regenerate.suites, &power.suites, &sharpness.suites, &docs.suites})
    suites->ops = ops, suites->tables.contracts = rows;
  run.command = judge.command = gate.command = {argv, argv + argc};
  // SIGPIPE must not end a run before its reports are written. Other verbs write no reports and end like `cat`.
  for (const char* const verb : {"run", "judge", "gate", "golden", "regenerate", "probe"})
    if (program.got_subcommand(verb)) ::signal(SIGPIPE, SIG_IGN);
  // Ignored, so that a write beyond a file-size limit is reported as an error of that file.
  ::signal(SIGXFSZ, SIG_IGN);
  const int code = assay::guarded([&] {
    if (std::getenv("ASSAY_ISA") != nullptr) (void)assay::lanes();  // reports a misspelled ASSAY_ISA before anything runs
    if (program.got_subcommand("run")) return assay::run_verb(run);
    if (program.got_subcommand("inputs")) return assay::inputs_verb(inputs);
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
    if (program.got_subcommand("regenerate")) {
      const std::string pages = assay::data_root() + "/docs/reference";
      if (std::filesystem::is_directory(pages)) regenerate.docs = [&program, &regenerate, pages] { return assay::docs_files(program, regenerate.suites, pages); };
      return assay::regenerate_verb(regenerate);
    }
    if (program.got_subcommand("power")) return assay::power_verb(power);
    if (program.got_subcommand("sharpness")) return assay::sharpness_verb(sharpness);
    if (program.got_subcommand("docs")) return assay::docs_verb(program, docs);
    if (program.got_subcommand("contracts"))
      return contracts.action == "match" ? assay::match_verb(contracts) : assay::contracts_verb(contracts);
    return assay::worker_main(library);
  });
  return assay::delivered(code);
}
