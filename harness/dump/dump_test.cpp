// Valid files return every tensor bit for bit, by name and memory layout; invalid files give an error.
#include "harness/dump/dump.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "harness/core/cases.h"
#include "harness/dump/npy.h"
#include "harness/dump/recording.h"
#include "harness/dump/safetensors.h"
#include "harness/dump/strided.h"
#include "harness/dump/testing/damaged_files.h"
#include "harness/testing/toy_op.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

using damaged_files::complaint_of;
using damaged_files::counted;
using damaged_files::npy;
using ::testing::HasSubstr;

/// Formats that have a dtype of their own in files.
const std::vector<Format>& formats_of_files() {
  static const auto formats = [] {
    std::vector<Format> all;
    for (const Format& format : all_formats())
      if (format.bits == 8 * format.bytes()) all.push_back(format);
    return all;
  }();
  return formats;
}

class DumpFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("assay_dump_" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return (folder_ / name).string();
  }
  std::filesystem::path folder_;
};

TEST_F(DumpFiles, EveryFormatSurvivesASafetensorsFile) {
  const std::vector<std::byte> bytes = counted(6 * 4);
  std::vector<TensorBytes> tensors;
  for (const Format& format : formats_of_files())
    tensors.push_back({std::string(format.name), &format, {2, 3}, std::span(bytes).first(size_t(6 * format.bytes()))});
  const Dump dump = open_dump(write("all.safetensors", safetensors_text(tensors, {{"key", "w\xc3\xb6rd"}})));
  EXPECT_EQ(dump.metadata.at("key"), "w\xc3\xb6rd");
  ASSERT_EQ(dump.tensors.size(), formats_of_files().size());
  for (const TensorBytes& tensor : tensors) {
    const StoredTensor& stored = dump.find(tensor.name);
    ASSERT_NE(stored.format, nullptr) << tensor.name;
    EXPECT_EQ(*stored.format, *tensor.format);
    EXPECT_EQ(stored.shape, tensor.shape);
    EXPECT_TRUE(std::ranges::equal(read_bytes(dump, stored), tensor.bytes)) << tensor.name;
  }
}

TEST_F(DumpFiles, CodesOfFourBitsArePackedAndThoseInBytesAreNot) {
  const std::vector<std::byte> bytes = {std::byte{0x21}, std::byte{0x43}, std::byte{0x65}, std::byte{0x07}, std::byte{0x01}, std::byte{0x02}};
  const std::vector<TensorBytes> tensors = {{"packed", &kE2M1, {2, 4}, std::span(bytes).first(4), true},
                                            {"flat", &kE2M1, {8}, std::span(bytes).first(4), true},
                                            {"bytes", &kE2M1, {1, 2}, std::span(bytes).last(2)}};
  const Dump dump = open_dump(write("four.safetensors", safetensors_text(tensors, {{"flat.shape", "[2, 3]"}, {"flat.strides", "[4, 1]"}})));
  const auto read = [&](const char* name) {
    const StoredTensor& stored = dump.find(name);
    return code_matrix({storage_spec(dump, stored), read_bytes(dump, stored)}).codes;
  };
  EXPECT_EQ(dump.find("packed").dtype, "F4");
  EXPECT_EQ(dump.find("bytes").dtype, "U8");
  EXPECT_EQ(read("packed"), (std::vector<uint32_t>{1, 2, 3, 4, 5, 6, 7, 0}));
  EXPECT_EQ(read("flat"), (std::vector<uint32_t>{1, 2, 3, 5, 6, 7}));
  EXPECT_EQ(read("bytes"), (std::vector<uint32_t>{1, 2}));
  EXPECT_THROW(safetensors_text({{"odd", &kE2M1, {3}, std::span(bytes).first(2), true}}, {}), DumpError);
}

