#include "harness/cli/docs.h"

#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <set>
#include <stdexcept>

#include "harness/cli/places.h"
#include "harness/report/csv.h"
#include "harness/report/json.h"
#include "harness/text/atomic_file.h"
#include "harness/text/error.h"
#include "harness/text/section.h"
#include "reference/table/table.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

constexpr const char* kWrittenBy = "<!-- Written by `assay regenerate`, or by `assay docs --output docs/reference`. -->\n\n";
constexpr const char* kReadmeSection = "assay docs";

std::string code(const std::string& text) { return text.empty() ? "" : "`" + text + "`"; }

/// An option and its argument, as typed.
std::string typed(const CLI::Option& option) {
  const bool positional = option.get_positional();
  const std::string type = option.get_items_expected_max() == 0 ? "" : option.get_type_name();
  if (positional) return option.get_name() + (option.get_items_expected_max() > 1 ? "..." : "");
  return option.get_name(false, true) + (type.empty() ? "" : " " + type);
}

std::string command_section(const CLI::App& verb) {
  std::string text = fmt::format("## assay {}\n\n{}.\n\n", verb.get_name(), verb.get_description());
  text += markdown_header({"option", "meaning", "default"});
  for (const CLI::Option* option : verb.get_options()) {
    if (option->get_group().empty() || option->get_name() == "--help") continue;
    const std::string what = option->get_description() + (option->get_required() ? " (required)" : "");
    text += markdown_row({code(typed(*option)), what, code(option->get_default_str())});
  }
  return text + "\n";
}

DocsPage commands_page(const CLI::App& program) {
  std::string text = std::string("# Commands\n\nExit codes:\n\n") + markdown_header({"code", "meaning"}) +
                     markdown_row({"0", "everything as expected"}) + markdown_row({"1", "some verdict is not as expected"}) +
                     markdown_row({"2", "wrong command line, table, dump or library, or nothing ran"}) +
                     markdown_row({"3", "the device, the machine or the program failed; the run is not complete"}) +
                     markdown_row({"77", "no such device"}) +
                     markdown_row({"129, 130, 143", "ended by SIGHUP, SIGINT or SIGTERM; reports of the cases until then are written"}) + "\n";
  for (const CLI::App* verb : program.get_subcommands([](const CLI::App*) { return true; }))
    if (!verb->get_group().empty()) text += command_section(*verb);
  return {"commands.md", text};
}

std::string fields_table(const char* title, const std::vector<ReportField>& fields) {
  std::string text = markdown_header({title, "meaning"});
  for (const ReportField& field : fields) text += markdown_row({code(field.name), field.meaning});
  return text;
}

DocsPage reports_page() {
  std::string run_columns = "`run_id`";
  for (const Fact& fact : facts_of({}, {})) run_columns += ", `run_" + fact.name + "`";
  return {"reports.md",
          "# Reports\n\n## CSV\n\n"
          "A CSV report has a row for each output tensor of each verdict, and one row for a verdict without compared tensors.\n\n" +
              fields_table("column", csv_columns()) + "\nRun details: " + run_columns +
              ".\n`run_id` is in every row. The other `run_*` columns are filled in the first row of a run only.\n\n"
              "## JSON\n\n"
              "Keys have a fixed order. Codes are strings of hex digits. `\"nan\"`, `\"inf\"` and `\"-inf\"` stand for numbers that JSON "
              "lacks. `[]` in a path means: each item of the list.\n\n" +
              fields_table("key", json_fields())};
}

std::string op_section(const Op& op) {
  std::string text = fmt::format("## {}\n\n", op.name) + markdown_header({"tensor", "access", "meaning"});
  for (const RoleSpec& role : op.roles) text += markdown_row({code(role.name), name(role.access), role.what});
  if (!op.parameters.empty()) text += "\n" + markdown_header({"parameter", "meaning"});
  for (const ParameterSpec& parameter : op.parameters) text += markdown_row({code(parameter.name), parameter.what});
  text += "\nColumns of its case tables:";
  for (const std::string& column : op.columns) text += (&column == &op.columns.front() ? " `" : ", `") + column + "`";
  return text + ".\n\n";
}

