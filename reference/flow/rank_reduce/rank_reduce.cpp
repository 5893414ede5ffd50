// Rows of the all-reduce tables: columns, checks, formulas and evaluation.
#include "reference/flow/rank_reduce/rank_reduce.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <stdexcept>

#include "reference/contracts/contract_rows.h"
#include "reference/flow/flow.h"
#include "reference/formats/catalogue.h"
#include "reference/recipe/eval.h"
#include "reference/recipe/recipe.h"

namespace assay {
namespace {

constexpr const char* kOrders[] = {"absolute", "from_owner", "behind_owner", "any_tree",
                                   "chunks",   "descending", "pairs",        "from_reader"};
/// Contract rows may use only the first orders of the list. The other orders occur only in mutants.
constexpr size_t kOrdersOfRows = 5;

int64_t whole_number(const RowCells& cells, const std::string& column, const std::string& text) {
  int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size() || value < 1)
    throw cells.error(column, 0, "'" + text + "' is not an integer >= 1");
  return value;
}

void read_ranks(const RowCells& cells, RankReduce& contract) {
  for (const std::string& text : cells.alternatives("ranks")) {
    const int64_t ranks = whole_number(cells, "ranks", text);
    if (ranks < 2 || ranks > kMostRanksOfRows)
      throw cells.error("ranks", 0, "'" + text + "': expected 2 to " + std::to_string(kMostRanksOfRows) + " ranks");
    contract.ranks.push_back(int(ranks));
  }
  if (!std::is_sorted(contract.ranks.begin(), contract.ranks.end())) throw cells.error("ranks", 0, "must be in ascending order");
}

void read_order(const RowCells& cells, RankReduce& contract) {
  const std::vector<CellStep> steps = cells.steps("order");
  contract.keeps_tree = cells.text("order") == "one_tree";
  const std::string word = contract.keeps_tree ? name_of(RankOrder::kAnyTree) : steps.size() == 1 ? steps[0].word : "";
  const auto found = std::find(kOrders, kOrders + kOrdersOfRows, word);
  const bool has_size = steps.size() == 1 && steps[0].arguments.size() == 1;
  if (found == kOrders + kOrdersOfRows || has_size != (RankOrder(found - kOrders) == RankOrder::kChunks))
    throw cells.error("order", 0,
                      "'" + cells.text("order") + "' is not one of: absolute, from_owner, behind_owner, any_tree, one_tree, chunks(RANKS)");
  contract.order = RankOrder(found - kOrders);
  if (has_size) contract.chunk = int(whole_number(cells, "order", steps[0].argument(0)));
}

void read_owners(const RowCells& cells, RankReduce& contract) {
  const std::vector<CellStep> owners = cells.steps("owners");
  if ((contract.has_owners() || contract.codec.keeps_sums()) == owners.empty())
    throw cells.error("owners", 0,
                      "is required for order=from_owner, order=behind_owner and owner=sum, and must be empty otherwise");
  if (owners.empty()) return;
  contract.owners.any = owners.size() == 1 && owners[0].text == "any";
  if (contract.owners.any && contract.codec.keeps_sums())
    throw cells.error("owners", 0, "must not be any if owner is sum, because owners keep their sums unquantized");
  if (contract.owners.any) return;
  if (owners.size() == 1 && owners[0].word == "stripes" && owners[0].arguments.size() == 1) {
    contract.owners.stripe = whole_number(cells, "owners", owners[0].argument(0));
    return;
  }
  if (owners.size() != 2 || owners[0].word != "packets" || owners[0].arguments.size() != 1 || owners[1].text != "rest(last)")
    throw cells.error("owners", 0, "must be any, packets(BYTES) rest(last), or stripes(ELEMENTS)");
  contract.owners.of_bytes = whole_number(cells, "owners", owners[0].argument(0));
}

Names names_for(const Format& x) {
  Names names;
  names.formats["x"] = &x;
  names.quantities = {"v", "d", "e", "m"};
  return names;
}

void read_codec(const RowCells& cells, RankCodec& codec) {
  if (cells.text("group").empty()) {
    for (const char* column : {"extreme", "scale", "mult", "code", "decode", "coded", "owner"})
      if (!cells.text(column).empty()) throw cells.error(column, 0, "must be empty if group is empty");
    return;
  }
  const std::vector<CellStep> words = cells.steps("group");
  if (words.size() != 2 || words[0].word != "every" || words[1].word != "apart" || words[0].arguments.size() != 1 ||
      words[1].arguments.size() != 1)
    throw cells.error("group", 0, "must be every(NUMBERS) apart(PLACES)");
  codec.group = whole_number(cells, "group", words[0].argument(0));
  codec.apart = whole_number(cells, "group", words[1].argument(0));
  codec.signed_extreme = cells.is_first_of("extreme", "signed", "magnitude");
  codec.of_numbers = cells.is_first_of("coded", "both", "sums");
  if (cells.is_first_of("owner", "sum", "code")) codec.keeper = 0;
  for (const auto& [column, steps] :
       {std::pair{"scale", &codec.scale}, {"mult", &codec.mult}, {"code", &codec.code}, {"decode", &codec.decode}}) {
    cells.forbid_reduction(column, cells.recipe(column, names_for(kF16)));
    *steps = cells.steps(column);
    if (steps->empty() && steps != &codec.mult)
      throw cells.error(column, 0, "is empty: expected steps, because group is not empty");
  }
}

void check_steps(const RowCells& cells) {
  for (const char* column : {"wire", "add", "y"}) cells.forbid_reduction(column, cells.recipe(column, names_for(kF32)));
  const Recipe add = cells.recipe("add", names_for(kF32)), y = cells.recipe("y", names_for(kF32));
  if (add.steps.empty() || add.steps.front().text != "add(v)") throw cells.error("add", 0, "must begin with add(v)");
  const bool ends = std::any_of(y.steps.begin(), y.steps.end(),
                                [](const Step& step) { return step.text == "to(x)" || step.text == "to(x,rz)"; });
  if (!ends) throw cells.error("y", 0, "must contain to(x) or to(x,rz)");
}

}  // namespace

