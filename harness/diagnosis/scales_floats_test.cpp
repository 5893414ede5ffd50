// fp32 scales: impossible values, values that are not powers of two, and packed words read as fp32 are reported.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>

#include "harness/diagnosis/scales.h"
#include "harness/diagnosis/testing/scale_grids.h"

namespace assay {
namespace {

using scale_grids::floats;
using scale_grids::scales_found;
using scale_grids::text_of;
using scale_grids::uniform;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Scales, NumbersThatNoScaleMayBe) {
  const float bad[] = {NAN, INFINITY, -1.0f, 0.0f, 1e-40f};
  const char* names[] = {"NaN", "Inf", "negative", "zero", "subnormal"};
  for (size_t i = 0; i < std::size(bad); ++i) {
    const ScaleGrid grid =
        floats(3, 3, [&](int64_t r, int64_t c) { return r == 1 && c == 2 ? bad[i] : float(0.01 + uniform(3, r, c)); });
    EXPECT_THAT(scales_found(grid), ::testing::ElementsAre(HasSubstr(std::string("1 of 9 scales is ") + names[i])));
    EXPECT_THAT(text_of(grid), HasSubstr("where    row 1; group 2"));
  }
}

TEST(Scales, MantissasMatterToAConsumerOfUe8m0Only) {
  ScaleGrid grid = floats(4, 4, [](int64_t r, int64_t c) { return float(0.01 + uniform(4, r, c)); });
  EXPECT_THAT(scales_found(grid), IsEmpty());
  grid.powers_of_two = true;
  EXPECT_THAT(text_of(grid), HasSubstr("16 of 16 fp32 scales are not powers of two, and the consumer takes UE8M0"));
  const ScaleGrid mostly =
      floats(4, 4, [](int64_t r, int64_t c) { return r == 2 && c == 1 ? 1.5f : std::ldexp(1.0f, int(r + c) - 9); });
  EXPECT_THAT(text_of(mostly), HasSubstr("1 of 16 fp32 scales is not a power of two, though most are"));
  EXPECT_THAT(text_of(mostly), HasSubstr("too small by a factor of 1.5"));
  EXPECT_THAT(scales_found(floats(4, 4, [](int64_t r, int64_t c) { return std::ldexp(1.0f, int(r + c) - 9); })), IsEmpty());
}

TEST(Scales, PackedWordsReadAsFp32AreFound) {
  EXPECT_THAT(text_of(floats(4, 2, [](int64_t, int64_t) { return std::bit_cast<float>(0x78797a7bu); })),
              HasSubstr("8 of 8 elements look like packed UE8M0 words"));
}

}  // namespace
}  // namespace assay
