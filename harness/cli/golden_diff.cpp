// assay golden diff: compares what several chips returned on the same cases, and their tensor core models.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "harness/cli/chip_reports.h"
#include "harness/cli/places.h"
#include "harness/cli/verbs.h"
#include "harness/golden/golden.h"
#include "harness/report/progress_report.h"
#include "harness/text/messages.h"
#include "reference/table/table.h"
#include "suites/rulebook.h"

namespace assay {
namespace golden_diffs {
namespace {

namespace fs = std::filesystem;

/// What is known of one chip: recorded outputs, models of its tensor cores, or both.
struct Target {
  std::string name;
  std::string folder;  ///< empty: nothing is recorded
  std::map<std::string, Golden> by_op{};
  std::vector<const UnitRow*> units{};
  ObservedOn seen{};
};

Target target_of(const std::string& name, const std::string& root) {
  Target target{.name = name, .folder = fs::is_directory(name) ? name : root + "/observed/" + name};
  if (!fs::is_directory(target.folder)) target.folder.clear();
  if (!target.folder.empty())
    for (const auto& entry : fs::directory_iterator(target.folder)) {
      if (entry.path().extension() != ".json") continue;
      Golden golden = read_golden(entry.path().string());
      if (golden.kind != "observed")
        throw UsageError(entry.path().string() + ": expected observed outputs, got kind '" + golden.kind + "'");
      target.seen = golden.provenance;
      const std::string op = golden.op;
      target.by_op.emplace(op, std::move(golden));
    }
  for (const UnitRow& row : rulebook().units.rows())
    if (chip_of_unit(row.id) == name) target.units.push_back(&row);
  if (target.by_op.empty() && target.units.empty()) {
    std::set<std::string> known;
    for (const UnitRow& row : rulebook().units.rows()) known.insert(chip_of_unit(row.id));
    throw UsageError(name + ": expected a folder of golden files such as gold/observed/cpu, or an architecture" +
                     did_you_mean(name, std::vector<std::string>(known.begin(), known.end())));
  }
  return target;
}

std::string seen_text(const Target& target) {
  if (target.by_op.empty()) return target.name + ": models only";
  const ObservedOn& on = target.seen;
  return printable(fmt::format("{}: {}{}{}, {}, {} ops", target.name, on.device.empty() ? on.arch : on.device,
                               on.driver.empty() ? "" : ", driver " + on.driver,
                               on.toolkit.empty() ? "" : ", toolkit " + on.toolkit, on.date, target.by_op.size()));
}

/// How two recordings of a tensor differ: the number of elements that differ, and the largest difference in codes. Computed from
/// ObservedTensor::steps, the distance of each element from the lowest accepted code (0 if absent).
struct Apart {
  int64_t elements = 0, codes = 0;
};
Apart apart(const ObservedTensor& a, const ObservedTensor& b) {
  Apart result;
  const auto one_way = [&](const ObservedTensor& x, const ObservedTensor& y, bool both) {
    for (const auto& [at, step] : x.steps) {
      const auto found = y.steps.find(at);
      if (found != y.steps.end() && !both) continue;
      const int64_t difference = std::llabs(int64_t{step} - (found == y.steps.end() ? 0 : found->second));
      if (difference != 0) ++result.elements, result.codes = std::max(result.codes, difference);
    }
  };
  one_way(a, b, true);
  one_way(b, a, false);
  return result;
}

/// The tensor's name without the algorithm variant: "d" for "d, split-K 2".
std::string without_variant(const std::string& name) { return name.substr(0, name.find(", ")); }

/// The tensor in `others` with the name and format of `one`, from the same algorithm variant if possible, else from any.
const ObservedTensor* counterpart(const ObservedTensor& one, const std::vector<ObservedTensor>& others) {
  const ObservedTensor* found = nullptr;
  for (const ObservedTensor& other : others) {
    if (other.format != one.format || without_variant(other.name) != without_variant(one.name)) continue;
    if (found == nullptr || other.name == one.name) found = &other;
  }
  return found;
}

/// Compares the recorded outputs of one op, call by call, and counts equal and different calls.
struct OfOp {
  int64_t same = 0, differ = 0, only_a = 0, only_b = 0;
  Json differences = Json::array();