const Flow& rank_reduce_flow() {
  static const Flow flow{
      .name = "rank_reduce",
      .says = "ranks",
      .files = {"rank_reduce.csv", "rank_codec.csv"},
      .columns = {"ranks", "order", "owners", "start", "wire", "add", "y", "numbers", "bytes"},
      .optional = {"wire_of", "extreme", "group", "scale", "mult", "code", "decode", "coded", "owner"},
      .check = [](const ContractTables&, const ContractRow& row) { (void)read_rank_reduce(row); },
  };
  return flow;
}

bool RankReduce::takes(int world_size) const { return std::find(ranks.begin(), ranks.end(), world_size) != ranks.end(); }

bool RankReduce::takes(const Format& x) const {
  return std::any_of(formats.begin(), formats.end(), [&](const Format* format) { return *format == x; });
}

const char* name_of(RankOrder order) { return kOrders[size_t(order)]; }

RankReduce read_rank_reduce(const ContractRow& row) {
  const RowCells cells(row);
  RankReduce contract;
  contract.row = &row;
  read_ranks(cells, contract);
  read_order(cells, contract);
  contract.from_zero = cells.is_first_of("start", "zero", "first");
  contract.formats = cells.formats_of_numbers("numbers");
  contract.bytes = whole_number(cells, "bytes", cells.text("bytes"));
  check_steps(cells);
  read_codec(cells, contract.codec);
  read_owners(cells, contract);
  contract.wire = cells.steps("wire");
  contract.wire_of_words = !cells.text("wire_of").empty() && cells.is_first_of("wire_of", "words", "numbers");
  if (contract.wire_of_words && contract.bytes % 4 != 0)
    throw cells.error("wire_of", 0, "words is only allowed if bytes is a multiple of 4");
  contract.add = cells.steps("add");
  contract.y = cells.steps("y");
  return contract;
}

Recipe rank_recipe(const std::vector<CellStep>& cell, const Format& x) { return resolve(cell, names_for(x)); }

std::vector<RankSegment> rank_segments(const RankOwners& owners, const Format& x, int64_t elements, int world_size) {
  std::vector<RankSegment> segments;
  for (int64_t first = 0; owners.stripe > 0 && first < elements; first += owners.stripe)
    segments.push_back({int(first / owners.stripe % world_size), first, std::min(first + owners.stripe, elements)});
  if (owners.stripe > 0) return segments;
  const int64_t packet = owners.of_bytes / x.bytes(), part = elements / packet / world_size * packet;
  for (int rank = 0; rank < world_size; ++rank) {
    const int64_t first = rank * part, end = rank + 1 == world_size ? elements : first + part;
    if (first < end) segments.push_back({rank, first, end});
  }
  return segments;
}

