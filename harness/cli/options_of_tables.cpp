#include "harness/cli/options.h"

namespace assay {

void add_contracts(CLI::App& program, ContractsArguments& contracts) {
  CLI::App& verb = *program.add_subcommand(
      "contracts", "the numeric contracts: list, show ID, diff A B, match --op OP or match FILE..., specials");
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

void add_arch(CLI::App& program, ArchArguments& arch) {
  CLI::App& verb = *program.add_subcommand("arch", "the matrix units: list, show ID, diff A B, verify DIR of recorded results");
  verb.add_option("action", arch.action)->required()->check(CLI::IsMember({"list", "show", "verify", "diff"}));
  verb.add_option("targets", arch.targets,
                  "unit ids; of verify a folder GPU/FORMAT/{a,b,c,d}_*.txt of recorded results, or a table that --output wrote")
      ->type_name("ID|DIR|FILE.csv");
  verb.add_option("--units", arch.units, "a table with units of your own; may be repeated")->type_name("FILE.csv");
  verb.add_option("--backend", arch.backend, "of verify, instead of a folder: what these units return, held against their rows")
      ->type_name("NAME|PATH.so");
  verb.add_option("--kernel", arch.kernel, "of verify --backend")->type_name("GLOB");
  verb.add_option("--unit", arch.unit, "of verify --backend or FILE.csv: only units of this id")->type_name("GLOB");
  verb.add_option("--output", arch.output, "of verify --backend: a table of digests, if all is as predicted")
      ->type_name("FILE.csv");
  verb.add_option("--elements", arch.elements, "of verify --backend: of each unit, kind of data and length of chains")
      ->check(CLI::Range(1, 1 << 28))
      ->capture_default_str();
  verb.add_option("--seed", arch.seed, "of verify --backend")->capture_default_str();
  verb.add_option("--timeout", arch.timeout_seconds, "of verify --backend, as of run")->check(seconds())->capture_default_str();
}

void add_probe(CLI::App& program, ProbeArguments& probe) {
  CLI::App& verb =
      *program.add_subcommand("probe", "find out what the matrix units and the conversions of a device do, by asking");
  verb.add_option("--backend", probe.backend, "as of run")->type_name("NAME|PATH.so")->capture_default_str();
  verb.add_option("--kernel", probe.kernel, "only kernels of this name")->type_name("GLOB");
  verb.add_option("--unit", probe.unit, "only instructions that are called by this id; conversions are then left out")
      ->type_name("GLOB");
  verb.add_option("--output", probe.output, "write a row for each unit that was found, for --contracts")->type_name("FILE.csv");
  verb.add_option("--elements", probe.elements, "of each kind of inputs before a unit is found; twice as many check it")
      ->check(CLI::Range(256, 1 << 24))
      ->capture_default_str();
  verb.add_option("--seed", probe.seed, "of the inputs")->capture_default_str();
  verb.add_option("--timeout", probe.timeout_seconds, "as of run")->check(seconds())->capture_default_str();
}

void add_witness(CLI::App& program, WitnessArguments& witness) {
  CLI::App& verb =
      *program.add_subcommand("witness", "what real implementations returned on inputs that tell their rows from every mistake");
  verb.add_option("action", witness.action,
                  "inputs: choose them, but none of left_out.csv; run: call a library on them; keep: commit what their rows "
                  "allow; check: rows pass and "
                  "their edits fail; drift: which rows a release still obeys")
      ->required()
      ->check(CLI::IsMember({"inputs", "run", "keep", "check", "drift"}));
  verb.add_option("folders", witness.targets,
                  "of run the inputs, of keep and drift what was run, of check witnesses (default golden/witness)")
      ->type_name("DIR...");
  verb.add_option("--folder", witness.folder,
                  "where inputs, run and keep write; what drift holds releases against (default golden/witness)")
      ->type_name("DIR");
  verb.add_option("--op", witness.op, "inputs of this op alone");
  verb.add_option("--contract", witness.contract, "only these contracts")->type_name("GLOB");
  verb.add_option("--without", witness.without, "of inputs: leave out these cases, such as rows that real kernels do not take")
      ->type_name("GLOB");
  verb.add_option("--backend", witness.backend, "of run: as of run")->type_name("NAME|PATH.so");
  verb.add_option("--kernel", witness.kernel, "of run: only kernels of this name")->type_name("GLOB");
  verb.add_option("--package", witness.package, "of run: what is called, with its version or commit");
  verb.add_option("--flags", witness.flags, "of run: of its build, where they change bits");
  verb.add_option("--write", witness.write, "of check and drift: put the table into its section of this file")
      ->type_name("FILE.md");
  verb.add_option("--check", witness.check, "of check and drift: exit 1 if that section is not the table")->type_name("FILE.md");
  verb.add_option("--timeout", witness.timeout_seconds, "as of run")->check(seconds())->capture_default_str();
}

void add_table(CLI::App& program, const std::string& name, const std::string& what, PowerArguments& arguments) {
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

}  // namespace assay
