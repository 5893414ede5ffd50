// Mutants of a contract: the contract with one mistake. They measure a data set's mutation score, tell whether a case can fail at
// all, and serve as hypotheses of the diagnosis. This code knows no particular contract, fault or kernel.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "reference/flow/contract.h"
#include "reference/recipe/recipe.h"

namespace assay {

// Mutations of one row of a contract table: of its parsed steps, and of what the bound row does with them. An op kind's own
// mutations are in its folder and are built from these. recipe/verbs.cpp defines the alternatives of each verb.

/// A step of a cell during mutation.
struct EditedStep {
  CellStep step;
  std::string label;     ///< its text in the row, with #2 for the second step with that text
  bool edited = false;   ///< already mutated
  bool rounded = false;  ///< a rounding to 16 bits follows in the row
  size_t place = 0;      ///< index of an unmodified step in the row's cell
};
using EditedCell = std::vector<EditedStep>;

/// Kinds of mutations that some ops treat specially. Names of mutants are for people; no code depends on them.
enum class EditKind : uint8_t {
  kOther,
  kRoundingOfResult,  ///< the rounding of y to the format of x: another one, one more or none
  kNoPowerOfTwo,      ///< a scale is not rounded to a power of two
  kPartOfHead,        ///< which elements of a head are rotated; none if all are
};

/// Whether a step converts to one of these formats.
bool rounds_to(const CellStep& step, std::initializer_list<const char*> formats);

/// A row under mutation; no place is mutated twice.
class EditedRow {
 public:
  explicit EditedRow(const ContractRow& row);

  struct Edit;
  /// Every mutation that is still possible, in cell order. With `behind_activation` (the row follows an activation), also scales
  /// computed in its 16-bit format; with `before_others` (stages follow), also a norm or activation without its last rounding.
  std::vector<Edit> edits(const ContractTables& tables, const Format& x, bool behind_activation, bool before_others) const;
  Link bind(const Format& x) const;

 private:
  friend class RowEdits;
  ContractRow row_;
  std::map<std::string, EditedCell> cells_;
  std::set<std::string> edited_parts_;  ///< columns, and parts of the op kind, that a mutation has changed as a whole
  std::vector<std::function<void(Link&)>> flow_edits_;
};

struct EditedRow::Edit {
  std::string name;
  EditedRow row;
  bool suspect = false;  ///< see Neighbour::suspect
  EditKind kind = EditKind::kOther;
};

/// Collects the mutants of a row for its op kind.
class RowEdits {
 public:
  RowEdits(const ContractTables& tables, const EditedRow& base, const Format& x, bool behind_activation, bool before_others)
      : tables_(tables),
        base_(base),
        row_(base.row_),
        x_(x),
        behind_activation_(behind_activation),
        before_others_(before_others) {}

  const ContractRow& row() const { return row_; }
  const Format& x() const { return x_; }
  const ContractTables& tables() const { return tables_; }
  /// The unmodified steps of a column, from which its mutants are made.
  const EditedCell& steps(const std::string& column) const { return base_.cells_.at(column); }
  /// True if a mutation has changed that column, or part of the op kind, as a whole.
  bool is_edited(const std::string& part) const { return base_.edited_parts_.contains(part); }

