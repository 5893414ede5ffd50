// Adds the command-line options of each verb with CLI11.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "harness/cli/verbs.h"

namespace assay {

/// Validates a number of seconds above 0. CLI11's PositiveNumber accepts NaN and Inf.
const CLI::Validator& seconds();
/// A seed: strtoull, which CLI11 asks, takes -1 for 2^64 - 1.
const CLI::Validator& whole_number();

/// Which cases: of the shipped tables, or of tables of one's own.
void add_selection(CLI::App& verb, Selection& selection, UserTables& tables);

// options_of_runs.cpp: verbs that run kernels on cases, or check what such a run returned
void add_run(CLI::App& program, RunArguments& run);
void add_list(CLI::App& program, ListArguments& listed);
void add_inputs(CLI::App& program, InputsArguments& inputs);
void add_judge(CLI::App& program, JudgeArguments& judge);
void add_gate(CLI::App& program, GateArguments& gate);
void add_golden(CLI::App& program, GoldenArguments& golden);
void add_explain(CLI::App& program, ExplainArguments& explain);
void add_hunt(CLI::App& program, HuntArguments& hunt);

// options_of_tables.cpp: verbs about contracts, tensor cores and tables
void add_contracts(CLI::App& program, ContractsArguments& contracts);
void add_arch(CLI::App& program, ArchArguments& arch);
void add_probe(CLI::App& program, ProbeArguments& probe);
void add_witness(CLI::App& program, WitnessArguments& witness);
void add_regenerate(CLI::App& program, RegenerateArguments& regenerate);
/// A verb that prints a table of the suites.
void add_table(CLI::App& program, const std::string& name, const std::string& what, PowerArguments& arguments);

}  // namespace assay
