// Op gather_cache: cells that a contract does not use, the block tables of a case, and storage that a call must not change. Round
// trips: a read returns what an insert op stored; both are computed by the reference.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <set>

#include "harness/compare/verdict.h"
#include "harness/core/expectation.h"
#include "reference/flow/gather/gather.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"
#include "suites/testing/case_with.h"

namespace assay::gather_cache_test {
namespace {

using testing::HasSubstr;

const Op& op() { return shipped_op("gather_cache"); }

TestCells cells_of(const std::string& contract) {
  return {{"contract", contract}, {"y", "bf16"},  {"blocks", "5"}, {"block_size", "16"},     {"gap", "0"},
          {"lengths", "5;0;17"},  {"starts", ""}, {"pitch", ""},   {"fill", "uniform_bits"}, {"copied", ""},
          {"scale", "scales"},    {"seed", "1"},  {"warp", "32"}};
}

std::unique_ptr<const BoundCase> bound(const std::string& contract, const TestCells& changes = {}) {
  return op().bind(case_of(op(), cells_of(contract), changes));
}

std::string error_of(const std::string& contract, const TestCells& changes) {
  const std::string refusal = refusal_of(op(), cells_of(contract), changes);
  return refusal.empty() ? "no error" : refusal;
}

constexpr const char* kMla = "vllm.gather_mla_fp8@v0.12.0";

TEST(GatherCache, RefusesCellsThatTheContractHasNoUseFor) {
  EXPECT_EQ(error_of(kMla, {}), "no error");
  EXPECT_THAT(error_of(kMla, {{"copied", "normal"}}), HasSubstr("has no uncoded elements"));
  EXPECT_THAT(error_of(kMla, {{"y", "e4m3fn"}}), HasSubstr("does not support 'e4m3fn'; supported: bf16|f16|f32"));
  EXPECT_THAT(error_of(kMla, {{"lengths", ""}}), HasSubstr("has a block table"));
  EXPECT_THAT(error_of(kMla, {{"starts", "1"}}), HasSubstr("expected a position for each of 3 sequences, got 1"));
  EXPECT_THAT(error_of(kMla, {{"pitch", "570"}}), HasSubstr("expected at least 576, the columns of a row"));
  EXPECT_THAT(error_of(kMla, {{"gap", "8"}}), HasSubstr("expected a block of a multiple of 16 bytes, got 9224"));
  EXPECT_THAT(error_of("vllm.gather_indexer_k", {}), HasSubstr("has no choice of output format"));
  EXPECT_THAT(error_of("vllm.gather_indexer_k", {{"y", ""}, {"starts", "0;0;0"}}), HasSubstr("has no seq_starts"));
  EXPECT_THAT(error_of("vllm.gather_indexer_k", {{"y", ""}, {"pitch", "144"}}), HasSubstr("stores dense rows"));
  EXPECT_THAT(error_of("vllm.convert_fp8", {{"lengths", ""}, {"gap", "16"}}), HasSubstr("reads a cache whose blocks have no gap"));
  EXPECT_THAT(error_of("vllm.mla_fp8", {}), HasSubstr("expected a contract that reads a cache"));
}

TEST(GatherCache, SequencesHaveBlocksOfTheirOwnAndSpareColumns) {
  const Problem made = bound(kMla)->problem();
  const HostTensor& table = find(made.tensors, "block_table");
  EXPECT_EQ(table.spec.shape, (std::vector<int64_t>{3, 4})) << "two blocks for 17 tokens, and two spare columns";
  std::set<uint32_t> used = {table.code(0), table.code(8), table.code(9)};
  EXPECT_EQ(used.size(), 3u);
  EXPECT_LT(*used.rbegin(), 5u);
  EXPECT_EQ(find(made.tensors, "cu_seq_lens").code(3), 22u);
}

int untouched(const BoundCase& one) {
  const Problem made = one.problem();
  const Expectation accepted = one.expect(made, nullptr);
  int count = 0;
  for (const Part& part : accepted.parts())
    if (part.padding) part.padding([&](const Padding& at) { count += at.rule == PaddingRule::kUntouched; });
  return count;
}

TEST(GatherCache, RowsAfterTheLastTokenAndGapsOfYStayAsTheyWere) {
  EXPECT_EQ(untouched(*bound(kMla)), 2 * 576);
  EXPECT_EQ(untouched(*bound(kMla, {{"pitch", "600"}})), 23 * 24 + 2 * 576) << "no gap behind the last row";
  EXPECT_EQ(untouched(*bound("vllm.gather_indexer_k@v0.20.0", {{"y", ""}})), 2 * 128 + 2);
  EXPECT_EQ(untouched(*bound("vllm.gather_indexer_k", {{"y", ""}})), 0);
}

TEST(GatherCache, PartsOfARowAreNumbersAndCopies) {
  const auto one = bound("vllm.gather_ds_mla", {{"copied", "specials"}, {"pitch", "584"}});
  const Problem made = one->problem();
  const Expectation accepted = one->expect(made, nullptr);
  ASSERT_EQ(accepted.parts().size(), 2u);
  EXPECT_EQ(accepted.parts()[0].label(), "y.codes");
  EXPECT_EQ(accepted.parts()[1].label(), "y.rope");
  EXPECT_EQ(accepted.parts()[1].offset(2, 3), 2 * 584 + 512 + 3);
  EXPECT_EQ(one->trace(made, 6, 520).size(), 3u) << "its place, and the copied element";
}

// Round trips: an insert op stores tokens, then a gather op reads them.

/// Contract `insert` of `op` stores tokens in records of `record`, and contract `read` reads them. `inputs`: the inputs of
/// tokens, in the order of the record. A read with `wrong_record`, or of the next slot if it is empty, must differ.
struct Trip {
  const char *op, *insert, *read;
  std::vector<std::string> inputs;
  std::string record, wrong_record;
};

std::ostream& operator<<(std::ostream& out, const Trip& trip) { return out << trip.insert; }

class RoundTrip : public testing::TestWithParam<Trip> {
 protected:
  static constexpr int64_t kRows = 7, kBlocks = 3, kBlockSize = 16;