  void compare(const std::string& id, const std::string& kernel, const std::vector<ObservedTensor>& a,
               const std::vector<ObservedTensor>& b) {
    Json tensors = Json::array();
    for (const ObservedTensor& one : a) {
      const ObservedTensor* const other = counterpart(one, b);
      if (other == nullptr) {
        tensors.push_back({{"tensor", one.name}, {"what", "is only in the first recording"}});
      } else if (other->digest != one.digest && other->name != one.name) {
        tensors.push_back({{"tensor", one.name}, {"what", "has other bits than " + other->name}});
      } else if (other->digest != one.digest) {
        const Apart by = apart(one, *other);
        tensors.push_back(
            {{"tensor", one.name},
             {"elements", by.elements},
             {"codes", by.codes},
             {"what", by.elements == 0
                          ? "the bits differ; their distance is unknown, because the recordings also differ in the accepted codes"
                          : fmt::format("{} element{}, by at most {} code{}", by.elements,
                                        by.elements == 1 ? " differs" : "s differ", by.codes, by.codes == 1 ? "" : "s")}});
      }
    }
    if (a.size() < b.size()) tensors.push_back({{"tensor", ""}, {"what", "the second recording has more tensors"}});
    ++(tensors.empty() ? same : differ);
    if (!tensors.empty()) differences.push_back({{"case", id}, {"kernel", kernel}, {"tensors", tensors}});
  }
};

/// Compares the outputs of kernels of the same name. If each recording has a single kernel, compares these two under any names.
void compare_case(OfOp& sum, const std::string& id, const std::map<std::string, std::vector<ObservedTensor>>& a,
                  const std::map<std::string, std::vector<ObservedTensor>>& b) {
  if (a.size() == 1 && b.size() == 1) {
    const std::string &first = a.begin()->first, &second = b.begin()->first;
    return sum.compare(id, first == second ? first : first + " and " + second, a.begin()->second, b.begin()->second);
  }
  for (const auto& [kernel, tensors] : a) {
    const auto other = b.find(kernel);
    if (other == b.end())
      ++sum.only_a;
    else
      sum.compare(id, kernel, tensors, other->second);
  }
  for (const auto& [kernel, tensors] : b) sum.only_b += !a.contains(kernel);
}

OfOp compare_op(const Golden* a, const Golden* b) {
  OfOp sum;
  const std::map<std::string, std::map<std::string, std::vector<ObservedTensor>>> none;
  const auto &first = a ? a->observed : none, &second = b ? b->observed : none;
  for (const auto& [id, kernels] : first) {
    const auto other = second.find(id);
    if (other == second.end())
      sum.only_a += int64_t(kernels.size());
    else
      compare_case(sum, id, kernels, other->second);
  }
  for (const auto& [id, kernels] : second)
    if (!first.contains(id)) sum.only_b += int64_t(kernels.size());
  return sum;
}

/// Compares the digests of single instructions in units.csv of both folders.
OfOp compare_units(const std::string& a, const std::string& b) {
  OfOp sum;
  const auto read = [](const std::string& folder) {
    std::map<std::string, std::string> calls;
    if (!fs::exists(folder + "/units.csv")) return calls;
    const Table table = read_table(folder + "/units.csv");
    for (const TableRow& row : table.rows) {
      std::string key, digests;
      for (const char* column : {"unit", "data", "m", "n", "seed", "elements"})
        key += (key.empty() ? "" : " ") + table.text(row, column);
      for (const char* column : {"chain_1", "chain_2", "chain_4", "chain_128"}) digests += " " + table.text(row, column);
      calls[key] = digests;
    }
    return calls;
  };
  const auto first = read(a), second = read(b);
  for (const auto& [key, digests] : first) {
    const auto other = second.find(key);
    if (other == second.end()) {
      ++sum.only_a;
    } else {
      ++(digests == other->second ? sum.same : sum.differ);
      if (digests != other->second)
        sum.differences.push_back(
            {{"case", key}, {"kernel", ""}, {"tensors", Json::array({{{"tensor", "d"}, {"what", "other bits"}}})}});
    }
  }
  for (const auto& [key, digests] : second) sum.only_b += !first.contains(key);
  return sum;
}

Json compare_recordings(const Target& a, const Target& b) {
  std::set<std::string> ops;
  for (const Target* target : {&a, &b})
    for (const auto& [op, golden] : target->by_op) ops.insert(op);
  Json found = {{"a", a.name},
                {"b", b.name},
                {"same", 0},
                {"differ", 0},
                {"only_a", 0},
                {"only_b", 0},
                {"ops", Json::array()},
                {"differences", Json::array()}};
  const auto add = [&](const std::string& op, const OfOp& sum) {
    if (sum.same + sum.differ + sum.only_a + sum.only_b == 0) return;
    found["ops"].push_back(
        {{"op", op}, {"same", sum.same}, {"differ", sum.differ}, {"only_a", sum.only_a}, {"only_b", sum.only_b}});
    for (const auto& [key, count] : std::map<std::string, int64_t>{
             {"same", sum.same}, {"differ", sum.differ}, {"only_a", sum.only_a}, {"only_b", sum.only_b}})
      found[key] = found[key].get<int64_t>() + count;
    for (const Json& one : sum.differences) found["differences"].push_back(one);
  };
  for (const std::string& op : ops) {
    const auto first = a.by_op.find(op), second = b.by_op.find(op);
    add(op, compare_op(first == a.by_op.end() ? nullptr : &first->second, second == b.by_op.end() ? nullptr : &second->second));
  }
  add("single instructions", compare_units(a.folder, b.folder));
  return found;
}

std::string difference_text(const Json& one) {
  std::string text = one.value("case", "") + (one.value("kernel", "").empty() ? "" : " " + one.value("kernel", ""));
  for (const Json& tensor : one.at("tensors"))
    text += fmt::format(": {} {}", tensor.value("tensor", ""), tensor.value("what", ""));
  return text;
}

bool print_recordings(const Json& found) {
  const auto count = [](const Json& of, const char* key) { return of.value(key, int64_t{0}); };
  fmt::print("{:<40} {:>9} {:>9} {:>11} {:>11}\n", found.value("a", "") + " and " + found.value("b", ""), "same bits", "differ",
             "first only", "second only");
  for (const Json& op : found.at("ops"))
    fmt::print("{:<40} {:>9} {:>9} {:>11} {:>11}\n", op.value("op", ""), count(op, "same"), count(op, "differ"),
               count(op, "only_a"), count(op, "only_b"));
  constexpr size_t kMostPrinted = 20;
  const Json& differences = found.at("differences");
  for (size_t i = 0; i < differences.size() && i < kMostPrinted; ++i)
    fmt::print("differs: {}\n", printable(difference_text(differences[i])));
  if (differences.size() > kMostPrinted)
    fmt::print("and {} more; --report json:FILE has all\n", differences.size() - kMostPrinted);
  const bool same = count(found, "differ") + count(found, "only_a") + count(found, "only_b") == 0;
  fmt::print("{}: {} same bits, {} differ, {} only in {}, {} only in {}\n", same ? "SAME BITS" : "NOT THE SAME",
             count(found, "same"), count(found, "differ"), count(found, "only_a"), found.value("a", ""), count(found, "only_b"),
             found.value("b", ""));
  return same;
}

// Models of the chips' tensor cores, by operands.

/// Instructions of several chips with the same operands, in classes. Instructions are in one class if a search found no input on
/// which they differ.
struct Kind {
  std::vector<std::vector<const UnitRow*>> classes;
  std::vector<const UnitRow*> unknown;
};

std::string operands_of(const UnitRow& row) {
  const std::string scale = row.text("scale");
  return fmt::format("{} * {} -> {}{}", row.text("a"), row.text("b"), row.text("d"), scale.empty() ? "" : ", scales " + scale);
}

bool same_steps(const UnitRow& a, const UnitRow& b) {
  return a.unit.k == b.unit.k && std::all_of(unit_step_columns().begin(), unit_step_columns().end(),
                                             [&](const std::string& column) { return a.text(column) == b.text(column); });
}

void add_to_class(Kind& kind, const UnitRow& row) {
  if (!row.unit.known()) return kind.unknown.push_back(&row);
  for (auto& same : kind.classes)
    if (same_steps(*same.front(), row) || !separate_units(same.front()->unit, row.unit).witness) return same.push_back(&row);
  kind.classes.push_back({&row});
}

std::string letter(size_t i) { return std::string(1, char('A' + i % 26)); }

Json ids_of(const std::vector<const UnitRow*>& rows) {
  Json ids = Json::array();
  for (const UnitRow* row : rows) ids.push_back(row->id);
  return ids;
}

Json json_of(const std::string& operands, const Kind& kind) {
  Json classes = Json::array(), apart = Json::array();
  for (size_t i = 0; i < kind.classes.size(); ++i) {
    const UnitRow& first = *kind.classes[i].front();
    Json cells = Json::object();
    for (const std::string& column : unit_step_columns()) cells[column] = first.text(column);
    classes.push_back({{"name", letter(i)}, {"k", first.unit.k}, {"cells", cells}, {"instructions", ids_of(kind.classes[i])}});
    for (size_t j = 0; j < i; ++j) {
      const UnitRow& other = *kind.classes[j].front();
      const UnitSeparation found = separate_units(other.unit, first.unit);
      if (found.witness)
        apart.push_back({{"first", letter(j)}, {"second", letter(i)}, {"input", witness_lines(other, first, found)}});
    }
  }
  return {{"operands", operands}, {"classes", classes}, {"undocumented", ids_of(kind.unknown)}, {"apart", apart}};
}

/// Compares the models of instructions whose operands at least two of the chips support.
Json compare_models(const std::vector<Target>& targets) {
  std::map<std::string, std::vector<const UnitRow*>> by_operands;
  std::map<std::string, std::set<std::string>> chips;
  for (const Target& target : targets)
    for (const UnitRow* row : target.units)
      by_operands[operands_of(*row)].push_back(row), chips[operands_of(*row)].insert(target.name);
  std::erase_if(by_operands, [&](const auto& entry) { return chips.at(entry.first).size() < 2; });
  Json models = Json::array();
  ProgressReport progress(by_operands.size(), "kinds of operands");
  for (const auto& [operands, rows] : by_operands) {
    progress.begin(operands);
    Kind kind;
    for (const UnitRow* row : rows) add_to_class(kind, *row);
    models.push_back(json_of(operands, kind));
    progress.step(operands);
  }
  return models;
}

/// Input formats that some of these chips support, but not all: [{chips, formats: [{format, instructions}]}].
Json formats_apart(const std::vector<Target>& targets) {
  std::map<std::string, std::map<std::string, int64_t>> by_format;  // format -> chip -> instructions
  std::set<std::string> chips;
  for (const Target& target : targets) {
    if (!target.units.empty()) chips.insert(target.name);
    for (const UnitRow* row : target.units)
      for (const std::string& format : std::set<std::string>{row->text("a"), row->text("b")}) ++by_format[format][target.name];
  }
  std::map<std::vector<std::string>, Json> by_chips;
  for (const auto& [format, of] : by_format) {
    if (of.size() == chips.size()) continue;
    std::vector<std::string> names;
    int64_t instructions = 0;
    for (const auto& [chip, number] : of) names.push_back(chip), instructions += number;
    by_chips.try_emplace(names, Json::array()).first->second.push_back({{"format", format}, {"instructions", instructions}});
  }
  Json apart = Json::array();
  for (const auto& [names, formats] : by_chips) apart.push_back({{"chips", names}, {"formats", formats}});
  return apart;
}

/// "only gfx942: e4m3fnuz (4 instructions), e5m2fnuz (4 instructions)"
std::string only_text(const Json& one) {
  std::string text;
  for (const Json& format : one.at("formats")) {
    const auto number = format.value("instructions", int64_t{0});
    text += fmt::format("{}{} ({} instruction{})", text.empty() ? "" : ", ", format.value("format", ""), number,
                        number == 1 ? "" : "s");
  }
  return fmt::format("only {}: {}", fmt::join(one.at("chips").get<std::vector<std::string>>(), " and "), text);
}

void print_models(const Json& models) {
  for (const Json& kind : models) {
    fmt::print("{}: {}\n", kind.value("operands", ""),
               kind.at("classes").size() == 1 ? "all compute the same"
                                              : fmt::format("computed in {} different ways", kind.at("classes").size()));
    for (const Json& one : kind.at("classes"))
      fmt::print("  {}  {:<60} {}\n", one.value("name", ""), steps_text(one.at("cells")),
                 fmt::join(one.at("instructions").get<std::vector<std::string>>(), " "));
    if (!kind.at("undocumented").empty())
      fmt::print("  undocumented: {}\n", fmt::join(kind.at("undocumented").get<std::vector<std::string>>(), " "));
    for (const Json& pair : kind.at("apart")) {
      fmt::print("  {} and {}: ", pair.value("first", ""), pair.value("second", ""));
      for (const Json& line : pair.at("input")) fmt::print("{}\n  ", line.get<std::string>());
      fmt::print("\n");
    }
  }
}

// The page.

void recordings_section(ChipPage& page, const Json& found) {
  for (const Json& pair : found.at("recordings")) {
    const html::Node section = page.section(fmt::format("Recorded outputs: {} and {}", pair.value("a", ""), pair.value("b", "")));
    const html::Node body = html::table(html::wide(section), "grid", {"op", "same bits", "differ", "first only", "second only"});
    for (const Json& op : pair.at("ops"))
      text_row(body,
               {op.value("op", ""), std::to_string(op.value("same", 0)), std::to_string(op.value("differ", 0)),
                std::to_string(op.value("only_a", 0)), std::to_string(op.value("only_b", 0))},
               op.value("differ", 0) > 0 ? "bad" : "");
    constexpr size_t kMostShown = 200;
    const Json& differences = pair.at("differences");
    if (differences.empty()) continue;
    const html::Folded list = html::folded(section);
    html::write(list.summary, fmt::format("{} calls differ", differences.size()));
    const html::Node lines = html::line(list.content, "ul", "others");
    for (size_t i = 0; i < differences.size() && i < kMostShown; ++i)
      html::code(html::line(lines, "li"), difference_text(differences[i]));
    if (differences.size() > kMostShown)
      html::write(html::line(lines, "li"), fmt::format("and {} more", differences.size() - kMostShown));
  }
}

/// A table of operands by chip; a cell has the letters of the classes to which the chip's instructions belong.
void model_table(html::Node section, const Json& found) {
  std::vector<std::string> head = {"operands"}, chips;
  for (const Json& target : found.at("targets"))
    if (target.value("instructions", 0) > 0) chips.push_back(target.value("name", ""));
  head.insert(head.end(), chips.begin(), chips.end());
  const html::Node body = html::table(html::wide(section), "chips", head);
  for (const Json& kind : found.at("models")) {
    const html::Node row = html::line(body, "tr", kind.at("classes").size() > 1 ? "apart" : "");
    html::write(html::cell(row), kind.value("operands", ""));
    for (const std::string& chip : chips) {
      std::vector<std::string> letters;
      const auto add = [&](const std::string& name, const Json& ids) {
        for (const Json& id : ids)
          if (chip_of_unit(id.get<std::string>()) == chip)
            letters.push_back(name + " " +
                              id.get<std::string>().substr(chip.size() + 1,
                                                           id.get<std::string>().find('.', chip.size() + 1) - chip.size() - 1));
      };
      for (const Json& one : kind.at("classes")) add(one.value("name", ""), one.at("instructions"));
      add("undocumented", kind.at("undocumented"));
      std::sort(letters.begin(), letters.end());
      letters.erase(std::unique(letters.begin(), letters.end()), letters.end());
      html::write(html::cell(row, letters.empty() ? "none" : ""),
                  letters.empty() ? "\xC2\xB7" : fmt::format("{}", fmt::join(letters, ", ")));
    }
  }
}

void model_details(html::Node section, const Json& found) {
  for (const Json& kind : found.at("models")) {
    if (kind.at("classes").size() < 2) continue;
    html::write(html::line(section, "h3"), kind.value("operands", ""));
    const html::Node body = html::table(html::wide(section), "found",
                                        {"", "order | exponent | sum | c | round | scale | special", "k", "instructions"});
    for (const Json& one : kind.at("classes")) {
      const html::Node row = html::line(body, "tr");
      html::write(html::cell(row), one.value("name", ""));
      html::write(html::cell(row, "steps"), steps_text(one.at("cells")));
      html::write(html::cell(row, "k"), std::to_string(one.value("k", 0)));
      html::write(html::cell(row), fmt::format("{}", fmt::join(one.at("instructions").get<std::vector<std::string>>(), ", ")));
    }
    for (const Json& pair : kind.at("apart"))
      html::write(html::child(html::line(section, "div", "contract-text"), "pre"),
                  fmt::format("{} and {}: {}", pair.value("first", ""), pair.value("second", ""),
                              fmt::join(pair.at("input").get<std::vector<std::string>>(), "\n")));
  }
}

std::string diff_html(const Json& found) {
  std::vector<std::string> names;
  int64_t differ = 0, same = 0;
  size_t apart = 0;
  for (const Json& target : found.at("targets")) names.push_back(target.value("name", ""));
  for (const Json& pair : found.at("recordings"))
    differ += pair.value("differ", int64_t{0}), same += pair.value("same", int64_t{0});
  for (const Json& kind : found.at("models")) apart += kind.at("classes").size() > 1;
  std::string headline;
  if (!found.at("recordings").empty()) headline = fmt::format("{} of {} recorded calls differ", differ, differ + same);
  if (!found.at("models").empty())
    headline += fmt::format("{}instructions of {} of {} combinations of operand formats compute different results",
                            headline.empty() ? "" : "; ", apart, found.at("models").size());
  ChipPage page(fmt::format("Assay: {} side by side", fmt::join(names, ", ")), headline, differ == 0);
  std::vector<Fact> facts;
  for (const Json& target : found.at("targets"))
    facts.push_back({target.value("name", ""), target.value("device", "").empty()
                                                   ? fmt::format("{} instructions", target.value("instructions", 0))
                                                   : fmt::format("{}, driver {}, {}", target.value("device", ""),
                                                                 target.value("driver", ""), target.value("date", ""))});
  page.facts(facts);
  recordings_section(page, found);
  if (!found.at("models").empty()) {
    const html::Node section = page.section("Tensor core instructions");
    html::write(html::line(section, "p", "soft"),
                "Instructions with the same letter form a class: a search found no input on which their results differ.");
    for (const Json& one : found.at("formats_apart")) html::write(html::line(section, "p"), "Inputs of " + only_text(one) + ".");
    model_table(section, found);
    model_details(page.section("The smallest inputs on which classes differ"), found);
  }
  return page.source();
}

}  // namespace
}  // namespace golden_diffs

int golden_diff(const GoldenArguments& arguments) {
  using namespace golden_diffs;
  const ChipReports reports(arguments.reports);
  open_contracts(arguments.suites);
  if (arguments.targets.size() < 2) throw UsageError("golden diff takes two or more architectures or folders");
  const std::string root = arguments.folder.empty() ? data_root() + "/golden" : arguments.folder;
  std::vector<Target> targets;
  for (const std::string& name : arguments.targets) targets.push_back(target_of(name, root));
  Json found = {{"assay_golden_diff", 1}, {"targets", Json::array()}, {"recordings", Json::array()}, {"models", Json::array()}};
  for (const Target& target : targets) {
    found["targets"].push_back({{"name", target.name},
                                {"folder", target.folder},
                                {"arch", target.seen.arch},
                                {"device", target.seen.device},
                                {"driver", target.seen.driver},
                                {"toolkit", target.seen.toolkit},
                                {"date", target.seen.date},
                                {"ops", target.by_op.size()},
                                {"instructions", target.units.size()}});
    fmt::print("{}\n", seen_text(target));
  }
  bool same = true;
  for (size_t i = 1; i < targets.size(); ++i) {
    if (targets.front().by_op.empty() || targets[i].by_op.empty()) continue;
    found["recordings"].push_back(compare_recordings(targets.front(), targets[i]));
    same = print_recordings(found["recordings"].back()) && same;
  }
  found["models"] = compare_models(targets);
  print_models(found["models"]);
  found["formats_apart"] = formats_apart(targets);
  for (const Json& one : found["formats_apart"]) fmt::print("{}\n", only_text(one));
  if (found["models"].empty() && found["recordings"].empty())
    throw UsageError(
        "golden diff: no two of these targets have recorded outputs, and no two have instructions with the same operand formats");
  if (!reports.write(found, diff_html)) return kHarnessFailed;
  return same ? kAllAsExpected : kUnexpected;
}

}  // namespace assay
