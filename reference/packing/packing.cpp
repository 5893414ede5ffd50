// Words of packed scales: contract rows, evaluation, and the op kind "pack".
#include "reference/packing/packing.h"

#include <algorithm>
#include <charconv>

#include "reference/exact/expression.h"
#include "reference/flow/flow.h"

namespace assay {
namespace {

/// Parses a cell from left to right.
class BitParser {
 public:
  explicit BitParser(std::string_view text) : text_(text) {}

  bool done() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    return at_ == text_.size();
  }
  bool take(std::string_view sign) {
    if (done() || !text_.substr(at_).starts_with(sign)) return false;
    at_ += sign.size();
    return true;
  }
  void need(std::string_view sign, const std::string& instead) {
    if (!take(sign)) fail(instead);
  }
  /// Parses a decimal number, or a hexadecimal one after 0x.
  uint32_t number(uint32_t most) {
    const bool hexadecimal = take("0x");
    uint32_t value = 0;
    const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value, hexadecimal ? 16 : 10);
    if (error != std::errc() || value > most) fail("expected a number up to " + std::to_string(most));
    at_ = size_t(end - text_.data());
    return value;
  }
  [[noreturn]] void fail(const std::string& what) const { throw ParseError(at_, what); }
  size_t at() const { return at_; }

 private:
  std::string_view text_;
  size_t at_ = 0;
};

constexpr uint32_t kLastBit = 31, kAllBits = 0xffffffff;
constexpr const char* kSigns[] = {">>", "<<", "&", "+"};  ///< by BitStep::Kind

WordTerm parse_term(BitParser& parser, int values) {
  parser.need("v", "expected a value of the word: v0" + (values > 1 ? " to v" + std::to_string(values - 1) : ""));
  WordTerm term{int(parser.number(uint32_t(values - 1))), {}};
  for (;;) {
    if (parser.take(">>"))
      term.steps.push_back({BitStep::kRight, parser.number(kLastBit)});
    else if (parser.take("<<"))
      term.steps.push_back({BitStep::kLeft, parser.number(kLastBit)});
    else if (parser.take("&"))
      term.steps.push_back({BitStep::kAnd, parser.number(kAllBits)});
    else if (parser.take("+"))
      term.steps.push_back({BitStep::kAdd, parser.number(kAllBits)});
    else
      return term;
  }
}

uint32_t changed(uint32_t bits, const BitStep& step) {
  switch (step.kind) {
    case BitStep::kRight:
      return bits >> step.amount;
    case BitStep::kLeft:
      return bits << step.amount;
    case BitStep::kAnd:
      return bits & step.amount;
    case BitStep::kAdd:
      return bits + step.amount;
  }
  return bits;
}

std::string hexadecimal(uint32_t bits) {
  char text[8];
  return "0x" + std::string(text, std::to_chars(text, text + sizeof text, bits, 16).ptr);
}

}  // namespace

uint32_t WordTerm::of(uint32_t bits) const {
  for (const BitStep& step : steps) bits = changed(bits, step);
  return bits;
}

std::string WordTerm::text() const {
  std::string all = "v";
  all += std::to_string(value);
  for (const BitStep& step : steps) {
    const bool shifts = step.kind == BitStep::kRight || step.kind == BitStep::kLeft;
    all += kSigns[step.kind];
    all += shifts ? std::to_string(step.amount) : hexadecimal(step.amount);
  }
  return all;
}

uint32_t Word::of(std::span<const uint32_t> values) const {
  uint32_t word = 0;
  for (const WordTerm& term : terms) word |= term.of(values[size_t(term.value)]);
  return word;
}

std::string Word::text() const {
  std::string all;
  for (const WordTerm& term : terms) all += (all.empty() ? "" : " | ") + term.text();
  return all;
}

Word parse_word(std::string_view text, int values) {
  BitParser parser(text);
  Word word;
  do {
    (void)parser.done();
    const size_t begin = parser.at();
    word.terms.push_back(parse_term(parser, values));
    for (size_t i = 0; i + 1 < word.terms.size(); ++i)
      if (word.terms[i].value == word.terms.back().value)
        throw ParseError(begin, "v" + std::to_string(word.terms.back().value) + " has a term already");
  } while (parser.take("|"));
  if (!parser.done()) parser.fail("expected >>N, <<N, &BITS, +BITS or |");
  if (int(word.terms.size()) != values)
    parser.fail("a word of " + std::to_string(values) + " values needs one term for each value");
  return word;
}

uint32_t parse_domain(std::string_view text) {
  BitParser parser(text);
  if (parser.done()) return 0;
  parser.need("&", "expected &BITS=0");
  const uint32_t bits = parser.number(kAllBits);
  parser.need("=0", "expected =0");
  if (!parser.done()) parser.fail("expected nothing after &BITS=0");
  return bits;
}

