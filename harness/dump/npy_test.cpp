// NumPy's .npy: every defect of a file gives one error with file and place, and no damaged file crashes the reader.
#include "harness/dump/npy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
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
using damaged_files::npy;
using ::testing::HasSubstr;

/// The error of reading `text`; empty if it is valid.
std::string npy_complaint(const std::string& text, const Format* stated = nullptr) {
  return complaint_of([&] {
    std::istringstream stream(text);
    (void)index_npy(stream, text.size(), "f.npy", stated);
  });
}

TEST(Npy, HostileFilesGetOneErrorWithFileAndPlace) {
  const std::string good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n";
  EXPECT_EQ(npy_complaint(npy(good, 8)), "");
  EXPECT_EQ(npy_complaint(npy(good, 8, 2)), "");
  EXPECT_EQ(npy_complaint(npy(good, 8, 3)), "");
  const auto shaped = [](const std::string& shape) { return "{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + "}"; };
  const auto typed = [](const std::string& descr) { return "{'descr': " + descr + ", 'fortran_order': False, 'shape': (2,)}"; };
  const std::pair<std::string, const char*> files[] = {
      {"", "byte 0: is not an .npy file"},
      {"PK\3\4 this is an .npz", "byte 0: is not an .npy file"},
      {npy(good, 8, 4), "byte 6: version 4"},
      {npy(good, 8).substr(0, 40), "byte 8: a header of 58 bytes runs past the end of the file of 40"},
      {std::string("\x93NUMPY\2\0\xff\xff\xff\xff", 12), "runs past the end"},
      {npy("[1, 2]", 0), "byte 10: '{' is missing"},
      {npy("{'descr': '<f4'", 0), "'}' is missing"},
      {npy("{'descr': '<f4'}", 0), "lacks descr, fortran_order or shape"},
      {npy("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': ()}", 4), "'descr' stands twice"},
      {npy("{'descr': '<f4', 'order': False, 'shape': ()}", 4), "'order' is not one of descr, fortran_order, shape"},
      {npy("{'descr': '<f4', 'fortran_order': 0, 'shape': ()}", 4), "neither True nor False"},
      {npy(good + "import os", 8), "text after the dictionary"},
      {npy(shaped("(-2,)"), 8), "shape has a negative extent"},
      {npy(shaped("(2.0,)"), 8), "')' is missing"},
      {npy(shaped("(((2)))"), 8), "not an integer"},
      {npy(shaped("(99999999999999999999,)"), 8), "too many elements"},
      {npy(shaped("(4294967296, 4294967296)"), 8), "too many elements"},
      {npy(shaped("(3,)"), 8), "'<f4' [3] needs 12 bytes and 8 follow"},
      {npy(shaped("(2,)"), 9), "needs 8 bytes and 9 follow"},
      {npy(typed("'>f4'"), 8), "big-endian"},
      {npy(typed("'|O'"), 16), "Python objects, which are never read"},
      {npy(typed("[('a', '<f4')]"), 8), "descr is a structure"},
      {npy(typed("'<c16'"), 32), "is a type without a format of Assay"},
      {npy(typed("'<f4"), 8), "'}' is missing"},
      {npy("{'descr", 0), "a quote is never closed"}};
  for (const auto& [text, problem] : files) {
    EXPECT_THAT(npy_complaint(text), HasSubstr(problem));
    EXPECT_THAT(npy_complaint(text), HasSubstr("f.npy: "));
  }
  EXPECT_THAT(npy_complaint(npy(good, 8), &kBf16), HasSubstr("has 32 bits and cannot be bf16"));
  EXPECT_THAT(npy_complaint(npy(typed("'<f2'"), 4), &kBf16), HasSubstr("is f16, not bf16"));
  EXPECT_EQ(npy_complaint(npy(typed("'<V2'"), 4), &kBf16), "");
  EXPECT_EQ(npy_complaint(npy(typed("'|V1'"), 2), &kE8M0), "");
  EXPECT_EQ(npy_complaint(npy(typed("'float8_e4m3fn'"), 2)), "");
}

TEST(Npy, NoPrefixAndNoFlippedByteOfAFileCrashes) {
  const std::vector<std::byte> bytes = counted(32);
  const std::string good = npy_text(kF32, {2, 4}, bytes);
  for (size_t length = 0; length < good.size(); ++length) EXPECT_NE(npy_complaint(good.substr(0, length)), "") << length;
  for (size_t at = 0; at < 128; ++at)
    for (int flip = 1; flip < 256; ++flip) {
      std::string damaged = good;
      damaged[at] = char(damaged[at] ^ flip);
      (void)npy_complaint(damaged);
    }
}

}  // namespace
}  // namespace assay
