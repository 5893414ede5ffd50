// The case tables of each op have the values on which kernels may branch, and one of our CPU kernels accepts each quick case.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "harness/backend/library.h"
#include "harness/core/cases.h"
#include "harness/core/op.h"
#include "harness/fill/fill.h"
#include "harness/run/run.h"
#include "reference/table/table.h"
#include "suites/gemm/gemm_case.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

using ::testing::HasSubstr;

// What the case tables of an op lack: values on which a kernel may branch and which the op accepts, but which no case has.

struct Lack {
  std::string column, what;  ///< such as "n" and "an odd number"
  Case witness;              ///< an example: the smallest case of the op with the missing value

  /// "op rms_norm, column n: no case has an odd number; for example a row with contract=... m=1"
  std::string text(const Op& op) const;
};

/// The values that the cases of one op lack. Rules:
/// 1. A size column has 1, an odd number, and a number at most 1/8 above or below each power of two from 8 to 256 (rows) or 8192
///    (columns). The column m, and n of a weight, also have 0. A column `lengths` has a cell with zeros only. So has the column
///    `tokens`, for the latest release of each contract with experts; it also has lists of more than 8 and 16 entries.
/// 2. A column of input generators has every generator that suits its operand (FillInfo::suits).
/// 3. Every other column has at least two values.
/// 4. For every two columns that do not name generators, all pairs of their values occur. Sizes count as 0, 1, odd or even. Cases
///    with 255 warm-up calls (column `before`) need no pairs: they test counters that wrap, which no other cell affects. Nor do
///    the cases of kOfContracts, which change several cells at once.
/// 5. For each tensor that a cell `unaligned` may name, some case names it.
/// 6. Every contract has cases with 1 row and with an odd number of rows. The latest release of each also has cases with more
///    than 64 rows (not norms), and with slightly more than 8192 columns (GEMMs: 128).
/// 7. Every contract has, for each format of x, a case with subnormals: generator `subnormal` or one of kSomeSubnormal.
/// A rule requires only what the op accepts and one of our kernels advertises. To find out, the test replaces a cell of an
/// existing case and tries the new case.
std::vector<Lack> lacks_of(const Op& op, const std::vector<Case>& cases, const std::function<bool(const Case&)>& offered);

constexpr int64_t kRowPowers[] = {8, 16, 32, 64, 128, 256};
constexpr int64_t kColumnPowers[] = {8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192};
/// Distances from a power of two that are tried: 1, a vector of 8, groups of 32 and 128.
constexpr int64_t kSteps[] = {1, 8, 32, 128};
constexpr int64_t kMostElements = int64_t{1} << 18;  ///< largest example, in elements; larger cases belong to the tier `far`
constexpr const char* kOfContracts = "/quick_contracts.csv";  ///< cases with values that one contract lacked and others had
constexpr const char* kManyCalls = "255";              ///< a cell of `before`: this many warm-up calls make 8-bit counters wrap
constexpr size_t kTries = 400;                       ///< for each missing value, at most this many cases are tried with it
constexpr size_t kTriesOfContract = 40;              ///< the same limit for each contract, in rules 6 and 7

const std::set<std::string> kSizes = {"m", "topk", "n", "k", "n_k", "tokens", "room", "experts", "ranks", "q_heads", "k_heads", "v_heads", "tiles", "steps"};
const std::set<std::string> kRows = {"m", "topk", "room", "experts", "ranks", "q_heads", "k_heads", "v_heads", "tiles", "steps"};
/// Columns that need no numbers next to powers of two: kernels are compiled for a few of their values only.
const std::set<std::string> kFewValues = {"ranks", "q_heads", "k_heads", "v_heads", "tiles", "steps", "room", "experts", "topk"};
/// These ops accept any head size, but kernels are compiled for 64, 128, 256 and 512 columns. All four have cases.
const std::set<std::string> kHeads = {"qk_norm_rope", "q_norm_rope"};
/// Generators that make some groups, or some sums over ranks, subnormal.
const std::set<std::string> kSomeSubnormal = {"quiet", "specials", "quiet_specials", "rank_specials"};
constexpr int64_t kGroupsWithSubnormal = 5;
/// Ops to which rule 7 does not apply: they copy bits, or their inputs are random or all codes of a format.
const std::set<std::string> kAnyNumbers = {"mma", "cast", "shuffle_weight", "weak_contiguity", "moe_sort"};
/// Ops to which rule 6 does not apply, besides all-reduces: an instruction or a head determines their shape, or they treat a
/// matrix as flat memory.
const std::set<std::string> kAnyRows = {"mma", "cast", "shuffle_weight", "qk_norm_rope", "q_norm_rope"};
/// Columns for which rules 3 and 4 do not hold.
const std::set<std::string> kNoParameter = {"contract", "seed", "warp", "slot_mapping", "shape", "strides", "storage", "positions", "lengths", "starts", "pitch", "entries"};

