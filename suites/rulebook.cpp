#include "suites/rulebook.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "harness/text/messages.h"
#include "harness/text/text_file.h"
#include "reference/flow/dot/dot_contract.h"
#include "reference/flow/flow.h"
#include "reference/table/near.h"
#include "reference/table/table.h"

namespace assay {
namespace {

// The contract registry: all contract and layout tables of a run, read once. `--contracts` adds tables of the user.

/// Cache of mutants by contract and format. The registry owns it.
class EditMemory {
 public:
  using Edits = std::vector<std::shared_ptr<const Neighbour>>;

  Edits of(const ContractTables& tables, const std::string& contract, const Format& x) {
    const std::lock_guard lock(mutex_);
    const auto found =
        std::find_if(known_.begin(), known_.end(), [&](const Entry& one) { return one.contract == contract && *one.x == x; });
    if (found != known_.end()) {
      std::rotate(known_.begin(), found, found + 1);  // move to the front: the order is by last use
      return known_.front().edits;
    }
    Edits edits;
    for (Neighbour& one : neighbours(tables, contract, x)) edits.push_back(std::make_shared<const Neighbour>(std::move(one)));
    if (known_.size() == kMost) known_.pop_back();
    known_.push_front({contract, &x, edits});
    return edits;
  }

 private:
  static constexpr size_t kMost = 64;  ///< cached contracts; each has about a hundred mutants of some kB
  struct Entry {
    std::string contract;
    const Format* x;
    Edits edits;
  };
  std::deque<Entry> known_;
  std::mutex mutex_;
};

/// Cache of bound contracts by id and format. The registry owns it.
class BoundContracts {
 public:
  std::shared_ptr<const Contract> of(const ContractTables& tables, const std::string& contract, const Format& x) {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<const Contract>& known = known_[{contract, std::string(x.name)}];
    if (!known) known = std::make_shared<const Contract>(bind(tables, contract, x));
    return known;
  }

