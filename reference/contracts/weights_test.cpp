#include "reference/contracts/weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "reference/table/table.h"

namespace assay {
namespace {

using testing::HasSubstr;

const WeightLayout& weight_layout(const std::string& id) {
  static const std::vector<WeightLayout> all = load_weight_layouts("reference/contracts/weights.csv");
  for (const WeightLayout& layout : all)
    if (layout.id == id) return layout;
  throw std::out_of_range(id);
}

/// What shuffle_weight does, as a walk: the tensor viewed as [e, n/16, 16, k/32, 2, 16], read in the order of axes 0, 1, 3, 4, 2, 5.
TEST(Weights, Aiter16x16IsTheWalkOfItsPermutation) {
  const WeightExtents w{3, 48, 96};
  int64_t next = 0;
  for (int64_t b = 0; b < w.e; ++b)
    for (int64_t tile_n = 0; tile_n < w.n / 16; ++tile_n)
      for (int64_t tile_k = 0; tile_k < w.k / 32; ++tile_k)
        for (int64_t half = 0; half < 2; ++half)
          for (int64_t r = 0; r < 16; ++r)
            for (int64_t c = 0; c < 16; ++c)
              ASSERT_EQ(weight_offset(weight_layout("aiter_16x16"), w, b, tile_n * 16 + r, tile_k * 32 + half * 16 + c), next++)
                  << b << " " << tile_n << " " << tile_k << " " << half << " " << r << " " << c;
  EXPECT_EQ(next, w.elements());
}

TEST(Weights, EveryElementHasAPlaceOfItsOwn) {
  const WeightExtents w{2, 32, 64};
  for (const WeightLayout& layout : load_weight_layouts("reference/contracts/weights.csv")) {
    std::set<int64_t> places;
    for (int64_t b = 0; b < w.e; ++b)
      for (int64_t r = 0; r < w.n; ++r)
        for (int64_t c = 0; c < w.k; ++c) places.insert(weight_offset(layout, w, b, r, c));
    EXPECT_EQ(int64_t(places.size()), w.elements()) << layout.id;
    EXPECT_EQ(*places.begin(), 0) << layout.id;
    EXPECT_EQ(*places.rbegin(), w.elements() - 1) << layout.id;
  }
}

TEST(Weights, AWrongRowOrExtentSaysWhere) {
  const auto path = std::filesystem::temp_directory_path() / ("weights_test_" + std::to_string(::getpid()) + ".csv");
  const auto error_of = [&](const std::string& multiples, const std::string& offset) {
    std::ofstream(path) << "id,type,multiples,offset,source,why\na,e4m3fn," << multiples << "," << offset << ",here,because\n";
    try {
      load_weight_layouts(path.string());
    } catch (const TableError& error) {
      return std::string(error.what()).substr(path.string().size() + 1);
    }
    return std::string("no error");
  };
  EXPECT_EQ(error_of("1|1", "b*n*k+r*k+c"), "no error");
  EXPECT_THAT(error_of("1|1", "b*n*k+r*g+c"), HasSubstr("offset: unknown name 'g'; known here: e, n, k (experts, rows, columns)"));
  EXPECT_THAT(error_of("16", "c"), HasSubstr("multiples: '16' is not what n and k are multiples of"));
  std::filesystem::remove(path);
  EXPECT_THROW((void)weight_offset(weight_layout("aiter_16x16"), {1, 40, 64}, 0, 0, 0), std::invalid_argument);
}

}  // namespace
}  // namespace assay
