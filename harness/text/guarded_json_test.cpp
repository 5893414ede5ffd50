#include "harness/text/guarded_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace assay {
namespace {

using ::testing::HasSubstr;
using nlohmann::json;

std::string error_of(const std::string& text, const JsonLimits& limits = {}) {
  try {
    (void)guarded_json(text, "f.json", limits);
  } catch (const JsonError& error) {
    return error.what();
  }
  return "no error";
}

TEST(GuardedJson, ErrorsSayFileLineAndColumn) {
  EXPECT_EQ(error_of(R"({"a": [1, 2.5, null, true, "x"]})"), "no error");
  EXPECT_EQ(error_of("{\n \"a\": ]"), "f.json:2:7: is truncated or damaged: no JSON");
  EXPECT_EQ(error_of("{\"a\""), "f.json:1:5: is truncated or damaged: no JSON");
  EXPECT_EQ(error_of(""), "f.json:1:1: is truncated or damaged: no JSON");
  EXPECT_EQ(error_of("{\"a\": 1,\n\"a\": 2}"), "f.json:2:3: 'a' stands twice");
  EXPECT_THAT(error_of("{\"\xff\": 1}"), HasSubstr("is no UTF-8"));
  EXPECT_THAT(error_of("[1e999999]"), HasSubstr("f.json:1:9: holds a number that no double holds"));
  EXPECT_THAT(error_of("{\"a\\u001b[31m\":1,\"a\\u001b[31m\":1}"), HasSubstr("'a\\x1b[31m' stands twice"));
}

TEST(GuardedJson, DepthMembersValuesAndListsAreBounded) {
  EXPECT_EQ(error_of(std::string(200, '[') + std::string(200, ']')), "no error");
  EXPECT_EQ(error_of(std::string(200000, '[')), "f.json:1:257: is nested deeper than 256 levels");
  EXPECT_THAT(error_of("[1,2,3]", {.list = 2}), HasSubstr("f.json:1:7: has a list of more than 2 values"));
  EXPECT_THAT(error_of("[1,[2],3]", {.values = 4}), HasSubstr("has more than 4 values"));
  EXPECT_THAT(error_of(R"([{"a":1},{"b":2}])", {.members = 1}), HasSubstr("has more than 1 named members"));
}

TEST(GuardedJson, WhatIsReadIsWhatStandsThere) {
  EXPECT_EQ(guarded_json(R"({"b": [1, -2, 0.5], "a": "x"})", "f").dump(), R"({"a":"x","b":[1,-2,0.5]})");
}

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
