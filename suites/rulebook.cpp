#include "suites/rulebook.h"

#include <memory>
#include <sstream>
#include <stdexcept>

#include "harness/core/glob.h"
#include "reference/table/near.h"
#include "reference/table/table.h"

namespace assay {
namespace {
std::unique_ptr<Rulebook> open_book;

std::vector<Equivalence> load_equivalences(const std::string& file) {
  const Table table = read_table(file);
  const std::vector<std::string> columns = {"contract", "x", "fault", "why"};
  table.require_columns(columns);
  table.allow_columns(columns);
  std::vector<Equivalence> all;
  for (const TableRow& row : table.rows)
    all.push_back({table.text(row, "contract"), table.text(row, "x"), table.text(row, "fault"), table.text(row, "why")});
  return all;
}

/// Whether one of the globs of a cell, with | between them, matches.
bool any_matches(const std::string& cell, std::string_view name) {
  std::istringstream globs(cell);
  for (std::string glob; std::getline(globs, glob, '|');)
    if (glob_match(glob, std::string(name))) return true;
  return false;
}

}  // namespace

std::string Rulebook::equivalent(const std::string& contract, const Format& x, const std::string& fault) const {
  for (const Equivalence& e : equivalences) {
    if (any_matches(e.x, x.name) && any_matches(e.contract, contract) && glob_match(e.fault, fault)) return e.why;
  }
  return {};
}

const Layout& Rulebook::layout(const std::string& id) const {
  std::vector<std::string> known;
  for (const Layout& layout : layouts) {
    if (layout.id == id) return layout;
    known.push_back(layout.id);
  }
  throw std::out_of_range("unknown layout '" + id + "'" + did_you_mean(id, known));
}

const Record& Rulebook::record(const std::string& id) const {
  std::vector<std::string> known;
  for (const Record& record : records) {
    if (record.id == id) return record;
    known.push_back(record.id);
  }
  throw std::out_of_range("unknown record '" + id + "'" + did_you_mean(id, known));
}

void open_rulebook(const std::string& root, const std::vector<std::string>& more_contracts) {
  auto book = std::make_unique<Rulebook>();
  book->contracts = ContractTables::load(root + "/reference/contracts");
  for (const std::string& file : more_contracts) book->contracts.add(file);
  book->layouts = load_layouts(root + "/reference/contracts/layouts.csv");
  book->records = load_records(root + "/reference/contracts/records.csv");
  book->equivalences = load_equivalences(root + "/suites/equivalent.csv");
  open_book = std::move(book);
}

const Rulebook& rulebook() {
  if (!open_book) throw std::logic_error("no rulebook is open");
  return *open_book;
}

}  // namespace assay
