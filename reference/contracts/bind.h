// Binds a contract row to the formats of a case: parses cells and rounds constants. The result is evaluated by the op kinds.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "reference/contracts/rows.h"
#include "reference/flow/gated/contract.h"
#include "reference/flow/group_quant/contract.h"
#include "reference/flow/rope/contract.h"
#include "reference/flow/row_norm/contract.h"

namespace assay {

class RowCells;

/// One stage of a chain of row functions. Contracts that are not such chains (a launch, a packing, a cast) have no Link.
using Link = std::variant<GroupQuant, RowNorm, Gated, Rope>;

/// A chain of stages, usually one.
struct Contract {
  std::string id;
  std::vector<Link> links;
  const GroupQuant* group_quant() const;  ///< the last stage if it is one
  const RowNorm* row_norm() const;        ///< the first stage if it is one
  const Gated* gated() const;             ///< the first stage if it is one
  const Rope* rope() const;               ///< the stage that is one
};

/// Throws std::out_of_range for an unknown id and TableError for a bad cell.
Contract bind(const ContractTables& tables, const std::string& id, const Format& x);

/// Binds a single plain row. Throws TableError for a bad cell, and for an op kind that is no stage of a chain.
Link bind_link(const RowCells& cells, const Format& x);

/// Parses every cell of a row against stand-in formats. Throws TableError.
void check(const ContractTables& tables, const ContractRow& row);

}  // namespace assay