DocsPage ops_page(const OpRegistry& ops) {
  std::string text = "# Ops\n\nThe tensors and parameters that a kernel of each op gets. `assay list --op OP` adds the contracts and the cells.\n\n";
  for (const Op& op : ops.all()) text += op_section(op);
  return {"ops.md", text};
}

struct OpStatus {
  std::set<std::string> contracts;
  int64_t quick = 0, full = 0;
  int64_t ran = 0, executed = 0, read = 0, inferred = 0;
  std::map<std::string, int64_t> needs;  ///< number of contracts by the hardware that their implementation needs

  int64_t& of(EvidenceKind kind) {
    switch (kind) {
      case EvidenceKind::kRan:
        return ran;
      case EvidenceKind::kExecuted:
        return executed;
      case EvidenceKind::kRead:
        return read;
      case EvidenceKind::kInferred:
        break;
    }
    return inferred;
  }
};

/// Hardware that a contract's implementation needs, if it runs neither on sm_90 nor on a CPU. A tensor core contract needs a GPU
/// with that instruction.
std::string needs_of(const std::string& contract) {
  if (!rulebook().is_unit(contract)) return rulebook().elsewhere.needs(contract);
  const std::string chip = contract.substr(0, contract.find('.'));
  return chip == "sm_90" ? "" : chip;
}

std::map<std::string, OpStatus> status_of_ops(const Suites& suites) {
  std::map<std::string, OpStatus> all;
  for (const Case& one : open_cases(suites)) {
    OpStatus& status = all[one.op];
    (one.tier == "quick" ? status.quick : status.full) += 1;
    if (const auto contract = one.parameters.find("contract"); contract != one.parameters.end()) status.contracts.insert(contract->second);
  }
  for (auto& [op, status] : all)
    for (const std::string& contract : status.contracts) {
      const std::vector<EvidenceKind> evidence = rulebook().evidence_of(contract);
      if (!evidence.empty()) ++status.of(evidence.front());
      const bool is_executed = !evidence.empty() && evidence.front() == EvidenceKind::kExecuted;
      if (const std::string needs = needs_of(contract); !needs.empty() && !is_executed) ++status.needs[needs];
    }
  return all;
}

std::string needs_text(const std::map<std::string, int64_t>& needs) {
  std::string text;
  for (const auto& [chip, count] : needs) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, chip);
  return text;
}

DocsPage status_page(const OpRegistry& ops, const std::map<std::string, OpStatus>& status) {
  std::string text =
      "# Status by op\n\n"
      "`ran`: the code that the contract describes was run and its outputs agree or differ as `assay contracts show ID` says. `executed`: its AMD code "
      "object was executed on the CPU. `read`: its source was read. `inferred`: none of these. `needs`: contracts whose code runs neither on sm_90 nor on a "
      "CPU and was not executed, by what it needs.\n\n" +
      markdown_header({"op", "contracts", "quick cases", "full cases", "ran", "executed", "read", "inferred", "needs"});
  for (const Op& op : ops.all()) {
    const OpStatus& of = status.at(op.name);
    text += markdown_row({"`" + op.name + "`", std::to_string(of.contracts.size()), std::to_string(of.quick), std::to_string(of.full),
                          std::to_string(of.ran), std::to_string(of.executed), std::to_string(of.read), std::to_string(of.inferred), needs_text(of.needs)});
  }
  return {"status.md", text};
}

/// Groups of ops in the README's table; an op belongs to a group by a prefix of its name.
struct OpGroup {
  const char* title;
  std::vector<std::string> beginnings;
};

const std::vector<OpGroup>& op_groups() {
  static const std::vector<OpGroup> groups = {
      {"Casts", {"cast"}},
      {"Quantization (FP8, int8, MXFP8)", {"quant_", "pack_scales"}},
      {"Norms", {"rms_norm", "fused_add_rms_norm", "layer_norm"}},
      {"Activations", {"act_and_mul", "silu_mul_"}},
      {"Rotary embedding, paged KV cache", {"qk_norm_rope", "q_norm_rope", "concat_and_cache", "dsv4_", "indexer_", "reshape_and_cache"}},
      {"GEMM, tensor core instructions", {"gemm_", "mma", "shuffle_weight"}},
      {"All-reduce", {"all_reduce", "weak_contiguity"}},
  };
  return groups;
}

