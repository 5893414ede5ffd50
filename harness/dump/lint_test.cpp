// Tests the lint of checkpoints: the output of correct quantizers is clean, and each planted problem is named.
#include "harness/dump/lint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "harness/core/cases.h"
#include "harness/text/messages.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"

namespace assay {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr int64_t kRows = 256, kColumns = 256;

using Bytes = std::vector<std::byte>;

/// A checkpoint whose tensors a test can change.
class Checkpoint {
 public:
  Bytes& add(const std::string& name, const Format& format, std::vector<int64_t> shape, Bytes bytes) {
    names_.push_back(name), formats_.push_back(&format), shapes_.push_back(std::move(shape)), bytes_.push_back(std::move(bytes));
    return bytes_.back();
  }
  Bytes& of(const std::string& name) {
    for (size_t i = 0; i < names_.size(); ++i)
      if (names_[i] == name) return bytes_[i];
    throw std::logic_error("no tensor " + name);
  }
  std::string written(const std::string& stem) const {
    std::vector<TensorBytes> tensors;
    for (size_t i = 0; i < names_.size(); ++i) tensors.push_back({names_[i], formats_[i], shapes_[i], bytes_[i]});
    const std::string file =
        (std::filesystem::temp_directory_path() / (stem + std::to_string(::getpid()) + ".safetensors")).string();
    std::ofstream(file, std::ios::binary) << safetensors_text(tensors, {});
    return file;
  }

