#include "suites/cache_insert/cache_case.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <numeric>
#include <set>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "harness/fill/fill.h"
#include "reference/contracts/scale_spec.h"
#include "reference/flow/flow.h"
#include "reference/flow/group_quant/group_quant.h"
#include "reference/formats/catalogue.h"
#include "suites/rows/row_tensors.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

// The slots of a case's rows: the cell `slot_mapping`.

[[noreturn]] void refuse_slots(const std::string& text) {
  throw std::invalid_argument(
      "'" + text +
      "': expected a list of slots such as 3;-1;0, or order, pages, shuffled or holes with the number of rows, such as holes:7");
}

int64_t integer(const std::string& text) {
  int64_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) refuse_slots(text);
  return value;
}

std::vector<int64_t> listed(const std::string& cell) {
  std::vector<int64_t> slots;
  std::istringstream places(cell);
  for (std::string place; std::getline(places, place, ';');) slots.push_back(integer(place));
  return slots;
}

constexpr std::pair<SlotPattern, const char*> kPatterns[] = {{SlotPattern::kOrder, "order"},
                                                             {SlotPattern::kPages, "pages"},
                                                             {SlotPattern::kShuffled, "shuffled"},
                                                             {SlotPattern::kHoles, "holes"}};

SlotPattern pattern_named(const std::string& word) {
  for (const auto& [pattern, name] : kPatterns)
    if (word == name) return pattern;
  refuse_slots(word);
}

std::vector<int64_t> in_pattern(SlotPattern pattern, int64_t rows, int64_t places, int64_t block_size, uint64_t seed) {
  std::vector<int64_t> slots(static_cast<size_t>(places));
  std::iota(slots.begin(), slots.end(), int64_t{0});
  if (pattern == SlotPattern::kPages) {
    for (int64_t i = 0; i < places; ++i) slots[size_t(i)] = places - block_size * (1 + i / block_size) + i % block_size;
  } else if (pattern == SlotPattern::kShuffled || pattern == SlotPattern::kHoles) {
    const Random random(seed, uint32_t(CacheStream::kSlots));
    for (int64_t i = places - 1; i > 0; --i) std::swap(slots[size_t(i)], slots[size_t(random.below(i + 1, i))]);
  }
  if (rows > places)
    throw std::invalid_argument(std::to_string(rows) + " rows do not fit in the cache's " + std::to_string(places) + " slots");
  slots.resize(size_t(rows));
  for (size_t i = 1; pattern == SlotPattern::kHoles && i < slots.size(); i += 3) slots[i] = -1;
  return slots;
}

}  // namespace

std::string SlotCell::text() const {
  for (const auto& [known, name] : kPatterns)
    if (known == pattern) return std::string(name) + ":" + std::to_string(rows);
  std::string text;
  for (const int64_t slot : listed) text += (text.empty() ? "" : ";") + std::to_string(slot);
  return text;
}

SlotCell parse_slots(const std::string& cell) {
  const size_t colon = cell.find(':');
  if (colon == std::string::npos) return {SlotPattern::kListed, 0, listed(cell)};
  return {pattern_named(cell.substr(0, colon)), integer(cell.substr(colon + 1)), {}};
}

std::vector<int64_t> slots_of(const SlotCell& cell, int64_t places, int64_t block_size, uint64_t seed) {
  const std::vector<int64_t> slots =
      cell.pattern == SlotPattern::kListed ? cell.listed : in_pattern(cell.pattern, cell.rows, places, block_size, seed);
  if (slots.empty() && cell.pattern == SlotPattern::kListed) throw std::invalid_argument("expected at least one slot");
  std::set<int64_t> taken;
  for (const int64_t slot : slots) {
    if (slot >= places)
      throw std::invalid_argument(std::to_string(slot) + ": expected a slot below " + std::to_string(places) +
                                  ", the number of slots of the cache");
    if (slot >= 0 && !taken.insert(slot).second) throw std::invalid_argument(std::to_string(slot) + " is the slot of two rows");
  }
  return slots;
}