const OpGroup& group_of(const std::string& op) {
  for (const OpGroup& group : op_groups())
    for (const std::string& beginning : group.beginnings)
      if (op.starts_with(beginning)) return group;
  throw std::logic_error("docs: op '" + op + "' is in no group of docs.cpp");
}

/// The status table of the main README, by groups of ops.
std::string readme_table(const std::map<std::string, OpStatus>& status) {
  std::map<std::string, OpStatus> groups;
  std::map<std::string, int64_t> ops;
  for (const auto& [op, of] : status) {
    OpStatus& group = groups[group_of(op).title];
    ++ops[group_of(op).title];
    group.quick += of.quick, group.full += of.full, group.ran += of.ran;
    group.contracts.insert(of.contracts.begin(), of.contracts.end());
    for (const auto& [chip, count] : of.needs) group.needs[chip] += count;
  }
  std::string text = markdown_header({"ops", "number", "contracts", "cases quick / full", "code was run", "runs neither on sm_90 nor on a CPU"});
  for (const OpGroup& group : op_groups()) {
    const OpStatus& of = groups[group.title];
    text += markdown_row({group.title, std::to_string(ops[group.title]), std::to_string(of.contracts.size()),
                          fmt::format("{} / {}", of.quick, of.full), std::to_string(of.ran), needs_text(of.needs)});
  }
  return text;
}

std::vector<DocsPage> pages_of(const CLI::App& program, const OpRegistry& ops, const std::map<std::string, OpStatus>& status) {
  std::vector<DocsPage> pages = {commands_page(program), contract_cells_page(), reports_page(), ops_page(ops), status_page(ops, status)};
  for (DocsPage& page : pages) page.text = kWrittenBy + page.text;
  return pages;
}

fs::path readme_of(const fs::path& folder) { return fs::absolute(folder / "../../README.md").lexically_normal(); }

}  // namespace

std::string markdown_row(const std::vector<std::string>& cells) {
  std::string text = "|";
  for (const std::string& cell : cells) {
    text += " ";
    for (const char c : cell) text.append(c == '|' ? "\\|" : std::string(1, c));
    text += " |";
  }
  return text + "\n";
}

std::string markdown_header(const std::vector<std::string>& titles) {
  std::string rule = "|";
  for (size_t i = 0; i < titles.size(); ++i) rule += "---|";
  return markdown_row(titles) + rule + "\n";
}

std::map<std::string, std::string> docs_files(const CLI::App& program, const Suites& suites, const std::string& folder) {
  const std::map<std::string, OpStatus> status = status_of_ops(suites);
  const std::string readme = readme_of(folder).string();
  std::map<std::string, std::string> files = {{readme, with_section(readme, kReadmeSection, readme_table(status))}};
  for (const DocsPage& page : pages_of(program, *suites.ops, status)) files[(fs::path(folder) / page.file).string()] = page.text;
  return files;
}

void add_docs(CLI::App& program, DocsArguments& arguments) {
  CLI::App& verb = *program.add_subcommand("docs", "write the reference pages of docs/reference and the status table of README.md, or check them");
  CLI::Option* output = verb.add_option("--output", arguments.output, "write the pages here; README.md is two folders above")->type_name("DIR");
  verb.add_option("--check", arguments.check, "exit 1 if a page in this folder is stale")->type_name("DIR")->excludes(output);
}

int docs_verb(const CLI::App& program, const DocsArguments& arguments) {
  if (arguments.output.empty() && arguments.check.empty()) throw UsageError("docs: expected --output DIR or --check DIR, got neither; try: assay docs --output docs/reference");
  const std::string& folder = arguments.check.empty() ? arguments.output : arguments.check;
  const std::map<std::string, std::string> files = docs_files(program, arguments.suites, folder);
  if (arguments.check.empty()) {
    fs::create_directories(folder);
    for (const auto& [file, text] : files) write_atomically(file, text);
    fmt::print("{} pages in {}, and the table of {}\n", files.size() - 1, folder, readme_of(folder).string());
    return kAllAsExpected;
  }
  bool stale = false;
  for (const auto& [file, text] : files) {
    if (fs::exists(file) && read_text(file) == text) continue;
    stale = true;
    fmt::print("{} is stale; write it with: assay docs --output {}\n", file, folder);
  }
  return stale ? kUnexpected : kAllAsExpected;
}

}  // namespace assay