 private:
  std::vector<std::string> names_;
  std::vector<const Format*> formats_;
  std::vector<std::vector<int64_t>> shapes_;
  std::vector<Bytes> bytes_;
};

/// Weights of magnitude about 0.02, as in a trained model.
std::vector<double> weights() {
  std::vector<double> all(kRows * kColumns);
  uint64_t state = 1;
  for (double& w : all) {
    double sum = 0;
    for (int i = 0; i < 4; ++i)
      sum += double((state = state * 6364136223846793005u + 1442695040888963407u) >> 40) * 0x1p-24 - 0.5;
    w = 0.03 * sum;
  }
  return all;
}

uint32_t code(const Format& format, double value) {
  return code_of(format, round_to(format, value, Rounding::kNearestEven, Overflow::kSaturate));
}

Bytes f32_bytes(const std::vector<float>& values) {
  Bytes bytes(values.size() * 4);
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

double amax_of(const std::vector<double>& w, int64_t row, int64_t rows, int64_t column, int64_t columns) {
  double amax = 0;
  for (int64_t r = row; r < row + rows; ++r)
    for (int64_t c = column; c < column + columns; ++c) amax = std::max(amax, std::fabs(w[size_t(r * kColumns + c)]));
  return amax;
}

/// The codes of weights, given the scale by which each block is divided.
Bytes codes_of(const std::vector<double>& w, const Format& format,
               const std::function<double(int64_t row, int64_t column)>& scale) {
  const bool packed = format.bits == 4;
  Bytes bytes(w.size() / (packed ? 2 : 1));
  for (int64_t r = 0; r < kRows; ++r)
    for (int64_t c = 0; c < kColumns; ++c) {
      const auto i = size_t(r * kColumns + c);
      const uint32_t q = code(format, w[i] / scale(r, c));
      if (packed) bytes[i / 2] |= std::byte(c % 2 == 0 ? q : q << 4);
      else bytes[i] = std::byte(q);
    }
  return bytes;
}

/// NVFP4 with tensor names of ModelOpt, or of compressed-tensors, whose quantizer multiplies by the global scale.
Checkpoint nvfp4(bool multiplies = false) {
  const std::vector<double> w = weights();
  const double global = amax_of(w, 0, kRows, 0, kColumns) / (6 * 448);
  Bytes scales(kRows * kColumns / 16);
  std::vector<double> values(scales.size());
  for (int64_t r = 0; r < kRows; ++r)
    for (int64_t b = 0; b < kColumns / 16; ++b) {
      const auto i = size_t(r * kColumns / 16 + b);
      const uint32_t byte = code(kE4M3Fn, amax_of(w, r, 1, b * 16, 16) / 6 / global);
      scales[i] = std::byte(byte), values[i] = decode(kE4M3Fn, byte) * global;
    }
  Checkpoint made;
  made.add(multiplies ? "up.weight_packed" : "up.weight", kUint8, {kRows, kColumns / 2},
           codes_of(w, kE2M1, [&](int64_t r, int64_t c) { return values[size_t(r * kColumns / 16 + c / 16)]; }));
  made.add("up.weight_scale", kE4M3Fn, {kRows, kColumns / 16}, scales);
  made.add(multiplies ? "up.weight_global_scale" : "up.weight_scale_2", kF32, {1},
           f32_bytes({float(multiplies ? 1 / global : global)}));
  return made;
}

/// MXFP4 or MXFP8 by the rule FLOOR or RCEIL.
Checkpoint mx(const Format& format, bool floor) {
  const std::vector<double> w = weights();
  const double largest = max_finite(format);
  Bytes scales(kRows * kColumns / 32);
  std::vector<double> values(scales.size());
  for (int64_t r = 0; r < kRows; ++r)
    for (int64_t b = 0; b < kColumns / 32; ++b) {
      const auto i = size_t(r * kColumns / 32 + b);
      const double amax = amax_of(w, r, 1, b * 32, 32);
      const int exponent = floor ? std::ilogb(amax) - std::ilogb(largest) : int(std::ceil(std::log2(amax / largest)));
      scales[i] = std::byte(exponent + 127), values[i] = std::ldexp(1.0, exponent);
    }
  Checkpoint made;
  made.add("up.weight", format.bits == 4 ? kUint8 : format, {kRows, kColumns / (format.bits == 4 ? 2 : 1)},
           codes_of(w, format, [&](int64_t r, int64_t c) { return values[size_t(r * kColumns / 32 + c / 32)]; }));
  made.add("up.weight_scale", kUint8, {kRows, kColumns / 32}, scales);
  return made;
}

Checkpoint fp8_blocks() {
  const std::vector<double> w = weights();
  std::vector<float> scales;
  for (int64_t r = 0; r < kRows; r += 128)
    for (int64_t c = 0; c < kColumns; c += 128) scales.push_back(float(amax_of(w, r, 128, c, 128) / 448));
  Checkpoint made;
  made.add("up.weight", kE4M3Fn, {kRows, kColumns}, codes_of(w, kE4M3Fn, [&](int64_t r, int64_t c) {
             return double(scales[size_t(r / 128 * (kColumns / 128) + c / 128)]);
           }));
  made.add("up.weight_scale_inv", kF32, {kRows / 128, kColumns / 128}, f32_bytes(scales));
  return made;
}

std::string lint(const Checkpoint& checkpoint) {
  const std::string file = checkpoint.written("assay_lint");
  const std::string text = lint_text(lint_checkpoint({file}));
  std::filesystem::remove(file);
  return text;
}

TEST(Lint, WhatCorrectQuantizersWriteIsClean) {
  EXPECT_THAT(lint(nvfp4()), HasSubstr("CLEAN: 1 tensors (1 NVFP4 (ModelOpt))"));
  EXPECT_THAT(lint(nvfp4(true)), HasSubstr("CLEAN: 1 tensors (1 NVFP4 (compressed-tensors))"));
  for (const bool floor : {false, true}) {
    EXPECT_THAT(lint(mx(kE2M1, floor)), HasSubstr("CLEAN: 1 tensors (1 MXFP4 (Quark))"));
    EXPECT_THAT(lint(mx(kE4M3Fn, floor)), HasSubstr("CLEAN: 1 tensors (1 MXFP8)"));
  }
  EXPECT_THAT(lint(fp8_blocks()), HasSubstr("CLEAN: 1 tensors (1 FP8 blocks (DeepSeek))"));
  EXPECT_THAT(lint(fp8_blocks()), HasSubstr("whether these scales belong to these codes was not checked"));
}

/// Changes a tensor, and expects that the lint reports this problem with this first block.
void expect_finding(Checkpoint checkpoint, const std::string& tensor, const std::function<void(Bytes&)>& change,
                    const std::string& words, const std::string& place = "") {
  change(checkpoint.of(tensor));
  EXPECT_THAT(lint(checkpoint), AllOf(HasSubstr(words), HasSubstr(place), HasSubstr("FINDINGS: 1 in 1 tensors"))) << words;
}

/// Sets the codes of block `b` of row `r` of 4-bit codes.
std::function<void(Bytes&)> block_of_codes(int64_t r, int64_t b, int64_t bytes, uint8_t value) {
  return [=](Bytes& codes) { std::fill_n(codes.begin() + r * kColumns / 2 + b * bytes, bytes, std::byte(value)); };
}
std::function<void(Bytes&)> byte(size_t at, uint8_t value) {
  return [=](Bytes& bytes) { bytes[at] = std::byte(value); };
}
std::function<void(Bytes&)> number(float value) {
  return [=](Bytes& bytes) { std::memcpy(bytes.data(), &value, 4); };
}

TEST(Lint, NamesProblemsOfNvfp4) {
  constexpr int64_t kPerRow = kColumns / 16;
  expect_finding(nvfp4(), "up.weight_scale", byte(5 * kPerRow + 7, 0x7f), "up.weight: NaN scale",
                 "1 of 4096 blocks, first: row 5, block 7: scale byte 0x7f");
  expect_finding(nvfp4(), "up.weight_scale", byte(3, 0xb8), "negative scale", "row 0, block 3");
  expect_finding(nvfp4(), "up.weight_scale", byte(9, 0), "scale underflowed, although codes are not 0", "row 0, block 9");
  expect_finding(nvfp4(), "up.weight", block_of_codes(2, 1, 8, 0x00), "dead block", "row 2, block 1");
  expect_finding(nvfp4(), "up.weight", block_of_codes(2, 1, 8, 0x31), "no scale rule gives these codes", "row 2, block 1");
  Checkpoint clipped = nvfp4();
  clipped.of("up.weight_scale")[17] = std::byte(0x7e);
  expect_finding(clipped, "up.weight", block_of_codes(1, 1, 8, 0x7f), "clipped: the scale is 448", "row 1, block 1");
  const float right = [] {
    float value = 0;
    std::memcpy(&value, nvfp4().of("up.weight_scale_2").data(), 4);
    return value;
  }();
  expect_finding(nvfp4(), "up.weight_scale_2", number(1 / right), "up.weight_scale_2: global scale does not fit its blocks",
                 "with the reciprocal");
  expect_finding(nvfp4(true), "up.weight_global_scale", number(right), "global scale does not fit its blocks",
                 "with the reciprocal");
  expect_finding(nvfp4(), "up.weight_scale_2", number(std::nanf("")), "global scale is not a positive number", "nan");
  expect_finding(nvfp4(), "up.weight_scale_2", number(0), "global scale is not a positive number");
}

TEST(Lint, AGlobalScaleThatLeavesTheRangeOfItsBlocksUnused) {
  Checkpoint checkpoint = nvfp4();
  for (std::byte& scale : checkpoint.of("up.weight_scale")) scale = std::byte(int(scale) - 5 * 8);  // 2^-5 times each scale
  expect_finding(checkpoint, "up.weight_scale_2", [](Bytes& global) {
    float value = 0;
    std::memcpy(&value, global.data(), 4);
    number(32 * value)(global);
  }, "global scale does not fit its blocks", "448 is possible");
}

TEST(Lint, NamesProblemsOfMxfp4) {
  const Checkpoint clean = mx(kE2M1, false);
  expect_finding(clean, "up.weight_scale", byte(12, 255), "NaN scale", "row 1, block 4: scale byte 0xff");
  expect_finding(clean, "up.weight_scale", byte(12, 254), "before the cast, the scale was above the format's maximum", "row 1, block 4");
  expect_finding(clean, "up.weight_scale", byte(12, 0), "scale underflowed, although codes are not 0", "row 1, block 4");
  expect_finding(clean, "up.weight", block_of_codes(7, 2, 16, 0x80), "dead block", "row 7, block 2");
  expect_finding(clean, "up.weight", block_of_codes(7, 2, 16, 0x23), "the largest is below 2", "row 7, block 2");
}

TEST(Lint, NamesProblemsOfFp8) {
  const Checkpoint clean = mx(kE4M3Fn, false);
  expect_finding(clean, "up.weight_scale", byte(12, 255), "NaN scale", "row 1, block 4");
  expect_finding(clean, "up.weight", byte(kColumns + 4 * 32, 0xff), "NaN code", "row 1, block 4");
  expect_finding(
      clean, "up.weight", [](Bytes& codes) { std::fill_n(codes.begin(), 32, std::byte(0x38)); }, "the largest is below 128",
      "row 0, block 0");
  expect_finding(fp8_blocks(), "up.weight_scale_inv", number(HUGE_VALF), "infinite scale", "row 0, block 0");
  expect_finding(fp8_blocks(), "up.weight_scale_inv", number(std::nanf("")), "NaN scale", "row 0, block 0");
  expect_finding(fp8_blocks(), "up.weight_scale_inv", number(1e-40f), "scale underflowed", "row 0, block 0");
  expect_finding(fp8_blocks(), "up.weight_scale_inv", number(-1.0f), "negative scale");
  expect_finding(fp8_blocks(), "up.weight", byte(128 * kColumns + 200, 0x7f), "NaN code", "row 1, block 1");
  expect_finding(fp8_blocks(), "up.weight", [](Bytes& codes) {
    for (std::byte& q : codes) q &= std::byte(0xbf);
  }, "the largest is below 208");
}

TEST(Lint, ScalesMayLieInAnotherShard) {
  const Checkpoint whole = nvfp4();
  Checkpoint codes, scales;
  Checkpoint copy = whole;
  codes.add("up.weight", kUint8, {kRows, kColumns / 2}, copy.of("up.weight"));
  copy.of("up.weight_scale")[0] = std::byte(0x7f);
  scales.add("up.weight_scale", kE4M3Fn, {kRows, kColumns / 16}, copy.of("up.weight_scale"));
  const std::vector<std::string> files = {codes.written("assay_lint_1_"), scales.written("assay_lint_2_")};
  EXPECT_THAT(lint_text(lint_checkpoint(files)), HasSubstr("NaN scale"));
  EXPECT_THROW(lint_checkpoint({files[0]}), UsageError) << "codes without scales";
  for (const std::string& file : files) std::filesystem::remove(file);
}

TEST(Lint, LargeFilesAreNotKeptInMemory) {
  constexpr int64_t kMany = 40000, kWide = 8192;  // 328 MB of codes
  const std::string file =
      (std::filesystem::temp_directory_path() / ("assay_lint_large" + std::to_string(::getpid()) + ".safetensors")).string();
  const int64_t codes = kMany * kWide, scales = codes / 32;
  std::string header = "{\"w.weight\":{\"dtype\":\"F8_E4M3\",\"shape\":[" + std::to_string(kMany) + "," + std::to_string(kWide) +
                       "],\"data_offsets\":[0," + std::to_string(codes) + "]},\"w.weight_scale\":{\"dtype\":\"U8\",\"shape\":[" +
                       std::to_string(kMany) + "," + std::to_string(kWide / 32) + "],\"data_offsets\":[" + std::to_string(codes) +
                       "," + std::to_string(codes + scales) + "]}}";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  {
    std::ofstream out(file, std::ios::binary);
    const uint64_t length = header.size();
    out.write(reinterpret_cast<const char*>(&length), 8);
    out << header;
  }
  std::filesystem::resize_file(file,
                               8 + header.size() + uint64_t(codes + scales));  // a sparse file: its zeros take no space on disk
  rusage before{}, after{};
  ::getrusage(RUSAGE_SELF, &before);
  const LintReport report = lint_checkpoint({file});
  ::getrusage(RUSAGE_SELF, &after);
  std::filesystem::remove(file);
  EXPECT_EQ(report.bytes, uint64_t(codes + scales));
  EXPECT_TRUE(report.findings.empty()) << "zeros with scales of 0";
#ifndef __SANITIZE_THREAD__  // the sanitizer's shadow memory takes four times the size of the mapped file
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 128 * 1024) << "KiB";
#endif
}

}  // namespace
}  // namespace assay