TEST(TensorSpec, PackedRowsBeginWithAByte) {
  const TensorSpec even = packed(dense("q", Role::kOutput, kE2M1, {3, 6}));
  EXPECT_EQ(even.bytes(), 9u);
  EXPECT_EQ(packed(dense("q", Role::kOutput, kE2M1, {5})).storage, 6);
  EXPECT_THROW(packed(dense("q", Role::kOutput, kE2M1, {3, 5})), std::logic_error);
  EXPECT_THROW(packed(dense("q", Role::kOutput, kE4M3Fn, {3, 6})), std::logic_error);
}

TEST_F(DumpFiles, EveryFormatSurvivesAnNpyFileIfItIsStated) {
  const std::vector<std::byte> bytes = counted(6 * 4);
  for (const Format& format : formats_of_files()) {
    const auto part = std::span(bytes).first(size_t(6 * format.bytes()));
    const std::string path = write("one.npy", npy_text(format, {2, 3}, part));
    const Dump dump = open_dump(path + ":" + std::string(format.name));
    EXPECT_EQ(*dump.tensors.front().format, format);
    EXPECT_TRUE(std::ranges::equal(read_bytes(dump, dump.tensors.front()), part)) << format.name;
  }
}

TEST_F(DumpFiles, EmptyAndScalarTensorsAreTensors) {
  const std::vector<std::byte> four = counted(4);
  const Dump dump =
      open_dump(write("e.safetensors", safetensors_text({{"none", &kF32, {0, 5}, {}}, {"one", &kF32, {}, four}}, {})));
  EXPECT_EQ(dump.find("none").elements(), 0);
  EXPECT_EQ(dump.find("one").elements(), 1);
  EXPECT_EQ(code_matrix({storage_spec(dump, dump.find("none")), {}}).codes.size(), 0u);
  const Dump scalar = open_dump(write("s.npy", npy_text(kF32, {}, four)));
  EXPECT_EQ(scalar.tensors.front().shape, std::vector<int64_t>{});
}

TEST_F(DumpFiles, KernelsWhoseNamesDifferNeverShareAFileOfARecording) {
  Backend backend{"toy", {}, {}};
  Recorder recorder(folder_.string(), backend, {});
  const Op op = testing::toy_op();
  Case one = expand_table(op, "contract,format,m,n,fill,seed,warp,why\ntoy.copy,bf16,1,4,ramp,1,32,any\n", "quick.csv").front();
  const auto bound = op.bind(one);
  const Problem problem = testing::toy_problem(kBf16, 1, 4);
  CallResult result;
  result.outputs = {problem.tensors[0]};
  result.untouched = {{}};
  result.in_place = {false};
  const std::vector<std::string> names = {"a b", "a_b", "a/b", "a%2Fb", "..", ".a", "\x1b[31m", std::string(300, 'k'), std::string(301, 'k')};
  for (const std::string& name : names) {
    Verdict verdict;
    verdict.case_id = "toy/case";
    verdict.kernel = name;
    recorder.write({*bound, one, problem, &result.outputs, &result, nullptr}, verdict);
  }
  std::set<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder_ / "toy/case")) files.insert(entry.path().filename().string());
  EXPECT_EQ(files.size(), names.size());
  EXPECT_TRUE(files.contains("a%20b.safetensors") && files.contains("a_b.safetensors") && files.contains("a%2Fb.safetensors"));
}

TEST_F(DumpFiles, AWholeRecordingAndAShareAreNotOneRecording) {
  Recording recording{folder_.string(), "toy", {}, {}, {}};
  write_index(recording);
  EXPECT_EQ(read_indexes(folder_.string()).size(), 1u);
  recording.run.shard = {1, 2, ""};
  write_index(recording);
  EXPECT_THAT([&] { read_indexes(folder_.string()); },
              ::testing::ThrowsMessage<DumpError>(::testing::HasSubstr("holds the recording of a whole run (index.json) and of a share")));
}