  void SetUp() override {
    const Trip& trip = GetParam();
    const Op& insert = shipped_op(trip.op);
    TestCells cells = {{"contract", trip.insert},
                       {"x", "bf16"},
                       {"m", "7"},
                       {"blocks", "3"},
                       {"block_size", "16"},
                       {"gap", "0"},
                       {"fill", "normal"},
                       {"seed", "1"},
                       {"warp", "32"},
                       {"slot_mapping", "shuffled:7"}};
    if (trip.inputs.size() == 2)
      cells["rope"] = "normal", cells["scale"] = std::string(trip.insert) == "vllm.mla_fp8" ? "scales" : "";
    bound_ = insert.bind(case_of(insert, cells, {}));
    for (const char* wrong : {"7:7", "some:7"})  // a number or another word in place of a pattern
      EXPECT_THAT(refusal_of(insert, cells, {{"slot_mapping", wrong}}), HasSubstr("expected a list of slots such as 3;-1;0, or order"));
    problem_ = bound_->problem();
    for (HostTensor& tensor : problem_.tensors) {
      if (tensor.spec.name == "positions")
        std::fill(tensor.bytes.begin(), tensor.bytes.end(), std::byte{0});                // position 0 does not rotate
      if (tensor.spec.name == "scale") tensor.set_code(0, code_of(kF32, double(0.03f)));  // so large that no value saturates
    }
    cache_ = find(problem_.tensors, "kv_cache");
    stored_ = computed(bound_->expect(problem_, nullptr));
    for (const WholePart& whole : stored_)
      for (int64_t i = 0; i < whole.part.elements(); ++i) {
        ASSERT_TRUE(whole.at(i).single()) << "the insert op pins every byte";
        const uint32_t code = code_from_ordinal(*whole.part.format, whole.at(i).low);
        const int64_t columns = whole.part.columns(), bytes = whole.part.format->bytes();
        std::memcpy(cache_.bytes.data() + whole.part.offset(i / columns, i % columns) * bytes, &code, size_t(bytes));
      }
    gather_ = read_gather(rulebook().contracts.find(trip.read));
  }

