// Routing: contract rows with columns and checks, evaluation, formulas and mutants.
#include "reference/flow/routing/routing.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "reference/flow/flow.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

template <class T>
T word_of(const RowCells& cells, const std::string& column, const std::map<std::string, T>& words) {
  const auto found = words.find(cells.text(column));
  if (found != words.end()) return found->second;
  std::string expected;
  for (const auto& [word, meaning] : words) expected += (expected.empty() ? "" : ", ") + (word.empty() ? "an empty cell" : word);
  throw cells.error(column, 0, "'" + cells.text(column) + "': expected one of: " + expected);
}

void forbid(const RowCells& cells, const std::string& column, bool allowed, const std::string& when) {
  if (!allowed && !cells.text(column).empty()) throw cells.error(column, 0, "is only allowed " + when);
}

}  // namespace

bool Routing::takes(const Format& x) const {
  return std::any_of(formats.begin(), formats.end(), [&](const Format* format) { return *format == x; });
}

int64_t RoutingInputs::locals() const {
  return map.empty() ? experts : std::count_if(map.begin(), map.end(), [](int64_t number) { return number >= 0; });
}

Routing read_routing(const ContractRow& row) {
  const RowCells cells(row);
  Routing contract;
  contract.row = &row;
  contract.gives = word_of<RoutingGives>(
      cells, "sorts_into",
      {{"blocks", RoutingGives::kBlocks}, {"rows", RoutingGives::kRows}, {"given order", RoutingGives::kMoved}});
  const bool blocks = contract.gives == RoutingGives::kBlocks, moved = contract.gives == RoutingGives::kMoved;
  contract.absent = word_of<AbsentSlots>(cells, "absent",
                                         {{"", AbsentSlots::kNotAllowed},
                                          {"dropped", AbsentSlots::kDropped},
                                          {"first", AbsentSlots::kFirst},
                                          {"last", AbsentSlots::kLast},
                                          {"zero", AbsentSlots::kDropped}});
  contract.zeros = cells.text("absent") == "zero";
  if (contract.zeros != (moved && contract.absent != AbsentSlots::kNotAllowed))
    throw cells.error("absent", 0,
                      "if sorts_into is 'given order', expected zero or an empty cell; otherwise zero is not allowed");
  if (contract.absent == AbsentSlots::kLast && blocks)
    throw cells.error("absent", 0, "last is not allowed if sorts_into is 'blocks'");
  contract.elsewhere = word_of<SlotsElsewhere>(cells, "elsewhere",
                                               {{"", SlotsElsewhere::kNoMap}, {"dropped", SlotsElsewhere::kDropped},
                                                {"marked", SlotsElsewhere::kMarked}, {"last", SlotsElsewhere::kLast}});
  forbid(cells, "elsewhere", !moved, "if sorts_into is not 'given order'");
  contract.ascending = word_of<bool>(cells, "order", {{"ascending", true}, {"free", false}, {"", true}});
  forbid(cells, "order", !moved, "if sorts_into is not 'given order'");
  contract.fills_pads = word_of<bool>(cells, "pads", {{"slots", true}, {"untouched", false}, {"", false}});
  const std::map<std::string, std::optional<int64_t>> tails = {
      {"-1", -1}, {"0", 0}, {"untouched", std::nullopt}, {"", std::nullopt}};
  contract.tail = word_of<std::optional<int64_t>>(cells, "tail", tails);
  contract.counts = word_of<bool>(cells, "counts", {{"", false}, {"rest", true}});
  for (const char* column : {"pads", "tail", "counts"}) forbid(cells, column, blocks, "if sorts_into is 'blocks'");
  const bool any = !cells.text("numbers").empty();
  for (const std::string& name : any ? cells.alternatives("numbers") : std::vector<std::string>{}) {
    const Format* format = find_format(name);
    if (!format || format->bits % 8 != 0) throw cells.error("numbers", 0, "'" + name + "': expected a format of whole bytes");
    contract.formats.push_back(format);
  }
  if (contract.formats.empty() != blocks)
    throw cells.error("numbers", 0, "must be empty if sorts_into is 'blocks', and is required otherwise");
  return contract;
}

