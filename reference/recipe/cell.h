// A cell as it is read: its words with their arguments, before names stand for numbers. Edits of a contract are edits of these.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace assay {

/// What stands after '~' of a step.
struct CellSlack {
  std::string text = {};  ///< "~2"; empty without one
  int ulps = 0;
  double per_unit = 0, relative = 0;
  bool fma = false;
  bool given() const { return !text.empty(); }
};

struct CellArgument {
  std::string text;
  size_t position = 0;
};

/// One word of a cell: a step "to(x,rz)", a reduction "absmax", a working format "bf16:" or a beginning "lo:".
struct CellStep {
  std::string word;  ///< "to"; of a prefix with its colon, "bf16:"
  std::vector<CellArgument> arguments = {};
  CellSlack slack = {};
  std::string text = {};  ///< as it is written
  size_t position = 0;    ///< in the cell; 0 in a step that an edit has made

  /// One that an edit makes; `slack` as it is written.
  static CellStep made(const std::string& word, std::initializer_list<std::string> arguments = {}, const CellSlack& slack = {});
  static CellStep made(const std::string& word, const std::vector<std::string>& arguments, const CellSlack& slack = {});

  /// The argument, or nothing if there are fewer.
  std::string argument(size_t i) const { return i < arguments.size() ? arguments[i].text : std::string(); }
  /// Texts of the arguments.
  std::vector<std::string> argument_texts() const;
  bool has_argument(std::string_view text) const;
  bool is_prefix() const { return word.ends_with(':'); }
};

/// Throws ParseError with the position in the cell.
std::vector<CellStep> read_cell(std::string_view cell);

/// The cell that reads as these steps.
std::string text_of(const std::vector<CellStep>& steps);

/// Whether an argument is named by the flow: letters, as in `ub`, where constants are numbers and capitals.
bool is_quantity(std::string_view argument);

}  // namespace assay