  /// Adds all mutants of the steps of a column.
  void cell(const std::string& column);
  /// Adds a mutant for each other value that similar rows have in this column; for integer codes also the next lower and higher
  /// number.
  void constants(const std::string& column, EditKind kind = EditKind::kOther);
  /// True if an argument of a step, or a part of it as in 1/(512*M), is that constant.
  bool reads_constant(const std::string& name) const;
  /// Adds a mutation of what the op kind does. `part` names what changes; adds nothing if this row has a mutation of that part.
  void flow_edit(const std::string& part, const std::string& name, std::function<void(Link&)> change,
                 EditKind kind = EditKind::kOther);
  /// The same as a suspect.
  void suspect_flow_edit(const std::string& part, const std::string& name, std::function<void(Link&)> change);
  /// Replaces the steps of a column. The mutant's name is "column: what".
  void add(const std::string& column, const std::string& what, EditedCell tokens);
  void replace(const std::string& column, EditedCell tokens, size_t i, const CellStep& other);
  /// Adds a mutant that is not limited to a column; the caller changes `row`.
  EditedRow& add_whole(const std::string& name);
  /// The same as a suspect.
  EditedRow& suspect_whole(const std::string& name);
  static EditedCell& steps(EditedRow& row, const std::string& column) { return row.cells_.at(column); }
  static void set_text(EditedRow& row, const std::string& column, const std::string& text) { row.row_.cells[column].text = text; }
  static void mark_edited(EditedRow& row, const std::string& part) { row.edited_parts_.insert(part); }
  static EditedStep edited(const CellStep& step, const std::string& label) { return {step, label, true}; }
  /// Adds the steps of a column with one more at the end, as a suspect.
  void suspect_behind(const std::string& column, const std::string& what, const CellStep& last);
  /// Replaces a step by `other` in all cells where its text occurs.
  void in_all_cells(const std::string& name, const std::string& text, const CellStep& other);

  std::vector<EditedRow::Edit> finish() && { return std::move(edits_); }

 private:
  static bool has_integer_codes(const ContractRow& row);
  bool is_sibling(const ContractRow& row) const;
  void cut_evenly(EditedCell tokens, size_t i);
  void of_scale(const EditedCell& tokens);
  void drop(const std::string& column, EditedCell tokens, size_t i);
  void reciprocal(EditedCell tokens, size_t i);
  void round_once_more(const std::string& column, EditedCell tokens, size_t i);
  void exponent_in_bf16(const std::string& column, EditedCell tokens, size_t i);
  void exponents_of_scales();
  void exchange(const std::string& column, EditedCell tokens, size_t i);
  void other_operands(const std::string& column, const EditedCell& tokens, size_t i);
  std::vector<CellStep> swaps(const std::string& column, const CellStep& step) const;
  void siblings(const std::string& column, const CellStep& step, std::vector<CellStep>& others) const;

  const ContractTables& tables_;
  const EditedRow& base_;
  const ContractRow& row_;
  const Format& x_;
  bool behind_activation_, before_others_;
  std::vector<EditedRow::Edit> edits_;
};

class EditedRow;

struct Neighbour {
  std::string name;  ///< such as "scale: pow2(ceil) -> pow2(floor)"; `to(x)#2` is the second step with that text in its cell
  Contract contract;
  std::vector<std::shared_ptr<const EditedRow>> rows;  ///< its mutated rows; neighbours_of() continues from them
  /// Used only by the diagnosis, and no data need kill it: a different contract rather than a mistake, or a mistake that only
  /// special data show.
  bool suspect = false;
  EditKind kind = EditKind::kOther;
  size_t right_links = SIZE_MAX;  ///< number of leading stages that are unmodified
};

/// Mutants of every cell of every row of the contract: a step is dropped or replaced, another row's constant is used, a value is
/// rounded once more, operands of an addition are swapped, eps is moved out of the root. Also mutants of how the op kind combines
/// cells: amax over two groups or half a group, a range over half a group, a sum over nothing or half a row, 10 * eps in place of
/// eps, 1 + w in place of the weight w. Names are unique.
std::vector<Neighbour> neighbours(const ContractTables& tables, const std::string& id, const Format& x);

/// The unmodified contract.
Neighbour unedited(const ContractTables& tables, const std::string& id, const Format& x);

/// Pairs of mistakes: mutants of the steps that the first mutation left unchanged. Each is named after the second mutation alone,
/// as in the unmodified contract.
std::vector<Neighbour> neighbours_of(const ContractTables& tables, const Neighbour& first, const Format& x);

}  // namespace assay
