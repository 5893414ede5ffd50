// assay new: writes the first files of a plug-in, or a skeleton of a contract, case, op or format into the source tree.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "harness/cli/places.h"
#include "harness/cli/verbs.h"
#include "harness/diagnosis/visibility.h"
#include "harness/text/messages.h"
#include "harness/text/text_file.h"
#include "reference/formats/catalogue.h"
#include "reference/table/near.h"
#include "reference/table/table.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

/// The plug-in's source. NAME and INCLUDE are placeholders. INCLUDE stands for #include, so that tools do not take these lines
/// for includes of this file.
constexpr const char* kPluginSource =
    R"(// A kernel library of your own: rms_norm on the CPU for bf16, with contract vllm.rms_norm@2026-06-18. Replace the loop with
// a call of your kernel. For another op: `assay list --op OP` shows what its kernels receive, `assay explain CASE --call` one call.
INCLUDE <assay/plugin/library.hpp>

INCLUDE <cmath>
INCLUDE <cstdint>
INCLUDE <cstring>

struct bf16 { uint16_t bits; };
template <> struct assay::plugin::Element<bf16> : ElementOf<ASSAY_BFLOAT, 16> {};  // bf16 is the type of your code

namespace {

using assay::plugin::Call;

float from_bf16(bf16 code) {
  const uint32_t bits = uint32_t(code.bits) << 16;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/// Rounds to nearest, ties to even.
bf16 to_bf16(float value) {
  if (value != value) return {0x7fff};
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return {uint16_t((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16)};
}

void rms_norm(const Call& call) {
  const auto x = call.in<bf16>("x").dense_rows();  // refuses the call if x is not bf16 or has gaps within a row
  const auto gamma = call.in<bf16>("gamma").dense();
  const auto y = call.out<bf16>("y").dense_rows();
  const auto eps = float(call.number("eps"));
  for (int64_t i = 0; i < x.rows(); ++i) {
    const bf16* from = x.data + i * x.stride(0);
    bf16* to = y.data + i * y.stride(0);
    double sum = 0;  // the contract allows any order of the sum, and a type wider than fp32
    for (int64_t j = 0; j < x.columns(); ++j) {
      const float v = from_bf16(from[j]);
      sum += double(v * v);
    }
    const auto r = float(1.0 / std::sqrt(double(float(sum / double(x.columns())) + eps)));
    for (int64_t j = 0; j < x.columns(); ++j) {
      const float scaled = from_bf16(from[j]) * r;  // fp32, not yet bf16
      to[j] = to_bf16(scaled * from_bf16(gamma.data[j]));
    }
  }
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) {
  using namespace assay::plugin;
  // A kernel: its name, op, contracts, the values of case parameters that it takes, parameters with a divisor, and the function.
  static const Library<Call> table{{"NAME", "cpu", "", "", ""},
                                   {{"NAME_rms_norm", "rms_norm", {"vllm.rms_norm@2026-06-18"}, {{"x", {"bf16"}}}, {}, rms_norm}}};
  return HostLibrary<Call>::of(table);
}
)";

constexpr const char* kPluginCmake =
    R"(# cmake -G Ninja -S . -B build -DCMAKE_PREFIX_PATH=PREFIX for an installed Assay, or -DASSAY_ABI_DIR=TREE/kernels/abi for a source tree.
cmake_minimum_required(VERSION 3.18)
project(NAME CXX)
enable_testing()
set(CMAKE_CXX_STANDARD 17)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
find_package(Threads REQUIRED)
add_library(NAME MODULE NAME.cpp)
target_compile_options(NAME PRIVATE -ffp-contract=off)  # a fused multiply-add is another rounding
target_link_libraries(NAME PRIVATE Threads::Threads)
if(NOT ASSAY_ABI_DIR)
  find_package(assay 0.1 REQUIRED)
  target_link_libraries(NAME PRIVATE assay::abi)
  assay_add_conformance_test(NAME SUITE rms_norm/quick)
else()
  target_include_directories(NAME PRIVATE ${ASSAY_ABI_DIR})
endif()
)";

std::string replaced(std::string text, const std::string& word, const std::string& by) {
  for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + by.size()))
    text.replace(at, word.size(), by);
  return text;
}

