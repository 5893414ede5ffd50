// Rows of the all-reduce table: columns, checks and formula.
#include <algorithm>
#include <charconv>

#include "reference/contracts/contract_rows.h"
#include "reference/flow/flow.h"
#include "reference/flow/rank_reduce/rank_reduce.h"
#include "reference/formats/catalogue.h"
#include "reference/recipe/recipe.h"

namespace assay {
namespace {

constexpr const char* kOrders[] = {"absolute", "from_owner", "behind_owner", "any_tree",
                                   "chunks",   "descending", "pairs",        "from_reader"};
/// What a row may say; the others are mistakes.
constexpr size_t kOrdersOfRows = 5;

int64_t whole_number(const RowCells& cells, const std::string& column, const std::string& text) {
  int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size() || value < 1)
    throw cells.error(column, 0, "'" + text + "' is no whole number from 1");
  return value;
}

void read_ranks(const RowCells& cells, RankReduce& contract) {
  for (const std::string& text : cells.alternatives("ranks")) {
    const int64_t ranks = whole_number(cells, "ranks", text);
    if (ranks < 2 || ranks > kMostRanksOfRows) throw cells.error("ranks", 0, "are 2 to " + std::to_string(kMostRanksOfRows));
    contract.ranks.push_back(int(ranks));
  }
  if (!std::is_sorted(contract.ranks.begin(), contract.ranks.end())) throw cells.error("ranks", 0, "ascend");
}

void read_order(const RowCells& cells, RankReduce& contract) {
  const std::vector<CellStep> steps = cells.steps("order");
  const auto found = steps.size() == 1 ? std::find(kOrders, kOrders + kOrdersOfRows, steps[0].word) : kOrders + kOrdersOfRows;
  const bool has_size = steps.size() == 1 && steps[0].arguments.size() == 1;
  if (found == kOrders + kOrdersOfRows || has_size != (RankOrder(found - kOrders) == RankOrder::kChunks))
    throw cells.error("order", 0,
                      "'" + cells.text("order") + "' is not one of: absolute, from_owner, behind_owner, any_tree, chunks(RANKS)");
  contract.order = RankOrder(found - kOrders);
  if (has_size) contract.chunk = int(whole_number(cells, "order", steps[0].argument(0)));
}

void read_owners(const RowCells& cells, RankReduce& contract) {
  const std::vector<CellStep> owners = cells.steps("owners");
  if ((contract.has_owners() || contract.codec.keeps_sums()) == owners.empty())
    throw cells.error("owners", 0, "is required for order=from_owner, order=behind_owner and owner=sum, and only allowed with them");
  if (owners.empty()) return;
  contract.owners.any = owners.size() == 1 && owners[0].text == "any";
  if (contract.owners.any && contract.codec.keeps_sums()) throw cells.error("owners", 0, "must not be any: an owner that keeps its sum is known");
  if (contract.owners.any) return;
  if (owners.size() == 1 && owners[0].word == "stripes" && owners[0].arguments.size() == 1) {
    contract.owners.stripe = whole_number(cells, "owners", owners[0].argument(0));
    return;
  }
  if (owners.size() != 2 || owners[0].word != "packets" || owners[0].arguments.size() != 1 || owners[1].text != "rest(last)")
    throw cells.error("owners", 0, "are any, packets(BYTES) rest(last), or stripes(ELEMENTS)");
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
      if (!cells.text(column).empty()) throw cells.error(column, 0, "must be empty without a group");
    return;
  }
  const std::vector<CellStep> words = cells.steps("group");
  if (words.size() != 2 || words[0].word != "every" || words[1].word != "apart" || words[0].arguments.size() != 1 ||
      words[1].arguments.size() != 1)
    throw cells.error("group", 0, "is every(NUMBERS) apart(PLACES)");
  codec.group = whole_number(cells, "group", words[0].argument(0));
  codec.apart = whole_number(cells, "group", words[1].argument(0));
  codec.signed_extreme = cells.is_first_of("extreme", "signed", "magnitude");
  codec.of_numbers = cells.is_first_of("coded", "both", "sums");
  if (cells.is_first_of("owner", "sum", "code")) codec.keeper = 0;
  for (const auto& [column, steps] :
       {std::pair{"scale", &codec.scale}, {"mult", &codec.mult}, {"code", &codec.code}, {"decode", &codec.decode}}) {
    cells.forbid_reduction(column, cells.recipe(column, names_for(kF16)));
    *steps = cells.steps(column);
    if (steps->empty() && steps != &codec.mult) throw cells.error(column, 0, "is empty: a row with a group needs it");
  }
}

