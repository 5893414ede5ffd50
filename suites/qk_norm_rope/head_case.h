// The ops that normalize and rotate heads (qk_norm_rope, q_norm_rope): case, inputs of the reference, mutants, trace.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "harness/core/case.h"
#include "harness/core/op.h"
#include "reference/flow/contract.h"
#include "reference/flow/row.h"
#include "suites/rows/case_cells.h"
#include "suites/rows/row_tensors.h"

namespace assay {

/// How the values of the tensor `positions` follow each other.
enum class Positions { kAscending, kScattered, kRepeated };
/// The word in case tables: "ascending", "scattered" or "repeated".
const char* name(Positions positions);

/// Properties of the heads that come from the case table in some ops and from the op itself in others.
struct HeadLayout {
  int64_t n = 0, rotary = 0;     ///< elements of a head; how many of them are rotated
  const Format* cache = nullptr;  ///< format of cos_sin_cache
  int64_t max_position = 0;      ///< rows of cos_sin_cache
  Positions positions = Positions::kAscending;
  std::string fill;
};

struct HeadCase {
  std::string contract;
  std::shared_ptr<const Contract> bound;          ///< the contract, bound to the format of the heads
  const Format* x = nullptr;                      ///< format of heads and weights
  const Format* cache = nullptr;                  ///< format of cos_sin_cache
  int64_t m = 0;                                  ///< number of tokens
  int64_t q_heads = 0, k_heads = 0, v_heads = 0;  ///< heads of a token, in this order
  int64_t padded_heads = 0;                       ///< heads of a token in q_out, if the result is a separate tensor; 0: in place
  int64_t n = 0, rotary = 0;                      ///< elements of a head; how many of them are rotated
  int64_t max_position = 0;                       ///< rows of cos_sin_cache
  double eps = 0;
  Positions positions = Positions::kAscending;
  std::string fill, gamma;
  uint64_t seed = 0;
  int warp = 0;

  int64_t heads() const { return q_heads + k_heads + v_heads; }
  int64_t columns() const { return heads() * n; }
  bool in_place() const { return padded_heads == 0; }
};

/// Parses the columns that the case has. Throws TableError with row and column for a contract without rotation, for more rotated
/// elements than a head has, and for a cache format that the contract does not support.
HeadCase read_head_case(const Case& c);
/// The same for a composed op: `contract` is one of the contracts that the case's contract refers to.
HeadCase read_head_case(const Cells& cells, const ContractRow& contract, const HeadLayout& layout);

CaseName head_name(const Case& c, const HeadCase& p);

/// A tensor with the heads of all tokens. The input generator treats each head as a row.
HostTensor heads_of(const HeadCase& p, const char* name, Role role);
/// Output q_out [m, padded_heads * n].
HostTensor q_out_of(const HeadCase& p);

/// The call: all inputs and outputs.
Problem head_problem(const HeadCase& p);

// The accepted outputs of a case of heads, and its mutants.

/// How a kernel reads its inputs. The defaults are correct; others describe mutants.
struct HeadReading {
  AngleReading angles = {};
  bool q_weight_alone = false, k_weight_alone = false;  ///< the weight of Q (or of K) is used for the heads of both
  bool v_as_k = false;                                  ///< heads of V are also normalized and rotated
  bool whole_head = false;                              ///< all elements are rotated, and the angles repeat from the first one
  const Format* angles_in = nullptr;                    ///< cosines and sines are rounded to this format
};

/// The reference's inputs for head `head` of a token.
RowInputs inputs_of_head(const HeadCase& c, const Problem& problem, const HeadReading& reading, int64_t token, int64_t head);

Expectation expect_heads(const Contract& contract, const HeadCase& c, const Problem& problem,
                         const std::vector<HostTensor>* outputs, const HeadReading& reading = {});

std::vector<Hypothesis> head_hypotheses(const HeadCase& c);

/// Implements BoundCase::situation: the text of a cause that is recognized from the wrong heads, or "".
std::string situation_of_heads(const HeadCase& c, const Problem& problem, const std::vector<HostTensor>& outputs);

// Trace of one element of a head.

/// `column` counts the elements of all heads of the token.
std::vector<std::string> trace_head(const HeadCase& c, const Problem& problem, int64_t token, int64_t column);

// Makes the ops that normalize and rotate heads.

/// `roles`, `parameters`: the op's tensors and parameters besides those of the rotation.
Op head_op(std::string name, std::vector<RoleSpec> roles, std::vector<ParameterSpec> parameters,
           std::vector<std::string> columns);

}  // namespace assay
