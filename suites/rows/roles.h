// Tensors and numbers that several ops take, in the words that `assay list --op` and `assay explain` print for authors of
// plug-ins.
#pragma once

#include "harness/core/op.h"

namespace assay::roles {

inline const RoleSpec kX{"x", Access::kIn, "[m, n]: the numbers, row by row; rows may lie further apart than n"};
inline const RoleSpec kHalves{"x", Access::kIn,
                              "[m, 2 n]: a gate and an up half in each row; the contract says which of them comes first"};
inline const RoleSpec kResidual{"residual", Access::kInOut, "[m, n]: added to x, and then overwritten by the sum"};
inline const RoleSpec kGamma{"gamma", Access::kIn, "[n]: the weight of each column"};
inline const RoleSpec kBeta{"beta", Access::kIn, "[n]: what is added to each column behind the weight"};
inline const RoleSpec kGate{
    "gate", Access::kIn, "[m, n] in the format of x: its activation multiplies what the norm made; of contracts that take one"};
inline const RoleSpec kY{"y", Access::kOut, "[m, n] in the format of x"};
inline const RoleSpec kQ{"q", Access::kOut, "[m, n]: the codes, row-major and dense"};
inline const RoleSpec kScale{"scale", Access::kOut,
                             "a scale for each group, where the case's layout puts it; code times scale is the number"};
inline const RoleSpec kScaleGiven{"scale", Access::kIn, "the scale of each group, where the case's layout puts it"};
inline const RoleSpec kAzp{"azp", Access::kOut, "[rows, groups] int32: the zero point of each scale"};
inline const RoleSpec kAzpGiven{"azp", Access::kIn,
                                "[rows, groups] int32: the zero point of each scale; of contracts that take one"};
inline const RoleSpec kSlots{"slot_mapping", Access::kIn,
                             "int64: the place of each token, block x block_size + position; negative: the token is not stored. "
                             "It may be shorter than the tokens, which are then not stored either"};
inline const RoleSpec kCacheBuffer{
    "kv_cache", Access::kInOut, "[blocks, bytes of a block] uint8: comes with data, and only the records of the tokens change"};
inline const RoleSpec kCosSin{"cos_sin_cache", Access::kIn,
                              "[positions, rotary]: of each position the cosines of all pairs and then their sines"};
inline const RoleSpec kPositions{"positions", Access::kIn, "[m] int64: the position of each token, a row of cos_sin_cache"};

inline const ParameterSpec kWarp{"warp", "lanes of a warp that a CPU library shall use; a device has its own"};
inline const ParameterSpec kEps{"eps", "added to the mean square, or to the variance, before its root"};
inline const ParameterSpec kGroupSize{"group_size", "columns that share a scale"};
inline const ParameterSpec kGroupRows{"group_rows", "rows that share a scale"};
inline const ParameterSpec kScaleUb{"scale_ub", "bound of amax; of contracts that take one"};
inline const ParameterSpec kTileRows{"scale_tile_rows",
                                     "rows of the tile that a swizzled layout of scales repeats; absent for other layouts"};
inline const ParameterSpec kTileColumns{"scale_tile_columns", "columns of that tile"};
inline const ParameterSpec kBlockSize{"block_size", "tokens of a block of the cache"};
inline const ParameterSpec kQHeads{"q_heads", "heads of Q in a row"};

}  // namespace assay::roles