bool is_number(const std::string& cell) { return !cell.empty() && cell.size() < 10 && std::all_of(cell.begin(), cell.end(), ::isdigit); }

int64_t entries(const std::string& list) { return 1 + std::count(list.begin(), list.end(), ';'); }

/// The size that a cell stands for: its number or, for a list of rows, the number of entries.
int64_t size_of(const std::string& cell) { return is_number(cell) ? std::stoll(cell) : entries(cell); }

std::set<std::string> kinds_of(const std::string& op, const std::string& column) {
  if (op == "gather_cache") return {column == "scale" ? "scales" : "copies"};
  const bool quantizes = op.starts_with("quant_") || op.find("cache") != std::string::npos || op.starts_with("dsv4_kv_insert");
  if (column == "gamma" || column == "beta") return {"weights"};
  if (column == "residual" || column == "bias" || column == "c") return {"numbers"};
  if (column == "rope" || column == "value") return {"numbers", "quantized"};
  if (column == "q_fill") return {"numbers", "normed"};
  if (column == "gate") return {"gates"};
  if (column == "up") return op == "act_and_mul" ? std::set<std::string>{"numbers"} : std::set<std::string>{"numbers", "quantized"};
  if (column == "azp") return op == "quant_static" || op == "gemm_scaled" ? std::set<std::string>{"zero_points"} : std::set<std::string>{};
  if (op == "mma") return column == "scale" ? std::set<std::string>{"block_scales"} : std::set<std::string>{"terms"};
  if ((op == "gemm_block_scaled" || op == "gemm_grouped" || op == "fused_moe") && column == "scale") return {"block_scales"};
  if (column == "global_scale") return {};  // needs no other generators: extreme outer scales hide all else
  if (column == "scale") return {"scales"};
  if (op == "fused_moe" && column == "weights") return {"scales"};
  if (op.starts_with("gemm_") || op == "fused_moe")
    return column == "b" ? std::set<std::string>{"factors", "second_factors"} : std::set<std::string>{"factors"};
  if (op == "pack_scales") return {"packed"};
  if (op == "shuffle_weight") return {"copies"};
  if (op == "cast" || op == "weak_contiguity") return {};
  if (op == "moe_sort") return {"copies"};
  if (op == "moe_combine") return {column == "weights" ? "scales" : "ranks"};
  if (op == "all_reduce") return {"ranks"};
  if (op.starts_with("all_reduce_add")) return {"ranks", "normed"};
  if (op == "quant_azp") return {"numbers", "ranges"};
  if (quantizes) return {"numbers", "quantized"};
  if (op.starts_with("act_") || op.starts_with("silu_")) return {"numbers", "gates"};
  return {"numbers", "normed"};
}

class Coverage {
 public:
  Coverage(const Op& op, const std::vector<Case>& cases, const std::function<bool(const Case&)>& offered)
      : op_(op), cases_(cases), offered_(offered) {
    for (const FillInfo& fill : all_fills()) fills_[fill.name] = fill.suits;
    // Small cases first, because the first one that accepts a cell becomes the example.
    std::vector<std::pair<int64_t, size_t>> order;
    for (size_t i = 0; i < cases.size(); ++i) order.emplace_back(elements(cases[i]), i);
    std::stable_sort(order.begin(), order.end());
    for (const Case& one : cases) known_.insert(one.id);
    for (const auto& [size, i] : order) small_.push_back(&cases[i]);
  }

  std::vector<Lack> all() {
    for (const std::string& column : op_.columns) {
      if (column == "unaligned") addresses_of(column);
      else if (column == "lengths") no_rows_of(column);
      else if (is_fill(column)) fills_of(column);
      else if (kSizes.contains(column) && !is_extent_of_unit(column)) sizes_of(column);
      else if (!kNoParameter.contains(column)) values_of(column);
    }
    sizes_of_contracts();
    subnormals_of_contracts();
    if (op_.name == "cast") return std::move(lacks_);  // rule 4 would need sweeps, which only the full tier has
    for (size_t a = 0; a < op_.columns.size(); ++a)
      for (size_t b = a + 1; b < op_.columns.size(); ++b)
        if (is_class(op_.columns[a]) && is_class(op_.columns[b]) && !apart(op_.columns[a], op_.columns[b])) pairs_of(op_.columns[a], op_.columns[b]);
    return std::move(lacks_);
  }