namespace {

// Reads the columns of the ops that fill a paged cache.

void read_record(const Cells& cells, CacheCase& c) {
  c.bound = bound_contract(c.contract, *c.x);
  const GroupQuant& quant = *c.bound->group_quant();
  c.q = quant.q;
  try {
    c.record = &rulebook().record(quant.record);
  } catch (const std::out_of_range& error) {
    cells.refuse("contract", error.what());
  }
  for (const RecordPart& part : c.record->parts) {
    if (part.kind != PartKind::kCodes) continue;
    if (part.from != c.coded)
      cells.refuse("contract", "record " + quant.record +
                                   " stores no codes for element " + std::to_string(c.coded) + " of a token");
    c.coded += part.elements;
  }
  if (c.coded == 0) cells.refuse("contract", "record " + quant.record + " stores no codes");
  const ContractRow& row = rulebook().contracts.find(quant.row);
  c.group_size = parse_scale_spec(row.text("group")).block().columns_of(c.coded);
  const RecordPart* scales = c.record->find(PartKind::kScales);
  const int64_t groups = c.coded / c.group_size;
  if (quant.takes_scales() ? scales != nullptr : !scales || scales->elements % groups != 0 || c.coded % c.group_size != 0)
    cells.refuse("contract", "record " + quant.record +
                                 ": expected no scales if scales are an input of the contract, otherwise one scale for each group of " +
                                 row.text("group"));
}

/// Parses row strides in elements: "576" for all tensors of tokens, or one for each: "1088;1216".
std::vector<int64_t> read_row_strides(const Cells& cells) {
  if (!cells.has("row_stride")) return {};
  return cells.list("row_stride", "a row stride; expected one number, or one for each input, such as 1088;1216", 10);
}

}  // namespace

void require_row_strides(const Cells& cells, const CacheCase& c, const std::vector<int64_t>& widths) {
  if (c.row_strides.size() > 1 && c.row_strides.size() != widths.size())
    cells.refuse("row_stride", fmt::format("expected one number or {}, got {}", widths.size(), c.row_strides.size()));
  for (size_t i = 0; i < widths.size() && !c.row_strides.empty(); ++i)
    if (const int64_t stride = c.row_strides[std::min(i, c.row_strides.size() - 1)]; stride < widths[i])
      cells.refuse("row_stride", fmt::format("expected at least {}, the columns of a row, got {}", widths[i], stride));
}

CacheCase read_cache_case(const Cells& cells, const ContractRow& row) {
  CacheCase c;
  c.contract = row.id;
  const Flow& last = *rulebook().contracts.find(chain_of(row).back()).flow;
  if (&last != &cache_insert_flow())
    cells.refuse("contract", "'" + row.id + "' ends with a " + last.name + " contract; expected one that ends with cache_insert");
  c.x = find_format(cells.text("x"));
  if (!c.x || !(*c.x == kBf16 || *c.x == kF16)) cells.refuse("x", "'" + cells.text("x") + "' is not one of: bf16, f16");
  read_record(cells, c);
  c.m = cells.from_zero("m");
  c.blocks = cells.positive("blocks");
  c.block_size = cells.positive("block_size");
  c.gap = cells.from_zero("gap");
  if (c.block_stride() % 16 != 0)
    cells.refuse("gap", "expected a block of a multiple of 16 bytes, got " + std::to_string(c.block_stride()));
  c.seed = uint64_t(cells.positive("seed"));
  try {
    c.slot_cell = parse_slots(cells.text("slot_mapping"));
    c.slots = slots_of(c.slot_cell, c.blocks * c.block_size, c.block_size, c.seed);
  } catch (const std::invalid_argument& error) {
    cells.refuse("slot_mapping", error.what());
  }
  if (int64_t(c.slots.size()) > c.m)
    cells.refuse("slot_mapping", fmt::format("expected at most m = {} slots, got {}", c.m, c.slots.size()));
  if (c.m > 0 && std::all_of(c.slots.begin(), c.slots.end(), [](int64_t slot) { return slot < 0; }))
    cells.refuse("slot_mapping", "expected a slot that is not negative, so that a row is stored");
  c.fill = cells.fill_name("fill");
  for (const char* column : {"rope", "value"})
    if (cells.has(column)) c.second_fill = cells.fill_name(column);
  const bool given = cells.given("scale");
  if (given != !c.record->find(PartKind::kScales))
    cells.refuse("scale", "contract " + c.contract + (given ? " does not take scale" : " requires scale"));
  if (given) c.scale_fill = cells.fill_name("scale");
  c.row_strides = read_row_strides(cells);
  if (cells.given("max_position")) c.max_position = cells.positive("max_position");
  if (cells.has("gamma")) c.gamma = cells.fill_name("gamma"), c.eps = cells.number("eps");
  c.warp = cells.warp();
  return c;
}

std::string cache_shape(const Case& c, const CacheCase& p) {
  std::string slots = c.text("slot_mapping");
  std::replace(slots.begin(), slots.end(), ';', '_');
  std::replace(slots.begin(), slots.end(), ':', '-');
  std::string shape =
      std::string(p.x->name) + ".m" + std::to_string(p.m) + ".b" + std::to_string(p.blocks) + "x" + std::to_string(p.block_size);
  if (p.gap > 0) shape += "+" + std::to_string(p.gap);
  if (!p.row_strides.empty()) shape += fmt::format(".stride{}", fmt::join(p.row_strides, "-"));
  if (p.max_position != kPositions) shape += ".p" + std::to_string(p.max_position);
  if (!p.gamma.empty()) shape += ".eps" + c.text("eps");
  return shape + "." + slots;
}