 private:
  std::map<std::pair<std::string, std::string>, std::shared_ptr<const Contract>> known_;
  std::mutex mutex_;
};

std::unique_ptr<Rulebook> open_book;
std::unique_ptr<BoundContracts> contracts_of_book;
std::unique_ptr<EditMemory> edits_of_book;

class DigestsOfRows;
std::mutex mutex_of_digests;
std::shared_ptr<DigestsOfRows> digests_of_book;  ///< created at the first use

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

/// The entry with that id. Throws std::out_of_range with similar ids.
template <class Entry>
const Entry& entry(const std::vector<Entry>& entries, const char* kind, const std::string& id) {
  const auto found = std::find_if(entries.begin(), entries.end(), [&](const Entry& one) { return one.id == id; });
  if (found != entries.end()) return *found;
  std::vector<std::string> known;
  for (const Entry& one : entries) known.push_back(one.id);
  throw std::out_of_range(std::string("unknown ") + kind + " '" + id + "'" + did_you_mean(id, known));
}

}  // namespace

std::vector<std::string> Rulebook::contract_ids() const {
  std::vector<std::string> ids = contracts.ids();
  for (const UnitRow& row : units.rows()) ids.push_back(row.id);
  return ids;
}

bool Rulebook::is_row(const std::string& contract, const Flow& flow) const {
  const ContractRow* row = contracts.lookup(contract);
  return row != nullptr && row->flow == &flow;
}

std::vector<const ContractRow*> Rulebook::links_of(const std::string& contract) const {
  std::vector<const ContractRow*> links;
  if (const ContractRow* row = contracts.lookup(contract))
    for (const std::string& link : chain_of(*row)) links.push_back(&contracts.find(link));
  return links;
}

bool Rulebook::is_unit(const std::string& contract) const {
  return std::any_of(units.rows().begin(), units.rows().end(), [&](const UnitRow& row) { return row.id == contract; });
}

std::vector<EvidenceKind> Rulebook::evidence_of(const std::string& contract) const {
  std::vector<EvidenceKind> kinds;
  if (!is_unit(contract)) {
    for (const RowEvidence& one : evidence.of(contracts.find(contract))) kinds.push_back(one.kind);
    return kinds;
  }
  const std::string& words = units.find(contract).text("evidence");
  const auto has = [&](const char* word) { return words.find(word) != std::string::npos; };
  if (has("measured") || has("recorded")) kinds.push_back(EvidenceKind::kRan);
  if (has("model")) kinds.push_back(EvidenceKind::kRead);
  if (has("inferred")) kinds.push_back(EvidenceKind::kInferred);
  return kinds;
}

std::string Rulebook::equivalent(const std::string& contract, const Format& x, const std::string& fault) const {
  for (const Equivalence& e : equivalences) {
    if (glob_match(e.fault, fault) && any_glob_matches(e.contract, contract) && any_glob_matches(e.x, x.name)) return e.why;
  }
  return {};
}

const Layout& Rulebook::layout(const std::string& id) const { return entry(layouts, "layout", id); }

const Record& Rulebook::record(const std::string& id) const { return entry(records, "record", id); }

/// Throws TableError if a row names a layout that does not exist, or has an item in `pad` that no op reads.
static void require_known_words(const ContractRow& row, const std::vector<Layout>& layouts) {
  static const std::vector<std::string> kPads = {"rows:00",     "rows:untouched", "rows:unspecified", "k:00",
                                                 "k:untouched", "gaps:00",        "gaps:untouched",   "x:00"};
  std::vector<std::string> ids;
  for (const Layout& layout : layouts) ids.push_back(layout.id);
  const auto require = [&](const char* column, const char* separators, const char* kind, const std::vector<std::string>& known) {
    if (!row.cells.contains(column)) return;
    const std::string& cell = row.text(column);
    for (size_t at = cell.find_first_not_of(separators); at != std::string::npos;) {
      const size_t end = std::min(cell.find_first_of(separators, at), cell.size());
      const std::string word = cell.substr(at, end - at);
      if (std::find(known.begin(), known.end(), word) == known.end())
        throw row.error(column, at, std::string("unknown ") + kind + " '" + word + "'" + did_you_mean(word, known));
      at = cell.find_first_not_of(separators, end);
    }
  };
  require("layouts", "|", "layout", ids);
  require("pad", " ", "padding rule", kPads);
}

void open_rulebook(const std::string& root, const std::vector<std::string>& more_contracts) {
  auto book = std::make_unique<Rulebook>();
  book->contracts = ContractTables::load(root + "/reference/contracts");
  book->evidence = EvidenceTable::load(root + "/reference/contracts/evidence.csv", book->contracts);
  book->elsewhere = ElsewhereTable::load(root + "/reference/contracts/elsewhere.csv", book->contracts);
  book->units = UnitTable::load_folder(root + "/reference/contracts");
  for (const std::string& file : more_contracts) {
    if (holds_units(file))
      book->units.add(file);
    else
      book->contracts.add(file);
  }
  for (const ContractRow& row : book->contracts.rows())
    if (is_product(row)) (void)read_dot(row, book->contracts, book->units);  // checks the rows of GEMMs
  book->layouts = load_layouts(root + "/reference/contracts/layouts.csv");
  for (const ContractRow& row : book->contracts.rows()) require_known_words(row, book->layouts);
  book->records = load_records(root + "/reference/contracts/records.csv");
  book->equivalences = load_equivalences(root + "/suites/equivalent.csv");
  open_book = std::move(book);
  contracts_of_book = std::make_unique<BoundContracts>();
  edits_of_book = std::make_unique<EditMemory>();
  digests_of_book.reset();
}

std::vector<std::shared_ptr<const Neighbour>> contract_edits(const std::string& contract, const Format& x) {
  return edits_of_book->of(rulebook().contracts, contract, x);
}

std::shared_ptr<const Contract> bound_contract(const std::string& contract, const Format& x) {
  return contracts_of_book->of(rulebook().contracts, contract, x);
}

const Rulebook& rulebook() {
  if (!open_book) throw std::logic_error("no contract registry is open");
  return *open_book;
}

namespace {

// Digests of the table rows that determine a case's accepted codes and mutants. Stored results use the digest as a key.

using TableCells = std::map<std::string, TableCell>;

/// Adds to `names` each part of a cell that may be the id of a row.
void add_names(std::string_view cell, std::set<std::string>& names) {
  for (size_t at = 0; at < cell.size();) {
    const size_t from = cell.find_first_not_of(" |=>(),", at);
    if (from == std::string_view::npos) return;
    at = std::min(cell.find_first_of(" |=>(),", from), cell.size());
    names.insert(std::string(cell.substr(from, at - from)));
  }
}

bool is_name(const Rulebook& book, const std::string& word) {
  return book.contracts.lookup(word) != nullptr || book.is_unit(word);
}

bool informs_only(const std::string& column) {
  static const std::set<std::string> columns = {"source", "why", "since", "until", "evidence"};
  return columns.contains(column);
}

/// Whether the cell belongs to an optional column that was added after the first golden records, and is empty. Such cells are
/// left out of the digest, so that those records stay valid.
bool is_as_before(const std::string& column, const TableCell& cell) {
  static const std::set<std::string> younger = {"experts", "tile_rows", "padding", "one_block",
                                                "router",  "block_m",   "rival",   "error"};
  return cell.text.empty() && younger.contains(column);
}

/// The text of all layouts and records. They count for each case, because mutants replace a layout or record by every other one.
std::string addresses(const Rulebook& book) {
  std::string all;
  for (const Layout& one : book.layouts) {
    all += fmt::format("{}\t{}\t{}\t{}\t{}", one.id, one.type->name, one.element->name, one.tile_rows, one.tile_columns);
    for (const Expression* part : {&one.rows, &one.cols, &one.storage, &one.shape[0], &one.shape[1], &one.strides[0],
                                   &one.strides[1], &one.offset})
      all += "\t" + part->text();
    all += "\n";
  }
  for (const Record& one : book.records)
    for (const RecordPart& part : one.parts)
      all += fmt::format("{}\t{}\t{}\t{}\t{}\t{}\t{}\n", one.id, part.name, int(part.kind), part.from, part.elements,
                         part.format, part.offset.text());
  return all;
}

/// Collects the rows on which a case depends: the text of each row, by id.
class RowsRead {
 public:
  explicit RowsRead(const Rulebook& book) : book_(book) {}