 private:
  static int64_t elements(const Case& one) {
    int64_t product = 1;
    for (const char* column : {"m", "n", "k", "room", "experts", "ranks", "q_heads", "blocks", "block_size", "tiles", "tokens", "max_position"}) {
      const auto cell = one.parameters.find(column);
      if (cell == one.parameters.end() || cell->second.empty()) continue;
      int64_t size = size_of(cell->second);
      if (std::string(column) == "tokens") {
        size = 0;
        for (size_t at = 0; at < cell->second.size(); at = cell->second.find(';', at) == std::string::npos ? cell->second.size() : cell->second.find(';', at) + 1)
          size += std::stoll(cell->second.substr(at));
      }
      product *= std::max<int64_t>(1, size);
    }
    return product;
  }

  bool is_fill(const std::string& column) const {
    bool any = false;
    for (const Case& one : cases_) {
      const std::string& cell = one.text(column);
      if (cell.empty()) continue;
      if (!fills_.contains(cell)) return false;
      any = true;
    }
    return any;
  }
  bool has_column(const std::string& column) const {
    return std::find(op_.columns.begin(), op_.columns.end(), column) != op_.columns.end();
  }
  bool is_class(const std::string& column) const {
    return !is_fill(column) && !kNoParameter.contains(column) && column != "eps" && column != "scale_ub" && column != "row_stride" &&
           column != "offset" && !is_extent_of_unit(column) && column != "gap" && column != "max_position" && column != "blocks" &&
           column != "alignment" && column != "absent" && column != "unaligned";
  }
  /// Whether this size is fixed: by the instruction (rows and columns of a tile) or by models (columns of a head).
  bool is_extent_of_unit(const std::string& column) const {
    return op_.name == "mma" ? column == "m" || column == "n" : kHeads.contains(op_.name) && column == "n";
  }
  /// Two columns that need no pairs: our kernels refuse a shifted tensor in place, but they do so in the call, not in what they
  /// advertise.
  static bool apart(const std::string& a, const std::string& b) { return a == "shift" && b == "use"; }
  static std::string class_of(const std::string& column, const std::string& cell) {
    if (!kSizes.contains(column) || cell.empty()) return cell;
    const int64_t size = size_of(cell);
    return size <= 1 ? std::to_string(size) : size % 2 == 1 ? "an odd number" : "an even number";
  }

  bool may_be_empty(const std::string& column) const {
    return column == "m" || column == "tokens" || (op_.name == "shuffle_weight" && column == "n");
  }
  /// Whether the cell says that there are no rows, so that the other cells have no effect.
  bool is_empty(const std::string& column, const std::string& cell) const {
    return may_be_empty(column) && is_zeros(cell);
  }
  static bool is_zeros(const std::string& cell) { return !cell.empty() && cell.find_first_not_of("0;") == std::string::npos; }

  /// Case `one` with these cells, if the op accepts it, a kernel advertises it, and its inputs can be generated.
  std::optional<Case> taken(Case one, const std::map<std::string, std::string>& cells) const {
    for (const auto& [column, cell] : one.parameters)
      if (is_empty(column, cell) && !cells.contains(column)) return std::nullopt;
    for (const auto& [column, cell] : cells) one.parameters[column] = cell;
    if (elements(one) > kMostElements || !offered_(one)) return std::nullopt;
    one.blind_to.clear();
    try {
      const std::unique_ptr<const BoundCase> bound = op_.bind(one);
      (void)bound->problem();
      one.set_name(bound->name());
      if (known_.contains(one.id)) return std::nullopt;  // the same as an existing case, with other text in its cells
      return one;
    } catch (const std::exception&) {
      return std::nullopt;
    }
  }
  /// The smallest existing case that stays valid with these cells, with them.
  std::optional<Case> witness(const std::map<std::string, std::string>& cells) const {
    std::set<std::string> tried;
    for (const Case* one : small_) {
      if (tried.size() >= kTries) break;
      std::string kind;
      for (const auto& [column, cell] : one->parameters)
        if (!cells.contains(column) && column != "seed" && column != "warp") kind += cell + ",";
      if (!tried.insert(kind).second) continue;
      if (std::optional<Case> found = taken(*one, cells)) return found;
    }
    return std::nullopt;
  }
  void lack(const std::string& column, const std::string& what, std::optional<Case> one) {
    if (one) lacks_.push_back({column, what, *std::move(one)});
  }

  bool any_cell(const std::string& column, const std::function<bool(const std::string&)>& is) const {
    return std::any_of(cases_.begin(), cases_.end(), [&](const Case& one) { return !one.text(column).empty() && is(one.text(column)); });
  }