CaseName cache_case_name(const Case& c, const CacheCase& p) {
  std::string fills = p.fill;
  for (const std::string& another : {p.second_fill, p.gamma, p.scale_fill})
    if (!another.empty()) fills += "." + another;
  return {c.op, p.contract, cache_shape(c, p), fills + ".s" + std::to_string(p.seed), p.warp};
}

Shrinking shrink_tokens(const CacheCase& c) {
  Shrinking all;
  if (c.slot_cell.pattern != SlotPattern::kListed)
    all.axes.push_back({c.m, [c](int64_t rows) {
                          const CacheCase fewer = c.with_fewer_rows(rows);
                          return CellChanges{{"m", std::to_string(fewer.m)}, {"slot_mapping", fewer.slot_cell.text()}};
                        }});
  all.elements = c.m * c.numbers();
  return all;
}

int64_t CacheCase::row_stride(CacheStream stream) const {
  return row_strides.empty() ? 0 : stream == CacheStream::kSecond ? row_strides.back() : row_strides.front();
}

CacheCase CacheCase::with_fewer_rows(int64_t rows) const {
  if (m <= rows || slot_cell.pattern == SlotPattern::kListed) return *this;
  CacheCase c = *this;
  c.slot_cell.rows = std::min(rows, int64_t(slots.size()));
  c.slots = slots_of(c.slot_cell, blocks * block_size, block_size, seed);
  c.m = rows;
  return c;
}

namespace {

// Tensors of the ops for paged caches.

uint32_t number(CacheStream stream) { return uint32_t(stream); }

}  // namespace

HostTensor token_matrix(const std::string& name, const CacheCase& c, int64_t columns, const std::string& fill_name,
                        CacheStream stream) {
  HostTensor x{dense(name, Role::kInput, *c.x, {c.m, columns}), {}};
  const int64_t group = c.gamma.empty() ? std::min(c.group_size, columns) : 0;  // with a norm, a row is one group for generators
  fill(x, {.name = fill_name, .seed = c.seed, .group_size = group, .q = c.q, .tensor = number(stream)});
  const uint32_t nan = code_of(*c.x, std::nan(""));
  for (int64_t i = int64_t(c.slots.size()) * columns; i < c.m * columns; ++i) x.set_code(i, nan);
  return c.row_strides.empty() ? x : rows_apart(x, c.row_stride(stream), 0);
}

HostTensor norm_weight(const CacheCase& c) {
  HostTensor weight{dense(kNormWeight, Role::kInput, *c.x, {c.numbers()}), {}};
  fill(weight, {.name = c.gamma, .seed = c.seed, .group_size = 0, .q = c.x, .tensor = number(CacheStream::kWeights)});
  return weight;
}

HostTensor slot_mapping(const CacheCase& c) { return input_int64("slot_mapping", c.slots); }

std::vector<HostTensor> cache_scales(const CacheCase& c) {
  std::vector<HostTensor> scales;
  for (const std::string& name : cache_scale_names(c)) {
    const int64_t groups = c.coded / c.group_size / int64_t(cache_scale_names(c).size());
    scales.push_back({dense(name, Role::kInput, kF32, {groups}), {}});
    const uint32_t tensor = number(CacheStream::kScales) + uint32_t(scales.size() - 1);
    fill(scales.back(), {.name = c.scale_fill, .seed = c.seed, .group_size = 0, .q = &kF32, .tensor = tensor});
  }
  return scales;
}

std::vector<std::string> cache_scale_names(const CacheCase& c) {
  std::vector<std::string> names;
  for (const RecordPart& part : c.record->parts)
    if (part.kind == PartKind::kCodes) names.push_back(part.name + "_scale");
  return names.size() == 1 ? std::vector<std::string>{"scale"} : names;
}

HostTensor cos_sin_cache(const CacheCase& c, int64_t rotary) {
  return unit_circle_cache(kF32, c.max_position, rotary, c.seed, number(CacheStream::kAngles));
}

HostTensor positions_of(const CacheCase& c) {
  const Random random(c.seed, number(CacheStream::kPositions));
  std::vector<int64_t> positions(size_t(c.m), 0);
  for (int64_t row = 1; row < c.m; ++row) positions[size_t(row)] = random.below(c.max_position, row);
  if (c.m > 1 && c.max_position > kPositions) positions[1] = c.max_position - 1;
  return input_int64("positions", positions);
}

HostTensor cache_before(const std::string& name, const CacheCase& c) {
  HostTensor cache{dense(name, Role::kOutput, kUint8, {c.blocks, c.block_stride()}), {}};
  cache.bytes.resize(cache.spec.bytes());
  const Random random(c.seed, number(CacheStream::kBytes));
  for (size_t i = 0; i < cache.bytes.size(); i += 16) {
    const auto bits = random.block(int64_t(i / 16));
    std::memcpy(cache.bytes.data() + i, bits.data(), std::min<size_t>(16, cache.bytes.size() - i));
  }
  return cache;
}

