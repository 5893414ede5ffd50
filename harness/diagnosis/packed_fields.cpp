// Words that a kernel builds from shifted codes, with one wrong shift.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "harness/diagnosis/wrong_part.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

constexpr int kWidest = 32;

uint64_t shifted(uint64_t code, int by) { return by >= 0 ? code << by : code >> -by; }

/// A word of the output: the codes that it should consist of, and what it holds.
struct Word {
  std::vector<uint64_t> codes;
  uint64_t held = 0;
  bool right = true;
};

/// The words of `fields` codes of a tensor whose rows are consecutive elements. Words with several accepted codes are left out.
std::vector<Word> words_of(const WrongPart& wrong, int64_t fields) {
  const Part& part = wrong.part();
  std::vector<Word> all;
  for (int64_t row = 0; row < part.rows(); ++row)
    for (int64_t column = 0; column + fields <= part.columns(); column += fields) {
      const int64_t first = part.offset(row, column);
      if (first % fields != 0 || part.offset(row, column + fields - 1) != first + fields - 1) return {};
      Word word;
      for (int64_t j = 0; j < fields; ++j) {
        const int64_t i = row * part.columns() + column + j;
        const std::optional<uint32_t> due = wrong.due(i);
        if (!due) break;
        word.codes.push_back(*due);
        word.held |= uint64_t(wrong.codes()[size_t(i)]) << (j * part.format->bits);
        word.right = word.right && *due == wrong.codes()[size_t(i)];
      }
      if (int64_t(word.codes.size()) == fields) all.push_back(std::move(word));
    }
  return all;
}

}  // namespace

Rule one_shift_of_a_word(const WrongPart& wrong) {
  const int bits = wrong.format().bits;
  constexpr size_t kFewestWords = 3, kFewestCodes = 2;
  if (bits > 16) return std::nullopt;
  for (int64_t fields = 2; fields * bits <= kWidest; fields *= 2) {
    const std::vector<Word> words = words_of(wrong, fields);
    const int width = int(fields) * bits;
    const uint64_t mask = (uint64_t{1} << width) - 1;
    if (size_t(std::count_if(words.begin(), words.end(), [](const Word& word) { return !word.right; })) < kFewestWords) continue;
    for (int64_t field = 0; field < fields; ++field)
      for (int by = width; by > -bits; --by) {  // a shift by `width` or more loses the code
        if (by == field * bits) continue;
        std::set<uint64_t> spilled;  // codes of the field whose bits are found in other fields
        const bool holds = std::all_of(words.begin(), words.end(), [&](const Word& word) {
          uint64_t others = 0;
          for (int64_t j = 0; j < fields; ++j)
            if (j != field) others |= word.codes[size_t(j)] << (j * bits);
          const uint64_t moved = shifted(word.codes[size_t(field)], by) & mask;
          if ((others | moved) != others && word.held != others) spilled.insert(word.codes[size_t(field)]);
          return (others | moved) == word.held;
        });
        if (!holds) continue;
        const auto failing = int64_t(wrong.failing().size());
        const std::string where = fmt::format("words of {} codes, in which code {} of each {}", fields, field, fields);
        if (spilled.size() >= kFewestCodes)
          return {
              {fmt::format("{} is shifted left by {} bits instead of {}: the words are built by OR from shifted codes, and one "
                           "shift is wrong",
                           where, by, field * bits),
               failing}};
        // Every kernel packs such scales in words, so a missing code has something to do with that.
        if (spilled.empty() && wrong.tensor().spec.format->bits > bits)
          return {{where + " is missing: its shift moves it out of the word, or it is left out when the word is built", failing}};
      }
  }
  return std::nullopt;
}

}  // namespace assay