namespace {

std::string owner_words(const RankOwners& owners) {
  if (owners.any) return "any rank may own an element";
  if (owners.stripe > 0) return "each rank in turn owns " + std::to_string(owners.stripe) + " elements";
  return "each rank owns an equal part of whole " + std::to_string(owners.of_bytes) +
         "-byte packets, and the last rank also the rest";
}

std::string order_words(const RankReduce& contract) {
  const std::string owners = owner_words(contract.owners);
  switch (contract.order) {
    case RankOrder::kFromOwner:
      return "starting with the owner of the element, then the following ranks in a cycle; " + owners;
    case RankOrder::kBehindOwner:
      return "starting with the rank after the owner, in a cycle that ends with the owner; " + owners;
    case RankOrder::kAnyTree:
      return "in any tree of additions";
    case RankOrder::kChunks: {
      const std::string size = std::to_string(contract.chunk);
      return "rank 0, 1, ... in chunks of " + size +
             " ranks; the sum of each chunk starts as in the next line; then the sums of the chunks are added";
    }
    default:
      return "rank 0, 1, ...";
  }
}

}  // namespace

std::vector<std::string> rank_lines(const RankReduce& contract, const Format& x) {
  std::vector<std::string> lines;
  lines.push_back(contract.wire.empty() ? "v     = the value of a rank"
                                        : "v     = " + formula(rank_recipe(contract.wire, x), "x[rank]"));
  if (contract.wire_of_words && x.bytes() == 2)
    lines.back() += " where this and the next element are +0 and share a 32-bit word, else x[rank]";
  if (contract.codec.group > 0) {
    const RankCodec& codec = contract.codec;
    const std::string extreme =
        codec.signed_extreme ? "the element of largest magnitude, with its sign" : "the largest magnitude";
    lines.push_back("coded   groups of " + std::to_string(codec.group) + " elements, " + std::to_string(codec.apart) +
                    " apart, share one scale; m is " + extreme);
    lines.push_back("d     = " + formula(rank_recipe(codec.scale, x), "m"));
    if (!codec.mult.empty()) lines.push_back("e     = " + formula(rank_recipe(codec.mult, x), "d"));
    lines.push_back("code  = " + formula(rank_recipe(codec.code, x), "v"));
    lines.push_back("v     = " + formula(rank_recipe(codec.decode, x), "code") +
                    (codec.of_numbers ? ", once for the values of each rank and once for the sums" : ", for the sums"));
    if (codec.keeps_sums())
      lines.push_back("owner   returns its sum unquantized; the other ranks return the dequantized sum; " +
                      owner_words(contract.owners));
  }
  lines.push_back("order = " + order_words(contract));
  lines.push_back(contract.from_zero ? "sum   = +0 at the start" : "sum   = the first value at the start");
  lines.push_back("sum   = " + formula(rank_recipe(contract.add, x), "sum") + " for each further value");
  lines.push_back("y     = " + formula(rank_recipe(contract.y, x), "sum") +
                  (contract.codec.keeps_sums() ? ", with the same bits on every rank except the owner"
                                               : ", with the same bits on every rank"));
  return lines;
}

// The accepted interval of every output of an all-reduce, plain or quantized.

void include(Spans& all, const Spans& other) {
  all.widen();
  for (size_t i = 0; i < all.size(); ++i) {
    const Span next = other[i];
    if (all.low[i] < next.low && next.high < all.high[i]) continue;  // strict comparisons are false for NaN
    const Span both = either({all.low[i], all.high[i]}, next);
    all.low[i] = both.low;
    all.high[i] = both.high;
  }
}

void append(Spans& all, Spans more) {
  if (!more.pinned()) all.widen();
  if (!all.pinned()) more.widen();
  all.low.insert(all.low.end(), more.low.begin(), more.low.end());
  all.high.insert(all.high.end(), more.high.begin(), more.high.end());
}