  void sizes_of(const std::string& column) {
    const bool list = column == "tokens";
    const auto cell = [&](int64_t size) {
      if (!list) return std::to_string(size);
      std::string rows = "1";
      for (int64_t i = 1; i < size; ++i) rows += ";" + std::to_string(1 + i % 5);
      return rows;
    };
    const auto has = [&](const std::function<bool(int64_t)>& is) { return any_cell(column, [&](const std::string& c) { return is(size_of(c)); }); };
    if (may_be_empty(column) && !any_cell(column, is_zeros)) lack(column, "0", witness({{column, "0"}}));
    if (!has([](int64_t n) { return n == 1; })) lack(column, "1", witness({{column, cell(1)}}));
    if (!has([](int64_t n) { return n > 1 && n % 2 == 1; })) {
      for (const int64_t odd : {3, 5, 7, 9, 33})
        if (std::optional<Case> one = witness({{column, cell(odd)}})) {
          lack(column, "an odd number", std::move(one));
          break;
        }
    }
    if (list) {
      for (const int64_t power : {8, 16})
        if (!has([&](int64_t n) { return n > power; })) lack(column, fmt::format("more than {} entries", power), witness({{column, cell(power + 2)}}));
      return;
    }
    if (kFewValues.contains(column)) return;
    const auto beside = [&](std::span<const int64_t> powers) {
      for (const int64_t power : powers) {
        const int64_t widest = std::max<int64_t>(1, power / 8);
        if (has([&](int64_t n) { return n != power && n >= power - widest && n <= power + widest; })) continue;
        for (const int64_t step : kSteps) {
          if (step > widest) break;
          std::optional<Case> one = witness({{column, std::to_string(power + step)}});
          if (!one) one = witness({{column, std::to_string(power - step)}});
          if (!one) continue;  // not accepted: try the next distance
          lack(column, fmt::format("a number beside {}", power), std::move(one));
          break;
        }
      }
    };
    if (kRows.contains(column))
      beside(kRowPowers);
    else
      beside(kColumnPowers);
  }

  void fills_of(const std::string& column) {
    const std::set<std::string> kinds = kinds_of(op_.name, column);
    for (const auto& [fill, suits] : fills_) {
      if (std::none_of(suits.begin(), suits.end(), [&](const std::string& kind) { return kinds.contains(kind); })) continue;
      if (!any_cell(column, [&](const std::string& cell) { return cell == fill; })) lack(column, "fill " + fill, witness_of_fill(column, fill));
    }
  }
  /// Tries only cases with a generator in this column; the contracts of other cases have no such tensor.
  std::optional<Case> witness_of_fill(const std::string& column, const std::string& fill) const {
    for (size_t i = 0, tried = 0; i < small_.size() && tried < kTries; ++i) {
      const Case& one = *small_[i];
      if (one.text(column).empty() || elements(one) < 64) continue;
      ++tried;
      if (std::optional<Case> found = taken(one, {{column, fill}})) return found;
    }
    return std::nullopt;
  }

  void values_of(const std::string& column) {
    std::set<std::string> values;
    for (const Case& one : cases_) values.insert(one.text(column));
    if (values.size() > 1) return;
    const std::string only = *values.begin();
    for (const char* other : {"1", "2", "3", "8", "16", "64", "128", "1024", "1e-5", "yes", "row", "col", "f32", "f16"})
      if (std::optional<Case> one = witness({{column, other}}); only != other && one) return lack(column, "two values", std::move(one));
  }

  /// The first of `cases` that stays valid with this cell, with it.
  std::optional<Case> witness_among(const std::vector<const Case*>& cases, const std::string& column, const std::string& cell) const {
    std::optional<Case> found;
    for (size_t i = 0; i < cases.size() && i < kTriesOfContract && !found; ++i) found = taken(*cases[i], {{column, cell}});
    if (found && !may_be_blind(*found)) return std::nullopt;
    return found;
  }

  /// False for contracts of unknown kernels: each of their cases must expose results that are 5 % too large, so shapes are chosen
  /// by hand.
  bool may_be_blind(Case one) const {
    one.blind_to = {"*"};
    try {
      return op_.bind(one) != nullptr;
    } catch (const TableError&) {
      return false;
    }
  }

  void sizes_of_contracts() {
    if (kAnyRows.contains(op_.name) || op_.name.starts_with("all_reduce")) return;  // cases of all-reduces take too long
    std::map<std::string, std::vector<const Case*>> by_contract;  // small cases first
    for (const Case* one : small_) by_contract[one->text("contract")].push_back(one);
    for (const auto& [contract, cases] : by_contract) {
      const auto want = [&](const std::string& column, const std::string& what, const std::vector<int64_t>& candidates,
                            const std::function<bool(int64_t)>& is) {
        if (!has_column(column)) return;
        if (std::any_of(cases.begin(), cases.end(), [&](const Case* one) { return is_number(one->text(column)) && is(one->integer(column)); })) return;
        for (const int64_t size : candidates)
          if (std::optional<Case> one = witness_among(cases, column, std::to_string(size))) return lack(column, fmt::format("{} of contract {}", what, contract), std::move(one));
      };
      want("m", "1", {1}, [](int64_t m) { return m == 1; });
      want("m", "an odd number", {3, 5, 7}, [](int64_t m) { return m > 1 && m % 2 == 1; });
      if (contract.find('@') != std::string::npos) continue;  // an earlier release of the contract
      const auto is_empty_list = [](const Case* one) { return is_zeros(one->text("tokens")); };
      if (has_column("tokens") && std::none_of(cases.begin(), cases.end(), is_empty_list))
        lack("tokens", "zeros alone of contract " + contract, witness_among(cases, "tokens", "0;0"));
      if (op_.name.find("norm") == std::string::npos)         // norm kernels use a block for each row, however many there are
        want("m", "more than 64", {67, 72, 96, 256}, [](int64_t m) { return m > 64; });
      const int64_t power = op_.name.starts_with("gemm_") || op_.name == "fused_moe" ? 128 : 8192;
      std::vector<int64_t> above;
      for (int64_t step = 1; step <= power / 8; step *= 2) above.push_back(power + step);
      want("n", fmt::format("a number just above {}", power), above, [power](int64_t n) { return n > power && n <= power + power / 8; });
    }
  }

