#include "suites/judges/rules.h"

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "reference/formats/catalogue.h"
#include "reference/table/near.h"
#include "reference/table/table.h"
#include "suites/judges/measures.h"

namespace assay::judges {
namespace {

constexpr const char* kRuleColumns[] = {"rule",    "ops",    "recipe", "pairs",  "part", "what",
                                    "measure", "bounds", "source", "status", "why"};
const std::vector<std::string> kWhats = {"codes", "scale", "zero", "storage", "dequantized", "output", "residual"};
const std::vector<std::string> kKinds = {"quant", "norm", "norm_quant", "reduce", "reduce_norm", "gemm"};

std::vector<std::string> split(const std::string& text, char between) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, between);)
    if (!part.empty()) parts.push_back(part);
  return parts;
}

class Reader {
 public:
  Reader(const Table& table, const TableRow& row) : table_(table), row_(row) {}

  const std::string& text(const char* column) const { return table_.text(row_, column); }
  [[noreturn]] void refuse(const char* column, const std::string& problem) const { throw table_.error(row_, column, problem); }
  void require_one_of(const char* column, const std::string& word, const std::vector<std::string>& known) const {
    if (std::find(known.begin(), known.end(), word) == known.end())
      refuse(column, "unknown '" + word + "'" + did_you_mean(word, known));
  }

  Check check() const {
    Check check;
    check.what = text("what");
    check.measure = text("measure");
    require_one_of("what", check.what, kWhats);
    std::vector<std::string> names;
    for (const Measure& measure : measures()) names.push_back(measure.name);
    require_one_of("measure", check.measure, names);
    const Measure& measure = measures()[size_t(std::find(names.begin(), names.end(), check.measure) - names.begin())];
    std::vector<std::string> known = measure.bounds;
    known.insert(known.end(), measure.optional.begin(), measure.optional.end());
    for (const std::string& bound : split(text("bounds"), ' ')) read_bound(bound, known, check);
    for (const std::string& needed : measure.bounds)
      if (!check.has(needed)) refuse("bounds", measure.name + " needs " + needed);
    return check;
  }

  Rule rule() const {
    Rule rule{text("rule"), split(text("ops"), '|'), text("recipe"), pairs(), {}, text("source"), text("status"), text("why")};
    for (const std::string& kind : rule.kinds) require_one_of("ops", kind, kKinds);
    require_one_of("status", rule.status, {"read", "inferred"});
    for (const char* column : {"ops", "recipe", "source"})
      if (text(column).empty()) refuse(column, "the first row of a rule must say it");
    return rule;
  }

 private:
  std::vector<std::array<std::string, 2>> pairs() const {
    std::vector<std::array<std::string, 2>> all;
    for (const std::string& pair : split(text("pairs"), '|')) {
      const std::vector<std::string> sides = split(pair, '~');
      if (sides.size() != 2) refuse("pairs", "'" + pair + "' is not two contracts with '~' between");
      all.push_back({sides[0], sides[1]});
    }
    return all;
  }

  void read_bound(const std::string& text, const std::vector<std::string>& known, Check& check) const {
    const size_t equals = text.find('=');
    const std::string name = text.substr(0, equals), value = equals == std::string::npos ? "" : text.substr(equals + 1);
    if (name == "of") {
      require_one_of("bounds", value, {"kernel", "reference"});
      check.of_kernel = value == "kernel";
      return;
    }
    if (name == "only") {
      if (!find_format(value)) refuse("bounds", "'" + value + "' is no format");
      check.only = value;
      return;
    }
    require_one_of("bounds", name, known);
    char* end = nullptr;
    check.bounds[name] = std::strtod(value.c_str(), &end);
    if (value.empty() || *end != '\0') refuse("bounds", "'" + text + "' is not a name, '=' and a number");
  }

  const Table& table_;
  const TableRow& row_;
};

}  // namespace

bool Rule::is_for(const std::string& kind) const { return std::find(kinds.begin(), kinds.end(), kind) != kinds.end(); }

bool Rule::compares(const std::string& contract, const std::string& reference) const {
  return std::find(pairs.begin(), pairs.end(), std::array{contract, reference}) != pairs.end();
}

std::vector<Rule> load_rules(const std::string& file) {
  const Table table = read_table(file);
  const std::vector<std::string> columns(std::begin(kRuleColumns), std::end(kRuleColumns));
  table.require_columns(columns);
  table.allow_columns(columns);
  std::vector<Rule> rules;
  for (const TableRow& row : table.rows) {
    const Reader reader(table, row);
    if (rules.empty() || rules.back().id != reader.text("rule")) rules.push_back(reader.rule());
    Rule& rule = rules.back();
    const int64_t part = table.integer(row, "part"), parts = int64_t(rule.parts.size());
    if (part != parts && part != parts + 1)
      reader.refuse("part", "part " + std::to_string(part) + " after " + std::to_string(parts));
    if (part > parts) rule.parts.emplace_back();
    rule.parts.back().push_back(reader.check());
  }
  return rules;
}

Judgement judge(const Rule& rule, const Answer& kernel, const Answer& reference) {
  bool refused = false;
  for (const std::vector<Check>& part : rule.parts) {
    bool accepted = false;
    for (const Check& check : part) {
      const Judgement judgement = measured(check, kernel, reference);
      if (judgement == Judgement::kCannot) return judgement;
      accepted = accepted || judgement == Judgement::kAccepts;
    }
    refused = refused || !accepted;
  }
  return refused ? Judgement::kRefuses : Judgement::kAccepts;
}

}  // namespace assay::judges
