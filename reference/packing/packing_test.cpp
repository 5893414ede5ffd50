// Packed UE8M0x4 scales: words computed by hand, and every mutant of a packing.
#include "reference/packing/packing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "reference/exact/expression.h"
#include "reference/flow/flow.h"

namespace assay {
namespace {

using testing::Contains;
using testing::Not;

const ContractTables& packing_tables() {
  static const ContractTables all = ContractTables::load("reference/contracts");
  return all;
}
Packing packing_of(const char* id) { return read_packing(packing_tables().find(id)); }

constexpr uint32_t kOne = 0x3f800000, kOneAndAHalf = 0x3fc00000, kTwo = 0x40000000;

TEST(Word, PowersOfTwoPackToTheirExponents) {
  for (const char* id : {"deepgemm.pack_ue8m0@2.5", "deepgemm.pack_ue8m0@2.6", "deepgemm.pack_ue8m0_torch"}) {
    const Word word = packing_of(id).word;
    EXPECT_EQ(word.of(std::vector<uint32_t>{kOne, kOne, kOne, kOne}), 0x7f7f7f7fu) << id;
    EXPECT_EQ(word.of(std::vector<uint32_t>{kTwo, kOne, 0, 0x7f800000}), 0xff007f80u) << id << ": the first is the lowest byte";
  }
}

TEST(Word, AMantissaRunsIntoTheByteBeforeUnlessMasked) {
  const std::vector<uint32_t> values = {kOne, kOneAndAHalf, kOne, kOne};
  EXPECT_EQ(packing_of("deepgemm.pack_ue8m0@2.5").word.of(values), 0x7f7f7fffu) << "byte 0 has become NaN";
  EXPECT_EQ(packing_of("deepgemm.pack_ue8m0_torch").word.of(values), 0x7f7f7f7fu);
}

TEST(Word, ASignRunsIntoTheByteAfterUnlessMasked) {
  const std::vector<uint32_t> values = {kOne | 0x80000000, kOne - 0x00800000, 0, 0};
  EXPECT_EQ(packing_of("deepgemm.pack_ue8m0@2.5").word.of(values), 0x00007f7fu) << "0x7e has become 0x7f";
  EXPECT_EQ(packing_of("deepgemm.pack_ue8m0_torch").word.of(values), 0x00007e7fu);
}

TEST(Word, IsWhatItsTextSays) {
  for (const ContractRow& row : packing_tables().rows())
    if (row.flow == &packing_flow()) {
      EXPECT_EQ(read_packing(row).word.text(), row.text("word"));
    }
  EXPECT_EQ(packing_of("deepgemm.mn_major_tma_aligned_f32").word.of(std::vector<uint32_t>{0x7fc12345}), 0x7fc12345u);
}

TEST(Word, AnErrorSaysWhereAndWhatWasExpected) {
  const auto error = [](const char* text, int values) {
    try {
      (void)parse_word(text, values);
    } catch (const ParseError& e) {
      return std::to_string(e.position) + ": " + e.what();
    }
    return std::string("no error");
  };
  EXPECT_EQ(error("v0>>23 | v1<<1", 2), "no error");
  EXPECT_EQ(error("v0>>23 | w1", 2), "9: expected a value of the word: v0 to v1");
  EXPECT_EQ(error("v0>>23 | v2", 2), "10: expected a number up to 1");
  EXPECT_EQ(error("v0>>32 | v1", 2), "4: expected a number up to 31");
  EXPECT_EQ(error("v0 | v0", 2), "5: v0 has a term already");
  EXPECT_EQ(error("v0 - v1", 2), "3: expected >>N, <<N, &BITS, +BITS or |");
  EXPECT_EQ(error("v0", 2), "2: a word of 2 values needs one term for each value");
}

TEST(Domain, IsBitsThatAreZero) {
  EXPECT_EQ(packing_of("deepgemm.pack_ue8m0@2.6").zero_bits, 0x807fffffu);
  EXPECT_EQ(packing_of("deepgemm.pack_ue8m0@2.5").zero_bits, 0u);
  EXPECT_THROW(parse_domain("&0x80"), ParseError);
  EXPECT_THROW(parse_domain("0x80=0"), ParseError);
}

std::vector<std::string> names(const Packing& packing) {
  std::vector<std::string> all;
  for (const PackingNeighbour& neighbour : neighbours(packing)) all.push_back(neighbour.name);
  return all;
}

TEST(PackingNeighbours, HaveTheMistakesThatWereMade) {
  EXPECT_THAT(names(packing_of("deepgemm.pack_ue8m0_torch")), Contains("word: no mask"));
  EXPECT_THAT(names(packing_of("deepgemm.pack_ue8m0@2.5")), Not(Contains("word: no mask")));
  EXPECT_THAT(names(packing_of("deepgemm.pack_ue8m0@2.5")), Contains("word: each value masked to its own byte"));
  for (const PackingNeighbour& neighbour : neighbours(packing_of("deepgemm.pack_ue8m0_torch")))
    if (neighbour.name == "word: no mask") {
      EXPECT_EQ(neighbour.packing.word.terms, packing_of("deepgemm.pack_ue8m0@2.5").word.terms);
    }
}

TEST(PackingNeighbours, SayInTheirWordWhatTheyDo) {
  const Packing right = packing_of("deepgemm.pack_ue8m0_torch");
  int read = 0;
  for (const PackingNeighbour& neighbour : neighbours(right)) {
    const Word& word = neighbour.packing.word;
    if (word.terms.size() != right.word.terms.size()) continue;  // the mutant has dropped a value
    EXPECT_EQ(parse_word(word.text(), int(word.terms.size())).terms, word.terms) << neighbour.name;
    ++read;
    if (neighbour.name != "word: exponents rounded up") continue;
    EXPECT_TRUE(word.text().starts_with("v0+0x7fffff&0xff800000>>23&0xff | ")) << word.text();
    EXPECT_EQ(word.of(std::vector<uint32_t>{kOneAndAHalf, kOne, kTwo, 0}), 0x00807f80u);
  }
  EXPECT_GE(read, 4);
}

TEST(PackingNeighbours, DifferFromTheContractOnSomeWord) {
  const std::vector<std::vector<uint32_t>> words = {{kOne, kTwo, kOneAndAHalf, 0x3f000001},
                                                    {0xbf800000, kTwo, 0x00400000, kOneAndAHalf},
                                                    {kOneAndAHalf, kOneAndAHalf, kOne, kTwo}};
  for (const ContractRow& row : packing_tables().rows()) {
    if (row.flow != &packing_flow()) continue;
    const Packing right = read_packing(row);
    std::set<std::string> seen;
    for (const PackingNeighbour& neighbour : neighbours(right)) {
      EXPECT_TRUE(seen.insert(neighbour.name).second) << neighbour.name;
      bool differs = neighbour.packing.absent != right.absent;
      for (const std::vector<uint32_t>& values : words)
        differs = differs || neighbour.packing.word.of(values) != right.word.of(values);
      EXPECT_TRUE(differs) << row.id << ": " << neighbour.name;
    }
    EXPECT_GE(seen.size(), 1u);
  }
}

}  // namespace
}  // namespace assay