namespace {

/// Number of values in a word: one more than its text has `|`.
int values_of(const std::string& text) { return 1 + int(std::count(text.begin(), text.end(), '|')); }

template <class F>
auto in_cell(const ContractRow& row, const char* column, F f) {
  try {
    return f(row.text(column));
  } catch (const ParseError& error) {
    throw row.error(column, error.position, error.what());
  }
}

std::vector<TakenLayout> parse_takes(const std::string& cell) {
  std::vector<TakenLayout> all;
  for (size_t begin = 0; begin <= cell.size();) {
    const size_t end = std::min(cell.find('|', begin), cell.size());
    const std::string one = cell.substr(begin, end - begin);
    const size_t percent = std::min(one.find('%'), one.size());
    TakenLayout taken{one.substr(0, percent), 1};
    if (taken.layout.empty()) throw ParseError(begin, "names no layout");
    if (percent < one.size()) {
      const std::string digits = one.substr(percent + 1);
      const bool number = !digits.empty() && digits.size() < 10 && std::all_of(digits.begin(), digits.end(), ::isdigit);
      if (!number || std::stoll(digits) == 0)
        throw ParseError(begin + percent + 1, "expected a number after %, of which the number of rows must be a multiple");
      taken.multiple = std::stoll(digits);
    }
    all.push_back(std::move(taken));
    begin = end + 1;
  }
  return all;
}

bool masked(const WordTerm& term) {
  return std::any_of(term.steps.begin(), term.steps.end(), [](const BitStep& step) { return step.kind == BitStep::kAnd; });
}

class Edits {
 public:
  explicit Edits(const Packing& right) : right_(right) {}

  std::vector<PackingNeighbour> all() {
    const int values = int(right_.word.terms.size());
    for (int i = 0; i < values; ++i)
      edit("drop v" + std::to_string(right_.word.terms[size_t(i)].value),
           [&](Packing& p) { p.word.terms.erase(p.word.terms.begin() + i); });
    if (values == 1) return std::move(edits_);
    const bool masks = std::any_of(right_.word.terms.begin(), right_.word.terms.end(), masked);
    if (masks)
      edit("no mask", [](Packing& p) {
        each(p, [](WordTerm& term) { std::erase_if(term.steps, [](const BitStep& s) { return s.kind == BitStep::kAnd; }); });
      });
    if (!masks)
      edit("each value masked to its own byte", [](Packing& p) {
        each(p, [](WordTerm& term) { term.steps.push_back({BitStep::kAnd, kByte << kByteBits * uint32_t(term.value)}); });
      });
    edit("values in reverse", [&](Packing& p) { each(p, [&](WordTerm& term) { term.value = values - 1 - term.value; }); });
    edit("the bits of v0 alone, unpacked", [](Packing& p) { p.word.terms = {{0, {}}}; });
    edit("absent values are all ones", [](Packing& p) { p.absent = ~0u; });
    edit("exponents rounded up", [](Packing& p) {
      each(p, [](WordTerm& term) {
        term.steps.insert(term.steps.begin(), {{BitStep::kAdd, kMantissa}, {BitStep::kAnd, ~kMantissa}});
      });
    });
    return std::move(edits_);
  }

 private:
  static constexpr uint32_t kByte = 0xff, kByteBits = 8, kMantissa = 0x7fffff;

  template <class F>
  void edit(const std::string& name, F change) {
    edits_.push_back({"word: " + name, right_});
    change(edits_.back().packing);
  }
  template <class F>
  static void each(Packing& packing, F change) {
    for (WordTerm& term : packing.word.terms) change(term);
  }

  const Packing& right_;
  std::vector<PackingNeighbour> edits_;
};

}  // namespace

Packing read_packing(const ContractRow& row) {
  Packing packing;
  packing.id = row.id;
  packing.word = in_cell(row, "word", [](const std::string& text) { return parse_word(text, values_of(text)); });
  packing.zero_bits = in_cell(row, "domain", parse_domain);
  packing.takes = in_cell(row, "takes", parse_takes);
  return packing;
}

std::vector<PackingNeighbour> neighbours(const Packing& packing) { return Edits(packing).all(); }

const Flow& packing_flow() {
  static const Flow flow{
      .name = "pack",
      .says = "word",
      .files = {"quant_pack.csv"},
      .columns = {"word", "domain", "takes", "layouts", "pad"},
      .check = [](const ContractTables&, const ContractRow& row) { (void)read_packing(row); },
  };
  return flow;
}

}  // namespace assay
