#include "harness/core/cases.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <set>
#include <stdexcept>
#include <unordered_map>
#include <utility>

#include "harness/core/op.h"
#include "harness/text/messages.h"
#include "reference/table/near.h"
#include "reference/table/table.h"

namespace assay {

// Functions of case.h and op.h.

Access access_of(const HostTensor& tensor) {
  if (tensor.spec.role == Role::kInput) return Access::kIn;
  return tensor.bytes.empty() || !tensor.spec.shares.empty() ? Access::kOut : Access::kInOut;
}

const char* name(Access access) {
  switch (access) {
    case Access::kIn:
      return "input";
    case Access::kOut:
      return "output";
    case Access::kInOut:
      break;
  }
  return "in place";
}

std::string SaidAlgorithm::text() const {
  std::string text = words;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (split_k != 0) add("split-K " + std::to_string(split_k));
  if (promote != 0) add(promote < 0 ? "never promoted" : "promoted every " + std::to_string(promote));
  if (order != Order::kNotSaid) add(order == Order::kAny ? "added in any order" : "added in ascending order");
  return text;
}

Case with_cells(Case one, const CellChanges& cells) {
  for (const auto& [column, cell] : cells) one.parameters[column] = cell;
  return one;
}

CaseOfRows BoundCase::with_rows(const Problem&, const std::vector<int64_t>&) const {
  throw std::logic_error("rows of this case depend on each other");
}

Case checked_case(const Op& op, Case one) {
  const std::unique_ptr<const BoundCase> bound = op.bind(one);
  one.set_name(bound->name());
  if (std::string arch = bound->arch(); !arch.empty()) one.parameters["arch"] = std::move(arch);
  return one;
}

namespace {

// From suites/<op>/cases/*.csv to a list of cases: expand, validate, select.

const std::string kOp = "op";

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  for (std::string& part : parts) {
    const size_t first = part.find_first_not_of(" \t");
    part = first == std::string::npos ? "" : part.substr(first, part.find_last_not_of(" \t") - first + 1);
  }
  return parts;
}

/// For each parameter column in the op's order: the alternatives in the row's cell.
std::vector<std::vector<std::string>> alternatives_of(const Op& op, const Table& table, const TableRow& row) {
  std::vector<std::vector<std::string>> all;
  for (const std::string& column : op.columns) {
    all.push_back(table.has_column(column) ? split(table.text(row, column), '|') : std::vector<std::string>{""});
    std::set<std::string> seen;
    for (const std::string& alternative : all.back()) {
      if (all.back().size() > 1 && alternative.empty()) throw table.error(row, column, "empty alternative");
      if (!seen.insert(alternative).second) throw table.error(row, column, "alternative '" + alternative + "' appears twice");
    }
  }
  return all;
}

/// checked_case() for a case of a table. The op's errors name a line at most; this function adds the column.
Case validated(const Op& op, const Table& table, const TableRow& row, Case one) {
  try {
    Case named = checked_case(op, std::move(one));
    if (named.id.empty()) throw TableError(table.file, row.line, 0, "", "op '" + op.name + "' computed an empty id for this row");
    return named;
  } catch (const TableError& error) {
    if (error.column() > 0 || !table.has_column(error.name())) throw;
    throw table.error(row, error.name(), error.problem());
  }
}

void require_columns_of(const Op& op, const Table& table) {
  std::vector<std::string> required = op.columns;
  required.push_back("why");
  std::erase_if(required, [&](const std::string& column) { return op.optional_columns.contains(column); });
  table.require_columns(required);
}

/// Limit on the cases of one table. All shipped tables together have fewer. A case takes 4 KB of memory and 20 us to load.
constexpr size_t kMostCases = 50'000;

/// Appends one case for each combination of the row's alternatives.
void expand_row(const Op& op, const Table& table, const TableRow& row, const std::string& tier, std::vector<Case>& cases) {
  Case one;
  one.op = op.name;
  one.tier = tier;
  one.why = table.text(row, "why");
  one.origin = {table.file, row.line};
  if (table.has_column("blind_to")) {
    for (std::string& fault : split(table.text(row, "blind_to"), ';')) {
      if (!fault.empty()) one.blind_to.push_back(std::move(fault));
    }
  }
  const std::vector<std::vector<std::string>> alternatives = alternatives_of(op, table, row);
  size_t product = 1;  // cannot overflow: a cell of at most 64 KiB limits each factor, and the loop ends above kMostCases
  for (const std::vector<std::string>& column : alternatives) {
    product *= column.size();
    if (cases.size() + product > kMostCases)
      throw TableError(table.file, row.line, 0, "",
                       "this row and the rows before it expand to more than " + std::to_string(kMostCases) +
                           " cases; split the table");
  }
  std::vector<size_t> choice(alternatives.size(), 0);
  for (bool more = true; more;) {  // counts like an odometer: the last column changes fastest
    for (size_t i = 0; i < choice.size(); ++i) one.parameters[op.columns[i]] = alternatives[i][choice[i]];
    cases.push_back(validated(op, table, row, one));
    more = false;
    for (size_t i = choice.size(); i-- > 0 && !more;) {
      choice[i] = (choice[i] + 1) % alternatives[i].size();
      more = choice[i] != 0;
    }
  }
}

/// Throws TableError naming both rows if two rows expand to one id.
void require_different(const std::vector<Case>& cases) {
  std::unordered_map<std::string, const Case*> by_id;
  for (const Case& one : cases) {
    const auto [first, is_new] = by_id.emplace(one.id, &one);
    if (!is_new)
      throw TableError(one.origin.file, one.origin.line, 0, "",
                       "case " + one.id + " already exists, from " + first->second->origin.text());
  }
}

}  // namespace

