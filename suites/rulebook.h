// The contract registry: all contract and layout tables of a run, read once. `--contracts` adds tables of the user.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "harness/core/case.h"
#include "reference/contracts/contract_rows.h"
#include "reference/contracts/evidence.h"
#include "reference/contracts/tensor_layouts.h"
#include "reference/flow/contract.h"
#include "reference/flow/contract_mutants.h"
#include "reference/flow/flow.h"
#include "reference/units/unit_table.h"

namespace assay {

/// A row of equivalent.csv: mutants that no input distinguishes from their contract. contract, x and fault hold globs (`a|b`).
struct Equivalence {
  std::string contract, x, fault, why;
};

struct Rulebook {
  ContractTables contracts;
  EvidenceTable evidence;
  ElsewhereTable elsewhere;
  UnitTable units;  ///< tensor core instructions; each is also a contract
  std::vector<Layout> layouts;
  std::vector<Record> records;
  std::vector<Equivalence> equivalences;

  /// Ids of all contracts and instructions.
  std::vector<std::string> contract_ids() const;
  bool is_unit(const std::string& contract) const;
  /// Whether the contract exists and its op kind is `flow`.
  bool is_row(const std::string& contract, const Flow& flow) const;
  /// The rows of a chain, first stage first. For a contract of one row: that row. For any other text: none.
  std::vector<const ContractRow*> links_of(const std::string& contract) const;
  /// The evidence for a contract, strongest first, from evidence.csv. For an instruction it is read from its cell `evidence`.
  std::vector<EvidenceKind> evidence_of(const std::string& contract) const;

  /// Why the mutant is equivalent for input format x; empty if it is not.
  std::string equivalent(const std::string& contract, const Format& x, const std::string& fault) const;

  /// Throws std::out_of_range with similar ids.
  const Layout& layout(const std::string& id) const;
  /// Throws std::out_of_range with similar ids.
  const Record& record(const std::string& id) const;
};

/// Reads reference/contracts and suites/equivalent.csv below `root`, and `more_contracts`, the user's tables. Throws TableError.
/// Must be called before rulebook().
void open_rulebook(const std::string& root, const std::vector<std::string>& more_contracts = {});

/// Throws std::logic_error before open_rulebook().
const Rulebook& rulebook();

/// A contract bound to an input format. All cases with both share the object. Thread-safe. Throws like bind().
std::shared_ptr<const Contract> bound_contract(const std::string& contract, const Format& x);

// Cache of the mutants of contracts: consecutive cases often have the same contract.

/// The mutants of a contract for input format x. The mutants of the 64 contracts used last are cached. Thread-safe.
std::vector<std::shared_ptr<const Neighbour>> contract_edits(const std::string& contract, const Format& x);

// Digests of the table rows that determine a case's accepted codes and mutants. Stored results use the digest as a key.

/// Digest of the table rows on which the case's accepted codes and mutants depend: contracts and instructions that its cells name
/// and that these name in turn; instructions whose ids differ only after the last dot, because mutants use them; equivalences;
/// all layouts and records. Comments and the cells source, why, since, until, evidence do not count. Needs an open registry.
std::string rows_read_by(const Case& one);

// The architecture of a tensor core instruction; `--arch` selects by it.

/// The first part of an instruction's id: "sm_90" of "sm_90.wgmma.e4m3.f32".
inline std::string chip_of_unit(const std::string& id) { return id.substr(0, id.find('.')); }

}  // namespace assay
