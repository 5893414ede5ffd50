// The kernel table of all_reduce, which describe() of the C ABI lists.
#include "kernels/ops/all_reduce/all_reduce_run.h"

namespace assay_kernels {
namespace {

using FromZeroNative = NativeRules<FromZeroRules>;
using Native = NativeRules<AbsoluteRules>;
using Flushing2 = FlushingSum<FromOwnerRules>;
using FlushingNative = NativeRules<FlushingSums>;
template <class Base>
using MinusZero = LamportRules<Base, MinusZeroIsEmpty>;

/// A two-shot all-reduce of unquantized elements; x has a single type.
template <class Rules>
Kernel fp_row(const char* contract, const char* numbers) {
  Kernel row = all_reduce_row("all_reduce.two_shot", {contract}, run_two_shot<Rules>, signals_and_buffer, true);
  row.accepts.front() = {"x", {numbers}};
  return row;
}

template <class Codec>
Kernel coded_row(const char* contract, const char* numbers = "f16") {
  Kernel row = all_reduce_row("all_reduce.coded", {contract}, run_coded<Codec>, coded_area);
  row.accepts.front() = {"x", {numbers}};
  return row;
}

/// A kernel with a contract of torch's symmetric memory, for bf16 and fp32.
template <class... Arguments>
Kernel symm_mem_row(Arguments... arguments) {
  Kernel row = all_reduce_row(arguments...);
  row.accepts.front() = {"x", {"bf16", "f32"}};
  return row;
}

/// A kernel with a contract of AITER for gfx942. Only bf16 is rounded differently on gfx942 and gfx950, so x must be bf16.
Kernel bf16_row(const char* name, const char* contract, void (*run)(const Call&, const Ranks&, int, int)) {
  Kernel row = all_reduce_row(name, {contract}, run);
  row.accepts.front() = {"x", {"bf16"}};
  return row;
}

template <class Rules>
Kernel owner_keeps_row(const char* contract, const char* numbers) {
  Kernel row = all_reduce_row("all_reduce.owner_keeps", {contract}, run_owner_keeps<Rules>, owner_keeps_area<Rules>);
  row.accepts.front() = {"x", {numbers}};
  return row;
}

}  // namespace

std::vector<Kernel> all_reduce_kernels() {
  const char *one = "all_reduce.one_shot", *two = "all_reduce.two_shot", *lamport = "all_reduce.lamport";
  return {
      not_in_place(all_reduce_row(one,
                                  {"vllm.all_reduce_1stage", "nccl.all_reduce_symmetric", "sglang.all_reduce_v2_pull@v0.5.16"},
                                  run_one_shot<AbsoluteRules>)),
      all_reduce_row("all_reduce.registered", {"vllm.all_reduce_1stage"}, run_registered<AbsoluteRules>),
      not_in_place(all_reduce_row(one, {"aiter.all_reduce_1stage"}, run_one_shot<FlushingSums>)),
      not_in_place(bf16_row(one, "aiter.all_reduce_1stage_gfx942", run_one_shot<CutOffSum<FlushingSums>>)),
      not_in_place(all_reduce_row(one, {"sglang.all_reduce_v2_pull"}, run_one_shot<FromZeroRules>)),
      all_reduce_row(two, {"vllm.all_reduce_2stage", "nccl.all_reduce_symmetric_rs"}, run_two_shot<FromOwnerRules>),
      all_reduce_row(two, {"aiter.all_reduce_2stage"}, run_two_shot<Flushing2>),
      bf16_row(two, "aiter.all_reduce_2stage_gfx942", run_two_shot<CutOffSum<Flushing2>>),
      all_reduce_row(two, {"flashinfer.all_reduce_twoshot", "aiter.all_reduce_2stage_write"}, run_two_shot<FlushingSums>),
      bf16_row(two, "aiter.all_reduce_2stage_write_bf16", run_two_shot<CutOffSum<FlushingSums>>),
      all_reduce_row(two, {"flashinfer.all_reduce_twoshot_native"}, run_two_shot<FlushingNative>, signals_and_buffer, true),
      all_reduce_row(two, {"sglang.all_reduce_v2_pull@v0.5.16"}, run_two_shot<AbsoluteRules>),
      all_reduce_row(two, {"sglang.all_reduce_v2_pull"}, run_two_shot<FromZeroRules>),
      fp_row<SaturatingRules<FromZeroRules>>("quickreduce.all_reduce_fp.gfx942", "f16"),
      fp_row<FromZeroNative>("quickreduce.all_reduce_fp.gfx950", "f16"),
      fp_row<FromZeroNative>("quickreduce.all_reduce_fp_bf16", "bf16"),
      fp_row<CastToHalf<FromZeroRules, true>>("quickreduce.all_reduce_fp_cast.gfx942", "bf16"),
      fp_row<CastToHalf<FromZeroRules, false>>("quickreduce.all_reduce_fp_cast.gfx950", "bf16"),
      fp_row<CastToHalf<FromZeroRules, true, 16>>("sglang.quick_all_reduce_fp_cast", "bf16"),
      all_reduce_row(lamport, {"flashinfer.all_reduce_oneshot"}, run_lamport<MinusZero<FlushingSums>>, minus_zero_area),
      all_reduce_row(lamport, {"flashinfer.all_reduce_oneshot_native"}, run_lamport<MinusZero<FlushingNative>>, minus_zero_area,
                     true),
      all_reduce_row(lamport, {"flashinfer.all_reduce_mnnvl_oneshot"}, run_lamport<MinusZero<FlushingSum<FromZeroRules>>>,
                     minus_zero_area),
      all_reduce_row(lamport, {"flashinfer.all_reduce_mnnvl_oneshot_16"},
                     run_lamport<MinusZero<ChunksOf8<FlushingSum<FromZeroRules>>>>, minus_zero_area),
      all_reduce_row(two, {"flashinfer.all_reduce_mnnvl_twoshot"}, run_two_shot<WithoutMinusZero<FlushingSum<FromZeroRules>>>),
      all_reduce_row(lamport, {"sglang.all_reduce_v2_push"}, run_lamport<LamportRules<FromZeroRules, PlusZeroIsEmpty>>,
                     plus_zero_area),
      all_reduce_row(lamport, {"sglang.all_reduce_v2_push@v0.5.16"}, run_lamport<LamportRules<AbsoluteRules, PlusZeroIsEmpty>>,
                     plus_zero_area),
      all_reduce_row(lamport, {"sglang.all_reduce_v2_push@v0.5.19"},
                     run_lamport<OfWords<LamportRules<AbsoluteRules, PlusZeroIsEmpty>>>, plus_zero_area),
      all_reduce_row("all_reduce.ring", {"assay.all_reduce_ring", "nccl.all_reduce_ring"}, run_ring<Native>),
      coded_row<IntegerCodec<128, true>>("quickreduce.all_reduce_int8.gfx942"),
      coded_row<IntegerCodec<128, false>>("quickreduce.all_reduce_int8.gfx950"),
      coded_row<IntegerCodec<8, true>>("quickreduce.all_reduce_int4.gfx942"),
      coded_row<IntegerCodec<8, false>>("quickreduce.all_reduce_int4.gfx950"),
      coded_row<IntegerCodec<32, true>>("quickreduce.all_reduce_int6.gfx942"),
      coded_row<IntegerCodec<32, false>>("quickreduce.all_reduce_int6.gfx950"),
      coded_row<IntegerCodec<4, true>>("quickreduce.all_reduce_int3.gfx942"),
      coded_row<IntegerCodec<4, false>>("quickreduce.all_reduce_int3.gfx950"),
      coded_row<Fp8Codec<false>>("quickreduce.all_reduce_fp8.gfx942"),
      coded_row<Fp8Codec<true>>("quickreduce.all_reduce_fp8_nosat.gfx950"),
      coded_row<IntegerCodec<128, true, simt::F16, simt::Bf16>>("quickreduce.all_reduce_int8_cast.gfx942", "bf16"),
      coded_row<IntegerCodec<128, false, simt::F16, simt::Bf16>>("quickreduce.all_reduce_int8_cast.gfx950", "bf16"),
      coded_row<IntegerCodec<32, true, simt::F16, simt::Bf16>>("quickreduce.all_reduce_int6_cast.gfx942", "bf16"),
      coded_row<IntegerCodec<32, false, simt::F16, simt::Bf16>>("quickreduce.all_reduce_int6_cast.gfx950", "bf16"),
      coded_row<IntegerCodec<8, true, simt::F16, simt::Bf16>>("quickreduce.all_reduce_int4_cast.gfx942", "bf16"),
      coded_row<IntegerCodec<8, false, simt::F16, simt::Bf16>>("quickreduce.all_reduce_int4_cast.gfx950", "bf16"),
      coded_row<IntegerCodec<4, true, simt::F16, simt::Bf16>>("quickreduce.all_reduce_int3_cast.gfx942", "bf16"),
      coded_row<IntegerCodec<4, false, simt::F16, simt::Bf16>>("quickreduce.all_reduce_int3_cast.gfx950", "bf16"),
      coded_row<Fp8Codec<false, simt::F16, simt::Bf16>>("quickreduce.all_reduce_fp8_cast.gfx942", "bf16"),
      coded_row<Fp8Codec<true, simt::F16, simt::Bf16>>("quickreduce.all_reduce_fp8_cast.gfx950", "bf16"),
      coded_row<IntegerCodec<128, false, simt::Bf16>>("quickreduce.all_reduce_int8_bf16", "bf16"),
      coded_row<IntegerCodec<32, false, simt::Bf16>>("quickreduce.all_reduce_int6_bf16", "bf16"),
      coded_row<IntegerCodec<8, false, simt::Bf16>>("quickreduce.all_reduce_int4_bf16", "bf16"),
      coded_row<IntegerCodec<4, false, simt::Bf16>>("quickreduce.all_reduce_int3_bf16", "bf16"),
      coded_row<Fp8Codec<false, simt::Bf16>>("quickreduce.all_reduce_fp8_bf16.gfx942", "bf16"),
      coded_row<Fp8Codec<true, simt::Bf16>>("quickreduce.all_reduce_fp8_bf16.gfx950", "bf16"),
      owner_keeps_row<AiterFp8<false>>("aiter.all_reduce_fp8_nosat.gfx942", "f16"),
      owner_keeps_row<AiterFp8<true>>("aiter.all_reduce_fp8_nosat.gfx950", "f16"),
      owner_keeps_row<AiterFp8<false, 64>>("aiter.all_reduce_fp8_g64_nosat.gfx942", "f16"),
      owner_keeps_row<AiterFp8<true, 64>>("aiter.all_reduce_fp8_g64_nosat.gfx950", "f16"),
      owner_keeps_row<AiterFp8<false, 32>>("aiter.all_reduce_fp8_g32_nosat.gfx942", "f16"),
      owner_keeps_row<AiterFp8<true, 32>>("aiter.all_reduce_fp8_g32_nosat.gfx950", "f16"),
      owner_keeps_row<AiterFp8<false, 16>>("aiter.all_reduce_fp8_g16_nosat.gfx942", "f16"),
      owner_keeps_row<AiterFp8<true, 16>>("aiter.all_reduce_fp8_g16_nosat.gfx950", "f16"),
      owner_keeps_row<AiterFp8<false, 8>>("aiter.all_reduce_fp8_g8_nosat.gfx942", "f16"),
      owner_keeps_row<AiterFp8<true, 8>>("aiter.all_reduce_fp8_g8_nosat.gfx950", "f16"),
      owner_keeps_row<FlashinferFp8>("flashinfer.all_reduce_fp8_twoshot", "bf16"),
      not_in_place(all_reduce_row("all_reduce.pairs", {"nccl.all_reduce_tree", "vllm.all_reduce_batch_invariant"}, run_pairs<Native>)),
      not_in_place(symm_mem_row(one, std::vector<std::string>{"torch.symm_mem_one_shot"}, run_one_shot<Native>)),
      not_in_place(symm_mem_row(one, std::vector<std::string>{"torch.symm_mem_one_shot_6"}, run_one_shot<FromZeroNative>)),
      symm_mem_row(two, std::vector<std::string>{"torch.symm_mem_two_shot"}, run_two_shot<Native>),
      symm_mem_row(two, std::vector<std::string>{"torch.symm_mem_two_shot_6"}, run_two_shot<FromZeroNative>),
      not_in_place(symm_mem_row("all_reduce.pairs", std::vector<std::string>{"torch.symm_mem_multimem"}, run_pairs<AbsoluteRules>)),
  };
}

}  // namespace assay_kernels
