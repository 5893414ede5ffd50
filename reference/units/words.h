// Parser for the words of one cell.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "reference/recipe/cell.h"
#include "reference/units/table.h"

namespace assay {

class CellWords {
 public:
  /// Throws TableError if the cell is not a list of words.
  CellWords(const UnitRow& row, const std::string& column);

  /// Consumes the next word if it is `word` with that many arguments.
  bool next_is(const std::string& word, size_t arguments = 0);
  /// An argument of the last consumed word as a decimal integer from `least` to `most`. Throws TableError.
  int integer(size_t argument, int least, int most) const;
  const CellArgument& argument(size_t argument) const { return words_.at(at_ - 1).arguments.at(argument); }
  /// The only word of the cell as such an integer.
  int whole(int least, int most);
  /// An argument of the last consumed word as a hexadecimal number of at most `bits` bits. Throws TableError.
  uint32_t hexadecimal(size_t argument, int bits) const;
  /// Returns the error to throw about the last consumed word.
  TableError error(const std::string& problem) const;

  /// Throws TableError at the next word or at the end of the cell, listing the allowed forms.
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
