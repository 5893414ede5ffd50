// What ops that rotate share: the cache of cosines and sines, how it is read, rightly and wrongly, and a rotation in words.
#pragma once

#include <string>
#include <vector>

#include "harness/core/op.h"
#include "reference/flow/contract.h"
#include "reference/flow/rope/rope.h"
#include "reference/flow/row.h"

namespace assay {

/// Input cos_sin_cache [positions, rotary]: cosines and then sines of each position, points of the unit circle, each position's
/// and pair's own: (1 - t^2, 2 t) / (1 + t^2), which no mathematical library changes. Position 0 turns nothing, as in every real
/// cache.
HostTensor unit_circle_cache(const Format& format, int64_t positions, int64_t rotary, uint64_t seed, uint32_t stream);

/// Where a kernel finds the angles of a token. A right one finds them as an AngleReading that is not changed.
struct AngleReading {
  int64_t later = 0;         ///< positions after the token's own
  bool own_numbers = false;  ///< the positions are the numbers of the tokens in the batch
  bool alternating = false;  ///< in the cache the sine of a pair follows its cosine
};

struct WrongAngles {
  const char* name;  ///< of the hypothesis
  AngleReading reading;
};
const std::vector<WrongAngles>& wrong_angles();

/// The token's number of the input positions, int64.
int64_t position_of_token(const Problem& problem, int64_t token);

/// From the inputs positions and cos_sin_cache, whose ends no reading leaves.
Angles angles_of_token(const Problem& problem, const AngleReading& reading, int64_t token);

/// In which pair number `column` of a head stands, if it is in one.
void append_pair(std::vector<std::string>& lines, const Rope& rope, const RowInputs& inputs, size_t column);

}  // namespace assay
