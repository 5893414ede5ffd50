// A parsed cell: words with arguments, before names are resolved. Mutants of a contract edit these.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace assay {

/// The text after '~' of a step.
struct CellSlack {
  std::string text = {};  ///< "~2"; empty if there is none
  int ulps = 0;
  double per_unit = 0, relative = 0;
  bool fma = false;
  bool given() const { return !text.empty(); }
};

struct CellArgument {
  std::string text;
  size_t position = 0;
};

/// One word of a cell: a step "to(x,rz)", a reduction "absmax", a working format "bf16:" or a start "lo:".
struct CellStep {
  std::string word;  ///< "to"; for a prefix with its colon, "bf16:"
  std::vector<CellArgument> arguments = {};
  CellSlack slack = {};
  std::string text = {};  ///< as written
  size_t position = 0;    ///< in the cell; 0 for a step created by an edit

  /// A step created by an edit; `slack` as written.
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

/// The text of a cell with these steps.
std::string text_of(const std::vector<CellStep>& steps);

/// Whether an argument is a quantity of the op kind: lower-case letters such as `ub`. Constants are numbers or capitals.
bool is_quantity(std::string_view argument);

}  // namespace assay
