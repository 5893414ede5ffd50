// Mutants of a row-wise case. They change its contract, where and how scales are stored, or which columns are read.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <set>

#include "harness/core/op.h"
#include "reference/flow/contract.h"
#include "reference/flow/contract_mutants.h"
#include "reference/formats/catalogue.h"
#include "suites/rows/row_case.h"
#include "suites/rows/row_expectation.h"
#include "suites/rows/row_tensors.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

// Mistakes in packing scales: the kernel computes the right fp32 scales, but packs other bits than their exponents.

/// Mutants for a case with a packed UE8M0x4 layout; none for other layouts. `base`: the contract, or one of its mutants.
std::vector<Hypothesis> packing_hypotheses(const RowCase& c, const Neighbour& base);

/// Packs the fp32 bits of the scales of four groups into an int32 word.
using Pack = uint32_t (*)(const std::array<uint32_t, 4>& bits);

/// Like DeepGEMM's transposing packer: right only if all scales are powers of two, so that their mantissas are 0.
uint32_t or_without_mask(const std::array<uint32_t, 4>& v) { return v[0] >> 23 | v[1] >> 15 | v[2] >> 7 | v[3] << 1; }
uint32_t bits_of_first(const std::array<uint32_t, 4>& v) { return v[0]; }

/// The contract without its step that rounds the scale to a power of two; nullopt if it has no such step.
std::optional<Contract> with_fp32_scales(const RowCase& c, const Neighbour& base) {
  for (Neighbour& neighbour : neighbours_of(rulebook().contracts, base, *c.x))
    if (neighbour.kind == EditKind::kNoPowerOfTwo) return std::move(neighbour.contract);
  return std::nullopt;
}

/// The bytes (E8M0 codes) into which `pack` packs rows of fp32 scales.
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

/// The codes that a kernel stores if it computes fp32 scales by `contract`, packs them with `pack` and stores the words.
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
  answer.enough_for = nullptr;
  answer.accepted = [f32 = answer.accepted, groups = c.scales_of_row(), pack](int64_t first, int64_t end) {
    AcceptedBlock block = f32(first, end);
    block.parts.back() = packed_rows(block.parts.back(), groups, pack);
    return block;
  };
  return expectation;
}

/// Says which bytes of the stored words are 0xFF (NaN in E8M0). Without a mask, the mantissa bits of a scale overwrite the byte
/// of the scale before it, so a word with a single scale does not show the mistake.
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
  return "0xff (NaN) is" + text +
         "; no scale follows the last one of a word, so its byte stays right: a test of one group never shows a NaN";
}

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

// Mutant: the kernel does not read the last columns of a row.

/// The last columns of x count as zero. Their number is inferred from the outputs. Without outputs it is eight: 16 bytes of a
/// 16-bit format, the fewest that a vectorized loop can leave out.
Hypothesis tail_hypothesis(const RowCase& c, const Contract& contract);

constexpr int64_t kLeastTail = 8;

/// The index after the last column in which q or y has a nonzero value.
int64_t end_of_numbers(const RowCase& c, const std::vector<HostTensor>& outputs) {
  const HostTensor& numbers = find(outputs, c.group_size() > 0 ? "q" : "y");
  int64_t end = 0;
  for (int64_t row = 0; row < c.m; ++row) {
    for (int64_t column = c.n - 1; column >= end; --column) {
      const double value = decode(*numbers.spec.format, numbers.code(numbers.spec.offset + c.stored_row(row) * c.n + column));
      if (value == 0 || value != value) continue;
      end = column + 1;
      break;
    }
  }
  return end;
}

Hypothesis tail_hypothesis(const RowCase& c, const Contract& contract) {
  Hypothesis tail;
  tail.name = "x: the last columns are read as zero";
  tail.expect = [c, contract](const Problem& problem, const std::vector<HostTensor>* outputs) {
    const int64_t end = outputs ? end_of_numbers(c, *outputs) : std::max<int64_t>(0, c.n - kLeastTail);
    return expect_rows(contract, c, problem, outputs, {.end = end, .explains = false});
  };
  tail.in_words = [c](const std::vector<HostTensor>& outputs) {
    return "x: the columns from " + std::to_string(end_of_numbers(c, outputs)) + " on are read as zero";
  };
  return tail;
}

/// Storage offset of a scale, by its row among the rows of scales and its group.
using ScaleOffsets = std::function<int64_t(int64_t row, int64_t group)>;

ScaleOffsets offsets_of(const RowCase& c, const Layout& layout) {
  return [placed = std::make_shared<const ScalePlaces>(layout, c)](int64_t row, int64_t group) {
    return placed->offset(row, group);
  };
}