const Flow& routing_flow() {
  static const Flow flow{
      .name = "routing",
      .says = "sorts_into",
      .files = {"moe_sort.csv"},
      .columns = {"sorts_into", "absent", "elsewhere", "order", "pads", "tail", "counts", "numbers"},
      .check = [](const ContractTables&, const ContractRow& row) { (void)read_routing(row); },
  };
  return flow;
}

// Assigns slots to experts.

namespace {

constexpr int64_t kDropped = -1;

bool makes(const Routing& contract, RoutingMistake mistake) { return contract.mistake == mistake; }

/// Slots by bucket, in the order of the result. For blocks: slots without an expert if they come first, then one bucket per
/// expert. For rows: the experts of this device, then slots without an expert and slots of experts on other devices. The bucket
/// of an expert on another device is its id plus the number of all experts.
struct Buckets {
  const Routing& contract;
  const RoutingInputs& inputs;
  std::vector<std::vector<int64_t>> slots;

  Buckets(const Routing& c, const RoutingInputs& in) : contract(c), inputs(in), slots(size_t(2 * in.experts + 1)) {
    for (int64_t slot = 0; slot < in.slots(); ++slot)
      if (const int64_t bucket = bucket_of(in.ids[size_t(slot)]); bucket != kDropped) slots[size_t(bucket)].push_back(slot);
    if (makes(c, RoutingMistake::kSlotsDescending))
      for (std::vector<int64_t>& of_bucket : slots) std::reverse(of_bucket.begin(), of_bucket.end());
    if (!makes(c, RoutingMistake::kLastExpertLost)) return;
    const auto last =
        std::find_if(slots.rbegin(), slots.rend(), [](const std::vector<int64_t>& of_bucket) { return !of_bucket.empty(); });
    if (last != slots.rend()) last->clear();
  }
  int64_t first_expert() const { return contract.absent == AbsentSlots::kFirst ? 1 : 0; }

