// The contract and layout tables of this run: read once, extended by --contracts before anything runs.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "reference/contracts/contract_rows.h"
#include "reference/contracts/evidence.h"
#include "reference/contracts/tensor_layouts.h"
#include "reference/flow/contract.h"
#include "reference/flow/flow.h"
#include "reference/units/unit_table.h"

namespace assay {

/// A neighbour of a contract that no data can tell from it; globs over contract, input format (with |) and the neighbour's name.
struct Equivalence {
  std::string contract, x, fault, why;
};

struct Rulebook {
  ContractTables contracts;
  EvidenceTable evidence;
  ElsewhereTable elsewhere;
  UnitTable units;  ///< contracts of a matrix unit's instruction
  std::vector<Layout> layouts;
  std::vector<Record> records;
  std::vector<Equivalence> equivalences;

  /// Of every contract and unit.
  std::vector<std::string> contract_ids() const;
  bool is_unit(const std::string& contract) const;
  /// Whether it is a contract row of that kind. False also for one that does not exist.
  bool is_row(const std::string& contract, const Flow& flow) const;
  /// The rows of a chain in order; of a plain row itself, and none of what is no row.
  std::vector<const ContractRow*> links_of(const std::string& contract) const;
  /// How it is known that a contract says what the real code does, the strongest first: evidence.csv, or the unit's own cell.
  std::vector<EvidenceKind> evidence_of(const std::string& contract) const;

  /// Why the fault cannot be seen on any data of that format; empty if it can.
  std::string equivalent(const std::string& contract, const Format& x, const std::string& fault) const;

  /// Throws std::out_of_range with near matches.
  const Layout& layout(const std::string& id) const;
  /// Likewise.
  const Record& record(const std::string& id) const;
};

/// Reads reference/contracts and suites/equivalent.csv under `root` and the user's own rows. Throws TableError. Call before the first rulebook().
void open_rulebook(const std::string& root, const std::vector<std::string>& more_contracts = {});

/// Throws std::logic_error if none is open.
const Rulebook& rulebook();

/// A contract of the open rulebook bound to a format: once for all cases that have both. May be called by several threads. Throws as
/// bind().
std::shared_ptr<const Contract> bound_contract(const std::string& contract, const Format& x);

}  // namespace assay