std::string tier_of(const std::string& file_name) { return file_name.substr(0, file_name.find_first_of("_.")); }

std::vector<Case> expand_table(const Op& op, const std::string& text, const std::string& file) {
  const Table table = parse_table(text, file);
  std::vector<std::string> known = op.columns;
  known.insert(known.end(), {"why", "blind_to", kOp});
  table.allow_columns(known);
  require_columns_of(op, table);
  const std::string tier = tier_of(std::filesystem::path(file).filename().string());
  std::vector<Case> cases;
  for (const TableRow& row : table.rows) {
    if (table.has_column(kOp) && table.text(row, kOp) != op.name)
      throw table.error(row, kOp, "'" + table.text(row, kOp) + "': expected '" + op.name + "', the op of this table");
    expand_row(op, table, row, tier, cases);
  }
  return cases;
}

std::vector<Case> load_own_cases(std::span<const Op> ops, const std::string& text, const std::string& file,
                                 const std::string& name) {
  const Table table = parse_table(text, file);
  std::vector<std::string> names, columns = {"why", "blind_to", kOp};
  for (const Op& op : ops) {
    names.push_back(op.name);
    columns.insert(columns.end(), op.columns.begin(), op.columns.end());
  }
  if (!table.has_column(kOp) && name.empty()) throw UsageError(file + ": has no column 'op'; add --op NAME");
  table.allow_columns(columns);
  std::vector<Case> cases;
  for (const TableRow& row : table.rows) {
    const std::string& wanted = table.has_column(kOp) ? table.text(row, kOp) : name;
    const auto op = std::find_if(ops.begin(), ops.end(), [&](const Op& one) { return one.name == wanted; });
    const std::string unknown = "unknown op '" + wanted + "'" + did_you_mean(wanted, names);
    if (op == ops.end() && !table.has_column(kOp)) throw UsageError("--op: " + unknown);
    if (op == ops.end()) throw table.error(row, kOp, unknown);
    require_columns_of(*op, table);
    for (const std::string& column : table.columns) {
      const bool own = column == kOp || column == "why" || column == "blind_to" ||
                       std::find(op->columns.begin(), op->columns.end(), column) != op->columns.end();
      if (!own && !table.text(row, column).empty())
        throw table.error(row, column, "op " + op->name + " has no such column" + did_you_mean(column, op->columns));
    }
    expand_row(*op, table, row, "own", cases);
  }
  if (cases.empty()) throw TableError(file, 1, 0, "", "has no row");
  require_different(cases);
  return cases;
}

std::vector<Case> load_cases(std::span<const Op> ops, const std::string& root) {
  namespace fs = std::filesystem;
  std::vector<Case> all;
  for (const Op& op : ops) {
    const fs::path folder = fs::path("suites") / op.name / "cases";
    std::vector<std::string> files;
    std::error_code missing;
    for (const auto& entry : fs::directory_iterator(fs::path(root) / folder, missing)) {
      if (entry.path().extension() == ".csv") files.push_back(entry.path().filename().string());
    }
    if (files.empty())
      throw TableError((folder / "*.csv").string(), 0, 0, "", "op '" + op.name + "' has no case table in " + root);
    std::sort(files.begin(), files.end());
    for (const std::string& file : files) {
      for (Case& one : expand_table(op, read_text((fs::path(root) / folder / file).string()), (folder / file).string())) {
        all.push_back(std::move(one));
      }
    }
  }
  require_different(all);
  return all;
}

