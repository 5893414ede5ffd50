#include "reference/units/words.h"

#include <charconv>

#include "reference/exact/expression.h"
#include "reference/table/near.h"

namespace assay {

CellWords::CellWords(const UnitRow& row, const std::string& column) : row_(row), column_(column) {
  try {
    words_ = read_cell(row.text(column));
  } catch (const ParseError& error) {
    throw row.error(column, error.position, error.what());
  }
}

bool CellWords::next_is(const std::string& word, size_t arguments) {
  if (at_ == words_.size() || words_[at_].word != word || words_[at_].arguments.size() != arguments) return false;
  ++at_;
  return true;
}

TableError CellWords::error(const std::string& problem) const {
  return row_.error(column_, words_.at(at_ - 1).position, problem);
}

int CellWords::integer(size_t argument, int least, int most) const {
  return number(words_.at(at_ - 1).arguments.at(argument), least, most);
}

int CellWords::whole(int least, int most) {
  if (words_.size() != 1) throw row_.error(column_, 0, "expected one integer");
  return number({words_[at_++].text, 0}, least, most);
}

int CellWords::number(const CellArgument& text, int least, int most) const {
  int value = 0;
  const char* const last = text.text.data() + text.text.size();
  const auto [end, status] = std::from_chars(text.text.data(), last, value);
  if (status != std::errc() || end != last || value < least || value > most)
    throw row_.error(column_, text.position,
                     "'" + text.text + "' is no integer from " + std::to_string(least) + " to " + std::to_string(most));
  return value;
}

uint32_t CellWords::hexadecimal(size_t argument, int bits) const {
  const CellArgument& text = words_.at(at_ - 1).arguments.at(argument);
  uint32_t value = 0;
  const char* const last = text.text.data() + text.text.size();
  const auto [end, status] = std::from_chars(text.text.data(), last, value, 16);
  if (status != std::errc() || end != last || (bits < 32 && value >> bits != 0))
    throw row_.error(column_, text.position, "'" + text.text + "' is no hexadecimal number of " + std::to_string(bits) + " bits");
  return value;
}

void CellWords::expected(std::initializer_list<const char*> forms) const {
  std::vector<std::string> known;
  std::string all;
  for (const char* form : forms) {
    known.push_back(std::string(form).substr(0, std::string(form).find('(')));
    all.append(all.empty() ? "" : ", ").append(form);
  }
  if (at_ == words_.size()) throw row_.error(column_, row_.text(column_).size(), "expected one of: " + all);
  const CellStep& word = words_[at_];
  throw row_.error(column_, word.position,
                   "'" + word.text + "' is not one of: " + all +
                       (near_matches(word.word, known).empty() ? "" : did_you_mean(word.word, known)));
}

void CellWords::end(const char* after) const {
  if (at_ == words_.size()) return;
  throw row_.error(column_, words_[at_].position, "'" + words_[at_].text + "' is not allowed after " + after);
}

}  // namespace assay