  /// Reads the whole cache as one sequence, which has a row for each slot.
  GatherInputs inputs(const Record& record) const {
    GatherInputs in;
    in.record = &record, in.y = &kBf16, in.cache = cache_.bytes;
    in.blocks = kBlocks, in.block_size = kBlockSize, in.block_stride = cache_.spec.shape[1];
    in.table_columns = kBlocks, in.table = {0, 1, 2}, in.first = {0, kBlocks * kBlockSize};
    for (const HostTensor& tensor : problem_.tensors)
      if (tensor.spec.name == "scale") in.scale = decode(kF32, tensor.code(0));
    return in;
  }

  /// For each row, the slot in which it is stored.
  std::vector<int64_t> stored_at() const {
    const HostTensor& mapping = find(problem_.tensors, "slot_mapping");
    std::vector<int64_t> slots(size_t(mapping.spec.elements()));
    std::memcpy(slots.data(), mapping.bytes.data(), slots.size() * sizeof slots[0]);
    return slots;
  }

  /// The elements of a token in the inputs of the insert op.
  std::vector<double> given(int64_t row) const {
    std::vector<double> token;
    for (const std::string& name : GetParam().inputs) {
      const HostTensor& tensor = find(problem_.tensors, name);
      for (int64_t c = 0; c < tensor.spec.shape[1]; ++c)
        token.push_back(decode(kBf16, tensor.code(tensor.spec.offset + row * tensor.spec.strides[0] + c)));
    }
    return token;
  }

  /// How many codes and copied elements differ from what the insert op stored, and how many values have errors above bound_of().
  /// `next`: each row is read from the slot after its own.
  struct Faults {
    int codes = 0, numbers = 0;
  };
  Faults read_back(const Record& record, bool next) const {
    const GatherInputs in = inputs(record);
    const std::vector<int64_t> slots = stored_at();
    Faults faults;
    for (int64_t row = 0; row < kRows; ++row) {
      const int64_t slot = slots[size_t(row)] + (next ? 1 : 0);
      const std::vector<double> token = given(row);
      const std::vector<double> scales = scales_at(in, slot);
      for (const RecordPart& part : record.parts) {
        if (part.kind == PartKind::kZeros) continue;
        faults.codes += differing(part, row, codes_of_part(gather_, in, part, token_of_row(gather_, in, slot)));
        if (part.kind == PartKind::kScales) continue;
        const std::vector<double> numbers = numbers_at(in, part, slot, scales);
        for (int64_t e = 0; e < part.elements; ++e) {
          const double x = token[size_t(part.from + e)];
          const double error = std::fabs(numbers[size_t(e)] - x);
          const double s = part.kind == PartKind::kValues ? 0 : scales[size_t(e) * scales.size() / size_t(part.elements)];
          faults.numbers += !(error <= bound_of(x, s));
        }
      }
    }
    return faults;
  }

  std::unique_ptr<const BoundCase> bound_;
  Problem problem_;
  HostTensor cache_;
  std::vector<WholePart> stored_;
  Gather gather_;

 private:
  /// Bound of |y - x| for e4m3 codes with scale s: half the distance between neighbouring codes at |x| / s, times s; the f32
  /// roundings of quotient and product; and a bf16 rounding, unless the read returns codes. s = 0: the element is copied.
  double bound_of(double x, double s) const {
    if (s == 0) return 0;
    const double quotient = std::fabs(x) / s * (1 + 0x1p-23);
    const int exponent = quotient == 0 ? kE4M3Fn.min_exponent() : std::max(kE4M3Fn.min_exponent(), std::ilogb(quotient));
    const double coded = std::ldexp(s, exponent - 4), exact = coded + std::fabs(x) * 0x1p-22;
    return gather_.keeps_parts ? exact : exact + (std::fabs(x) + exact) * 0x1p-8;
  }

