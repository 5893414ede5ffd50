#include "harness/cli/offers.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "harness/backend/library.h"
#include "harness/core/op.h"
#include "reference/formats/catalogue.h"
#include "reference/table/near.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_number(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

/// Values of columns that come from a fixed list. Other columns hold numbers, or words that only the op knows.
std::vector<std::string> words_of(const std::string& column) {
  std::vector<std::string> words;
  if (column == "x" || column == "y" || column == "weights")
    for (const Format& format : all_formats()) words.emplace_back(format.name);
  if (column == "layout")
    for (const Layout& layout : rulebook().layouts) words.push_back(layout.id);
  if (column == "contract") words = rulebook().contract_ids();
  if (column == "warp") words = {"32", "64"};
  return words;
}

bool is_numeric(const std::string& column) {
  return contains({"m", "n", "row_stride", "offset", "seed", "eps", "scale_ub", "room", "q_heads", "k_heads", "v_heads", "rotary",
                   "padded_heads", "max_position", "tiles", "steps", "k"},
                  column);
}

class Checker {
 public:
  Checker(const OpRegistry& ops, const LibraryInfo& library) : registry_(ops), library_(library) {
    for (const Op& op : ops.all()) ops_.push_back(op.name);
  }

  void check(const KernelOffer& kernel) const {
    if (!contains(ops_, kernel.op)) refuse(kernel, "unknown op '" + kernel.op + "'" + did_you_mean(kernel.op, ops_));
    for (const std::string& contract : kernel.contracts)
      if (!contains(contracts_, contract)) refuse(kernel, "unknown contract '" + contract + "'" + did_you_mean(contract, contracts_));
    const std::vector<std::string>& columns = registry_.find(kernel.op).columns;
    for (const auto& [column, cells] : kernel.accepts) {
      require_column(kernel, "accepts", column, columns);
      for (const std::string& cell : cells) check_cell(kernel, column, cell);
    }
    for (const auto& [column, divisor] : kernel.multiple_of) require_column(kernel, "multiple_of", column, columns);
  }

 private:
  [[noreturn]] void refuse(const KernelOffer& kernel, const std::string& what) const {
    throw LibraryError(library_.path + ": describe(): kernel '" + kernel.name + "': " + what);
  }

  void require_column(const KernelOffer& kernel, const char* field, const std::string& column,
                      const std::vector<std::string>& columns) const {
    if (!contains(columns, column))
      refuse(kernel, std::string(field) + ": op " + kernel.op + " has no case parameter '" + column + "'" + did_you_mean(column, columns));
  }

  void check_cell(const KernelOffer& kernel, const std::string& column, const std::string& cell) const {
    const std::string where = "accepts." + column + ": ";
    const std::vector<std::string> words = words_of(column);
    if (!words.empty() && !contains(words, cell)) refuse(kernel, where + "no case can have '" + cell + "'" + did_you_mean(cell, words));
    if (is_numeric(column) && !is_number(cell)) refuse(kernel, where + "'" + cell + "' is not a number");
  }

  const OpRegistry& registry_;
  const LibraryInfo& library_;
  std::vector<std::string> ops_;
  std::vector<std::string> contracts_ = rulebook().contract_ids();
};

}  // namespace

void require_known_offers(const OpRegistry& ops, const LibraryInfo& library) {
  const Checker checker(ops, library);
  for (const KernelOffer& kernel : library.kernels) checker.check(kernel);
}

std::string offers_without_cases(const LibraryInfo& library, const std::vector<Case>& cases) {
  std::set<std::pair<std::string, std::string>> there;
  std::set<std::string> ops;
  for (const Case& one : cases) {
    ops.insert(one.op);
    if (const auto contract = one.parameters.find("contract"); contract != one.parameters.end()) there.emplace(one.op, contract->second);
  }
  std::set<std::pair<std::string, std::string>> without;
  std::string first;
  for (const KernelOffer& kernel : library.kernels)
    for (const std::string& contract : kernel.contracts)
      if (ops.contains(kernel.op) && !there.contains({kernel.op, contract}) && without.emplace(kernel.op, contract).second && first.empty())
        first = "contract " + contract + " of op " + kernel.op + " (kernel '" + kernel.name + "')";
  if (without.empty()) return "";
  return (without.size() == 1 ? "no case for the offered " : std::to_string(without.size()) + " offered contracts have no case, such as ") +
         first + "; --cases FILE.csv runs cases of your own";
}

bool ignores_warp(const LibraryInfo& library) {
  return library.arch == "cpu" &&
         std::none_of(library.kernels.begin(), library.kernels.end(), [](const KernelOffer& kernel) { return kernel.accepts.contains("warp"); });
}

std::vector<Case> each_data_once(std::vector<Case> cases) {
  std::set<std::string> seen;
  std::erase_if(cases, [&](const Case& one) { return one.parameters.contains("warp") && !seen.insert(one.data_id()).second; });
  return cases;
}

}  // namespace assay
