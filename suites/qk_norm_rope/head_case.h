// One case of the ops whose rows are heads: qk_norm_rope, q_norm_rope.
#pragma once

#include <memory>
#include <string>

#include "harness/core/bound_case.h"
#include "reference/flow/contract.h"
#include "suites/rows/cells.h"

namespace assay {

/// How the numbers of the tensor `positions` run.
enum class Positions { kAscending, kScattered, kRepeated };
/// "ascending", "scattered", "repeated".
const char* name(Positions positions);

/// What heads look like, of a case whose table says it, or of one whose op knows it.
struct HeadLayout {
  int64_t n = 0, rotary = 0;     ///< numbers of a head; those that are rotated
  const Format* cache = nullptr;  ///< of cosines and sines
  int64_t max_position = 0;      ///< rows of the cache
  Positions positions = Positions::kAscending;
  std::string fill;
};

struct HeadCase {
  std::string contract;
  std::shared_ptr<const Contract> bound;          ///< the contract for the format of the heads
  const Format* x = nullptr;                      ///< of heads and weights
  const Format* cache = nullptr;                  ///< of cosines and sines
  int64_t m = 0;                                  ///< tokens
  int64_t q_heads = 0, k_heads = 0, v_heads = 0;  ///< of a token, in this order
  int64_t padded_heads = 0;                       ///< of the result, if it is a tensor of its own
  int64_t n = 0, rotary = 0;                      ///< numbers of a head; those that are rotated
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

/// Reads the columns that are there. Throws TableError naming row and column: a contract that rotates no heads, more rotated
/// numbers than a head has, a cache of a format that the contract does not take.
HeadCase read_head_case(const Case& c);
/// The same for a contract that the case's own names, of an op that is composed of others.
HeadCase read_head_case(const Cells& cells, const ContractRow& contract, const HeadLayout& layout);

CaseName head_name(const Case& c, const HeadCase& p);

/// Heads as the rows of a fill, in a tensor of tokens.
HostTensor heads_of(const HeadCase& p, const char* name, Role role);
/// Output q_out [m, padded_heads n].
HostTensor q_out_of(const HeadCase& p);

/// Inputs and outputs, in the order of the call.
Problem head_problem(const HeadCase& p);

}  // namespace assay
