// A case of the ops whose rows are heads: qk_norm_rope, q_norm_rope.
#pragma once

#include <memory>
#include <string>

#include "harness/core/bound_case.h"
#include "reference/flow/contract.h"
#include "suites/rows/cells.h"

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

}  // namespace assay