  static bool has_subnormals(const Case* one) {
    const std::string& fill = one->text("fill");
    const auto m = one->parameters.find("m");
    const bool few_rows =
        !one->op.starts_with("all_reduce") && m != one->parameters.end() && size_of(m->second) < kGroupsWithSubnormal;
    return fill == "subnormal" || (kSomeSubnormal.contains(fill) && !few_rows);
  }

  void subnormals_of_contracts() {
    if (kAnyNumbers.contains(op_.name) || !has_column("x") || !has_column("fill")) return;
    std::map<std::pair<std::string, std::string>, std::vector<const Case*>> by_type;  // small cases first
    for (const Case* one : small_) by_type[{one->text("contract"), one->text("x")}].push_back(one);
    const bool hides_most = op_.name.find("norm") != std::string::npos && op_.name.find("quant") != std::string::npos;
    for (const auto& [of, cases] : by_type) {
      if (hides_most && of.second != "f16") continue;  // the lower bound of the scale hides values below 2^-126
      if (std::any_of(cases.begin(), cases.end(), has_subnormals)) continue;
      std::optional<Case> found;
      for (size_t i = 0, tried = 0; i < cases.size() && tried < kTriesOfContract && !found; ++i) {
        if (elements(*cases[i]) < 8) continue;
        ++tried;
        found = taken(*cases[i], {{"fill", "subnormal"}});
      }
      if (found && may_be_blind(*found))
        lack("fill", fmt::format("subnormal numbers of type {} for contract {}", of.second, of.first), std::move(found));
    }
  }

  /// Requires a case in which all sequences are empty.
  void no_rows_of(const std::string& column) {
    if (!any_cell(column, is_zeros)) lack(column, "no rows", witness({{column, "0"}}));
  }

  void addresses_of(const std::string& column) {
    for (const std::string tensor : {"gamma", "beta", "gate", "residual", "y"}) {
      const auto names = [&](const std::string& cell) { return (";" + cell + ";").find(";" + tensor + ";") != std::string::npos; };
      if (!any_cell(column, names)) lack(column, "tensor " + tensor, witness({{column, tensor}}));
    }
  }

  void pairs_of(const std::string& a, const std::string& b) {
    std::map<std::string, std::set<std::string>> cells_a, cells_b;
    std::set<std::pair<std::string, std::string>> met;
    const bool counts_calls = std::find(op_.columns.begin(), op_.columns.end(), "before") != op_.columns.end();
    for (const Case* one : small_) {
      if (counts_calls && one->text("before") == kManyCalls) continue;
      if (one->origin.file.ends_with(kOfContracts)) continue;
      if (is_empty(a, one->text(a)) || is_empty(b, one->text(b))) continue;
      const std::string of_a = class_of(a, one->text(a)), of_b = class_of(b, one->text(b));
      met.emplace(of_a, of_b);
      if (cells_a[of_a].size() < 3) cells_a[of_a].insert(one->text(a));
      if (cells_b[of_b].size() < 3) cells_b[of_b].insert(one->text(b));
    }
    for (const auto& [of_a, some_a] : cells_a)
      for (const auto& [of_b, some_b] : cells_b) {
        if (met.contains({of_a, of_b})) continue;
        std::optional<Case> one;
        for (const std::string& cell_a : some_a)
          for (const std::string& cell_b : some_b)
            if (!one) one = witness({{a, cell_a}, {b, cell_b}});
        lack(a, fmt::format("{} with {} {}", of_a.empty() ? "nothing" : of_a, b, of_b.empty() ? "nothing" : of_b), std::move(one));
      }
  }

  const Op& op_;
  const std::vector<Case>& cases_;
  const std::function<bool(const Case&)>& offered_;
  std::map<std::string, std::vector<std::string>> fills_;
  std::set<std::string> known_;
  std::vector<const Case*> small_;
  std::vector<Lack> lacks_;
};