TEST_F(DumpFiles, AHeaderOfManyExtentsIsRefusedWhileItIsRead) {
  std::string header = R"({"a":{"dtype":"U8","shape":[1)";
  for (int i = 0; i < 1'000'000; ++i) header += ",1";
  header += R"(],"data_offsets":[0,1]}})";
  std::string file(8, '\0');
  for (int i = 0; i < 8; ++i) file[size_t(i)] = char(uint64_t(header.size()) >> (8 * i) & 0xff);
  EXPECT_THAT([&] { open_dump(write("wide.safetensors", file + header + "x")); },
              ::testing::ThrowsMessage<DumpError>(::testing::HasSubstr("has a list of more than 128 values")));
}

TEST_F(DumpFiles, UnknownNamesGetNearMatches) {
  const std::vector<std::byte> four = counted(4);
  const std::string path = write("a.safetensors", safetensors_text({{"scale", &kF32, {1}, four}}, {}));
  EXPECT_THAT(complaint_of([&] { (void)open_dump(path).find("scael"); }), HasSubstr("no tensor 'scael'; did you mean 'scale'"));
  EXPECT_THAT(complaint_of([&] { (void)open_dump(path + ".txt"); }), HasSubstr("ends neither in .safetensors nor in .npy"));
  EXPECT_THAT(complaint_of([&] { (void)open_dump((folder_ / "no.npy").string()); }), HasSubstr("no such file"));
  std::filesystem::create_directories(folder_ / "d.npy");
  EXPECT_THAT(complaint_of([&] { (void)open_dump((folder_ / "d.npy").string()); }), HasSubstr("is not a regular file"));
}

TEST_F(DumpFiles, AFileThatShrinksBetweenHeaderAndDataIsNoticed) {
  const std::vector<std::byte> bytes = counted(64);
  const std::string text = safetensors_text({{"x", &kF32, {16}, bytes}}, {});
  const std::string path = write("x.safetensors", text);
  const Dump dump = open_dump(path);
  write("x.safetensors", text.substr(0, text.size() - 8));
  EXPECT_THAT(complaint_of([&] { (void)read_bytes(dump, dump.tensors.front()); }), HasSubstr("has become shorter"));
}

TEST_F(DumpFiles, FortranOrderIsReadByItsStrides) {
  std::string text = npy("{'descr': '|i1', 'fortran_order': True, 'shape': (2, 3), }", 0);
  for (const char c : {1, 4, 2, 5, 3, 6}) text += c;  // [[1, 2, 3], [4, 5, 6]] in column-major order
  const Dump dump = open_dump(write("f.npy", text));
  EXPECT_EQ(dump.tensors.front().strides, (std::vector<int64_t>{1, 2}));
  const CodeMatrix matrix = code_matrix({storage_spec(dump, dump.tensors.front()), read_bytes(dump, dump.tensors.front())});
  EXPECT_EQ(matrix.codes, (std::vector<uint32_t>{1, 2, 3, 4, 5, 6}));
}

TEST_F(DumpFiles, StatedStridesMustStayInTheStorage) {
  const std::vector<std::byte> bytes = counted(13 * 4);
  const auto spec = [&](const std::string& shape, const std::string& strides) {
    return complaint_of([&] {
      const Dump dump = open_dump(write("s.safetensors", safetensors_text({{"scale", &kInt32, {13}, bytes}},
                                                                          {{"scale.shape", shape}, {"scale.strides", strides}})));
      (void)storage_spec(dump, dump.tensors.front());
    });
  };
  EXPECT_EQ(spec("[5, 2]", "[1, 8]"), "");
  EXPECT_THAT(spec("[6, 2]", "[1, 8]"), HasSubstr("runs out of the storage of 13 elements"));
  EXPECT_THAT(spec("[5, 2]", "[1, 9223372036854775807]"), HasSubstr("runs out of the storage"));
  EXPECT_THAT(spec("[5, 2]", "[1]"), HasSubstr("of one length"));
  EXPECT_THAT(spec("[5, -2]", "[1, 8]"), HasSubstr("lists of integers"));
  EXPECT_THAT(spec("5, 2", "[1, 8]"), HasSubstr("lists of integers"));
}

}  // namespace
}  // namespace assay
