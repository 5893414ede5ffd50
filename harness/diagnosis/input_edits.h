// Mistakes in how a kernel of any op reads an input: a neighbouring index, one element read for several, columns that a sum or a
// maximum leaves out. Each mistake is modelled as a change of the input's data, so ops need no code for them.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/core/case.h"
#include "harness/core/expectation.h"
#include "harness/core/tensor.h"
#include "harness/diagnosis/wrong_part.h"

namespace assay {

/// One mistake in reading an input.
struct InputEdit {
  size_t tensor = 0;  ///< index in Problem::tensors
  std::string name;   ///< "x: [i, j] with j mod 8 = 3 is read from [i, j + 1]"
  /// The element that the kernel reads in the place of [row, column]; kZero: it uses 0. Positions are clamped to the tensor.
  std::function<std::pair<int64_t, int64_t>(int64_t row, int64_t column)> source;
  /// Columns that a sum or a maximum leaves out. An output element computed from such an element itself is not compared.
  std::function<bool(int64_t column)> leaves_out = {};
  double share = 0;    ///< fraction of the columns that is left out
  /// Elements for which the kernel reads memory outside the tensors of the call, so that the value is unknown. An output element
  /// that is computed from one of them is not compared.
  std::function<bool(int64_t row, int64_t column)> unknown = {};
  /// As `unknown`, for whole rows: an output row that depends on such a row is not compared.
  std::function<bool(int64_t row)> unknown_rows = {};
  /// For codes that the kernel misreads: the code that it uses in the place of `code`.
  std::function<uint32_t(uint32_t code)> code = {};
  /// Elements that the kernel never loads: it uses `fill`, the code that a compiler writes into variables without an initial
  /// value.
  std::function<bool(int64_t row, int64_t column)> filled = {};
  uint32_t fill = 0;
  std::vector<InputEdit> with = {};  ///< the same mistake in other inputs, which one function reads
  std::vector<size_t> also = {};  ///< other tensors of the same shape that are read in the same way
  bool plain = false;  ///< reads the neighbouring element or row; such edits are tried first
  /// The name holds for inputs of all sizes. Such an edit is tried before edits whose names give sizes of this case. If it fits, the others
  /// are tried too, because other cases tell which of them is right.
  bool general = false;
  bool late = false;  ///< one of many edits, which are tried after all others
  bool is_everywhere = false;  ///< no cause of errors in some places only

  Problem applied(const Problem& problem) const;  ///< a copy of `problem` with the inputs as the kernel reads them
};
inline constexpr std::pair<int64_t, int64_t> kZero = {-1, -1};

/// The edits of all inputs, except edits that need a larger input to show. `products`: multiply-accumulates of an output element.
std::vector<InputEdit> input_edits(const Problem& problem, int64_t products);

/// Edits for inputs that a kernel reads from a variable before it sets it, or whose last column it does not load
/// (unset_values.cpp). Their outputs are seldom unknown: with GCC's -ftrivial-auto-var-init=pattern, all bytes of such a variable
/// are 0xfe, which is about -1.69e38 in bf16 and fp32.
std::vector<InputEdit> unset_edits(const Problem& problem);

/// Edits that read an input in dense storage at a wrong address: bits of the offset or a stride are lost, or a quotient is wrong
/// (address_edits.cpp).
std::vector<InputEdit> address_edits(const Problem& problem, size_t tensor);
/// The same in two inputs at once, if they have one format and names such as scale_a and scale_b: one function finds the address
/// of both.
std::vector<InputEdit> address_edits_of_pairs(const Problem& problem);

/// Wrong positions within vectors, if rows lie behind one another and the number of columns is no multiple of the vector:
/// "x: [i, j] with j mod 4 = 1 is read from [i, j + 1], j counted over all rows" (flat_vectors.cpp).
std::vector<InputEdit> flat_vector_edits(const Problem& problem, size_t tensor);

/// Edits for elements that a loop over a vector skips, so that the kernel uses 0 for them: in an input, or in all terms of a sum
/// over ranks (address_edits.cpp).
std::vector<InputEdit> skipped_elements(const Problem& problem);

/// Swaps neighbouring runs of `away` columns, from column `first` on, if both lie in one vector of `period` columns. That changes
/// no sum and no maximum over whole vectors. input_edits() does not return this edit, and its name is empty.
InputEdit exchanged_in_pairs(const Problem& problem, size_t tensor, int64_t away, int64_t first, int64_t period);

/// Whether a fit of the edit is evidence. False for raw bytes if less than a quarter of the elements that the edit moves change.
bool data_tell(const InputEdit& edit, const Problem& problem, const Problem& changed);

/// Whether output element [row, column] of `part` is compared under this edit. False if its value is unknown, see InputEdit.
bool is_judged(const InputEdit& edit, const Problem& problem, const Answer& answer, const Part& part, int64_t row, int64_t column);

/// Finds the columns of x that an amax left out, if scales are too small for that reason. A stored scale tells which elements of
/// its group the amax must have missed, and which it must have included.
std::optional<Regularity> left_out_of_maxima(const BoundCase& bound, const Problem& problem,
                                             const std::vector<HostTensor>& outputs, WorkBudget& budget);

}  // namespace assay
