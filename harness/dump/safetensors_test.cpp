// The safetensors format: every defect of a file gives one error with file and place, and no damaged file crashes the reader.
#include "harness/dump/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "harness/dump/testing/damaged_files.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

using damaged_files::complaint_of;
using damaged_files::counted;
using ::testing::HasSubstr;

/// A .safetensors file with that header and `data` bytes of data.
std::string safetensors(const std::string& header, size_t data) {
  std::string text(8, '\0');
  for (size_t i = 0; i < 8; ++i) text[i] = char(header.size() >> (8 * i) & 0xff);
  return text + header + std::string(data, 'd');
}

/// The error of reading `text`; empty if it is valid.
std::string safetensors_complaint(const std::string& text) {
  return complaint_of([&] {
    std::istringstream stream(text);
    (void)index_safetensors(stream, text.size(), "f.safetensors");
  });
}

TEST(Safetensors, HostileFilesGetOneErrorWithFileAndPlace) {
  const std::string good = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  EXPECT_EQ(safetensors_complaint(safetensors(good, 8)), "");
  const std::pair<std::string, const char*> files[] = {
      {"", "has 0 bytes"},
      {"\1\2\3", "has 3 bytes; a safetensors file begins with 8 bytes"},
      {std::string(8, '\xff'), "byte 0: a header of 18446744073709551615 bytes runs past the end"},
      {safetensors(good, 8).substr(0, 20), "runs past the end of the file of 20"},
      {safetensors("[]", 0), "byte 8: the header does not begin with '{'"},
      {safetensors("{\"a\":", 0), "the header is truncated or damaged: no JSON"},
      {safetensors("{\"\xff\xfe\":1}", 0), "the header is no UTF-8"},
      {safetensors(R"({"a":{"dtype":"F32","shape":[[[1]]],"data_offsets":[0,8]}})", 8), "is nested deeper than 3 levels"},
      {safetensors("{\"a\":" + std::string(100000, '['), 0), "is nested deeper than 3 levels"},
      {safetensors(
           R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 8),
       "'a' stands twice"},
      {safetensors(R"({"a":{"dtype":"F32","dtype":"F16","shape":[2],"data_offsets":[0,8]}})", 8), "'dtype' stands twice"},
      {safetensors(R"({"a":7})", 0), "tensor 'a': is number, not object"},
      {safetensors(R"({"a":{"shape":[2],"data_offsets":[0,8]}})", 8), "tensor 'a': lacks dtype"},
      {safetensors(R"({"a":{"dtype":3,"shape":[2],"data_offsets":[0,8]}})", 8), "dtype is number, not string"},
      {safetensors(R"({"a":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}})", 8), "unknown dtype 'F33'"},
      {safetensors(R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", 8),
       "shape holds -2, which is not an integer from 0"},
      {safetensors(R"({"a":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}})", 8), "shape holds 2.5"},
      {safetensors(R"({"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,8]}})", 8), "shape holds"},
      {safetensors(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}})", 8),
       "too many elements"},
      {safetensors(R"({"a":{"dtype":"F32","shape":[0,9223372036854775807,9223372036854775807],"data_offsets":[0,8]}})", 8),
       "needs 0 bytes"},
      {safetensors(R"({"a":{"dtype":"F4","shape":[1],"data_offsets":[0,1]}})", 1), "is not a whole number of bytes"},
      {safetensors(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", 8), "data_offsets [8, 0] are not begin and end offsets"},
      {safetensors(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}})", 8), "data_offsets [0] are not begin and end offsets"},
      {safetensors(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})", 8), "run out of the file, which holds 8 bytes"},
      {safetensors(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8),
       "F32 [3] needs 12 bytes, data_offsets [0, 8] give 8"},
      {safetensors(
           R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})", 12),
       "tensor 'b': begins at byte 4 of the data, inside the previous tensor, which ends at 8"},
      {safetensors(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 8), "and nothing holds the bytes from 0 on"},
      {safetensors(good, 9), "1 bytes after the last tensor"},
      {safetensors(R"({"__metadata__":7})", 0), "__metadata__: is number, not object"},
      {safetensors(R"({"__metadata__":{"a":7}})", 0), "'a' is number, not string"}};
  for (const auto& [text, problem] : files) {
    EXPECT_THAT(safetensors_complaint(text), HasSubstr(problem));
    EXPECT_THAT(safetensors_complaint(text), HasSubstr("f.safetensors: "));
  }
}

TEST(Safetensors, NoPrefixAndNoFlippedByteOfAFileCrashes) {
  const std::vector<std::byte> bytes = counted(40);
  const std::string good = safetensors_text(
      {{"x", &kF32, {2, 4}, std::span(bytes).first(32)}, {"q", &kE4M3Fn, {8}, std::span(bytes).first(8)}}, {{"k", "v"}});
  ASSERT_EQ(safetensors_complaint(good), "");
  for (size_t length = 0; length < good.size(); ++length) EXPECT_NE(safetensors_complaint(good.substr(0, length)), "") << length;
  for (size_t at = 0; at < good.size() - 40; ++at)
    for (const int flip : {1, 4, 0x20, 0x80}) {
      std::string damaged = good;
      damaged[at] = char(damaged[at] ^ flip);
      (void)safetensors_complaint(damaged);  // an error or another valid header, but no crash
    }
}

}  // namespace
}  // namespace assay