  int64_t bucket_of(int64_t id) const {
    if (id < 0 || id >= inputs.experts) {
      if (makes(contract, RoutingMistake::kAbsentIsZero)) return first_expert();
      if (makes(contract, RoutingMistake::kAbsentDropped) || contract.absent == AbsentSlots::kDropped) return kDropped;
      return contract.absent == AbsentSlots::kFirst ? 0 : inputs.experts;
    }
    const bool maps =
        !inputs.map.empty() && contract.elsewhere != SlotsElsewhere::kMarked && !makes(contract, RoutingMistake::kMapIgnored);
    const int64_t number = maps ? inputs.map[size_t(id)] : id;
    if (number >= 0) return first_expert() + number;
    return contract.elsewhere == SlotsElsewhere::kLast ? inputs.experts + id : kDropped;
  }
};

/// The number that expert_ids stores for an expert; in mutants, a wrong one.
int64_t shown_number(const Routing& contract, const RoutingInputs& inputs, int64_t number) {
  if (makes(contract, RoutingMistake::kNextExpert)) return number + 1;
  if (inputs.map.empty()) return number;
  if (contract.elsewhere == SlotsElsewhere::kMarked)
    return makes(contract, RoutingMistake::kMapIgnored) ? number
                                                        : inputs.map[size_t(number < 0 ? inputs.experts + number : number)];
  if (!makes(contract, RoutingMistake::kNumbersOfAll) || number < 0) return number;
  return int64_t(std::find(inputs.map.begin(), inputs.map.end(), number) - inputs.map.begin());
}

int64_t shown_slot(const Routing& contract, const RoutingInputs& inputs, int64_t slot) {
  if (makes(contract, RoutingMistake::kTokens)) return slot / inputs.topk;
  if (makes(contract, RoutingMistake::kSlotMajor)) return slot % inputs.topk * inputs.m + slot / inputs.topk;
  return slot;
}

int64_t blocks_for(const Routing& contract, const RoutingInputs& inputs, int64_t rows) {
  if (makes(contract, RoutingMistake::kBlockMore)) return rows == 0 ? 0 : rows / inputs.block_size + 1;
  const int64_t blocks = (rows + inputs.block_size - 1) / inputs.block_size;
  return makes(contract, RoutingMistake::kEmptyBlocks) ? std::max<int64_t>(1, blocks) : blocks;
}

/// Stores a value unless the index is past the end: mutants may need more blocks than the tensor has.
void put(std::vector<int64_t>& values, int64_t at, int64_t value) {
  if (at < int64_t(values.size())) values[size_t(at)] = value;
}

Routed sorted_into_blocks(const Routing& contract, const RoutingInputs& inputs) {
  const Buckets buckets(contract, inputs);
  const int64_t size = inputs.block_size, most = (inputs.room + size - 1) / size, first_expert = buckets.first_expert();
  const int64_t pad = !contract.fills_pads                          ? RoutedIndex::kUntouched
                      : makes(contract, RoutingMistake::kOtherPads) ? -1
                                                                    : inputs.slots();
  RoutedIndex sorted{"sorted_ids", std::vector<int64_t>(size_t(inputs.room), pad)}, total{"num_tokens_post_pad", {}};
  RoutedIndex experts{"expert_ids", std::vector<int64_t>(size_t(most), RoutedIndex::kUntouched)},
      counts{"token_nums", experts.values};
  Routed result;
  int64_t block = 0, rows = 0;
  std::vector<size_t> order(size_t(first_expert + inputs.experts));
  std::iota(order.begin(), order.end(), size_t{0});
  if (makes(contract, RoutingMistake::kExpertsDescending)) std::reverse(order.begin(), order.end());
  for (const size_t bucket : order) {
    const std::vector<int64_t>& slots = buckets.slots[bucket];
    const auto count = int64_t(slots.size());
    if (!contract.ascending && count > 1 && block * size + count <= inputs.room)
      result.free.emplace_back(block * size, block * size + count);
    for (int64_t i = 0; i < count; ++i) put(sorted.values, block * size + i, shown_slot(contract, inputs, slots[size_t(i)]));
    for (int64_t i = 0; i < blocks_for(contract, inputs, count); ++i, ++block) {
      put(experts.values, block, shown_number(contract, inputs, int64_t(bucket) - first_expert));
      const int64_t rest = count - i * size;
      put(counts.values, block, makes(contract, RoutingMistake::kCountsOfBlocks) ? std::min(rest, size) : rest);
    }
    rows += count;
  }
  if (contract.tail) {
    const int64_t tail = makes(contract, RoutingMistake::kOtherTail) ? -1 - *contract.tail : *contract.tail;
    for (int64_t i = block; i < most; ++i)
      put(experts.values, i, contract.elsewhere == SlotsElsewhere::kMarked ? shown_number(contract, inputs, tail) : tail);
  }
  total.values = {makes(contract, RoutingMistake::kTotalUnpadded)   ? rows
                  : makes(contract, RoutingMistake::kTotalInBlocks) ? block
                                                                    : block * size};
  result.indices = {std::move(sorted), std::move(experts)};
  if (contract.counts) result.indices.push_back(std::move(counts));
  result.indices.push_back(std::move(total));
  return result;
}

Routed sorted_into_rows(const Routing& contract, const RoutingInputs& inputs) {
  const Buckets buckets(contract, inputs);
  const int64_t slots = inputs.slots(), locals = inputs.locals();
  RoutedIndex offsets{"expert_first_token_offset", {}}, inverse{"inv_permuted_idx", std::vector<int64_t>(size_t(slots))},
      order{"permuted_idx", {}};
  for (int64_t bucket = 0; bucket < int64_t(buckets.slots.size()); ++bucket) {
    const std::vector<int64_t>& own = buckets.slots[size_t(bucket)];
    const auto first = int64_t(order.values.size());
    if (bucket <= locals)
      offsets.values.push_back(bucket == locals                            ? first
                               : makes(contract, RoutingMistake::kSizes) ? int64_t(own.size())
                               : makes(contract, RoutingMistake::kEnds)  ? first + int64_t(own.size())
                                                                         : first);
    order.values.insert(order.values.end(), own.begin(), own.end());
  }
  const int64_t valid = offsets.values.back();
  // Without an expert map, the kernel does not compare rows with the number of valid rows.
  const int64_t used = inputs.map.empty() ? slots : valid;
  Routed result;
  for (int64_t row = 0; row < slots; ++row) {
    const int64_t slot = order.values[size_t(row)];
    inverse.values[size_t(makes(contract, RoutingMistake::kNoInverse) ? row : slot)] =
        makes(contract, RoutingMistake::kNoInverse) ? slot : row;
    result.rows.push_back(row >= used                                       ? Routed::kUntouched
                          : makes(contract, RoutingMistake::kOtherRows) ? slot % inputs.m
                                                                        : slot / inputs.topk);
  }
  for (int64_t row = 0; row < slots; ++row)
    order.values[size_t(row)] = row < used ? shown_slot(contract, inputs, order.values[size_t(row)]) : slots;
  result.indices = {std::move(offsets), std::move(inverse), std::move(order)};
  return result;
}

Routed moved(const Routing& contract, const RoutingInputs& inputs) {
  Routed result;
  const auto inside = [&](int64_t row) { return row >= 0 && row < inputs.m; };
  if (makes(contract, RoutingMistake::kScattered)) {
    result.rows.assign(inputs.moves.size(), Routed::kZeros);
    for (size_t row = 0; row < inputs.moves.size(); ++row)
      if (inside(inputs.moves[row]) && inputs.moves[row] < int64_t(result.rows.size()) && int64_t(row) < inputs.m)
        result.rows[size_t(inputs.moves[row])] = int64_t(row);
    return result;
  }
  for (int64_t row : inputs.moves) {
    if (!inside(row)) {
      result.rows.push_back(makes(contract, RoutingMistake::kOutsideIsFirst) ? 0 : Routed::kZeros);
      continue;
    }
    result.rows.push_back(makes(contract, RoutingMistake::kNextRow) ? (row + 1) % inputs.m : row);
  }
  return result;
}

}  // namespace