RankSums::RankSums(const RankReduce& contract, const Format& x, const RankInputs& inputs)
    : contract_(contract),
      x_(x),
      inputs_(inputs),
      wire_(rank_recipe(contract.wire, x)),
      add_(rank_recipe(contract.add, x)),
      y_(rank_recipe(contract.y, x)),
      scale_(rank_recipe(contract.codec.scale, x)),
      mult_(rank_recipe(contract.codec.mult, x)),
      code_(rank_recipe(contract.codec.code, x)),
      decode_(rank_recipe(contract.codec.decode, x)) {
  const bool by_segments = (contract.result && !is_result(ResultStep::kOwnNumbers)) || contract.codec.keeps_sums();
  RankOwners owners = contract.owners;
  if (by_segments && owners.of_bytes == 0 && owners.stripe == 0)
    owners.of_bytes = contract.codec.group > 0 ? contract.codec.group * contract.codec.apart * x.bytes() : kUsualPacket;
  if ((owners.of_bytes > 0 || owners.stripe > 0) && (contract.has_owners() || by_segments))
    segments_ = rank_segments(owners, x, inputs.elements(), inputs.world_size());
}

std::vector<int> RankSums::order_from(int owner, int rank) const {
  const int size = inputs_.world_size();
  std::vector<int> order;
  for (int i = 0; i < size; ++i) switch (contract_.order) {
      case RankOrder::kFromOwner:
        order.push_back((owner + i) % size);
        break;
      case RankOrder::kBehindOwner:
        order.push_back((owner + 1 + i) % size);
        break;
      case RankOrder::kDescending:
        order.push_back(size - 1 - i);
        break;
      case RankOrder::kFromReader:
        order.push_back((rank + i) % size);
        break;
      default:
        order.push_back(i);
    }
  for (const TermStep& step : contract_.terms) {
    const auto place = std::find(order.begin(), order.end(), step.rank);
    if (step.kind == TermStep::kDrop) order.erase(place);
    if (step.kind == TermStep::kRepeat) order.insert(place, step.rank);
  }
  return order;
}

/// For wire_of_words: restores the elements of `sent` that `wire` must not change: all but the first of two +0 in a 32-bit word.
void RankSums::keep_beside_others(Spans& sent, const std::vector<double>& numbers, int64_t first) const {
  const auto is_plus_zero = [&](size_t at) { return numbers[at] == 0 && !std::signbit(numbers[at]); };
  for (size_t i = 0; i < sent.size(); ++i) {
    const size_t at = size_t(first) + i;
    const bool rewritten = at % 2 == 0 && is_plus_zero(at) && is_plus_zero(at + 1);
    if (!rewritten) sent.set(i, {numbers[at], numbers[at]});
  }
}

RankSums::Sources RankSums::sources(const RankNumbers& of_call) const {
  Sources all;
  for (const std::vector<double>& numbers : of_call) all.push_back(&numbers);
  for (const TermStep& step : contract_.terms)
    if (step.kind == TermStep::kRecall && !inputs_.before.empty()) all[size_t(step.rank)] = &inputs_.before[size_t(step.rank)];
  return all;
}

/// The terms in the order of addition, after `wire` and the codec. If the sum starts from +0, the first term already contains it.
std::vector<Spans> RankSums::terms(const Sources& from, const std::vector<int>& order, int64_t first, int64_t count) const {
  std::vector<Spans> terms;
  for (const int rank : order) {
    const auto begin = from[size_t(rank)]->begin() + std::ptrdiff_t(first);
    Spans term(std::vector<double>(begin, begin + std::ptrdiff_t(count)));
    evaluate(wire_, term, {});
    if (contract_.wire_of_words && x_.bytes() == 2) keep_beside_others(term, *from[size_t(rank)], first);
    const bool codes = contract_.codec.group > 0 && contract_.codec.of_numbers;
    terms.push_back(codes ? coded(std::move(term)) : std::move(term));
  }
  terms.front() = begun(std::move(terms.front()));
  return terms;
}

/// The first partial sum of a chain: the first term, or +0 plus the first term.
Spans RankSums::begun(Spans first) const {
  if (!contract_.from_zero) return first;
  Spans zero(std::vector<double>(first.size(), 0.0));
  add(zero, first);
  return zero;
}

void RankSums::add(Spans& sum, const Spans& next) const {
  Environment environment;
  environment.set("v", next);
  evaluate(add_, sum, environment);
}

Spans RankSums::chain(std::vector<Spans> terms) const {
  Spans sums = chain_of_sums(std::move(terms));
  evaluate(y_, sums, {});
  return sums;
}

