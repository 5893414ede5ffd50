// Layouts of scales and of cache records: their addresses must equal hand-written formulas, and invalid cells are rejected.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "reference/contracts/scale_spec.h"
#include "reference/contracts/tensor_layouts.h"
#include "reference/flow/dot/dot_contract.h"
#include "reference/formats/catalogue.h"
#include "reference/table/table.h"
#include "reference/testing/contract_tables.h"

namespace assay {

// Which elements share a scale, and where rows of groups are stored.

namespace {

using namespace contract_tables;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string complaint(const std::string& text, bool of_gemm = false) {
  try {
    of_gemm ? (void)gemm_scales_named(text) : (void)parse_scale_spec(text);
  } catch (const ParseError& error) {
    return std::to_string(error.position) + ": " + error.what();
  }
  return "no error";
}

TEST(ScaleSpec, LevelsAreBlocksAndWhatHoldsThem) {
  const ScaleSpec blocks = parse_scale_spec("128x64");
  EXPECT_EQ(blocks.outer(), nullptr);
  const LevelGrid grid = blocks.block().grid(300, 130);
  EXPECT_EQ(grid.rows, 3);
  EXPECT_EQ(grid.columns, 3);
  EXPECT_EQ(grid.of(255, 64), 1 * 3 + 1);
  EXPECT_EQ(parse_scale_spec("row").block().grid(7, 130).count(), 7);
  EXPECT_EQ(parse_scale_spec("column").block().grid(7, 130).count(), 130);
  const ScaleSpec nvfp4 = parse_scale_spec("16+tensor");
  ASSERT_NE(nvfp4.outer(), nullptr);
  EXPECT_EQ(nvfp4.block().columns_of(512), 16);
  EXPECT_FALSE(nvfp4.block().given);
  EXPECT_TRUE(nvfp4.outer()->given);
  EXPECT_EQ(nvfp4.outer()->grid(9, 512).count(), 1);
  EXPECT_EQ(parse_scale_spec("16+row").outer()->grid(9, 512).count(), 9);
}

TEST(ScaleSpec, RefusesWhatHoldsNoWholeBlocks) {
  EXPECT_THAT(complaint("x128"), HasSubstr("0: a number is missing"));
  EXPECT_THAT(complaint("128x0"), HasSubstr("4: '0' is not a positive integer"));
  EXPECT_THAT(complaint("128x128+row"), HasSubstr("8: 'row' must consist of several whole groups of 128x128"));
  EXPECT_THAT(complaint("tensor+16"), HasSubstr("must consist of several whole groups of tensor"));
  EXPECT_THAT(complaint("16+16"), HasSubstr("must consist of several whole groups of 16"));
  EXPECT_THAT(complaint("16+tensor+tensor"), HasSubstr("3: 'tensor+tensor' is not a positive integer"));
}

TEST(ScaleSpec, ThoseOfAGemmAreOneOfEachFactor) {
  const GemmScales token = gemm_scales_named("token");
  EXPECT_EQ(token.of_a(5, 64).count(), 5);
  EXPECT_EQ(token.of_b(7, 64).count(), 1);
  EXPECT_FALSE(token.has_blocks());
  EXPECT_TRUE(gemm_scales_named("token_channel").of_rows());
  EXPECT_FALSE(gemm_scales_named("channel").of_rows());
  const GemmScales tiles = gemm_scales_named("1x128_128x128");
  EXPECT_TRUE(tiles.has_blocks());
  EXPECT_EQ(tiles.products(), 128);
  EXPECT_EQ(tiles.of_b(130, 256).of(129, 200), 3);
  EXPECT_NE(gemm_scales_named("1x16+tensor_1x16+tensor").b.outer(), nullptr);
  EXPECT_THAT(complaint("tokens", true), HasSubstr("expected tensor, token, channel, token_channel"));
  EXPECT_THAT(complaint("1x128_1x32", true), HasSubstr("expected equal block sizes along k for a and b"));
}

TEST(ScaleSpec, AContractOfTwoLevelsReadsTheOuterOne) {
  const auto row = [](const std::string& group, const std::string& scale) {
    return kQuantHeader + "a,e4m3fn,448,absmax," + scale + ",,div(s) to(q)," + group + ",row,rows:untouched,2026,,here,because\n";
  };
  EXPECT_EQ(error_of(row("16+tensor", "mul(1/M) mul(g)")), "no error");
  EXPECT_THAT(error_of(row("16+tensor", "mul(1/M)")), HasSubstr("group: has two levels, but no step reads g"));
  EXPECT_THAT(error_of(row("16", "mul(1/M) mul(g)")), HasSubstr("unknown name 'g'"));
  EXPECT_THAT(error_of(row("16+tensor|32", "mul(1/M) mul(g)")),
              HasSubstr("'32' has a different number of levels than the other alternatives"));
}

std::vector<int64_t> stored_rows(const Groups& groups) {
  std::vector<int64_t> rows;
  for (int64_t row = 0; row < groups.rows(); ++row) rows.push_back(groups.stored_row(row));
  return rows;
}
std::vector<int64_t> unused_rows(const Groups& groups) {
  std::vector<int64_t> rows;
  groups.for_each_unused([&](int64_t row) { rows.push_back(row); });
  return rows;
}

TEST(Groups, OfEachOrderEveryRowIsUsedOnceOrUnused) {
  const Groups contiguous = Groups::contiguous({2, 0, 3});
  EXPECT_THAT(stored_rows(contiguous), ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(contiguous.offsets(), ElementsAre(0, 2, 2, 5));
  EXPECT_EQ(contiguous.group_of(2), 2);
  const Groups masked = Groups::masked({2, 0, 3}, 4);
  EXPECT_THAT(stored_rows(masked), ElementsAre(0, 1, 8, 9, 10));
  EXPECT_THAT(unused_rows(masked), ElementsAre(2, 3, 4, 5, 6, 7, 11));
  EXPECT_THAT(masked.offsets(), ElementsAre(0, 4, 8, 12));
  const Groups offsets = Groups::at_offsets({2, 1}, {0, 4, 6});
  EXPECT_THAT(stored_rows(offsets), ElementsAre(0, 1, 4));
  EXPECT_THAT(unused_rows(offsets), ElementsAre(2, 3, 5));
  const Groups by_index = Groups::by_index({1, -1, 0, 1, 0}, 2);
  EXPECT_THAT(by_index.sizes(), ElementsAre(2, 2));
  EXPECT_THAT(stored_rows(by_index), ElementsAre(2, 4, 0, 3));
  EXPECT_THAT(unused_rows(by_index), ElementsAre(1));
  EXPECT_EQ(by_index.group_of(2), 1);
  EXPECT_EQ(by_index.row_in_group(3), 1);
  for (const Groups& groups : {contiguous, masked, offsets, by_index}) {
    const std::vector<int64_t> index = groups.index();
    for (int64_t row = 0; row < groups.rows(); ++row) EXPECT_EQ(index[size_t(groups.stored_row(row))], groups.group_of(row));
  }
}

TEST(Groups, ChangeTheirSizesAndRefuseWhatDoesNotFit) {
  EXPECT_THAT(unused_rows(Groups::by_index({1, 0, 1, 0}, 2).with_sizes({1, 2})), ElementsAre(3));
  EXPECT_THAT(stored_rows(Groups::masked({2, 2}, 4).with_sizes({1, 1})), ElementsAre(0, 4));
  EXPECT_THROW(Groups::masked({5}, 4), std::invalid_argument);
  EXPECT_THROW(Groups::at_offsets({3, 1}, {0, 2, 6}), std::invalid_argument);
  EXPECT_THROW(Groups::at_offsets({3}, {0}), std::invalid_argument);
  EXPECT_THROW(Groups::by_index({0, 2}, 2), std::invalid_argument);
}

}  // namespace

namespace {

using testing::HasSubstr;
using testing::StartsWith;

const std::vector<Layout>& layouts() {
  static const std::vector<Layout> all = load_layouts("reference/contracts/layouts.csv");
  return all;
}

const Layout& find(const std::string& id) {
  for (const Layout& layout : layouts())
    if (layout.id == id) return layout;
  throw std::out_of_range(id);
}

int64_t up(int64_t n, int64_t step) { return (n + step - 1) / step * step; }
int64_t up4(int64_t n) { return up(n, 4); }

/// A layout as hand-written formulas for m rows of G groups: offset of scale (r, g), size of the tensor, shape and strides.
struct Plain {
  std::function<int64_t(int64_t m, int64_t G, int64_t r, int64_t g)> offset;
  std::function<int64_t(int64_t m, int64_t G)> storage;
  std::function<std::vector<int64_t>(int64_t m, int64_t G)> shape, strides;
};

const std::map<std::string, Plain>& plain() {
  using V = std::vector<int64_t>;
  static const std::map<std::string, Plain> all = {
      {"row",
       {[](auto, auto G, auto r, auto g) { return r * G + g; }, [](auto m, auto G) { return m * G; },
        [](auto m, auto G) {
          return V{m, G};
        },
        [](auto, auto G) {
          return V{G, 1};
        }}},
      {"col",
       {[](auto m, auto, auto r, auto g) { return g * m + r; }, [](auto m, auto G) { return m * G; },
        [](auto m, auto G) {
          return V{m, G};
        },
        [](auto m, auto) {
          return V{1, m};
        }}},
      {"tma",
       {[](auto m, auto, auto r, auto g) { return g * up4(m) + r; }, [](auto m, auto G) { return m + (G - 1) * up4(m); },
        [](auto m, auto G) {
          return V{m, G};
        },
        [](auto m, auto) {
          return V{1, up4(m)};
        }}},
      {"ue8m0x4_tma",
       {[](auto m, auto, auto r, auto g) { return 4 * ((g / 4) * up4(m) + r) + g % 4; },
        [](auto m, auto G) { return m + (up4(G) / 4 - 1) * up4(m); },
        [](auto m, auto G) {
          return V{m, up4(G) / 4};
        },
        [](auto m, auto) {
          return V{1, up4(m)};
        }}},
      {"ue8m0x4_col",
       {[](auto m, auto, auto r, auto g) { return 4 * ((g / 4) * m + r) + g % 4; }, [](auto m, auto G) { return m * up4(G) / 4; },
        [](auto m, auto G) {
          return V{m, up4(G) / 4};
        },
        [](auto m, auto) {
          return V{1, m};
        }}},
      {"ue8m0x4_row",
       {[](auto, auto G, auto r, auto g) { return 4 * (r * (up4(G) / 4) + g / 4) + g % 4; },
        [](auto m, auto G) { return m * up4(G) / 4; },
        [](auto m, auto G) {
          return V{m, up4(G) / 4};
        },
        [](auto, auto G) {
          return V{up4(G) / 4, 1};
        }}},
      {"row_transposed",
       {[](auto m, auto, auto r, auto g) { return g * m + r; }, [](auto m, auto G) { return m * G; },
        [](auto m, auto G) {
          return V{m, G};
        },
        [](auto, auto G) {
          return V{G, 1};
        }}},
      {"one",
       {[](auto, auto, auto, auto) { return 0; }, [](auto, auto) { return 1; },
        [](auto m, auto G) {
          return V{m, G};
        },
        [](auto, auto) {
          return V{0, 0};
        }}},
      {"e8m0_row",
       {[](auto, auto G, auto r, auto g) { return r * G + g; }, [](auto m, auto G) { return m * G; },
        [](auto m, auto G) {
          return V{m, G};
        },
        [](auto, auto G) {
          return V{G, 1};
        }}},
      {"e8m0_col",
       {[](auto m, auto, auto r, auto g) { return g * m + r; }, [](auto m, auto G) { return m * G; },
        [](auto m, auto G) {
          return V{m, G};
        },
        [](auto m, auto) {
          return V{1, m};
        }}},
      // vllm mxfp8_utils.py swizzle_mxfp8_scale: view (m/128, 4, 32, g/4, 4), axes 1 and 3 swapped
      {"e8m0_128x4",
       {[](auto, auto G, auto r, auto g) {
          return (((r / 128 * (up(G, 4) / 4) + g / 4) * 32 + r % 32) * 4 + r % 128 / 32) * 4 + g % 4;
        },
        [](auto m, auto G) { return up(m, 128) * up(G, 4); },
        [](auto m, auto G) {
          return V{up(m, 128), up(G, 4)};
        },
        [](auto, auto G) {
          return V{up(G, 4), 1};
        }}},
      {"e8m0_8x4",
       {[](auto, auto G, auto r, auto g) { return ((r / 8 * (up(G, 4) / 4) + g / 4) * 8 + r % 8) * 4 + g % 4; },
        [](auto m, auto G) { return up(m, 8) * up(G, 4); },
        [](auto m, auto G) {
          return V{up(m, 8), up(G, 4)};
        },
        [](auto, auto G) {
          return V{up(G, 4), 1};
        }}},
      // aiter e8m0_shuffle: view (m/32, 2, 16, g/8, 2, 4), permuted to (0, 3, 5, 2, 4, 1)
      {"e8m0_32x8",
       {[](auto, auto G, auto r, auto g) {
          return ((((r / 32 * (up(G, 8) / 8) + g / 8) * 4 + g % 4) * 16 + r % 16) * 2 + g % 8 / 4) * 2 + r % 32 / 16;
        },
        [](auto m, auto G) { return up(m, 256) * up(G, 8); },
        [](auto m, auto G) {
          return V{up(m, 256), up(G, 8)};
        },
        [](auto, auto G) {
          return V{up(G, 8), 1};
        }}},
      // aiter a16w4_shuffle_scale_id: dimensions N1, K1, lanes along K, lanes along N, packs along K, packs along N
      {"e8m0_a16w4",
       {[](auto, auto G, auto r, auto g) {
          return r / 32 * (up(G, 8) / 8) * 256 + g / 8 * 256 + g % 4 * 64 + r % 16 * 4 + g % 8 / 4 * 2 + r % 32 / 16;
        },
        [](auto m, auto G) { return up(m, 32) * up(G, 8); },
        [](auto m, auto G) {
          return V{up(m, 32), up(G, 8)};
        },
        [](auto, auto G) {
          return V{up(G, 8), 1};
        }}},
      // aiter shuffle_scale_n32k4: view (m/32, 32, g/4, 4), permuted to (0, 2, 1, 3)
      {"e8m0_n32k4",
       {[](auto, auto G, auto r, auto g) { return ((r / 32 * (up(G, 4) / 4) + g / 4) * 32 + r % 32) * 4 + g % 4; },
        [](auto m, auto G) { return up(m, 32) * up(G, 4); },
        [](auto m, auto G) {
          return V{up(m, 32), up(G, 4)};
        },
        [](auto, auto G) {
          return V{up(G, 4), 1};
        }}}};
  return all;
}

/// Whether a layout agrees with its description for all small m and G, and for some that fill whole tiles.
bool follows(const Layout& layout, const Plain& description) {
  for (int64_t m : {1, 2, 3, 4, 5, 6, 7, 8, 9, 40, 130, 300}) {
    for (int64_t g : {1, 2, 3, 4, 5, 6, 7, 8, 9, 17}) {
      const PlacedLayout placed(layout, m, g);
      if (placed.storage() != description.storage(m, g) || placed.shape() != description.shape(m, g)) return false;
      if (placed.strides() != description.strides(m, g)) return false;
      for (int64_t r = 0; r < m; ++r)
        for (int64_t c = 0; c < g; ++c)
          if (placed.offset(r, c) != description.offset(m, g, r, c)) return false;
    }
  }
  return true;
}

TEST(Layouts, EachFollowsItsDescriptionAndNoOther) {
  size_t described = 0;
  for (const Layout& layout : layouts()) {
    const bool of_bytes = layout.id.starts_with("ue4m3_");  // has the offsets of the e8m0 layout with the same suffix
    described += !of_bytes;
    ASSERT_TRUE(plain().count(of_bytes ? "e8m0_" + layout.id.substr(6) : layout.id)) << layout.id << " has no description here";
    for (const auto& [id, description] : plain()) {
      const auto places = [](const std::string& of) {
        return of.starts_with("e8m0_") ? of.substr(5) : of.starts_with("ue4m3_") ? of.substr(6) : of;
      };
      const bool same_places = places(id) == places(layout.id);
      EXPECT_EQ(follows(layout, description), same_places) << layout.id << " as " << id;
    }
  }
  EXPECT_EQ(described, plain().size());
}

TEST(Layouts, EveryScaleHasAPlaceOfItsOwnInsideTheStorage) {
  for (const Layout& layout : layouts()) {
    if (layout.id == "one") continue;  // a single scale, only for inputs
    for (int64_t m : {1, 2, 3, 4, 5, 8, 127, 300}) {
      for (int64_t g : {1, 2, 3, 4, 5, 7, 56}) {
        const PlacedLayout placed(layout, m, g);
        std::set<int64_t> places;
        for (int64_t r = 0; r < m; ++r) {
          for (int64_t c = 0; c < g; ++c) {
            const int64_t offset = placed.offset(r, c);
            EXPECT_TRUE(0 <= offset && offset < placed.storage_elements()) << layout.id << " " << m << "x" << g;
            EXPECT_TRUE(places.insert(offset).second) << layout.id << " " << m << "x" << g;
          }
        }
        EXPECT_GE(placed.rows(), m);
        EXPECT_GE(placed.cols(), g);
      }
    }
  }
}

TEST(Layouts, StridesLeadToTheSameWordAsTheOffset) {
  for (const Layout& layout : layouts()) {
    if (layout.id == "row_transposed") continue;  // by definition, its bytes are not in the order of its shape
    if (layout.tile_rows > 1) continue;  // strides cannot express a swizzled layout
    const int64_t packed = layout.type->bits / layout.element->bits;
    const PlacedLayout placed(layout, 5, 7);
    for (int64_t r = 0; r < 5; ++r)
      for (int64_t c = 0; c < 7; ++c)
        EXPECT_EQ(placed.offset(r, c) / packed, r * placed.strides()[0] + (c / packed) * placed.strides()[1]) << layout.id;
  }
}

TEST(Layouts, PackedWordsAreLittleEndianAndPaddedToFour) {
  // Neither 5 rows nor 5 groups are a multiple of 4, so both are padded.
  const PlacedLayout placed(find("ue8m0x4_tma"), 5, 5);
  EXPECT_EQ(placed.offset(0, 0), 0);
  EXPECT_EQ(placed.offset(0, 3), 3) << "group 3 is the highest byte of the first word";
  EXPECT_EQ(placed.offset(1, 0), 4);
  EXPECT_EQ(placed.offset(0, 4), 4 * 8) << "the second word column begins after eight words";
  EXPECT_EQ(placed.rows(), 8);
  EXPECT_EQ(placed.cols(), 8);
  EXPECT_EQ(placed.storage(), 5 + 8) << "the last column's padding rows lie outside of the allocation";
  EXPECT_EQ(*placed.layout().type, kInt32);
  EXPECT_EQ(*placed.layout().element, kE8M0);
  EXPECT_NE(PlacedLayout(find("ue8m0x4_row"), 5, 5).offset(1, 0), placed.offset(1, 0));
}

std::string error_of_layout(const std::string& offset, const std::string& strides = "g|1", const std::string& type = "f32",
                            const std::string& tile = "") {
  const auto path = std::filesystem::temp_directory_path() / ("layouts_test_" + std::to_string(::getpid()) + ".csv");
  std::ofstream(path) << "id,type,element,rows,cols,storage,shape,strides,offset,tile,source,why\n"
                      << "a," << type << ",f32,m,g,m*g,m|g," << strides << "," << offset << "," << tile << ",here,because\n";
  std::string what = "no error";
  try {
    load_layouts(path.string());
  } catch (const TableError& error) {
    what = std::string(error.what()).substr(path.string().size() + 1);
  }
  std::filesystem::remove(path);
  return what;
}

TEST(Layouts, AWrongRowSaysWhere) {
  EXPECT_EQ(error_of_layout("r*g+c"), "no error");
  EXPECT_EQ(error_of_layout("r*g+k"), "2:27: offset: unknown name 'k'; known here: m (rows), g (groups), r (row), c (group)");
  EXPECT_EQ(error_of_layout("r*(g+c"), "2:33: offset: expected ')'");
  EXPECT_EQ(error_of_layout("r*g+c", "g"), "2:23: strides: expected two expressions with | between them");
  EXPECT_EQ(error_of_layout("r*g+c", "g|*"), "2:25: strides: expected a number or a name, not '*'");
  EXPECT_EQ(error_of_layout("r*g+c", "g|1", "f32", "128x4"), "no error");
  EXPECT_EQ(error_of_layout("r*g+c", "g|1", "f32", "128"), "2:33: tile: '128': expected rows x columns of a tile, such as 128x4");
  EXPECT_THAT(error_of_layout("r*g+c", "g|1", "f23"), StartsWith("2:3: type: unknown format 'f23'; did you mean 'f32'"));
}

TEST(Layouts, AFormulaThatOverflowsOrPointsOutsideIsNamedBeforeAnythingIsFilled) {
  EXPECT_THAT(error_of_layout("(0-2)^63/(0-1)"), StartsWith("2:27: offset: a value does not fit in 64 bits, with m = 1, g = 1"));
  EXPECT_THAT(error_of_layout("m*1000000000000"),
              StartsWith("2:27: offset: layout 'a' puts scale (0, 0) at 1000000000000, outside its 1 elements"));
  EXPECT_THAT(error_of_layout("r*g+c-1"), StartsWith("2:27: offset: layout 'a' puts scale (0, 0) at -1, outside"));
  EXPECT_THAT(error_of_layout("r*g+c", "1%0|1"), StartsWith("2:23: strides: division by zero"));
}

// Offsets of records computed by hand, and invalid tables.

const Record& record(const char* id) {
  static const std::vector<Record> records = load_records("reference/contracts/records.csv");
  for (const Record& one : records)
    if (one.id == id) return one;
  throw std::out_of_range(id);
}

/// vLLM's fp8_ds_mla cache: 512 codes, four fp32 scales and 64 elements of 16 bits, in 656 bytes.
TEST(Records, ATokenOfFp8DsMla) {
  const Record& mla = record("fp8_ds_mla");
  EXPECT_EQ(mla.find("codes")->byte(64, 3, 511), 3 * 656 + 511);
  EXPECT_EQ(mla.find("scale")->byte(64, 3, 3), 3 * 656 + 512 + 12);
  EXPECT_EQ(mla.find("rope")->byte(64, 3, 63), 3 * 656 + 528 + 126);
  EXPECT_EQ(mla.block_bytes(64, kE4M3Fn, kBf16), 64 * 656);
  EXPECT_EQ(mla.numbers(), 576);
  EXPECT_EQ(&mla.find("rope")->format_in(kE4M3Fn, kF16), &kF16);
  EXPECT_EQ(mla.find("zeros"), nullptr);
}

std::string problem_of(const std::string& rows) {
  const std::string file = testing::TempDir() + "records.csv";
  std::ofstream(file) << "record,part,holds,from,elements,format,offset,source,why\n" << rows;
  try {
    load_records(file);
  } catch (const TableError& error) {
    return error.what();
  }
  return "";
}

TEST(Records, WrongTablesAreRefused) {
  const std::string codes = "a,codes,codes,0,4,q,p*8+c,s,w\n";
  EXPECT_EQ(problem_of(codes + "a,scale,scales,0,1,f32,p*8+4,s,w\n"), "");
  const std::map<std::string, std::string> wrong = {
      {codes + "a,scale,scales,0,1,f32,p*8+2,s,w\n", "begins at byte 2, which is not a multiple of its element size 4"},
      {codes + "a,scale,scales,0,1,f32,p*4,s,w\n", "overlaps another part at byte"},
      // q of the next token starts inside this record
      {codes + "a,more,codes,0,4,q,p*8+5+c,s,w\n", "overlaps another part at byte 8"},
      {codes + "a,codes,codes,0,1,q,p*8+7,s,w\n", "is already a part of this record"},
      {"a,codes,numbers,0,4,q,p*8+c,s,w\n", "is not one of: codes, scales, values, zeros"},
      {"a,codes,codes,0,4,e4m4,p*8+c,s,w\n", "expected q, x or a format"},
      {"a,codes,codes,0,4,q,p*8+k,s,w\n", "unknown name 'k'"},
      {"a,codes,codes,0,0,q,p*8+c,s,w\n", "at least one"},
      {codes + "b,codes,codes,0,1,q,p,s,w\n" + "a,scale,scales,0,1,f32,p*8+4,s,w\n", "must be neighbouring rows"}};
  for (const auto& [rows, problem] : wrong)
    EXPECT_NE(problem_of(rows).find(problem), std::string::npos) << rows << problem_of(rows);
}

}  // namespace

}  // namespace assay