  /// Adds the row or instruction of this name and all rows that it names. Ignores a word that names no row or instruction.
  void add(const std::string& name) {
    if (text_.contains(name)) return;
    if (const ContractRow* row = book_.contracts.lookup(name))
      add_row(name, row->cells);
    else if (book_.is_unit(name))
      add_unit(book_.units.find(name));
  }

  /// Digest of the collected rows and of `addresses` (all layouts and records).
  std::string text(std::string addresses) const {
    std::string all = std::move(addresses);
    for (const auto& [id, text] : text_) all += text;
    for (const Equivalence& one : book_.equivalences)
      for (const auto& [id, text] : text_)
        if (any_glob_matches(one.contract, id)) {
          all += one.contract + "\t" + one.x + "\t" + one.fault + "\n";
          break;
        }
    return all;
  }

 private:
  void add_row(const std::string& id, const TableCells& cells) {
    std::string& text = text_[id] = id;
    for (const auto& [column, cell] : cells)
      if (!informs_only(column) && !is_as_before(column, cell)) text += "\t" + column + "=" + cell.text;
    text += "\n";
    std::set<std::string> names;
    for (const auto& [column, cell] : cells)
      if (!informs_only(column) && column != "id") add_names(cell.text, names);
    for (const std::string& name : names) add(name);
  }

  /// Adds the instructions that replace this one in mutants: its candidates, and those whose ids differ only after the last dot.
  void add_unit(const UnitRow& unit) {
    const std::string stem = unit.id.substr(0, unit.id.rfind('.') + 1);
    for (const UnitRow& row : book_.units.rows())
      if (row.id.starts_with(stem)) add_row(row.id, row.cells);
    for (const UnitRow* row : book_.units.candidates_of(unit)) add_row(row->id, row->cells);
  }

  const Rulebook& book_;
  std::map<std::string, std::string> text_;
};

/// Digests of the rows on which cases depend. Many cases depend on the same rows, so each digest is computed once.
class DigestsOfRows {
 public:
  explicit DigestsOfRows(const Rulebook& book) : book_(book), addresses_(addresses(book)) {}

  const std::string& of(const Case& one) {
    std::set<std::string> words, names;
    for (const auto& [column, cell] : one.parameters) add_names(cell, words);
    for (const std::string& word : words) {
      const auto [known, is_new] = is_name_.try_emplace(word, false);
      if (is_new) known->second = is_name(book_, word);
      if (known->second) names.insert(word);
    }
    std::string& digest = known_[names];
    if (!digest.empty()) return digest;
    RowsRead rows(book_);
    for (const std::string& name : names) rows.add(name);
    return digest = digest_text(rows.text(addresses_));
  }

 private:
  const Rulebook& book_;
  const std::string addresses_;
  std::unordered_map<std::string, bool> is_name_;
  std::map<std::set<std::string>, std::string> known_;  ///< key: the rows and instructions that a case names
};

}  // namespace

std::string rows_read_by(const Case& one) {
  const std::lock_guard lock(mutex_of_digests);
  if (!digests_of_book) digests_of_book = std::make_shared<DigestsOfRows>(rulebook());
  return digests_of_book->of(one);
}

}  // namespace assay
