// Words that pack several scales, defined by bit operations: contract rows, evaluation and mutants.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reference/contracts/contract_rows.h"

namespace assay {

// A word of packed scales, as its contract defines it: integer operations on the bits of consecutive fp32 scales.

/// One operation on 32 bits: `>>23`, `<<1`, `&0xff` or `+0x7fffff`.
struct BitStep {
  enum Kind { kRight, kLeft, kAnd, kAdd } kind;
  uint32_t amount;
  bool operator==(const BitStep&) const = default;
};

/// `v1>>15&0xff00`: the bits of value 1 of the word, to which operations are applied from left to right.
struct WordTerm {
  int value;
  std::vector<BitStep> steps;
  bool operator==(const WordTerm&) const = default;

  uint32_t of(uint32_t bits) const;
  std::string text() const;
};

/// Terms joined by `|`, one for each value: `v0>>23 | v1>>15 | v2>>7 | v3<<1`, or `v0` alone.
struct Word {
  std::vector<WordTerm> terms;

  uint32_t of(std::span<const uint32_t> values) const;
  std::string text() const;
};

/// `values`: number of values in a word; each must have exactly one term. Throws ParseError.
Word parse_word(std::string_view text, int values);

/// `&0x807fffff=0` gives the bits that must be zero in every scale; 0 for an empty text. Throws ParseError.
uint32_t parse_domain(std::string_view text);

// A contract of op kind "pack": copies scales into the layout that the next kernel reads, packed in words.

/// The registry entry of this op kind.
const Flow& packing_flow();

/// A layout of the input scales that a contract accepts, if the number of rows is a multiple of `multiple`.
struct TakenLayout {
  std::string layout;
  int64_t multiple = 1;
};

struct Packing {
  std::string id;
  Word word;
  uint32_t absent = 0;     ///< bits of a scale that is missing in a row's last word: 0 in all rows
  uint32_t zero_bits = 0;  ///< bits that must be zero in every scale
  std::vector<TakenLayout> takes;
};

/// Throws TableError.
Packing read_packing(const ContractRow& row);

/// A packing with one mistake.
struct PackingNeighbour {
  std::string name;  ///< such as "word: no mask"
  Packing packing;
};

/// Every mutant: drops a value, drops or sets masks, exchanges positions, rounds exponents up, makes absent values nonzero.
std::vector<PackingNeighbour> neighbours(const Packing& packing);

}  // namespace assay
