// Contracts whose kernels are compiled apart from the others, for the compiler's sake.
#pragma once

#include "kernels/ops/catalogue.h"

namespace assay_kernels {

/// By the contract that the call names, one of a list: NormBlockList or NormTokenList (rules.h), NormAiterList, NormAiterTokenList or
/// NormGatedList (aiter.h), NormRankTokenList or NormRankGroupList (behind_ranks.h).
void run_norm_block(const Call& call);
void run_norm_aiter(const Call& call);
void run_norm_token(const Call& call);
void run_norm_aiter_token(const Call& call);
void run_norm_gated(const Call& call);
void run_norm_rank_token(const Call& call);
void run_norm_rank_group(const Call& call);

Kernel norm_of_mx_blocks();

}  // namespace assay_kernels
