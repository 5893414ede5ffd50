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
  uint32_t zero_bits = 0;  ///< of every scale
  std::vector<TakenLayout> takes;
};

/// What a wrong kernel packs that no word can say. By default nothing is wrong.
struct PackingMistake {
  uint32_t absent = 0;   ///< what stands for a scale that a row's last word lacks
  uint32_t dropped = 0;  ///< low bits of each scale, rounded up to be zero

  /// The bits of a scale that is there.
  uint32_t scale(uint32_t bits) const { return (bits + dropped) & ~dropped; }
};

/// Throws TableError.
Packing read_packing(const ContractRow& row);

/// A packing with one mistake.
struct PackingNeighbour {
  std::string name;  ///< "word: no mask"
  Packing packing;         ///< with another word,
  PackingMistake mistake;  ///< or with other bits in it
};

/// Every single-step edit: a value dropped, masks dropped or set, places exchanged, exponents rounded up, absent values that are
/// not 0.
std::vector<PackingNeighbour> neighbours(const Packing& packing);

}  // namespace assay