/// The offsets that result if the rows of all experts are treated as one matrix.
ScaleOffsets offsets_as_one_matrix(const RowCase& c) {
  RowCase one = c;
  one.groups = {};
  one.m = c.stored_rows();
  return [c, placed = std::make_shared<const ScalePlaces>(one)](int64_t row, int64_t group) {
    return placed->offset(c.stored_row(row), group);
  };
}

/// Rows of scales at which the offsets of two layouts are compared: all, or the first and last 512 if there are more than 1024.
std::vector<int64_t> telling_rows(const RowCase& c) {
  constexpr int64_t kMost = 1024;
  const int64_t rows = c.rows_of_scales(), ends = std::min(rows, kMost);
  std::vector<int64_t> telling;
  for (int64_t r = 0; r < rows; r = (r + 1 == ends / 2 ? rows - (ends - ends / 2) : r + 1)) telling.push_back(r);
  return telling;
}

std::vector<int64_t> offsets_at(const RowCase& c, const ScaleOffsets& offsets) {
  std::vector<int64_t> all;
  for (const int64_t r : telling_rows(c))
    for (int64_t g = 0; g < c.scales_of_row(); ++g) all.push_back(offsets(r, g));
  return all;
}

/// Mutant: the kernel stores the right scales where another layout puts them.
Hypothesis stored_as(const RowCase& c, const Contract& contract, const ScaleOffsets& offsets) {
  return {"", [c, contract, offsets](const Problem& problem, const std::vector<HostTensor>* outputs) {
            Expectation expectation = expect_rows(contract, c, problem, outputs, {.explains = false});
            Part& scale = expectation.any_of.front().parts.back();
            scale.places = Places::of_elements(offsets);
            scale.padding = nullptr;
            return expectation;
          }};
}

/// Mutant: the kernel reads the given scales from where another layout puts them.
Hypothesis read_as(RowCase c, const Contract& contract, const Layout& other) {
  c.scales.block().layout = &other;
  return {"", [c, contract](const Problem& problem, const std::vector<HostTensor>* outputs) {
            return expect_rows(contract, c, problem, outputs, {.explains = false});
          }};
}

/// A mutant for each layout of the same types that stores scales elsewhere in the storage; one for layouts with equal offsets.
std::vector<Hypothesis> layout_hypotheses(const RowCase& c, const Contract& contract) {
  const bool given = contract.group_quant()->takes_scales();
  const ScalePlaces own(c);
  std::set<std::vector<int64_t>> seen = {offsets_at(c, offsets_of(c, *c.layout()))};
  std::vector<Hypothesis> hypotheses;
  for (const Layout& other : rulebook().layouts) {
    if (!(*other.type == *c.layout()->type) || !(*other.element == *c.layout()->element)) continue;
    const ScaleOffsets offsets = offsets_of(c, other);
    const std::vector<int64_t> telling = offsets_at(c, offsets);
    const std::set<int64_t> apart(telling.begin(), telling.end());
    if (*apart.rbegin() >= own.storage_elements() || (!given && apart.size() < telling.size())) continue;
    if (!seen.insert(telling).second) continue;
    hypotheses.push_back(given ? read_as(c, contract, other) : stored_as(c, contract, offsets));
    hypotheses.back().name = "scale layout: " + c.layout()->id + " -> " + other.id;
  }
  if (!c.groups.any()) return hypotheses;
  const ScaleOffsets offsets = offsets_as_one_matrix(c);
  if (!seen.insert(offsets_at(c, offsets)).second) return hypotheses;
  hypotheses.push_back(stored_as(c, contract, offsets));
  hypotheses.back().name = "scale layout: all experts as one matrix";
  return hypotheses;
}

/// Mutant: rows that have gaps between them are read as if they had none.
Hypothesis rows_read_without_gaps(const RowCase& c, const Contract& contract) {
  return {"x: rows are read without the gaps between them",
          [c, contract](const Problem& problem, const std::vector<HostTensor>* outputs) {
            return expect_rows(contract, c, problem, outputs, {.pitch = c.x_columns(), .explains = false});
          }};
}

/// Mutant: of two packed 4-bit codes, the first is stored in the upper half of the byte.
Hypothesis halves_swapped(const RowCase& c, const Contract& contract) {
  return {"q: the halves of each byte swapped", [c, contract](const Problem& problem, const std::vector<HostTensor>* outputs) {
            Expectation expectation = expect_rows(contract, c, problem, outputs, {.explains = false});
            Part& q = expectation.any_of.front().parts.front();
            const Places right = q.places;
            q.places =
                Places::of_elements([right, n = c.n](int64_t row, int64_t column) { return right.of(row, column, n) ^ 1; });
            return expectation;
          }};
}

