#include "harness/cli/derived.h"
#include "harness/cli/options.h"

namespace assay {

void add_contracts(CLI::App& program, ContractsArguments& contracts) {
  CLI::App& verb = *program.add_subcommand(
      "contracts", "contracts: list, show ID, diff A B, match --op OP or match FILE..., specials");
  verb.add_option("action", contracts.action)->required()->check(CLI::IsMember({"list", "show", "diff", "match", "specials"}));
  verb.add_option("ids", contracts.ids, "contract ids; for match: FILE.safetensors or ROLE=FILE.npy ...")->type_name("ID|FILE");
  verb.add_flag("--evidence", contracts.evidence, "for list: whether the code of each contract was run, executed on the CPU, read or none of these");
  verb.add_option("--backend", contracts.backend, "for match, as for run")->type_name("NAME|PATH.so")->capture_default_str();
  verb.add_option("--op", contracts.op, "for match: op whose contracts are tried");
  verb.add_option("--kernel", contracts.kernel, "for match: only kernels whose name matches")->type_name("GLOB");
  verb.add_option("--case", contracts.cases, "for match: only cases whose id matches; may be repeated")->type_name("GLOB");
  verb.add_option("--param", contracts.parameters, "for match on files, as for judge")->type_name("NAME=VALUE");
  verb.add_option("--tensor", contracts.tensors, "for match on files, as for judge")->type_name("ROLE=NAME");
  verb.add_option("--layout", contracts.layout, "for match on files, as for judge")->type_name("NAME");
  verb.add_option("--timeout", contracts.timeout_seconds, "for match, as for run")->check(seconds())->capture_default_str();
  CLI::Option* write = verb.add_option("--write", contracts.write, "for specials: write the table into its section of this file");
  verb.add_option("--check", contracts.check, "for specials: exit 1 if that section is out of date")->excludes(write);
}

void add_arch(CLI::App& program, ArchArguments& arch) {
  CLI::App& verb = *program.add_subcommand("arch", "tensor core instructions: list, show ID, diff A B, verify");
  verb.add_option("action", arch.action)->required()->check(CLI::IsMember({"list", "show", "verify", "diff"}));
  verb.add_option("targets", arch.targets,
                  "ids of instructions; for verify: a folder GPU/FORMAT/{a,b,c,d}_*.txt of recorded results, or a table that --output wrote")
      ->type_name("ID|DIR|FILE.csv");
  verb.add_option("--units", arch.units, "table with instructions of your own; may be repeated")->type_name("FILE.csv");
  verb.add_option("--backend", arch.backend, "for verify: compare what this back end returns with the models, instead of a folder")
      ->type_name("NAME|PATH.so");
  verb.add_option("--kernel", arch.kernel, "for verify --backend: only kernels whose name matches")->type_name("GLOB");
  verb.add_option("--unit", arch.unit, "for verify: only instructions whose id matches")->type_name("GLOB");
  verb.add_option("--output", arch.output, "for verify --backend: write digests of the results to this table if all are as predicted")
      ->type_name("FILE.csv");
  verb.add_option("--elements", arch.elements, "for verify --backend: results for each instruction, kind of data and chain length")
      ->check(CLI::Range(1, 1 << 28))
      ->capture_default_str();
  verb.add_option("--seed", arch.seed, "for verify --backend: seed of the operands")->check(whole_number())->capture_default_str();
  verb.add_option("--timeout", arch.timeout_seconds, "for verify --backend, as for run")->check(seconds())->capture_default_str();
}

void add_probe(CLI::App& program, ProbeArguments& probe) {
  CLI::App& verb =
      *program.add_subcommand("probe", "infer what the tensor core instructions and conversions of a device do, from single calls");
  verb.add_option("--backend", probe.backend, "as for run")->type_name("NAME|PATH.so")->capture_default_str();
  verb.add_option("--kernel", probe.kernel, "only kernels whose name matches")->type_name("GLOB");
  verb.add_option("--unit", probe.unit, "only instructions whose id matches, and no conversions")
      ->type_name("GLOB");
  verb.add_option("--output", probe.output, "write a row for each instruction that was found, for --contracts")->type_name("FILE.csv");
  verb.add_option("--elements", probe.elements, "results for each kind of data before an instruction counts as found; twice as many verify it")
      ->check(CLI::Range(256, 1 << 24))
      ->capture_default_str();
  verb.add_option("--seed", probe.seed, "seed of the operands")->check(whole_number())->capture_default_str();
  verb.add_option("--timeout", probe.timeout_seconds, "as for run")->check(seconds())->capture_default_str();
}

void add_witness(CLI::App& program, WitnessArguments& witness) {
  CLI::App& verb =
      *program.add_subcommand("witness", "recorded outputs of released implementations, on inputs that kill the mutants of their contracts");
  verb.add_option("action", witness.action,
                  "inputs: choose inputs, none of left_out.csv; run: call a library on them; keep: store outputs that the contracts accept; "
                  "check: contracts accept the stored outputs and mutants do not; drift: which contracts a release obeys")
      ->required()
      ->check(CLI::IsMember({"inputs", "run", "keep", "check", "drift"}));
  verb.add_option("folders", witness.targets,
                  "for run: inputs; for keep and drift: what was run; for check: stored outputs (default golden/witness)")
      ->type_name("DIR...");
  verb.add_option("--folder", witness.folder,
                  "where inputs, run and keep write; what drift compares with (default golden/witness)")
      ->type_name("DIR");
  verb.add_option("--op", witness.op, "only this op");
  verb.add_option("--contract", witness.contract, "only contracts whose id matches")->type_name("GLOB");
  verb.add_option("--without", witness.without, "for inputs: leave out these cases, e.g. cases that real kernels refuse")
      ->type_name("GLOB");
  verb.add_option("--backend", witness.backend, "for run: kernel library")->type_name("NAME|PATH.so");
  verb.add_option("--kernel", witness.kernel, "for run: only kernels whose name matches")->type_name("GLOB");
  verb.add_option("--package", witness.package, "for run: name and version or commit of the library");
  verb.add_option("--flags", witness.flags, "for run: flags of its build that change bits");
  verb.add_option("--write", witness.write, "for check and drift: write the table into its section of this file")
      ->type_name("FILE.md");
  verb.add_option("--check", witness.check, "for check and drift: exit 1 if that section is out of date")->type_name("FILE.md");
  verb.add_option("--timeout", witness.timeout_seconds, "as for run")->check(seconds())->capture_default_str();
}

void add_regenerate(CLI::App& program, RegenerateArguments& regenerate) {
  CLI::App& verb = *program.add_subcommand("regenerate", "rewrite every file that is made from tables, or check them");
  std::vector<std::string> names;
  for (const DerivedPart& part : derived_parts()) names.push_back(part.name);
  CLI::Option* const check = verb.add_flag("--check", regenerate.check, "write nothing; exit 1 and name each file that is out of date");
  verb.add_option("--part", regenerate.parts, "only these files; may be repeated")->check(CLI::IsMember(names));
  verb.add_flag("--recompute", regenerate.recompute, "compute all records of golden/power, also those whose seal matches");
  verb.add_flag("!--without-measured", regenerate.measured, "leave out suites/DIAGNOSIS.md and suites/judges/TABLES.md, which take minutes");
  verb.add_option("--seed", regenerate.seed, "seed of the 5 % sample of golden/power that --check recomputes")
      ->check(whole_number())
      ->needs(check)
      ->capture_default_str();
  verb.add_option("--golden", regenerate.golden, "folder of golden files; default: golden/ beside suites/")->type_name("DIR");
}

void add_table(CLI::App& program, const std::string& name, const std::string& what, PowerArguments& arguments) {
  CLI::App& verb = *program.add_subcommand(name, what);
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
