// A contract of the flow "pack": scales moved into the layout that a consumer reads, as words.
#pragma once

#include <string>
#include <vector>

#include "reference/contracts/rows.h"
#include "reference/packing/word.h"

namespace assay {

/// The row of the registry.
const Flow& packing_flow();

/// A layout that scales may come in; `multiple` of the number of rows: it is taken only then.
struct TakenLayout {
  std::string layout;
  int64_t multiple = 1;
};

struct Packing {
  std::string id;
  Word word;
  uint32_t absent = 0;     ///< the bits of a scale that a row's last word lacks: 0 in all rows
  uint32_t zero_bits = 0;  ///< of every scale
  std::vector<TakenLayout> takes;
};

/// Throws TableError.
Packing read_packing(const ContractRow& row);

/// A packing with one mistake.
struct PackingNeighbour {
  std::string name;  ///< "word: no mask"
  Packing packing;
};

/// Every mutant: a value dropped, masks dropped or set, places exchanged, exponents rounded up, absent values that are
/// not 0.
std::vector<PackingNeighbour> neighbours(const Packing& packing);

}  // namespace assay
