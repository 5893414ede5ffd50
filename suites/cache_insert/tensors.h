// Creates the tensors shared by ops of paged caches.
#pragma once

#include "harness/core/op.h"
#include "suites/cache_insert/cache_case.h"

namespace assay {

/// Random streams of the tensors of a cache insertion. Golden data depend on them: a new tensor takes a new number.
enum class CacheStream : uint32_t {
  kFirst = 0,   ///< the first or only matrix of tokens
  kSecond = 1,  ///< the second one
  kScales = 2,  ///< the first vector of scales; the next one has the next number
  kSlots = 11,
  kBytes = 12,  ///< of the cache before the call
  kAngles = 13,
  kPositions = 14,
  kBesideHeads = 15,  ///< tokens that are stored in the launch that normalizes heads
  kWeights = 16
};

/// Input [m, columns] in the format of x; `tensor` as in FillRequest. Rows beyond the slots hold NaN: they are
/// nobody's. So does what lies between rows that the case wants apart.
HostTensor token_matrix(const std::string& name, const CacheCase& c, int64_t columns, const std::string& fill, CacheStream stream);
/// Input norm_weight [numbers of a token] in the format of x, of a contract with a norm.
inline constexpr const char* kNormWeight = "norm_weight";
HostTensor norm_weight(const CacheCase& c);
/// Input slot_mapping, int64.
HostTensor slot_mapping(const CacheCase& c);
/// For a contract that takes scales: input scale, or one per coded part of the record, such as k_scale. One value per group of
/// that part.
std::vector<HostTensor> cache_scales(const CacheCase& c);
std::vector<std::string> cache_scale_names(const CacheCase& c);
/// Input cos_sin_cache [kPositions, rotary], fp32, as in qk_norm_rope.
inline constexpr int64_t kPositions = 1024;
HostTensor cos_sin_cache(const CacheCase& c, int64_t rotary);
/// Input positions [m], int64: random rows of cos_sin_cache; 0 for the first token.
HostTensor positions_of(const CacheCase& c);
/// The buffer [blocks, bytes of a block] with random bytes, so that a write anywhere is detected.
HostTensor cache_before(const std::string& name, const CacheCase& c);

}  // namespace assay