Routed routed(const Routing& contract, const RoutingInputs& inputs) {
  switch (contract.gives) {
    case RoutingGives::kBlocks: return sorted_into_blocks(contract, inputs);
    case RoutingGives::kRows: return sorted_into_rows(contract, inputs);
    case RoutingGives::kMoved: break;
  }
  return moved(contract, inputs);
}

void follow_order(Routed& right, const std::vector<int64_t>& stored) {
  if (right.indices.empty()) return;
  std::vector<int64_t>& values = right.indices.front().values;
  for (const auto& [first, end] : right.free) {
    if (end > int64_t(values.size()) || end > int64_t(stored.size())) continue;
    std::vector<int64_t> left(values.begin() + first, values.begin() + end), places;
    for (int64_t i = first; i < end; ++i) {
      const auto found = std::find(left.begin(), left.end(), stored[size_t(i)]);
      if (found == left.end()) {
        places.push_back(i);
        continue;
      }
      values[size_t(i)] = *found;
      left.erase(found);
    }
    for (size_t i = 0; i < places.size(); ++i) values[size_t(places[i])] = left[i];
  }
}

// Contracts as text.

std::vector<std::string> routing_lines(const Routing& contract) {
  if (contract.gives == RoutingGives::kMoved)
    return {"y[row]   = x[dst2src_map[row]]" + std::string(contract.zeros ? "; zeros if x has no such row" : "")};
  const bool blocks = contract.gives == RoutingGives::kBlocks;
  std::vector<std::string> lines = {"slot     = token * topk + k; its expert is topk_ids[token, k]"};
  if (contract.absent == AbsentSlots::kDropped) lines.push_back("a slot whose id is not an expert is left out");
  if (contract.absent == AbsentSlots::kFirst) lines.push_back("slots whose id is below 0 come first, in blocks of expert -1");
  if (contract.absent == AbsentSlots::kLast)
    lines.push_back("slots whose id is not an expert come after the slots of all experts of this device");
  if (contract.elsewhere == SlotsElsewhere::kDropped)
    lines.push_back("expert_map numbers the experts of this device; slots of other experts are left out");
  if (contract.elsewhere == SlotsElsewhere::kMarked)
    lines.push_back("expert_ids holds expert_map[expert], which is -1 for experts of other devices");
  if (contract.elsewhere == SlotsElsewhere::kLast)
    lines.push_back("expert_map numbers the experts of this device; slots of other experts come last, in the order of their ids");
  lines.push_back(contract.ascending ? "slots of an expert are in ascending order" : "slots of an expert may be in any order");
  if (blocks) {
    lines.push_back(
        "sorted_ids = the slots of each expert, padded to whole blocks" +
        std::string(contract.fills_pads ? "; other entries hold the number of slots" : "; other entries stay as they were"));
    const std::string tail = !contract.tail ? "stay as they were" : "hold " + std::to_string(*contract.tail);
    lines.push_back("expert_ids = the expert of each block; entries after the last block " + tail +
                    (contract.tail && contract.elsewhere == SlotsElsewhere::kMarked ? ", also mapped by expert_map" : ""));
    if (contract.counts)
      lines.push_back("token_nums = number of slots of the block's expert in this block and in all later blocks");
    lines.push_back("num_tokens_post_pad = number of entries in all blocks");
    return lines;
  }
  lines.push_back("expert_first_token_offset = first row of each expert, followed by the number of rows in use");
  lines.push_back("inv_permuted_idx[slot] = its row; permuted_idx[row] = its slot; y[row] = x[token of the row's slot]");
  lines.push_back(
      "only if the call has expert_map: for rows after the last row in use, permuted_idx is the number of slots, and y stays as "
      "it was");
  return lines;
}

