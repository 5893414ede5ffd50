// Compares reads of a paged cache with hand-written programs. Tests mutants, and error messages for invalid rows.
#include "reference/flow/gather/gather.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <set>

#include "reference/flow/flow.h"
#include "reference/testing/contract_tables.h"
#include "reference/testing/mpfr_programs.h"

namespace assay::gather_test {
namespace {

using testing::HasSubstr;

using contract_tables::tables;

Gather row(const std::string& id) { return read_gather(tables().find(id)); }

const std::vector<Record>& records() {
  static const std::vector<Record> all = load_records("reference/contracts/records.csv");
  return all;
}

const Record& record(const std::string& id) {
  for (const Record& one : records())
    if (one.id == id) return one;
  throw std::out_of_range(id);
}

/// A cache with three blocks of four tokens, in which all bytes differ, and a call that reads it.
struct Cache {
  std::vector<std::byte> bytes;
  GatherInputs inputs;

  Cache(const Gather& contract, const Format& y, int64_t gap = 16) {
    inputs.record = &record(contract.record);
    inputs.y = &y;
    inputs.blocks = 3, inputs.block_size = 4, inputs.gap = gap;
    inputs.block_stride = inputs.record->block_bytes(4, contract.q ? *contract.q : y, y) + gap;
    bytes.resize(size_t(inputs.blocks * inputs.block_stride));
    for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = std::byte(i * 37 % 120);
    inputs.cache = bytes;
  }
  /// The sequences have 5, 0 and 2 tokens.
  void read_by_table() {
    inputs.table_columns = 3;
    inputs.table = {2, 0, 1, 1, 1, 1, 0, 2, 1};
    inputs.first = {0, 5, 5, 7};
  }
  float number(int64_t at) const {
    float value;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    return value;
  }
};

TEST(Gather, TokensAreFoundByTheTable) {
  const Gather contract = row("vllm.gather_mla_fp8@v0.12.0");
  Cache cache(contract, kBf16);
  cache.read_by_table();
  const auto place = [&](int64_t r) {
    const CachedToken token = token_of_row(contract, cache.inputs, r);
    return std::pair{token.block, token.position};
  };
  EXPECT_EQ(place(3), (std::pair<int64_t, int64_t>{2, 3}));
  EXPECT_EQ(place(4), (std::pair<int64_t, int64_t>{0, 0})) << "the second block of the first sequence";
  EXPECT_EQ(place(5), (std::pair<int64_t, int64_t>{0, 0})) << "the empty sequence has no row";
  EXPECT_EQ(token_of_row(contract, cache.inputs, 5).request, 2);
  cache.inputs.starts = {2, 0, 6};
  EXPECT_EQ(place(1), (std::pair<int64_t, int64_t>{2, 3}));
  EXPECT_EQ(place(2), (std::pair<int64_t, int64_t>{0, 0}));
  EXPECT_EQ(place(5), (std::pair<int64_t, int64_t>{2, 2}));
}

TEST(Gather, BeforeV0120AStartSkipsWholeBlocksAlone) {
  const Gather contract = row("vllm.gather_mla_fp8");
  Cache cache(contract, kBf16);
  cache.read_by_table();
  cache.inputs.starts = {3, 0, 6};
  EXPECT_EQ(token_of_row(contract, cache.inputs, 0).position, 0) << "3 is less than a block";
  EXPECT_EQ(token_of_row(contract, cache.inputs, 5).block, 2);
  EXPECT_EQ(token_of_row(contract, cache.inputs, 5).position, 0) << "6 is a block, and two tokens that are ignored";
}

TEST(Gather, AProductIsRoundedToF32AndThenOnce) {
  for (const Format* y : {&kBf16, &kF16, &kF32}) {
    const Gather contract = row("vllm.gather_mla_fp8@v0.12.0");
    Cache cache(contract, *y);
    cache.read_by_table();
    cache.inputs.scale = 0.3;
    const Spans numbers = gathered(contract, cache.inputs, cache.inputs.record->parts.front(), 1);
    ASSERT_TRUE(numbers.pinned());
    for (int64_t e = 0; e < 576; ++e) {
      const auto code = uint32_t(cache.bytes[size_t(2 * cache.inputs.block_stride + 576 + e)]);
      const double product = nearest(kF32, Real(decode(kE4M3Fn, code)) * Real(double(0.3f)));
      EXPECT_EQ(numbers.low[size_t(e)], nearest(*y, Real(product))) << e;
    }
  }
}

TEST(Gather, EachGroupHasItsScaleAndUncodedElementsAreCopied) {
  const Gather contract = row("vllm.gather_ds_mla");
  Cache cache(contract, kBf16);
  cache.read_by_table();
  const int64_t token = 2 * cache.inputs.block_stride + 656;
  const Spans numbers = gathered(contract, cache.inputs, *cache.inputs.record->find("codes"), 1);
  for (const int64_t e : {0, 127, 128, 511}) {
    const double product = nearest(kF32, Real(decode(kE4M3Fn, uint32_t(cache.bytes[size_t(token + e)]))) *
                                             Real(double(cache.number(token + 512 + e / 128 * 4))));
    EXPECT_EQ(numbers.low[size_t(e)], nearest(kBf16, Real(product))) << e;
  }
  const std::vector<uint32_t> codes = copied(contract, cache.inputs, *cache.inputs.record->find("rope"), 1);
  ASSERT_EQ(codes.size(), 64u);
  uint16_t last;
  std::memcpy(&last, cache.bytes.data() + token + 528 + 63 * 2, sizeof last);
  EXPECT_EQ(codes.back(), last);
}

TEST(Gather, KeysOfTheIndexerLieBeforeAllScalesOfTheBlock) {
  const Gather contract = row("vllm.gather_indexer_k");
  Cache cache(contract, *contract.q);
  cache.read_by_table();
  const int64_t block = 2 * cache.inputs.block_stride;
  EXPECT_EQ(copied(contract, cache.inputs, *cache.inputs.record->find("codes"), 1)[5],
            uint32_t(cache.bytes[size_t(block + 128 + 5)]));
  EXPECT_EQ(copied(contract, cache.inputs, *cache.inputs.record->find("scale"), 1)[0],
            std::bit_cast<uint32_t>(cache.number(block + 4 * 128 + 4)));
}

TEST(Gather, EveryMutantDiffers) {
  for (const char* id : {"vllm.gather_mla_fp8@v0.12.0", "vllm.gather_ds_mla", "vllm.gather_indexer_k", "vllm.gather_cache"}) {
    const Gather contract = row(id);
    const GatherExtents extents{
        3, 7, 4, 3, 16, true, true, contract.starts != SequenceStarts::kNone, contract.starts != SequenceStarts::kNone};
    std::set<std::string> names;
    for (const GatherNeighbour& wrong : gather_neighbours(contract, record(contract.record), records(), kBf16, extents)) {
      EXPECT_TRUE(names.insert(wrong.name).second) << wrong.name;
      EXPECT_EQ(wrong.suspect, bool(wrong.contract.read)) << wrong.name;
    }
    EXPECT_EQ(names.contains("codes: subnormal codes are read 64 times as large"), contract.q && !contract.keeps_parts) << id;
    EXPECT_TRUE(names.contains("table: not read")) << id;
    EXPECT_EQ(names.contains("y: drop mul(s)"), !contract.y.empty()) << id;
  }
  EXPECT_TRUE(gather_neighbours(row("vllm.gather_ds_mla"), record("fp8_ds_mla"), records(), kBf16, {}).empty()) << "no tokens";
}

std::string error_of(const std::map<std::string, std::string>& cells) {
  ContractRow wrong = tables().find("vllm.gather_ds_mla");
  for (const auto& [column, text] : cells) wrong.cells[column].text = text;
  try {
    (void)read_gather(wrong);
  } catch (const TableError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Gather, ErrorsNameTheCell) {
  EXPECT_EQ(error_of({}), "no error");
  EXPECT_THAT(error_of({{"starts", "bytes"}}), HasSubstr("'bytes': expected blocks, tokens, or an empty cell"));
  EXPECT_THAT(error_of({{"tokens", "all"}}), HasSubstr("is only allowed if tokens is 'table'"));
  EXPECT_THAT(error_of({{"numbers", ""}}), HasSubstr("is required if gives is y"));
  EXPECT_THAT(error_of({{"y", ""}}), HasSubstr("is required if codes is not empty and gives is y"));
  EXPECT_THAT(error_of({{"past_end", "zero"}}), HasSubstr("'zero': expected untouched or an empty cell"));
}

TEST(Gather, FormulasNameTableScaleAndRecord) {
  const std::vector<std::string> lines = gather_lines(row("vllm.gather_ds_mla"), record("fp8_ds_mla"), kBf16);
  EXPECT_THAT(lines, testing::Contains(HasSubstr("block_table[r, floor(i / block_size)]")));
  EXPECT_THAT(lines, testing::Contains(HasSubstr("scale  4 x f32 at p*656+512+4*c")));
  EXPECT_THAT(lines, testing::Contains("uncoded elements are copied bit for bit"));
  EXPECT_THAT(gather_lines(row("vllm.convert_fp8"), record("mla_fp8"), kF32),
              testing::Contains(HasSubstr("floor(row / block_size)")));
}

}  // namespace
}  // namespace assay::gather_test
