// A contract row bound to the formats of a case: cells parsed, constants rounded. This is what the flows run.
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

/// One step of a chain of functions of a row. A contract that is no such chain (a launch, a packing, a cast) is no Link.
using Link = std::variant<GroupQuant, RowNorm, Gated, Rope>;

/// A chain of links, mostly of one.
struct Contract {
  std::string id;
  std::vector<Link> links;
  const GroupQuant* group_quant() const;  ///< the last link if it is one
  const RowNorm* row_norm() const;        ///< the first link if it is one
  const Gated* gated() const;             ///< the first link if it is one
  const Rope* rope() const;               ///< the link that is one
};

/// Throws std::out_of_range for an unknown id and TableError for a bad cell.
Contract bind(const ContractTables& tables, const std::string& id, const Format& x);

/// One plain row, by its flow. Throws TableError for a bad cell and for a row whose flow is no link of a chain.
Link bind_link(const RowCells& cells, const Format& x);

/// Parses every cell of a row against stand-in formats. Throws TableError.
void check(const ContractTables& tables, const ContractRow& row);

}  // namespace assay
