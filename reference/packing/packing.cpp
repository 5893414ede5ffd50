#include "reference/packing/packing.h"

#include <algorithm>

#include "reference/exact/expression.h"

namespace assay {
namespace {

/// Values of a word of that contract: as many as its text names.
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
        throw ParseError(begin + percent + 1, "after % stands what the number of rows is a multiple of");
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

}  // namespace assay
