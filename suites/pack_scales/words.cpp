#include "suites/pack_scales/words.h"

#include <fmt/format.h>

#include "reference/formats/catalogue.h"
#include "suites/pack_scales/expect.h"

namespace assay {
namespace {

std::string scale_text(uint32_t bits) { return fmt::format("0x{:08x} = {:.9g}", bits, decode(kF32, bits)); }

std::string byte_text(const Format& element, uint32_t code) {
  return fmt::format("0x{:02x} = {:.9g}", code, decode(element, code));
}

/// Names the fields of an fp32 number that a term uses: "mantissa" and others.
std::string fields_of(uint32_t bits) {
  const uint32_t sign = 1u << (kF32.bits - 1), mantissa = (1u << kF32.mantissa_bits) - 1;
  std::string text = bits & mantissa ? "mantissa" : "";
  if (bits & ~sign & ~mantissa) text += text.empty() ? "exponent" : " and exponent";
  if (bits & sign) text += text.empty() ? "sign" : " and sign";
  return text;
}

/// The bits of `value` that the term moves into these bits of the word.
uint32_t moved_from(const WordTerm& term, uint32_t value, uint32_t into) {
  uint32_t from = 0;
  for (uint32_t bit = 1; bit != 0; bit <<= 1)
    if ((value & bit) != 0 && (term.of(bit) & into) != 0) from |= bit;
  return from;
}

}  // namespace

std::vector<std::string> pack_lines(const Packing& packing) {
  std::vector<std::string> lines = {"word  = " + packing.word.text() +
                                    "   (v0, v1, ..: bits of neighbouring fp32 scales of a row; 0 for those that a row lacks)"};
  if (packing.word.terms.size() > 1) lines.push_back("scale = the bytes of the words, lowest first");
  if (packing.zero_bits != 0)
    lines.push_back(fmt::format("takes scales with bits & 0x{:08x} = 0 only: powers of two, 0 and Inf", packing.zero_bits));
  return lines;
}

std::vector<std::string> trace_word(const PackCase& c, const Problem& problem, int64_t judged, int64_t column) {
  const std::vector<int64_t> rows = c.rows();
  if (judged >= int64_t(rows.size())) return {fmt::format("row {} is none of the {} that hold scales", judged, rows.size())};
  const int64_t row = rows[size_t(judged)];
  const int64_t index = column / c.values();
  const std::vector<uint32_t> values = word_values(c, c.packing, find(problem.tensors, "x"), row, index);
  const Format& element = *c.to->element;
  std::vector<std::string> lines = {fmt::format("word [{}, {}]: scales {} to {} of row {}", row, index, index * c.values(),
                                                index * c.values() + c.values() - 1, row)};
  for (size_t i = 0; i < values.size(); ++i)
    lines.push_back(fmt::format("  v{}    {}{}", i, scale_text(values[i]),
                                index * c.values() + int64_t(i) < c.n ? "" : "   (the row has no such scale)"));
  for (const WordTerm& term : c.packing.word.terms)
    lines.push_back(fmt::format("  {:<18} 0x{:08x}", term.text(), term.of(values[size_t(term.value)])));
  const uint32_t word = c.packing.word.of(values);
  lines.push_back(fmt::format("  word               0x{:08x}", word));
  if (values.size() == 1) return lines;
  for (size_t i = 0; i < values.size(); ++i) {
    const uint32_t place = ((1u << element.bits) - 1) << (size_t(element.bits) * i);
    const uint32_t code = (word & place) >> (size_t(element.bits) * i);
    std::string line = fmt::format("  byte {}  {}", i, byte_text(element, code));
    for (const WordTerm& term : c.packing.word.terms) {
      const uint32_t foreign = term.of(values[size_t(term.value)]) & place;
      if (size_t(term.value) == i || foreign == 0) continue;
      line += fmt::format("; 0x{:02x} of it is {} of v{}", foreign >> (size_t(element.bits) * i),
                          fields_of(moved_from(term, values[size_t(term.value)], foreign)), term.value);
    }
    lines.push_back(line);
  }
  return lines;
}

}  // namespace assay