  std::vector<double> scales_at(const GatherInputs& in, int64_t slot) const {
    const RecordPart* part = in.record->find(PartKind::kScales);
    if (!part) return {in.scale};
    const Format& format = format_of_part(gather_, in, *part);
    std::vector<double> scales;
    for (const uint32_t code : codes_of_part(gather_, in, *part, token_of_row(gather_, in, slot)))
      scales.push_back(decode(format, code));
    return scales;
  }

  std::vector<double> numbers_at(const GatherInputs& in, const RecordPart& part, int64_t slot,
                                 const std::vector<double>& scales) const {
    std::vector<double> numbers;
    if (part.kind == PartKind::kCodes && !gather_.keeps_parts) return gathered(gather_, in, part, slot).low;
    const Format& format = format_of_part(gather_, in, part);
    for (const uint32_t code : copied(gather_, in, part, slot)) {
      const double scale = part.kind == PartKind::kValues ? 1 : scales[numbers.size() * scales.size() / size_t(part.elements)];
      numbers.push_back(decode(format, code) * scale);
    }
    return numbers;
  }

  int differing(const RecordPart& part, int64_t row, const std::vector<uint32_t>& read) const {
    for (const WholePart& whole : stored_) {
      if (whole.part.name != part.name) continue;
      for (int64_t r = 0; r < whole.part.rows(); ++r) {
        if (whole.part.number_of(r) != row) continue;
        int count = 0;
        for (int64_t e = 0; e < part.elements; ++e)
          count += read[size_t(e)] != code_from_ordinal(*whole.part.format, whole.low[size_t(r * part.elements + e)]);
        return count;
      }
    }
    return int(part.elements);
  }
};

TEST_P(RoundTrip, AReadReturnsWhatTheInsertStored) {
  const Record& record = rulebook().record(GetParam().record);
  const Faults right = read_back(record, false);
  EXPECT_EQ(right.codes, 0) << "codes, scales and copies are those that the insert op stored";
  EXPECT_EQ(right.numbers, 0) << "numbers lie within the bound of one quantization";
  const std::string& wrong = GetParam().wrong_record;
  const Faults faults = read_back(wrong.empty() ? record : rulebook().record(wrong), wrong.empty());
  EXPECT_GT(faults.codes, 0) << "another offset reads other codes";
  EXPECT_GT(faults.numbers, 0) << "and numbers beyond the bound";
  if (!gather_.keeps_parts) return;
  const GatherInputs words = inputs(rulebook().record(gather_.record));
  const int64_t slot = stored_at().front();
  const uint32_t word = copied(gather_, words, *words.record->find("scale"), slot)[0];
  EXPECT_EQ(word, (word & 0xffu) * 0x01010101u) << "the read returns a word, which holds the scale's byte four times";
}

INSTANTIATE_TEST_SUITE_P(
    Records, RoundTrip,
    testing::Values(Trip{"concat_and_cache_mla", "vllm.mla_fp8", "vllm.gather_mla_fp8@v0.12.0", {"kv_c", "k_pe"}, "mla_fp8", ""},
                    Trip{"concat_and_cache_mla",
                         "vllm.fp8_ds_mla",
                         "vllm.gather_ds_mla",
                         {"kv_c", "k_pe"},
                         "fp8_ds_mla",
                         "fp8_ds_mla_scales_last"},
                    Trip{"concat_and_cache_mla",
                         "vllm.fp8_ds_mla@v0.31.0",
                         "vllm.gather_ds_mla",
                         {"kv_c", "k_pe"},
                         "fp8_ds_mla",
                         "fp8_ds_mla_scales_last"},
                    Trip{"dsv4_kv_insert",
                         "vllm.deepseek_v41_kv_insert",
                         "vllm.gather_dsv41_k",
                         {"kv"},
                         "deepseek_v41",
                         "deepseek_v41_scales_last"},
                    Trip{"indexer_k_quant_and_cache",
                         "vllm.indexer_k_mx",
                         "vllm.gather_indexer_k@v0.20.0",
                         {"k"},
                         "indexer_k_mx",
                         "indexer_k_mx_token_by_token"}));

}  // namespace
}  // namespace assay::gather_cache_test