/// Sums each chunk of terms in a chain of its own. If chains start from +0, terms() has already added it to the very first term.
std::vector<Spans> RankSums::sums_of_chunks(std::vector<Spans> terms) const {
  std::vector<Spans> sums;
  for (size_t i = 0; i < terms.size(); ++i) {
    if (i % size_t(contract_.chunk) == 0)
      sums.push_back(i == 0 ? std::move(terms[i]) : begun(std::move(terms[i])));
    else
      add(sums.back(), terms[i]);
  }
  sums.front() = begun(std::move(sums.front()));
  return sums;
}

/// Adds the terms: in one chain, in a chain of chunks, or in pairs.
Spans RankSums::chain_of_sums(std::vector<Spans> terms) const {
  const bool pairs = contract_.order == RankOrder::kPairs;
  if (contract_.order == RankOrder::kChunks) terms = sums_of_chunks(std::move(terms));
  while (terms.size() > 1) {
    std::vector<Spans> sums;
    for (size_t i = 0; i < terms.size(); ++i) {
      const bool begins = pairs ? i % 2 == 0 : i == 0;
      if (begins)
        sums.push_back(std::move(terms[i]));
      else
        add(sums.back(), terms[i]);
    }
    terms = std::move(sums);
  }
  return std::move(terms.front());
}

/// The results of all trees of additions. Rounding is monotone. So for some split of a set of ranks into two parts, the smallest
/// sum of the set is the sum of the smallest sums of both parts. The same holds for the largest sum.
Spans RankSums::tree(std::vector<Spans> terms) const {
  std::vector<Spans> of_set(size_t(1) << terms.size());
  for (size_t set = 1; set < of_set.size(); ++set) {
    if ((set & (set - 1)) == 0) {
      of_set[set] = std::move(terms[size_t(std::countr_zero(set))]);
      continue;
    }
    const size_t lowest = set & (~set + 1);
    for (size_t part = (set - 1) & set; part > 0; part = (part - 1) & set) {
      if (!(part & lowest)) continue;  // visits each split into two parts only once
      Spans sum = of_set[part];
      add(sum, of_set[set & ~part]);
      if (of_set[set].size() == 0)
        of_set[set] = std::move(sum);
      else
        include(of_set[set], sum);
    }
  }
  Spans all = std::move(of_set.back());
  evaluate(y_, all, {});
  return all;
}

// The output of each rank. If elements have owners, it is computed segment by segment.

bool RankSums::same_for_all() const {
  const bool keeps = contract_.codec.keeps_sums() && contract_.codec.of_sums;
  const bool divides = contract_.result && !is_result(ResultStep::kNextSegment);
  return contract_.order != RankOrder::kFromReader && !keeps && !divides;
}

Spans RankSums::by_owner(const RankNumbers& from, int owner, int rank, int64_t first, int64_t count) const {
  const Sources numbers = sources(from);
  const auto from_owner = [&](int o) { return terms(numbers, order_from(o, rank), first, count); };
  if (contract_.order == RankOrder::kAnyTree) return tree(from_owner(0));
  if (!contract_.has_owners() || !contract_.owners.any) return chain(from_owner(owner));
  Spans all = chain(from_owner(0));
  for (int other = 1; other < inputs_.world_size(); ++other) include(all, chain(from_owner(other)));
  return all;
}

Spans RankSums::own(int rank, int64_t first, int64_t count) const {
  const auto begin = inputs_.x[size_t(rank)].begin() + std::ptrdiff_t(first);
  return Spans(std::vector<double>(begin, begin + std::ptrdiff_t(count)));
}

/// Results of the elements begin .. end - 1, which lie in `segment`.
Spans RankSums::segment_results(const RankSegment& segment, int rank, int64_t begin, int64_t end) const {
  const int64_t packet = (contract_.owners.of_bytes > 0 ? contract_.owners.of_bytes : kUsualPacket) / x_.bytes();
  const int size = inputs_.world_size();
  const int64_t part = inputs_.elements() / packet / size * packet;
  const auto sums = [&](const RankNumbers& from, int owner, int64_t first, int64_t last) {
    return by_owner(from, owner, rank, first, last - first);
  };
  if (is_result(ResultStep::kOthersBefore) && segment.owner != rank && !inputs_.before.empty())
    return sums(inputs_.before, segment.owner, begin, end);
  if (is_result(ResultStep::kOwnRest)) {
    const int64_t rest = std::clamp(part * size, begin, end);
    Spans all = sums(inputs_.x, segment.owner, begin, rest);
    append(all, own(rank, rest, end - rest));
    return all;
  }
  if (is_result(ResultStep::kNextSegment) && part > 0) {
    const int next = (segment.owner + 1) % size;
    const int64_t moved = next * part - segment.owner * part, inside = std::clamp(segment.first + part, begin, end);
    Spans all = sums(inputs_.x, next, begin + moved, inside + moved);
    append(all, sums(inputs_.x, segment.owner, inside, end));
    return all;
  }
  return sums(inputs_.x, segment.owner, begin, end);
}