std::string Lack::text(const Op& op) const {
  std::string cells;
  for (const std::string& name : op.columns)
    if (!witness.text(name).empty()) cells += fmt::format(" {}={}", name, witness.text(name));
  return fmt::format("op {}, column {}: no case has {}; for example a row with{}", op.name, column, what, cells);
}

std::vector<Lack> lacks_of(const Op& op, const std::vector<Case>& cases, const std::function<bool(const Case&)>& offered) {
  return Coverage(op, cases, offered).all();
}

// The case tables have the values on which kernels branch. If an op and a column lack a value, the test names them, with a row
// that would add it.

/// Cases of the quick tier by op. Of two cases that differ only in the warp size, only the first is kept.
const std::map<std::string, std::vector<Case>>& quick_cases() {
  static const auto cases = [] {
    open_rulebook(ASSAY_SOURCE_DIR);
    std::map<std::string, std::vector<Case>> all;
    std::set<std::string> known;
    for (Case& one : select_cases(load_cases(shipped_ops().all(), ASSAY_SOURCE_DIR),
                                  {.suites = {"quick"}, .cases = {}, .arch = {}, .warp = {}}))
      if (known.insert(one.data_id()).second) all[one.op].push_back(std::move(one));
    return all;
  }();
  return cases;
}

std::vector<std::string> texts(const Op& op, const std::vector<Case>& cases) {
  std::vector<std::string> all;
  static const LibraryInfo library = open_library(ASSAY_CPU_LIBRARY).info;
  const auto offered = [](const Case& one) {
    return std::any_of(library.kernels.begin(), library.kernels.end(), [&](const KernelOffer& kernel) { return why_not_offered(kernel, one).empty(); });
  };
  for (const Lack& lack : lacks_of(op, cases, offered)) all.push_back(lack.text(op));
  return all;
}

TEST(CaseCoverage, NoColumnLacksAValueThatItsOpTakes) {
  for (const Op& op : shipped_ops().all())
    for (const std::string& text : texts(op, quick_cases().at(op.name))) ADD_FAILURE() << text;
}

/// Removes all cases of one kind from the tables, such as the cases with m = 1. The test must name the value that is now missing.
TEST(CaseCoverage, WhatIsTakenOutIsNamed) {
  const Op& op = shipped_ops().find("rms_norm");
  const auto without = [&](const auto& is) {
    std::vector<Case> cases = quick_cases().at("rms_norm");
    std::erase_if(cases, is);
    return texts(op, cases);
  };
  EXPECT_THAT(without([](const Case& one) { return one.text("m") == "1"; }),
              testing::Contains(HasSubstr("op rms_norm, column m: no case has 1; for example a row with contract=")));
  EXPECT_THAT(without([](const Case& one) { return one.integer("n") % 2 == 1; }),
              testing::Contains(HasSubstr("op rms_norm, column n: no case has an odd number")));
  EXPECT_THAT(without([](const Case& one) { return one.text("fill") == "spoiled_rows"; }),
              testing::Contains(HasSubstr("op rms_norm, column fill: no case has fill spoiled_rows")));
  const auto is_subnormal = [](const Case& one) {
    return one.text("fill") == "subnormal" && one.text("contract") == "flashinfer.rms_norm";
  };
  EXPECT_THAT(without(is_subnormal),
              testing::Contains(HasSubstr("op rms_norm, column fill: no case has subnormal numbers of type f16 for contract "
                                          "flashinfer.rms_norm;")));
  EXPECT_THAT(without([](const Case& one) { return one.text("unaligned").find("y") != std::string::npos; }),
              testing::Contains(HasSubstr("op rms_norm, column unaligned: no case has tensor y")));
  EXPECT_THAT(without([](const Case& one) { return one.text("eps") != "1e-6"; }),
              testing::Contains(HasSubstr("op rms_norm, column eps: no case has two values")));
  const Op& grouped = shipped_ops().find("gemm_grouped");
  std::vector<Case> cases = quick_cases().at("gemm_grouped");
  std::erase_if(cases, [](const Case& one) { return one.text("tokens") == "0;0"; });
  EXPECT_THAT(texts(grouped, cases),
              testing::IsSupersetOf({HasSubstr("op gemm_grouped, column tokens: no case has 0;"),
                                     HasSubstr("op gemm_grouped, column tokens: no case has zeros alone of contract "
                                               "vllm.cutlass_moe_mm.sm_90;")}));
}

// Padding of byte scales: storage without a scale holds NaN in half of the cases, and various finite bytes in the others.