/// Mutants: the kernel uses a wrong outer scale.
std::vector<Hypothesis> outer_scale_hypotheses(const RowCase& c, const Contract& contract) {
  std::vector<Hypothesis> all;
  const auto add = [&](const char* name, OuterReading reading) {
    all.push_back({name, [c, contract, reading](const Problem& problem, const std::vector<HostTensor>* outputs) {
                     return expect_rows(contract, c, problem, outputs, {.outer = reading, .explains = false});
                   }});
  };
  add("global_scale: taken as 1", OuterReading::kOne);
  add("global_scale: its reciprocal", OuterReading::kReciprocal);
  if (c.outer_scales() == 1) return all;
  add("global_scale: of the first rows", OuterReading::kFirst);
  all.back().by_rows = true;
  add("global_scale: of the next rows", OuterReading::kNext);
  all.back().by_rows = true;
  return all;
}

/// Mutants outside the arithmetic: where scales are stored, as which bytes, and how much of x is read.
std::vector<Hypothesis> storage_hypotheses(const RowCase& c, const Neighbour& base) {
  std::vector<Hypothesis> hypotheses = {tail_hypothesis(c, base.contract)};
  if (c.row_stride > c.x_columns() && c.m > 1 && !lie_far(*c.x, c.stored_rows(), c.row_stride))
    hypotheses.push_back(rows_read_without_gaps(c, base.contract));
  if (!c.layout()) return hypotheses;
  if (base.contract.group_quant()->q->bits == 4) hypotheses.push_back(halves_swapped(c, base.contract));
  for (Hypothesis& hypothesis : layout_hypotheses(c, base.contract)) hypotheses.push_back(std::move(hypothesis));
  if (c.scales.outer())
    for (Hypothesis& hypothesis : outer_scale_hypotheses(c, base.contract)) hypotheses.push_back(std::move(hypothesis));
  if (base.contract.group_quant()->takes_scales()) return hypotheses;
  for (Hypothesis& hypothesis : packing_hypotheses(c, base)) hypotheses.push_back(std::move(hypothesis));
  return hypotheses;
}

using SharedCase = std::shared_ptr<const RowCase>;
using SharedNeighbour = std::shared_ptr<const Neighbour>;

Hypothesis of_contract(const SharedCase& c, const SharedNeighbour& neighbour, const std::shared_ptr<FirstRow>& first) {
  const auto expect = [c, neighbour, first](const Problem& problem, const std::vector<HostTensor>* outputs) {
    return expect_mistake(neighbour, c, problem, outputs, first);
  };
  Hypothesis made{neighbour->name, expect, rulebook().equivalent(c->contract, *c->x, neighbour->name)};
  made.suspect = neighbour->suspect;
  made.rounds_result = neighbour->kind == EditKind::kRoundingOfResult;
  return made;
}

/// Pairs of a mutant of the contract and the storage mutant `storage`. Each pair has the name of the contract's mutant.
std::vector<Hypothesis> with_contract_mistakes(const RowCase& c, const Neighbour& right, const std::string& storage) {
  std::vector<Hypothesis> pairs;
  for (const Neighbour& first : neighbours_of(rulebook().contracts, right, *c.x)) {
    for (Hypothesis& second : storage_hypotheses(c, first)) {
      if (second.name != storage) continue;
      second.name = first.name;
      second.in_words = nullptr;
      pairs.push_back(std::move(second));
    }
  }
  return pairs;
}

}  // namespace

std::vector<Hypothesis> row_hypotheses(const SharedCase& shared) {
  const RowCase& c = *shared;
  if (c.m == 0) return {};  // without rows no mutant changes an output
  const Neighbour right = unedited(rulebook().contracts, c.contract, *c.x);
  const auto first_row = std::make_shared<FirstRow>();
  std::vector<Hypothesis> hypotheses;
  for (const SharedNeighbour& first : contract_edits(c.contract, *c.x)) {
    hypotheses.push_back(of_contract(shared, first, first_row));
    hypotheses.back().with_another = [shared, first, first_row] {
      std::vector<Hypothesis> pairs;
      for (Neighbour& second : neighbours_of(rulebook().contracts, *first, *shared->x))
        pairs.push_back(of_contract(shared, std::make_shared<const Neighbour>(std::move(second)), first_row));
      for (Hypothesis& second : storage_hypotheses(*shared, *first)) pairs.push_back(std::move(second));
      return pairs;
    };
  }
  for (Hypothesis& hypothesis : storage_hypotheses(c, right)) {
    hypothesis.with_another = [c, right, name = hypothesis.name] { return with_contract_mistakes(c, right, name); };
    hypotheses.push_back(std::move(hypothesis));
  }
  return hypotheses;
}

}  // namespace assay