// The reference's inputs for each token.

CacheInputs::CacheInputs(const Contract& contract, const CacheCase& c, const Problem& problem, const Misreading& misreading)
    : case_(c),
      problem_(problem),
      misreading_(misreading),
      scale_given_(contract.group_quant()->takes_scales()),
      rotates_(contract.rope() != nullptr),
      normalizes_(contract.row_norm() != nullptr) {
  if (!normalizes_ || c.gamma.empty()) return;
  const HostTensor& gamma = find(problem.tensors, kNormWeight);
  for (int64_t i = 0; i < c.numbers(); ++i) gamma_.push_back(decode(*gamma.spec.format, gamma.code(i)));
}

void CacheInputs::read_angles(int64_t row, RowInputs& inputs) const {
  Angles angles = angles_of_token(problem_, misreading_.angles, row);
  if (misreading_.unrotated) angles = {};  // without angles nothing is rotated
  inputs.cos = std::move(angles.cos), inputs.sin = std::move(angles.sin);
}

std::vector<uint32_t> CacheInputs::codes_of_row(int64_t row) const {
  std::vector<uint32_t> codes;
  for (size_t t = case_.first_input; int64_t(codes.size()) < case_.numbers(); ++t) {
    const HostTensor& tensor = problem_.tensors.at(t);
    for (int64_t column = 0; column < tensor.spec.shape[1]; ++column) codes.push_back(tensor.code(tensor.spec.row(row) + column));
  }
  return codes;
}

Spans CacheInputs::maxima_of_codes(const std::vector<uint32_t>& codes) const {
  const size_t coded = case_.coded > 0 ? size_t(case_.coded) : codes.size();
  std::vector<double> maxima;
  for (size_t c = 0; c < coded; ++c) {
    if (c % size_t(case_.group_size) == 0) maxima.push_back(0);
    maxima.back() = std::max(maxima.back(), double(codes[c]));
  }
  return Spans(maxima);
}

RowInputs CacheInputs::of_row(int64_t row) const {
  RowInputs inputs;
  const std::vector<uint32_t> codes = codes_of_row(row);
  for (const uint32_t code : codes) inputs.x.push_back(decode(*case_.x, code));
  inputs.group_size = case_.group_size;
  inputs.coded = case_.coded;
  if (misreading_.amax_of_codes) inputs.maxima = maxima_of_codes(codes);
  inputs.gamma = gamma_;
  inputs.eps = case_.eps;
  if (rotates_) read_angles(row, inputs);
  if (scale_given_) read_scales(inputs);
  return inputs;
}

void CacheInputs::read_scales(RowInputs& inputs) const {
  std::vector<std::string> names = cache_scale_names(case_);
  if (misreading_.scales == WhichScale::kOfTheOther) std::reverse(names.begin(), names.end());
  for (const std::string& name : names) {
    const HostTensor& scale = find(problem_.tensors, name);
    for (int64_t i = 0; i < scale.spec.elements(); ++i)
      inputs.scale.push_back(decode(*scale.spec.format, scale.code(misreading_.scales == WhichScale::kFirst ? 0 : i)));
  }
}

StoredRow CacheInputs::stored(const std::vector<HostTensor>& outputs, int64_t row) const {
  const HostTensor& cache = find(outputs, kCache);
  const Placing placing(case_);
  const auto numbers_of = [&](const RecordPart& part) {
    const Format& format = part.format_in(*case_.q, *case_.x);
    std::vector<double> numbers;
    for (int64_t e = 0; e < part.elements; ++e) {
      uint32_t code = 0;
      std::memcpy(&code, cache.bytes.data() + placing.byte(part, case_, size_t(row), e), size_t(format.bytes()));
      numbers.push_back(decode(format, code));
    }
    return numbers;
  };
  StoredRow stored;
  if (const RecordPart* scales = case_.record->find(PartKind::kScales); scales && !scale_given_) {
    const std::vector<double> numbers = numbers_of(*scales);
    const int64_t times = scales->elements / (case_.coded / case_.group_size);  // a record may hold each scale several times
    for (size_t i = 0; i < numbers.size(); i += size_t(times)) stored.scale.push_back(numbers[i]);
  }
  if (!normalizes_) return stored;  // without a norm, intervals depend only on stored scales
  stored.q = numbers_of(*case_.record->find(PartKind::kCodes));
  stored.y.assign(size_t(case_.numbers()), std::nan(""));
  if (const RecordPart* values = case_.record->find(PartKind::kValues)) {
    const std::vector<double> numbers = numbers_of(*values);
    std::copy(numbers.begin(), numbers.end(), stored.y.begin() + values->from);
  }
  return stored;
}

}  // namespace assay