TEST(AbsentScales, AreFiniteInHalfOfTheCases) {
  for (const char* op : {"gemm_block_scaled", "gemm_grouped"}) {
    std::map<std::string, std::array<int64_t, 2>> by_contract;
    std::array<int64_t, 2> all{};
    for (const Case& one : quick_cases().at(op)) {
      const GemmCase c = read_gemm_case(one);
      if (!c.scale_a.are_bytes()) continue;
      ++all[c.absent_finite], ++by_contract[c.id()][c.absent_finite];
    }
    EXPECT_NEAR(double(all[1]) / double(all[0] + all[1]), 0.5, 0.08) << op;
    for (const auto& [contract, counts] : by_contract) EXPECT_TRUE(counts[0] > 0 && counts[1] > 0) << contract;
  }
}

TEST(AbsentScales, AreNanOrDiffer) {
  std::set<bool> met;
  for (const Case& one : quick_cases().at("gemm_block_scaled")) {
    const GemmCase c = read_gemm_case(one);
    if (!c.scale_a.are_bytes() || c.m == 0 || met.contains(c.absent_finite)) continue;
    const HostTensor scales = find(gemm_problem(c).tensors, "scale_a");
    const HostTensor other = c.scale_a.with_other_padding(scales, !c.absent_finite);
    std::set<std::byte> absent;
    for (size_t i = 0; i < scales.bytes.size(); ++i)
      if (scales.bytes[i] != other.bytes[i]) absent.insert(scales.bytes[i]);
    if (absent.empty()) continue;
    met.insert(c.absent_finite);
    if (c.absent_finite)
      EXPECT_GT(absent.size(), 8u) << one.id;
    else
      EXPECT_EQ(absent, std::set<std::byte>{std::byte{0xff}}) << one.id;
  }
  EXPECT_EQ(met.size(), 2u);
}

// Each op with a row stride has a case in the tier `far`, whose rows lie further apart than 32-bit offsets reach.

/// Ops that have a row stride, but no case with a row stride in the tier `far`.
std::set<std::string> without_far_rows(const std::vector<Case>& cases) {
  std::set<std::string> ops;
  for (const Op& op : shipped_ops().all())
    for (const std::string& column : op.columns)
      if (column == "row_stride" || column == "pitch") ops.insert(op.name);
  for (const Case& one : cases) {
    if (!ops.contains(one.op)) continue;
    const Problem problem = shipped_ops().find(one.op).bind(one)->problem();
    const auto reaches = [](const HostTensor& tensor) {
      return tensor.spec.far > 0 && (tensor.spec.shape.front() - 1) * tensor.spec.far > int64_t{UINT32_MAX};
    };
    if (std::any_of(problem.tensors.begin(), problem.tensors.end(), reaches)) ops.erase(one.op);
  }
  return ops;
}

/// Ops without a column for gaps between rows, each with the reason.
const std::map<std::string, std::string> kDenseRows = {
    {"act_and_mul", "vLLM, SGLang and FlashInfer compute where a row begins from its number and its length"},
    {"all_reduce", "a message is flat memory"},
    {"all_reduce_rms_norm", "a message is flat memory"},
    {"all_reduce_add_rms_norm", "a message is flat memory"},
    {"all_reduce_add_rms_norm_quant_group", "a message is flat memory"},
    {"all_reduce_add_rms_norm_quant_static", "a message is flat memory"},
    {"cast", "a conversion of flat memory"},
    {"fused_moe", "vLLM and SGLang demand contiguous hidden states and weights"},
    {"mma", "one instruction: fragments in registers"},
    {"moe_combine", "vLLM and SGLang compute where a row begins from its number and its length"},
    {"moe_sort", "lists, and rows that are copied as flat memory"},
    {"pack_scales", "DeepGEMM takes dense scales, in rows or in columns"},
    {"q_norm_rope", "fused_deepseek_v4_qnorm_rope_kv_rope_quant_insert checks that q is contiguous"},
    {"qk_norm_rope", "fused_qk_norm_rope checks that qkv is contiguous"},
    {"quant_azp", "dynamic_scaled_int8_quant checks that x is contiguous"},
    {"quant_experts", "vLLM checks that x is contiguous"},
    {"quant_masked", "FlashInfer (csrc/nv_internal/tensorrt_llm/thop/fp4Quantize.cpp) checks that x is contiguous"},
    {"rms_norm_double_quant", "two calls of kernels of rms_norm_quant_group, which has the column"},
    {"shuffle_weight", "a weight is viewed as tiles, which a gap forbids"},
    {"silu_mul_quant_group", "the kernels compute where a row begins from its number and its length"},
    {"silu_mul_quant_experts", "the kernels compute where a row begins from its number and its length"},
    {"silu_mul_quant_static", "the kernels compute where a row begins from its number and its length"},
};

TEST(RowsApart, EveryOpHasAColumnForThemOrAReason) {
  for (const Op& op : shipped_ops().all()) {
    const bool has = std::any_of(op.columns.begin(), op.columns.end(), [&](const std::string& column) {
      return column == "row_stride" || column == "pitch" || column == "strides" || (column == "gap" && op.name.starts_with("gemm_"));
    });
    EXPECT_NE(has, kDenseRows.contains(op.name)) << op.name << (has ? " has a column for rows apart, and a reason to have none" : " has neither");
  }
}