std::vector<Case> select_cases(std::vector<Case> cases, const Selection& selection) {
  std::vector<std::string> suites;  // all valid values of --suite
  std::set<std::string> known;
  for (const Case& one : cases) {
    for (const std::string& suite : {one.op, one.op + "/" + one.tier, one.tier}) {
      if (known.insert(suite).second) suites.push_back(suite);
    }
  }
  for (const std::string& suite : selection.suites) {
    if (!known.contains(suite)) throw UsageError("no suite '" + suite + "'" + did_you_mean(suite, suites));
  }
  const auto any_of = [](const std::vector<std::string>& wanted, auto matches) {
    return wanted.empty() || std::any_of(wanted.begin(), wanted.end(), matches);
  };
  const auto parameter_is = [](const Case& one, const char* name, const std::string& wanted) {
    const auto found = one.parameters.find(name);
    return wanted.empty() || found == one.parameters.end() || found->second == wanted;
  };
  std::erase_if(cases, [&](const Case& one) {
    const bool in_suite = any_of(selection.suites, [&](const std::string& suite) {
      return suite == one.op || suite == one.tier || suite == one.op + "/" + one.tier;
    });
    const bool in_glob = any_of(selection.cases, [&](const std::string& glob) { return glob_match(glob, one.id); });
    return !in_suite || !in_glob || !parameter_is(one, "arch", selection.arch) || !parameter_is(one, "warp", selection.warp);
  });
  return cases;
}

namespace {

// Shards: the cases of a run, divided between several machines or processes.

bool read_number(const std::string& text, int& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

/// Two environment variables that together name a shard; the index counts from 0.
struct Variables {
  const char *index, *count;
};
constexpr std::array kVariables = {Variables{"GTEST_SHARD_INDEX", "GTEST_TOTAL_SHARDS"},
                                   Variables{"SLURM_PROCID", "SLURM_STEP_NUM_TASKS"},
                                   Variables{"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"}};

}  // namespace

std::string Shard::path(const std::string& whole) const {
  if (is_whole()) return whole;
  const std::filesystem::path path(whole);
  std::filesystem::path marked = path.parent_path() / path.stem();
  for (const std::string& end : {std::string("."), std::to_string(index), std::string("of"), std::to_string(count)})
    marked += end;
  marked += path.extension();
  return marked.string();
}

Shard parse_shard(const std::string& text) {
  Shard shard{0, 0, "--shard"};
  const size_t slash = text.find('/');
  const bool numbers = slash != std::string::npos && read_number(text.substr(0, slash), shard.index) &&
                       read_number(text.substr(slash + 1), shard.count);
  if (!numbers || shard.index < 1 || shard.index > shard.count)
    throw UsageError("--shard " + text + ": expected I/N with 1 <= I <= N, such as 2/4");
  return shard;
}

Shard shard_of_environment(const EnvironmentReader& get) {
  for (const Variables& names : kVariables) {
    const char *index = get(names.index), *count = get(names.count);
    if (count == nullptr) continue;  // an index without a count is normal in a Slurm batch script
    const std::string source = std::string(names.index) + " and " + names.count;
    Shard shard{0, 0, source};
    if (index == nullptr || !read_number(index, shard.index) || !read_number(count, shard.count) || shard.index < 0 ||
        shard.index >= shard.count)
      throw UsageError(source + ": expected 0 <= index < count, got index '" + (index ? index : "") + "' and count '" +
                       count + "'");
    ++shard.index;
    return shard;
  }
  return {};
}

std::string fingerprint(const std::vector<Case>& cases) {
  constexpr uint64_t kPrime = 0x100000001b3;  // FNV-1a
  uint64_t hash = 0xcbf29ce484222325;
  for (const Case& one : cases)
    for (const char c : one.id + '\n') hash = (hash ^ static_cast<unsigned char>(c)) * kPrime;
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
  return text;
}

std::vector<Case> share_of(std::vector<Case> cases, const Shard& shard, const std::function<bool(const Case&)>& undivided) {
  std::vector<Case> share;
  int next = 1;  // the shard that gets the next case
  for (Case& one : cases) {
    const bool whole = undivided && undivided(one);
    if ((whole ? 1 : next) == shard.index) share.push_back(std::move(one));
    if (!whole) next = next % shard.count + 1;
  }
  return share;
}

}  // namespace assay
