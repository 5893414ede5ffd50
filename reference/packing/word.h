// A packed word of scales as its contract writes it: integer operations on the bits of neighbouring fp32 scales.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace assay {

/// One operation on 32 bits: `>>23`, `<<1`, `&0xff` or `+0x7fffff`.
struct BitStep {
  enum Kind { kRight, kLeft, kAnd, kAdd } kind;
  uint32_t amount;
  bool operator==(const BitStep&) const = default;
};

/// `v1>>15&0xff00`: the bits of value 1 of the word, and operations applied from left to right.
struct WordTerm {
  int value;
  std::vector<BitStep> steps;
  bool operator==(const WordTerm&) const = default;

  uint32_t of(uint32_t bits) const;
  std::string text() const;
};

/// Terms joined by `|`, each of another value: `v0>>23 | v1>>15 | v2>>7 | v3<<1`, or `v0` alone.
struct Word {
  std::vector<WordTerm> terms;

  uint32_t of(std::span<const uint32_t> values) const;
  std::string text() const;
};

/// `values`: how many a word holds; each must have exactly one term. Throws ParseError.
Word parse_word(std::string_view text, int values);

/// Bits that must be zero in every scale: `&0x807fffff=0`; none for an empty text. Throws ParseError.
uint32_t parse_domain(std::string_view text);

}  // namespace assay
