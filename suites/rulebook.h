// The contract registry: contract and layout tables of a run, read once and extended by --contracts.
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

/// A mutant that no data can distinguish from its contract. Contract, input format (several with |) and mutant name are globs.
struct Equivalence {
  std::string contract, x, fault, why;
};

struct Rulebook {
  ContractTables contracts;
  EvidenceTable evidence;
  ElsewhereTable elsewhere;
  UnitTable units;  ///< contracts that are single tensor core instructions
  std::vector<Layout> layouts;
  std::vector<Record> records;
  std::vector<Equivalence> equivalences;

  /// Ids of all contracts and instructions.
  std::vector<std::string> contract_ids() const;
  bool is_unit(const std::string& contract) const;
  /// Whether the contract is a row of that op kind. False also for one that does not exist.
  bool is_row(const std::string& contract, const Flow& flow) const;
  /// The rows of a chain in order; a plain row gives itself, any other text none.
  std::vector<const ContractRow*> links_of(const std::string& contract) const;
  /// The evidence for a contract, strongest first: from evidence.csv; for an instruction from its cell `evidence`.
  std::vector<EvidenceKind> evidence_of(const std::string& contract) const;

  /// Why the mutant is equivalent for that format; empty if it is not.
  std::string equivalent(const std::string& contract, const Format& x, const std::string& fault) const;

  /// Throws std::out_of_range with similar ids.
  const Layout& layout(const std::string& id) const;
  /// Throws std::out_of_range with similar ids.
  const Record& record(const std::string& id) const;
};

/// Reads reference/contracts and suites/equivalent.csv under `root`, and the user's tables. Throws TableError. Call it before the
/// first rulebook().
void open_rulebook(const std::string& root, const std::vector<std::string>& more_contracts = {});

/// Throws std::logic_error if no registry is open.
const Rulebook& rulebook();

/// A contract bound to a format, cached for all cases that share both. Thread-safe. Throws like bind().
std::shared_ptr<const Contract> bound_contract(const std::string& contract, const Format& x);

// Cache of the mutants of contracts, for consecutive cases.

/// neighbours() (the mutants) of a contract for that input format. Results for the most recent contracts are cached. Thread-safe.
std::vector<std::shared_ptr<const Neighbour>> contract_edits(const std::string& contract, const Format& x);

// Finds the table rows that determine the answers and mutants of a case; used as a cache key.

/// Digest of all rows that the case's answers and mutants depend on: rows named in its cells, rows that those name in turn,
/// sibling instructions of each tensor core, equivalences of these contracts, and all layouts and records. Informative cells
/// (source, why, since, until, evidence) and comments are excluded. Needs an open contract registry.
std::string rows_read_by(const Case& one);

// The architecture of a tensor core instruction, for `--arch`.

/// The first part of an instruction's id: "sm_90" of "sm_90.wgmma.e4m3.f32".
inline std::string chip_of_unit(const std::string& id) { return id.substr(0, id.find('.')); }

}  // namespace assay
