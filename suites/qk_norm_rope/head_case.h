// The ops whose rows are heads (qk_norm_rope, q_norm_rope): case, inputs of the reference, mutants, trace.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "harness/core/case.h"
#include "harness/core/op.h"
#include "reference/flow/contract.h"
#include "reference/flow/rope/rope.h"
#include "suites/rows/case_cells.h"
#include "suites/rows/row_tensors.h"

namespace assay {

/// Order of the values of the tensor `positions`.
enum class Positions { kAscending, kScattered, kRepeated };
/// "ascending", "scattered", "repeated".
const char* name(Positions positions);

/// Shape of heads, from the case table or from the op.
struct HeadLayout {
  int64_t n = 0, rotary = 0;     ///< elements per head; rotated elements
  const Format* cache = nullptr;  ///< format of cosines and sines
  int64_t max_position = 0;      ///< rows of the cache
  Positions positions = Positions::kAscending;
  std::string fill;
};

struct HeadCase {
  std::string contract;
  std::shared_ptr<const Contract> bound;          ///< the contract for the format of the heads
  const Format* x = nullptr;                      ///< format of heads and weights
  const Format* cache = nullptr;                  ///< format of cosines and sines
  int64_t m = 0;                                  ///< tokens
  int64_t q_heads = 0, k_heads = 0, v_heads = 0;  ///< per token, in this order
  int64_t padded_heads = 0;                       ///< heads of the result, if it is a separate tensor
  int64_t n = 0, rotary = 0;                      ///< elements per head; rotated elements
  int64_t max_position = 0;                       ///< rows of the cache
  double eps = 0;
  Positions positions = Positions::kAscending;
  std::string fill, gamma;
  uint64_t seed = 0;
  int warp = 0;

  int64_t heads() const { return q_heads + k_heads + v_heads; }
  int64_t columns() const { return heads() * n; }
  bool in_place() const { return padded_heads == 0; }
};

/// Parses the columns that exist. Throws TableError naming row and column: a contract without rotation, more rotated elements
/// than a head has, or a cache format that the contract does not support.
HeadCase read_head_case(const Case& c);
/// The same for a contract that the case's own contract refers to, in a composed op.
HeadCase read_head_case(const Cells& cells, const ContractRow& contract, const HeadLayout& layout);

CaseName head_name(const Case& c, const HeadCase& p);

/// A tensor of tokens, generated with heads as rows.
HostTensor heads_of(const HeadCase& p, const char* name, Role role);
/// Output q_out [m, padded_heads n].
HostTensor q_out_of(const HeadCase& p);

/// Inputs and outputs, in the order of the call.
Problem head_problem(const HeadCase& p);

// The accepted results for the heads of a case, and its mutants.

/// How a kernel finds its inputs. The default is correct.
struct HeadReading {
  AngleReading angles = {};
  bool q_weight_alone = false, k_weight_alone = false;  ///< one weight is used for heads of both kinds
  bool v_as_k = false;                                  ///< V heads are normalized and rotated too
  bool whole_head = false;                              ///< all elements are rotated; the angles repeat from the first
  const Format* angles_in = nullptr;                    ///< cosines and sines are rounded to this format
};

/// The reference's inputs for head `head` of a token.
RowInputs inputs_of_head(const HeadCase& c, const Problem& problem, const HeadReading& reading, int64_t token, int64_t head);

Expectation expect_heads(const Contract& contract, const HeadCase& c, const Problem& problem,
                         const std::vector<HostTensor>* outputs, const HeadReading& reading = {});

std::vector<Hypothesis> head_hypotheses(const HeadCase& c);

/// Implements BoundCase::situation.
std::string situation_of_heads(const HeadCase& c, const Problem& problem, const std::vector<HostTensor>& outputs);

// Trace of one number of a head.

/// `column` counts across the heads of the token.
std::vector<std::string> trace_head(const HeadCase& c, const Problem& problem, int64_t token, int64_t column);

// Shared by the ops that normalize and rotate heads.

/// Tensors and parameters of the op, besides those of the rotation.
Op head_op(std::string name, std::vector<RoleSpec> roles, std::vector<ParameterSpec> parameters,
           std::vector<std::string> columns);

}  // namespace assay