// Mutants.

std::vector<RoutingNeighbour> routing_neighbours(const Routing& contract, const RoutingExtents& extents) {
  std::vector<RoutingNeighbour> all;
  if (extents.slots == 0) return all;
  const auto add = [&](const char* name, RoutingMistake mistake, bool when = true) {
    if (!when) return;
    all.push_back({name, contract});
    all.back().contract.mistake = mistake;
  };
  if (contract.gives == RoutingGives::kMoved) {
    add("rows: moved to the index, not from it", RoutingMistake::kScattered);
    add("rows: the next one", RoutingMistake::kNextRow);
    add("rows outside of x: the first one", RoutingMistake::kOutsideIsFirst, contract.zeros && extents.absent);
    return all;
  }
  const bool several = extents.topk > 1, map = extents.map, absent = extents.absent;
  add("slots: of an expert descend", RoutingMistake::kSlotsDescending, contract.ascending);
  add("ids below 0: expert 0", RoutingMistake::kAbsentIsZero, absent);
  add("expert_map is not read", RoutingMistake::kMapIgnored, map);
  add("slots: counted slot by slot", RoutingMistake::kSlotMajor, several);
  if (contract.gives == RoutingGives::kRows) {
    add("rows: of token slot mod m", RoutingMistake::kOtherRows, several);
    add("offsets: ends", RoutingMistake::kEnds);
    add("offsets: sizes", RoutingMistake::kSizes);
    add("inverse: the order itself", RoutingMistake::kNoInverse);
    return all;
  }
  add("experts: the last one with slots is left out", RoutingMistake::kLastExpertLost);
  add("slots: tokens in their place", RoutingMistake::kTokens, several);
  add("pads: -1", RoutingMistake::kOtherPads, contract.fills_pads);
  add("blocks: one more for experts that fill theirs", RoutingMistake::kBlockMore);
  add("blocks: one for experts without slots", RoutingMistake::kEmptyBlocks);
  add("total: slots", RoutingMistake::kTotalUnpadded);
  add("total: in blocks", RoutingMistake::kTotalInBlocks);
  add("expert_ids: one too large", RoutingMistake::kNextExpert);
  add("expert_ids: numbers of all experts", RoutingMistake::kNumbersOfAll, map && contract.elsewhere == SlotsElsewhere::kDropped);
  add("ids below 0: left out", RoutingMistake::kAbsentDropped, absent && contract.absent == AbsentSlots::kFirst);
  add("expert_ids: other value after the last block", RoutingMistake::kOtherTail, contract.tail.has_value());
  add("experts: last first", RoutingMistake::kExpertsDescending);
  add("token_nums: at most a block", RoutingMistake::kCountsOfBlocks, contract.counts);
  return all;
}

}  // namespace assay
