// The words of one cell, taken one after another.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "reference/recipe/cell.h"
#include "reference/units/table.h"

namespace assay {

class CellWords {
 public:
  /// Throws TableError if the cell is no list of words.
  CellWords(const UnitRow& row, const std::string& column);

  /// Goes past the next word if it is this one with so many arguments.
  bool next_is(const std::string& word, size_t arguments = 0);
  /// Of the word gone past last: a decimal integer from `least` to `most`. Throws TableError.
  int integer(size_t argument, int least, int most) const;
  const CellArgument& argument(size_t argument) const { return words_.at(at_ - 1).arguments.at(argument); }
  /// The cell's one word as such an integer.
  int whole(int least, int most);
  /// Likewise a number in hexadecimal of at most so many bits.
  uint32_t hexadecimal(size_t argument, int bits) const;
  /// The error to throw about the word gone past last.
  TableError error(const std::string& problem) const;

  /// Throws TableError at the next word, or behind the last, saying what may stand there.
  [[noreturn]] void expected(std::initializer_list<const char*> forms) const;
  bool at_end() const { return at_ == words_.size(); }
  /// Throws TableError if a word is left.
  void end(const char* after) const;

 private:
  int number(const CellArgument& text, int least, int most) const;

  const UnitRow& row_;
  std::string column_;
  std::vector<CellStep> words_;
  size_t at_ = 0;
};

}  // namespace assay