void check_steps(const RowCells& cells) {
  for (const char* column : {"wire", "add", "y"}) cells.forbid_reduction(column, cells.recipe(column, names_for(kF32)));
  const Recipe add = cells.recipe("add", names_for(kF32)), y = cells.recipe("y", names_for(kF32));
  if (add.steps.empty() || add.steps.front().text != "add(v)") throw cells.error("add", 0, "begins with add(v)");
  const bool ends = std::any_of(y.steps.begin(), y.steps.end(),
                                [](const Step& step) { return step.text == "to(x)" || step.text == "to(x,rz)"; });
  if (!ends) throw cells.error("y", 0, "holds to(x)");
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
  if (contract.wire_of_words && contract.bytes % 4 != 0) throw cells.error("wire_of", 0, "wire_of=words needs bytes that are a multiple of 4");
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
  if (owners.any) return "whichever rank that is";
  if (owners.stripe > 0) return std::to_string(owners.stripe) + " elements each in turn";
  return "each of equal parts of whole packets of " + std::to_string(owners.of_bytes) + " bytes, the last with what is left";
}

std::string order_words(const RankReduce& contract) {
  const std::string owners = owner_words(contract.owners);
  switch (contract.order) {
    case RankOrder::kFromOwner:
      return "from the owner of the element on, around the ranks; owners have " + owners;
    case RankOrder::kBehindOwner:
      return "from the rank behind the owner on, around the ranks to the owner; owners have " + owners;
    case RankOrder::kAnyTree:
      return "in any tree of additions";
    case RankOrder::kChunks: {
      const std::string size = std::to_string(contract.chunk);
      return "rank 0, 1, ... of " + size + " ranks at a time, each chunk begun like the sum, and then the sums of the chunks";
    }
    default:
      return "rank 0, 1, ...";
  }
}

}  // namespace

std::vector<std::string> rank_lines(const RankReduce& contract, const Format& x) {
  std::vector<std::string> lines;
  lines.push_back(contract.wire.empty() ? "v     = the number of a rank"
                                        : "v     = " + formula(rank_recipe(contract.wire, x), "x[rank]"));
  if (contract.wire_of_words && x.bytes() == 2)
    lines.back() += " where it and the next number are +0 and share a word of 32 bits, else x[rank]";
  if (contract.codec.group > 0) {
    const RankCodec& codec = contract.codec;
    const std::string extreme = codec.signed_extreme ? "the number of largest magnitude with its sign" : "the largest magnitude";
    lines.push_back("coded   every " + std::to_string(codec.group) + " numbers, each " + std::to_string(codec.apart) +
                    " from the next, have one scale; m is " + extreme);
    lines.push_back("d     = " + formula(rank_recipe(codec.scale, x), "m"));
    if (!codec.mult.empty()) lines.push_back("e     = " + formula(rank_recipe(codec.mult, x), "d"));
    lines.push_back("code  = " + formula(rank_recipe(codec.code, x), "v"));
    lines.push_back("v     = " + formula(rank_recipe(codec.decode, x), "code") +
                    (codec.of_numbers ? ", once of each rank's numbers and once of the sums" : ", of the sums"));
    if (codec.keeps_sums())
      lines.push_back("owner = has its sum as it is, and the others what the codec made of it; owners have " +
                      owner_words(contract.owners));
  }
  lines.push_back("order = " + order_words(contract));
  lines.push_back(contract.from_zero ? "sum   = +0 at first" : "sum   = the first number at first");
  lines.push_back("sum   = " + formula(rank_recipe(contract.add, x), "sum") + " for each further number");
  lines.push_back(
      "y     = " + formula(rank_recipe(contract.y, x), "sum") +
      (contract.codec.keeps_sums() ? ", the same bits on every rank but the owner" : ", the same bits on every rank"));
  return lines;
}

}  // namespace assay