Spans RankSums::results(int rank, int64_t first, int64_t count) const {
  if (is_result(ResultStep::kOwnNumbers) && contract_.result->rank == rank) return own(rank, first, count);
  if (contract_.codec.group > 0 && count > 0) return coded_results(rank, first, count);
  if (segments_.empty()) return by_owner(inputs_.x, 0, rank, first, count);
  Spans all;
  for (const RankSegment& segment : segments_) {
    const int64_t begin = std::max(first, segment.first), end = std::min(first + count, segment.end);
    if (begin < end) append(all, segment_results(segment, rank, begin, end));
  }
  return all;
}

// Values and sums that ranks send as codes.

namespace {

/// The smaller and the larger of two numbers, where -0 counts as less than +0.
double lesser(double a, double b) { return a < b || (a == b && std::signbit(a)) ? a : b; }
double greater(double a, double b) { return a > b || (a == b && std::signbit(b)) ? a : b; }

/// The possible magnitudes of a value.
Span magnitude_of(Span v) {
  const double low = std::fabs(v.low), high = std::fabs(v.high);
  if (v.low <= 0 && v.high >= 0) return {0.0, std::max(low, high)};
  return {std::min(low, high), std::max(low, high)};
}

}  // namespace

/// The value from which a group's scale is computed: its element of largest magnitude, or that magnitude. Ignores NaN.
Span RankSums::extreme(const Spans& numbers, size_t first) const {
  const bool with_sign = contract_.codec.signed_extreme;
  if (with_sign && !numbers.pinned()) throw std::logic_error("the signed extreme of a group requires exact values");
  const double nan = std::nan("");
  double low = nan, high = nan;
  Span widest{nan, nan};
  for (int64_t i = 0; i < contract_.codec.group; ++i) {
    const Span v = numbers[first + size_t(i * contract_.codec.apart)];
    if (v.any()) return any_number();
    if (std::isnan(v.low)) continue;
    low = std::isnan(low) ? v.low : lesser(low, v.low);
    high = std::isnan(high) ? v.high : greater(high, v.high);
    const Span magnitude = magnitude_of(v);
    widest =
        std::isnan(widest.low) ? magnitude : Span{std::max(widest.low, magnitude.low), std::max(widest.high, magnitude.high)};
  }
  return with_sign ? point(-low >= high ? low : high) : widest;
}

/// Encodes and decodes whole groups. Returns the values that a rank gets from the codes.
Spans RankSums::coded(Spans numbers) const {
  const auto apart = size_t(contract_.codec.apart), block = size_t(contract_.codec.group) * apart;
  const size_t groups = numbers.size() / block * apart;
  Spans extremes(std::vector<double>(groups, 0.0));
  for (size_t group = 0; group < groups; ++group) extremes.set(group, extreme(numbers, group / apart * block + group % apart));
  Spans scale = extremes;
  evaluate(scale_, scale, {});
  Spans mult = mult_.start == "m" ? extremes : scale;
  evaluate(mult_, mult, {});
  const auto ends_of_numbers = [&](const std::vector<double>& of_groups) {
    std::vector<double> all(of_groups.empty() ? 0 : numbers.size());
    for (size_t first = 0; first < all.size(); first += apart) {
      const auto group = of_groups.begin() + std::ptrdiff_t(first / block * apart);
      std::copy(group, group + std::ptrdiff_t(apart), all.begin() + std::ptrdiff_t(first));
    }
    return all;
  };
  const auto of_numbers = [&](const Spans& of_groups) {
    Spans all(ends_of_numbers(of_groups.low));
    all.high = ends_of_numbers(of_groups.high);
    return all;
  };
  const Spans scales = of_numbers(scale), mults = of_numbers(mult);
  Environment environment;
  environment.set("e", mults);
  environment.set("d", scales);
  evaluate(code_, numbers, environment);
  Environment reader;
  reader.set("d", scales);
  if (const Format* format = contract_.codec.code_format(); format && contract_.codec.read)
    for (std::vector<double>* values : {&numbers.low, &numbers.high})
      for (double& value : *values) value = contract_.codec.read(*format, code_of(*format, value));
  evaluate(decode_, numbers, reader);
  return numbers;
}

