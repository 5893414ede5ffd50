// Shared by ops with a rotary embedding: the cosine/sine cache, correct and wrong ways to read it, and descriptions.
#pragma once

#include <string>
#include <vector>

#include "harness/core/op.h"
#include "reference/flow/contract.h"
#include "reference/flow/rope/rope.h"
#include "reference/flow/row.h"

namespace assay {

/// Input cos_sin_cache [positions, rotary]: the cosines and then the sines of each position. They are rational points of the unit
/// circle, different for each position and pair: (1 - t^2, 2 t) / (1 + t^2). So no math library affects them. Position 0 does not
/// rotate, as in real caches.
HostTensor unit_circle_cache(const Format& format, int64_t positions, int64_t rotary, uint64_t seed, uint32_t stream);

/// Where a kernel finds the angles of a token. The default is correct.
struct AngleReading {
  int64_t later = 0;         ///< offset added to the token's position
  bool own_numbers = false;  ///< the position is the token's index in the batch
  bool alternating = false;  ///< the sine of a pair follows its cosine in the cache
};

struct WrongAngles {
  const char* name;  ///< name of the hypothesis
  AngleReading reading;
};
const std::vector<WrongAngles>& wrong_angles();

/// The token's entry in the input positions (int64).
int64_t position_of_token(const Problem& problem, int64_t token);

/// Read from the inputs positions and cos_sin_cache; no reading leaves the cache.
Angles angles_of_token(const Problem& problem, const AngleReading& reading, int64_t token);

/// Adds which pair column `column` of a head belongs to, if any.
void append_pair(std::vector<std::string>& lines, const Rope& rope, const RowInputs& inputs, size_t column);

}  // namespace assay