std::string with_name(const std::string& text, const std::string& name) {
  return replaced(replaced(text, "INCLUDE", "#include"), "NAME", name);
}

void require_identifier(const std::string& what, const std::string& name) {
  static const std::regex identifier("[a-z][a-z0-9_]*");
  if (!std::regex_match(name, identifier))
    throw UsageError("new " + what + " '" + name + "': expected a name of letters a-z, digits and _");
}

/// The source tree, to which skeletons are written. Throws UsageError if the data folder is not a source tree.
std::string tree() {
  const std::string root = data_root();
  if (!fs::is_directory(root + "/harness"))
    throw UsageError(
        root +
        " is not a source tree of Assay; run this program from a build in the tree, or set ASSAY_DATA to the tree. Tables of "
        "your own need no source tree: "
        "assay run --contracts FILE.csv --cases FILE.csv");
  return root;
}

std::vector<std::string> lines_of(const std::string& path) {
  std::istringstream text(read_text(path));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

void write_lines(const std::string& path, const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  write_atomically(path, text);
}

int new_plugin(const NewArguments& arguments) {
  require_identifier("plugin", arguments.name);
  const std::string folder = arguments.output.empty() ? arguments.name : arguments.output;
  if (fs::exists(folder)) throw UsageError("new plugin: " + folder + " already exists; try --output DIR");
  fs::create_directories(folder);
  write_atomically(folder + "/" + arguments.name + ".cpp", with_name(kPluginSource, arguments.name));
  write_atomically(folder + "/CMakeLists.txt", with_name(kPluginCmake, arguments.name));
  const std::string root = data_root();
  const std::string where = fs::is_directory(root + "/kernels/abi")
                                ? "-DASSAY_ABI_DIR=" + shell_word(fs::absolute(root + "/kernels/abi").lexically_normal().string())
                                : "-DCMAKE_PREFIX_PATH=" + shell_word(fs::absolute(root + "/../..").lexically_normal().string());
  const std::string in = shell_word(folder);
  fmt::print(
      "wrote {0}/{1}.cpp and {0}/CMakeLists.txt: a correct kernel of op rms_norm, for you to replace\nnext:\n"
      "  cmake -G Ninja -S {2} -B {2}/build {3} && cmake --build {2}/build\n"
      "  assay run --backend {2}/build/lib{1}.so\n"
      "  assay list --op OP                 shows what kernels of another op receive\n",
      folder, arguments.name, in, where);
  return kAllAsExpected;
}

/// A row of a table under another id: its first cell is replaced.
std::string with_first_cell(const std::string& line, const std::string& cell) {
  const size_t end = line.starts_with('"') ? line.find('"', 1) + 1 : line.find(',');
  return cell + line.substr(end);
}

int new_contract(const NewArguments& arguments) {
  open_contracts(arguments.suites);
  if (arguments.from.empty())
    throw UsageError("new contract " + arguments.name +
                     ": expected --from ID, a similar contract; see: assay contracts list");
  const ContractRow& from = rulebook().contracts.find(arguments.from);
  const std::vector<std::string> ids = rulebook().contract_ids();
  if (std::find(ids.begin(), ids.end(), arguments.name) != ids.end())
    throw UsageError("new contract: a contract '" + arguments.name + "' already exists");
  if (arguments.name.find('.') == std::string::npos)
    throw UsageError("new contract '" + arguments.name + "': expected VENDOR.NAME, such as acme.group_fp8");
  if (!arguments.output.empty()) {
    if (fs::exists(arguments.output)) throw UsageError("new contract: " + arguments.output + " already exists");
    const std::vector<std::string> shipped =
        lines_of(fs::path(from.file).is_absolute() ? from.file : data_root() + "/" + from.file);
    write_lines(arguments.output, {shipped.front(), with_first_cell(shipped.at(size_t(from.line) - 1), arguments.name)});
    fmt::print("wrote {0}: a copy of {1} under the id {2}\nleft to do:\n"
               "  edit its cells, `source` and `why` (docs/reference/contract-cells.md)\n"
               "  assay contracts diff {1} {2} --contracts {0}\n"
               "  assay new case {2} --from {1} --contracts {0} --output cases.csv\n",
               shell_word(arguments.output), arguments.from, arguments.name);
    return kAllAsExpected;
  }
  const std::string root = tree(), file = fs::path(from.file).is_absolute() ? from.file : root + "/" + from.file;
  std::vector<std::string> lines = lines_of(file);
  lines.insert(lines.begin() + from.line, with_first_cell(lines.at(size_t(from.line) - 1), arguments.name));
  write_lines(file, lines);
  fmt::print(
      "wrote {}:{}: a copy of {}\nleft to do:\n"
      "  edit its cells: the recipes, `source` (the kernel and its commit) and `why` "
      "(docs/reference/contract-cells.md)\n"
      "  assay contracts diff {} {}\n"
      "  assay new case {} --from {}\n"
      "  optional: write a kernel in kernels/ops\n"
      "  assay regenerate\n",
      file, from.line + 1, arguments.from, arguments.from, arguments.name, arguments.name, arguments.from);
  return kAllAsExpected;
}

/// The name with its numbers replaced by #1, #2 and so on; equal numbers get the same text: "max(1e-10) -> max(1e-10,keep)"
/// becomes "max(#1) -> max(#1,keep)".
std::string without_numbers(const std::string& name) {
  static const std::regex number(R"(\b[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?)");
  std::map<std::string, size_t> seen;
  std::string text;
  auto rest = name.cbegin();
  for (std::sregex_iterator one(name.begin(), name.end(), number), end; one != end; ++one) {
    text.append(rest, (*one)[0].first)
        .append("#")
        .append(std::to_string(seen.try_emplace(one->str(), seen.size() + 1).first->second));
    rest = (*one)[0].second;
  }
  return text.append(rest, name.cend());
}

/// Mutants that the tables list as equivalent for the contract of a case, but not for `contract`, a copy of that contract in
/// which numbers may differ.
std::set<std::string> inherited_equivalents(const Op& op, const Case& one, const std::string& contract) {
  const std::unique_ptr<const BoundCase> copy = under_contract(op, one, contract);
  if (!copy) return {};
  std::map<std::string, bool> is_equivalent;  // by name without numbers: whether all mutants of the original with this name are equivalent
  for (const Hypothesis& mutant : op.bind(one)->mutants())
    is_equivalent.try_emplace(without_numbers(mutant.name), true).first->second &= !mutant.equivalent.empty();
  std::set<std::string> names;
  for (const Hypothesis& mutant : copy->mutants())
    if (const auto found = is_equivalent.find(without_numbers(mutant.name));
        mutant.equivalent.empty() && !mutant.suspect && found != is_equivalent.end() && found->second)
      names.insert(mutant.name);
  return names;
}

/// The row as a line of CSV, with these mutants added to its cell `blind_to`.
std::string with_blind_to(const Table& table, const TableRow& row, const std::set<std::string>& mutants) {
  std::string line;
  for (const std::string& column : table.columns) {
    std::string cell = table.text(row, column);
    if (column == "blind_to")
      for (const std::string& mutant : mutants)
        if (cell != "*") cell += (cell.empty() ? "" : "; ") + mutant;
    line += (line.empty() ? "" : ",") + csv_cell(cell);
  }
  return line;
}

int new_case(const NewArguments& arguments) {
  const std::vector<Case> cases = open_cases(arguments.suites);
  (void)rulebook().contracts.find(arguments.name);
  const std::string from = arguments.from.empty() ? arguments.name : arguments.from;
  auto first = std::find_if(cases.begin(), cases.end(),
                            [&](const Case& one) { return one.text("contract") == from && one.tier == "quick"; });
  if (first == cases.end())
    first = std::find_if(cases.begin(), cases.end(), [&](const Case& one) { return one.text("contract") == from; });
  if (first == cases.end())
    throw UsageError("new case " + arguments.name + ": no case names contract '" + from +
                     "'; expected --from ID, a contract of the same op that has cases");
  if (!arguments.output.empty()) {
    if (fs::exists(arguments.output)) throw UsageError("new case: " + arguments.output + " already exists");
    const std::string table_file =
        fs::path(first->origin.file).is_absolute() ? first->origin.file : data_root() + "/" + first->origin.file;
    const std::vector<std::string> shipped = lines_of(table_file);
    if (!shipped.front().starts_with("contract,"))
      throw UsageError(first->origin.file + ": expected `contract` as the first column");
    std::map<int, std::set<std::string>> copied;  // by line of the table: mutants that no input exposes
    const Op& op = arguments.suites.ops->find(first->op);
    for (const Case& one : cases)
      if (one.text("contract") == from && one.origin.file == first->origin.file)
        copied[one.origin.line].merge(inherited_equivalents(op, one, arguments.name));
    const Table table = parse_table(read_text(table_file), table_file);
    std::vector<std::string> rows = {"op," + shipped.front()};
    std::set<std::string> inherited;
    for (const TableRow& row : table.rows) {
      const auto found = copied.find(row.line);
      if (found == copied.end()) continue;
      rows.push_back(first->op + "," + with_first_cell(with_blind_to(table, row, found->second), arguments.name));
      inherited.insert(found->second.begin(), found->second.end());
    }
    write_lines(arguments.output, rows);
    fmt::print("wrote {}: {} rows of {}, for {}\n", arguments.output, rows.size() - 1, from, arguments.name);
    if (!inherited.empty()) {
      fmt::print(
          "`blind_to` lists mutants that no input exposes under {}; remove a mutant if an input exposes it under your "
          "contract:\n",
          from);
      for (const std::string& mutant : inherited) fmt::print("  {}\n", mutant);
    }
    fmt::print("next:\n  assay run --backend ./libmine.so{} --cases {}\n", first->run_options, shell_word(arguments.output));
    return kAllAsExpected;
  }
  const std::string file = tree() + "/" + first->origin.file;
  std::vector<std::string> lines = lines_of(file);
  if (!lines.front().starts_with("contract,")) throw UsageError(file + ": expected `contract` as the first column");
  lines.push_back(with_first_cell(lines.at(size_t(first->origin.line) - 1), arguments.name));
  write_lines(file, lines);
  fmt::print(
      "wrote {}:{}: a copy of the first case of {}, for {}\nleft to do:\n"
      "  edit sizes, generators and `why`; `blind_to` lists mutants that this case need not expose\n"
      "  assay list --suite {}/{}\n"
      "  assay explain CASE                 shows which mutants its inputs expose\n"
      "  assay regenerate\n",
      file, lines.size(), from, arguments.name, first->op, first->tier);
  return kAllAsExpected;
}

int new_op(const NewArguments& arguments) {
  require_identifier("op", arguments.name);
  const OpRegistry& ops = *arguments.suites.ops;
  if (std::any_of(ops.all().begin(), ops.all().end(), [&](const Op& op) { return op.name == arguments.name; }))
    throw UsageError("new op: an op '" + arguments.name + "' already exists");
  const std::string like = arguments.from.empty() ? "rms_norm" : ops.find(arguments.from).name;
  const std::string root = tree(), source = root + "/suites/" + like, folder = root + "/suites/" + arguments.name;
  const std::string model = source + "/" + like + "_op.cpp", file = folder + "/" + arguments.name + "_op.cpp";
  if (!fs::exists(model)) throw UsageError("new op --from " + like + ": expected " + model);
  if (fs::exists(folder)) throw UsageError("new op: " + folder + " already exists");
  const std::string table = source + "/cases/quick.csv";
  const std::vector<std::string> rows = lines_of(table);
  fs::create_directories(folder + "/cases");
  write_atomically(file, std::regex_replace(read_text(model), std::regex("\\b" + like), arguments.name));
  write_lines(folder + "/cases/quick.csv", {rows.at(0), rows.at(1)});
  const std::string list = root + "/suites/ops.inc";
  std::vector<std::string> names = lines_of(list);
  names.push_back("ASSAY_OP(" + arguments.name + ")");
  write_lines(list, names);
  fmt::print("wrote {0}/{3}_op.cpp and {0}/cases/quick.csv, copies from op {1}, and a line in {2}\nleft to do:\n"
             "  edit {3}_op.cpp: tensors, columns and stages of the op (docs/extending.md)\n"
             "  add a contract of the op: assay new contract VENDOR.{3} --from ID\n"
             "  edit cases/quick.csv: cases of this contract\n"
             "  write kernels in kernels/ops/{3}, and {0}/README.md\n"
             "  build, then: assay list --op {3}; assay regenerate\n",
             folder, like, list, arguments.name);
  return kAllAsExpected;
}

int new_format(const NewArguments& arguments) {
  static const std::regex known("e([0-9]{1,2})m([0-9]{1,2})");
  std::smatch parts;
  if (!std::regex_match(arguments.name, parts, known))
    throw UsageError("new format '" + arguments.name + "': expected eXmY, such as e5m3");
  if (find_format(arguments.name) != nullptr) throw UsageError("new format: a format '" + arguments.name + "' already exists");
  const int exponent = std::stoi(parts[1]), mantissa = std::stoi(parts[2]), bits = 1 + exponent + mantissa;
  if (exponent < 1 || exponent > 8 || bits > 32)
    throw UsageError("new format '" + arguments.name + "': expected at most 8 exponent bits and 32 bits in all");
  std::string constant = "k" + arguments.name;
  for (size_t i = 1; i < constant.size(); ++i) constant[i] = char(std::toupper(static_cast<unsigned char>(constant[i])));
  const std::string header = tree() + "/reference/formats/catalogue.h", source = tree() + "/reference/formats/format.cpp";
  std::string declared = read_text(header), listed = read_text(source);
  const size_t after = declared.find("inline constexpr Format kInt8{"), last = listed.find(", kInt8, kInt32};");
  if (after == std::string::npos || last == std::string::npos)
    throw UsageError(header + ": expected kInt8 as the first integer format, here and in all_formats()");
  declared.insert(after, fmt::format("inline constexpr Format {}{{\"{}\", {}, {}, {}, {}, Specials::kFinite, \"SOURCE\"}};\n",
                                     constant, arguments.name, bits, exponent, mantissa, (1 << (exponent - 1)) - 1));
  listed.insert(last, ", " + constant);
  write_atomically(header, declared);
  write_atomically(source, listed);
  fmt::print("wrote {} to {} and to all_formats() in {}\nleft to do:\n"
             "  set its bias, its special values (Specials: kIeee, kFn, kFnuz, kFinite, ...) and its source\n"
             "  add its largest, smallest and special values to reference/formats/format_test.cpp\n"
             "  add contracts that store it, and cases: assay new contract ID --from ID\n"
             "  build, then: assay regenerate\n",
             constant, header, source);
  return kAllAsExpected;
}

}  // namespace

int new_verb(const NewArguments& arguments) {
  if (arguments.what == "plugin") return new_plugin(arguments);
  if (arguments.what == "contract") return new_contract(arguments);
  if (arguments.what == "case") return new_case(arguments);
  if (arguments.what == "op") return new_op(arguments);
  return new_format(arguments);
}

}  // namespace assay
