#include "suites/rows/packing_edits.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>

#include "reference/formats/catalogue.h"
#include "suites/rows/expect.h"
#include "suites/rows/places.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// Packs the fp32 scales of four groups into a word.
using Pack = uint32_t (*)(const std::array<uint32_t, 4>& bits);

/// DeepGEMM's transposing packer: right only if all scales are powers of two.
uint32_t or_without_mask(const std::array<uint32_t, 4>& v) { return v[0] >> 23 | v[1] >> 15 | v[2] >> 7 | v[3] << 1; }
uint32_t bits_of_first(const std::array<uint32_t, 4>& v) { return v[0]; }

/// The contract without rounding the scale to a power of two, if it has that step.
std::optional<Contract> with_fp32_scales(const RowCase& c, const Neighbour& base) {
  for (Neighbour& neighbour : neighbours_of(rulebook().contracts, base, *c.x))
    if (neighbour.kind == EditKind::kNoPowerOfTwo) return std::move(neighbour.contract);
  return std::nullopt;
}

/// E8M0 codes that `pack` produces from rows of fp32 scales.
AcceptedRows packed_rows(const AcceptedRows& f32, int64_t groups, Pack pack) {
  AcceptedRows packed{f32.first, f32.end, std::vector<int32_t>(f32.low.size()), {}};
  for (int64_t r = 0; r < f32.end - f32.first; ++r) {
    for (int64_t first = 0; first < groups; first += 4) {
      const auto at = size_t(r * groups + first), present = size_t(std::min<int64_t>(4, groups - first));
      std::array<uint32_t, 4> bits{};
      for (size_t j = 0; j < present; ++j) bits[j] = code_from_ordinal(kF32, f32.low[at + j]);
      const uint32_t word = pack(bits);
      for (size_t j = 0; j < present; ++j) packed.low[at + j] = ordinal(kE8M0, word >> (8 * j) & 0xff);
    }
  }
  return packed;
}

/// The fp32 contract's answer, with the words that `pack` makes of its scales, as bytes in the packed layout.
Expectation packed_answer(const RowCase& c, const Contract& contract, Pack pack, const Problem& problem) {
  RowCase plain = c;
  plain.scales.block().layout = &rulebook().layout("row");
  Expectation expectation = expect_rows(contract, plain, problem, nullptr, {.explains = false});
  Answer& answer = expectation.any_of.front();
  Part& scale = answer.parts.back();
  scale.format = &kE8M0;
  scale.places = Places::of_elements([placed = std::make_shared<const ScalePlaces>(*c.layout(), c)](int64_t row, int64_t group) {
    return placed->offset(row, group);
  });
  scale.padding = nullptr;
  answer.accepted = [f32 = answer.accepted, groups = c.scales_of_row(), pack](int64_t first, int64_t end) {
    AcceptedBlock block = f32(first, end);
    block.parts.back() = packed_rows(block.parts.back(), groups, pack);
    return block;
  };
  return expectation;
}

/// Which bytes of the stored words are 0xFF (NaN in E8M0), and why a word with one scale has none: the mantissa of a later scale
/// of the word overflows into an earlier byte.
std::string nan_bytes_in_words(const RowCase& c, const std::vector<HostTensor>& outputs) {
  const HostTensor& scale = find(outputs, "scale");
  const ScalePlaces places(c);
  std::array<int64_t, 4> words{}, nan{};
  for (int64_t r = 0; r < c.rows_of_scales(); ++r)
    for (int64_t g = 0; g < c.scales_of_row(); ++g) {
      ++words[size_t(g % 4)];
      nan[size_t(g % 4)] += scale.bytes[size_t(places.offset(r, g))] == std::byte{0xff};
    }
  std::string text;
  for (size_t byte = 0; byte < 4; ++byte)
    if (words[byte] > 0)
      text += fmt::format("{} byte {} in {} of {} words", text.empty() ? "" : ",", byte, nan[byte], words[byte]);
  return "0xff, which is NaN, is" + text +
         "; the last scale of a word has none behind it, so a test of one group never shows a NaN";
}

}  // namespace

std::vector<Hypothesis> packing_hypotheses(const RowCase& c, const Neighbour& base) {
  if (!c.layout() || !(*c.layout()->element == kE8M0) || !c.layout()->packs_words()) return {};
  const std::optional<Contract> contract = with_fp32_scales(c, base);
  if (!contract) return {};
  const auto hypothesis = [&](const char* name, Pack pack) {
    return Hypothesis{name, [c, contract = *contract, pack](const Problem& problem, const std::vector<HostTensor>*) {
                        return packed_answer(c, contract, pack, problem);
                      }};
  };
  const char* const without_mask =
      "scale bytes: fp32 scales that are no powers of two, OR-packed without a mask (mantissa bits run into the byte before)";
  Hypothesis packed = hypothesis(without_mask, or_without_mask);
  packed.in_words = [c, without_mask](const std::vector<HostTensor>& outputs) {
    return std::string(without_mask) + ": " + nan_bytes_in_words(c, outputs);
  };
  return {std::move(packed),
          hypothesis("scale bytes: each word holds the fp32 bits of its first group's scale, and four exponents are read",
                     bits_of_first)};
}

}  // namespace assay
