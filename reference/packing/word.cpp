#include "reference/packing/word.h"

#include <charconv>

#include "reference/exact/expression.h"

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
  if (int(word.terms.size()) != values) parser.fail("a word of " + std::to_string(values) + " values needs a term for each");
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

}  // namespace assay