/// Each op with a column for gaps between rows has a quick case with gaps.
TEST(RowsApart, EveryColumnForThemIsUsed) {
  std::set<std::string> unused;
  for (const Op& op : shipped_ops().all())
    for (const std::string& column : op.columns)
      if (column == "row_stride" || column == "pitch" || (column == "gap" && op.name.starts_with("gemm_")))
        if (const std::vector<Case>& cases = quick_cases().at(op.name);
            std::none_of(cases.begin(), cases.end(), [&](const Case& one) { return !one.text(column).empty() && one.text(column) != "0"; }))
          unused.insert(op.name);
  EXPECT_EQ(unused, std::set<std::string>());
}

TEST(FarRows, EveryOpWithRowsApartHasThem) {
  open_rulebook(ASSAY_SOURCE_DIR);
  std::vector<Case> cases = select_cases(load_cases(shipped_ops().all(), ASSAY_SOURCE_DIR),
                                         {.suites = {"far"}, .cases = {}, .arch = {}, .warp = "32"});
  std::erase_if(cases, [](const Case& one) { return one.origin.file.find("far_strides.csv") == std::string::npos; });
  EXPECT_EQ(without_far_rows(cases), std::set<std::string>());
  std::erase_if(cases, [](const Case& one) { return one.op == "layer_norm"; });
  EXPECT_EQ(without_far_rows(cases), std::set<std::string>{"layer_norm"});
}

// One of our CPU kernels accepts each quick case. Without this test, a kernel that the build leaves out would only cause skips.

std::vector<Case> all_quick_cases() {
  open_rulebook(ASSAY_SOURCE_DIR);
  return select_cases(load_cases(shipped_ops().all(), ASSAY_SOURCE_DIR), {.suites = {"quick"}});
}

/// Contracts with a case that no kernel accepts.
std::set<std::string> left_out(const std::vector<KernelOffer>& kernels, const std::vector<Case>& cases) {
  std::set<std::string> contracts;
  for (const Case& one : cases)
    if (std::none_of(kernels.begin(), kernels.end(),
                     [&](const KernelOffer& kernel) { return why_not_offered(kernel, one).empty(); }))
      contracts.insert(one.text("contract"));
  return contracts;
}

TEST(Offered, EveryQuickCaseHasAKernelOfOurs) {
  EXPECT_EQ(left_out(open_library(ASSAY_CPU_LIBRARY).info.kernels, all_quick_cases()), std::set<std::string>());
}

TEST(Offered, AKernelThatIsLostIsFound) {
  std::vector<KernelOffer> kernels = open_library(ASSAY_CPU_LIBRARY).info.kernels;
  std::erase_if(kernels, [](const KernelOffer& kernel) { return kernel.op == "pack_scales"; });
  EXPECT_FALSE(left_out(kernels, all_quick_cases()).empty());
}

// CI executes the cases of kernels/hip/executed_sample.csv for gfx942. It has a case of every op, and all are quick cases.

/// Ops without a case in the sample, and cases of the sample that are in no table.
std::vector<std::string> flaws_of_sample(const std::vector<std::string>& sample, const std::vector<Case>& cases) {
  std::set<std::string> ids, ops;
  for (const Case& one : cases) ids.insert(one.id);
  std::vector<std::string> flaws;
  for (const std::string& id : sample) {
    ops.insert(id.substr(0, id.find('/')));
    if (!ids.contains(id)) flaws.push_back(id + " is not a quick case");
  }
  for (const Op& op : shipped_ops().all())
    if (!ops.contains(op.name)) flaws.push_back("op " + op.name + " has no case");
  return flaws;
}

std::vector<std::string> executed_sample() {
  std::vector<std::string> sample;
  std::ifstream file(ASSAY_SOURCE_DIR "/kernels/hip/executed_sample.csv");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("case,")) sample.push_back(line.substr(5));
  return sample;
}

TEST(ExecutedSample, HasACaseOfEveryOp) {
  EXPECT_THAT(flaws_of_sample(executed_sample(), all_quick_cases()), testing::IsEmpty());
}

TEST(ExecutedSample, AMissingOpAndAnUnknownCaseAreNamed) {
  std::vector<std::string> sample = executed_sample();
  std::erase_if(sample, [](const std::string& id) { return id.starts_with("cast/"); });
  sample.push_back("mma/gfx942.none/w64");
  EXPECT_THAT(flaws_of_sample(sample, all_quick_cases()),
              testing::ElementsAre("mma/gfx942.none/w64 is not a quick case", "op cast has no case"));
}

}  // namespace
}  // namespace assay
