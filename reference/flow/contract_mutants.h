// Mutants of a contract: the contract with one mistake. They measure which mistakes the inputs can expose, tell whether a case
// can fail at all, and are the causes that the diagnosis tries. This code knows no particular contract, fault or kernel.
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

// Mutants of one contract row: of its parsed steps, and of how its op kind combines them. An op kind's folder builds its own
// mutants from these functions. recipe/verbs.cpp lists the alternatives of each verb.

/// A step of a cell, with what mutants did to it.
struct EditedStep {
  CellStep step;
  std::string label;     ///< its text in the row, with #2 for the second step with that text
  bool edited = false;   ///< already mutated
  bool rounded = false;  ///< in the row's cell, to(x) or to(bf16) follows this step
  size_t place = 0;      ///< index of this step in the table's cell, if no mutation has changed it
};
using EditedCell = std::vector<EditedStep>;

/// Kinds of mutants that some ops treat specially. Code distinguishes mutants by kind, never by name; names are for readers.
enum class EditKind : uint8_t {
  kOther,
  kRoundingOfResult,  ///< changes, repeats or drops the rounding of y to the format of x
  kNoPowerOfTwo,      ///< a scale is not rounded to a power of two
  kPartOfHead,        ///< changes which elements of a head are rotated; has no effect if all are
};

/// True if `step` is a conversion `to(F)` with F among `formats`.
bool rounds_to(const CellStep& step, std::initializer_list<const char*> formats);

/// A contract row with some mutations. No step is mutated twice.
class EditedRow {
 public:
  explicit EditedRow(const ContractRow& row);

  struct Edit;
  /// Every mutation that is still possible, in cell order. behind_activation: the stage before is an activation, so scales may
  /// also be computed in 16 bits. before_others: stages follow, so a norm or activation may also lack its last rounding.
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

/// Collects the mutants of one row.
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
  /// The steps of a column without mutations, from which mutants are made.
  const EditedCell& steps(const std::string& column) const { return base_.cells_.at(column); }
  /// True if a mutation has replaced that column, or that part of the op kind, as a whole.
  bool is_edited(const std::string& part) const { return base_.edited_parts_.contains(part); }

  /// Adds the mutants of all steps of a column.
  void cell(const std::string& column);
  /// Adds a mutant for each other value that similar rows have in this column. For integer codes, also adds the next lower and
  /// the next higher number.
  void constants(const std::string& column, EditKind kind = EditKind::kOther);
  /// True if an argument of some step is the constant `name` or contains it, as 1/(512*M) contains M.
  bool reads_constant(const std::string& name) const;
  /// Adds a mutant that changes part `part` of the bound contract, not a cell. Does nothing if this part is mutated already.
  void flow_edit(const std::string& part, const std::string& name, std::function<void(Link&)> change,
                 EditKind kind = EditKind::kOther);
  /// Like flow_edit(), but the mutant is a suspect (Neighbour::suspect).
  void suspect_flow_edit(const std::string& part, const std::string& name, std::function<void(Link&)> change);
  /// Adds a mutant in which the column has these steps. Its name is "column: what".
  void add(const std::string& column, const std::string& what, EditedCell tokens);
  void replace(const std::string& column, EditedCell tokens, size_t i, const CellStep& other);
  /// Adds a mutant that may change several columns, and returns its row for the caller to change.
  EditedRow& add_whole(const std::string& name);
  /// Like add_whole(), but the mutant is a suspect.
  EditedRow& suspect_whole(const std::string& name);
  static EditedCell& steps(EditedRow& row, const std::string& column) { return row.cells_.at(column); }
  static void set_text(EditedRow& row, const std::string& column, const std::string& text) { row.row_.cells[column].text = text; }
  static void mark_edited(EditedRow& row, const std::string& part) { row.edited_parts_.insert(part); }
  static EditedStep edited(const CellStep& step, const std::string& label) { return {step, label, true}; }
  /// Adds a suspect: the steps of a column with one more step at the end.
  void suspect_behind(const std::string& column, const std::string& what, const CellStep& last);
  /// Adds a mutant that replaces a step by `other` in every cell that contains this step.
  void in_all_cells(const std::string& name, const std::string& text, const CellStep& other);
  /// Like in_all_cells(), but the mutant is a suspect.
  void suspect_in_all_cells(const std::string& name, const std::string& text, const CellStep& other);

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
  /// True: only the diagnosis uses this mutant, and inputs need not expose it. It is another contract rather than a mistake, or
  /// only special inputs expose it.
  bool suspect = false;
  EditKind kind = EditKind::kOther;
  size_t right_links = SIZE_MAX;  ///< number of stages before the first mutated one; their results equal those of the contract
};

/// Mutants of every cell of every row of the contract. A step is dropped or replaced, another row's constant is used, a value is
/// rounded once more, operands of an addition are swapped, eps is moved out of the root. Also mutants of how the op kind combines
/// cells: amax over two groups or half a group, a range over half a group, a sum over nothing or half a row, 10 * eps instead of
/// eps, 1 + w instead of the weight w. Names are unique.
std::vector<Neighbour> neighbours(const ContractTables& tables, const std::string& id, const Format& x);

/// The contract without mutations, in the form of a mutant.
Neighbour unedited(const ContractTables& tables, const std::string& id, const Format& x);

/// Contracts with two mistakes: the mistake of `first`, and one in the steps that `first` left unchanged. Each contract has the
/// name that its second mistake has in neighbours().
std::vector<Neighbour> neighbours_of(const ContractTables& tables, const Neighbour& first, const Format& x);

}  // namespace assay