/// Elements first .. first + count - 1 of every rank; zeros past the end of the data.
RankNumbers RankSums::whole_groups(int64_t first, int64_t count) const {
  RankNumbers all;
  for (const std::vector<double>* x : sources(inputs_.x)) {
    std::vector<double>& part = all.emplace_back(size_t(count), 0.0);
    std::copy(x->begin() + std::ptrdiff_t(first),
              x->begin() + std::ptrdiff_t(std::min<int64_t>(first + count, int64_t(x->size()))), part.begin());
  }
  return all;
}

bool RankSums::keeps(const RankSegment& segment, int rank) const {
  return contract_.codec.keeps_sums() && (segment.owner + contract_.codec.keeper) % inputs_.world_size() == rank;
}

/// Computes sums of all groups that overlap the range. Groups start at the beginning of the segment.
RankSums::CodedSums RankSums::coded_sums(const Stretch& stretch, int rank) const {
  const RankSegment& segment = stretch.segment;
  const int64_t block = contract_.codec.group * contract_.codec.apart;
  const int64_t begin = segment.first + (stretch.first - segment.first) / block * block;
  const int64_t end = begin + (stretch.end - begin + block - 1) / block * block;
  const RankNumbers numbers = whole_groups(begin, end - begin);
  Sources all;
  for (const std::vector<double>& of_rank : numbers) all.push_back(&of_rank);
  const auto result_of = [&](Spans sums) {
    evaluate(y_, sums, {});
    const auto from = std::ptrdiff_t(stretch.first - begin), to = std::ptrdiff_t(stretch.end - begin);
    Spans result;
    result.low.assign(sums.low.begin() + from, sums.low.begin() + to);
    if (!sums.pinned()) result.high.assign(sums.high.begin() + from, sums.high.begin() + to);
    return result;
  };
  Spans sums = chain_of_sums(terms(all, order_from(segment.owner, rank), 0, end - begin));
  CodedSums results;
  if (contract_.codec.keeps_sums()) results.kept = result_of(sums);
  results.read = result_of(contract_.codec.of_sums ? coded(std::move(sums)) : std::move(sums));
  return results;
}

std::vector<RankSums::Stretch> RankSums::stretches(int64_t first, int64_t count) const {
  if (segments_.empty()) return {{{0, 0, inputs_.elements()}, first, first + count}};
  std::vector<Stretch> all;
  for (const RankSegment& segment : segments_) {
    const int64_t begin = std::max(first, segment.first), end = std::min(first + count, segment.end);
    if (begin < end) all.push_back({segment, begin, end});
  }
  return all;
}

Spans RankSums::coded_results(int rank, int64_t first, int64_t count) const {
  Spans all;
  for (const Stretch& stretch : stretches(first, count)) {
    CodedSums sums = coded_sums(stretch, rank);
    append(all, keeps(stretch.segment, rank) ? std::move(sums.kept) : std::move(sums.read));
  }
  return all;
}

std::vector<Spans> RankSums::results_of_ranks(int64_t first, int64_t count) const {
  const int size = inputs_.world_size();
  std::vector<Spans> all;
  const bool differ_by_keeper =
      contract_.codec.group > 0 && count > 0 && contract_.order != RankOrder::kFromReader && !contract_.result;
  if (!differ_by_keeper) {
    for (int rank = 0; rank < size; ++rank) all.push_back(rank > 0 && same_for_all() ? all.front() : results(rank, first, count));
    return all;
  }
  all.resize(size_t(size));
  for (const Stretch& stretch : stretches(first, count)) {
    const CodedSums sums = coded_sums(stretch, 0);
    for (int rank = 0; rank < size; ++rank) append(all[size_t(rank)], keeps(stretch.segment, rank) ? sums.kept : sums.read);
  }
  return all;
}

}  // namespace assay
