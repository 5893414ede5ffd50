#include "harness/text/json_integer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace assay {
namespace {

using nlohmann::json;

TEST(JsonInteger, TakesWhatFits) {
  EXPECT_EQ(json_integer<int64_t>(json::parse("9223372036854775807")), 9223372036854775807);
  EXPECT_EQ(json_integer<int32_t>(json::parse("-2147483648")), std::numeric_limits<int32_t>::min());
}

TEST(JsonInteger, RefusesTheRest) {
  for (const char* text : {"1e106", "1.0", "9223372036854775808", "\"1\"", "null", "[1]", "true"})
    EXPECT_THROW(json_integer<int64_t>(json::parse(text)), std::runtime_error) << text;
  for (const char* text : {"2147483648", "-2147483649"})
    EXPECT_THROW(json_integer<int32_t>(json::parse(text)), std::runtime_error) << text;
}

TEST(JsonInteger, SaysWhatIsThere) {
  EXPECT_THAT([] { json_integer<int32_t>(json(2.5)); },
              ::testing::ThrowsMessage<std::runtime_error>("holds 2.5 where an integer from -2147483648 to 2147483647 belongs"));
}

}  // namespace
}  // namespace assay
