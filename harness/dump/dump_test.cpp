// Tests tensor files and recordings: valid files are read, and damaged ones are refused.
#include "harness/dump/dump.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "harness/core/cases.h"
#include "harness/dump/recording.h"
#include "harness/testing/toy_op.h"
#include "reference/formats/catalogue.h"

namespace assay::damaged_files {

/// An array of `count` bytes in which neighbours differ.
inline std::vector<std::byte> counted(size_t count) {
  std::vector<std::byte> bytes(count);
  for (size_t i = 0; i < count; ++i) bytes[i] = std::byte(7 * i + 1);
  return bytes;
}

/// An .npy file with that header and `data` bytes of data.
inline std::string npy(const std::string& header, size_t data, char version = 1) {
  std::string text = "\x93NUMPY";
  text += {version, '\0', char(header.size() & 0xff), char(header.size() >> 8)};
  if (version > 1) text += {'\0', '\0'};
  return text + header + std::string(data, 'd');
}

/// The message of the DumpError that `read` throws; empty if it throws none.
inline std::string complaint_of(const std::function<void()>& read) {
  try {
    read();
    return "";
  } catch (const DumpError& error) {
    return error.what();
  }
}

}  // namespace assay::damaged_files

namespace assay {
namespace {

using ::testing::HasSubstr;
using damaged_files::complaint_of;
using damaged_files::counted;
using damaged_files::npy;

// Valid files return every tensor bit for bit, by name and memory layout; invalid files give an error.

/// Formats for which safetensors or npy have a dtype.
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
  const std::vector<std::byte> bytes = {std::byte{0x21}, std::byte{0x43}, std::byte{0x65},
                                        std::byte{0x07}, std::byte{0x01}, std::byte{0x02}};
  const std::vector<TensorBytes> tensors = {{"packed", &kE2M1, {2, 4}, std::span(bytes).first(4), true},
                                            {"flat", &kE2M1, {8}, std::span(bytes).first(4), true},
                                            {"bytes", &kE2M1, {1, 2}, std::span(bytes).last(2)}};
  const Dump dump =
      open_dump(write("four.safetensors", safetensors_text(tensors, {{"flat.shape", "[2, 3]"}, {"flat.strides", "[4, 1]"}})));
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
  const std::vector<std::string> names = {
      "a b", "a_b", "a/b", "a%2Fb", "..", ".a", "\x1b[31m", std::string(300, 'k'), std::string(301, 'k')};
  for (const std::string& name : names) {
    Verdict verdict;
    verdict.case_id = "toy/case";
    verdict.kernel = name;
    recorder.write({*bound, one, problem, &result.outputs, &result, nullptr}, verdict);
  }
  std::set<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder_ / "toy/case"))
    files.insert(entry.path().filename().string());
  EXPECT_EQ(files.size(), names.size());
  EXPECT_TRUE(files.contains("a%20b.safetensors") && files.contains("a_b.safetensors") && files.contains("a%2Fb.safetensors"));
}

TEST_F(DumpFiles, AWholeRecordingAndAShareAreNotOneRecording) {
  Recording recording{folder_.string(), "toy", {}, {}, {}};
  write_index(recording);
  EXPECT_EQ(read_indexes(folder_.string()).size(), 1u);
  recording.run.shard = {1, 2, ""};
  write_index(recording);
  EXPECT_THAT([&] { read_indexes(folder_.string()); }, ::testing::ThrowsMessage<DumpError>(::testing::HasSubstr(
                                                           "holds the recording of a whole run (index.json) and of a share")));
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
  EXPECT_THAT(spec("[6, 2]", "[1, 8]"), HasSubstr("reaches beyond the storage of 13 elements"));
  EXPECT_THAT(spec("[5, 2]", "[1, 9223372036854775807]"), HasSubstr("reaches beyond the storage"));
  EXPECT_THAT(spec("[5, 2]", "[1]"), HasSubstr("of equal length"));
  EXPECT_THAT(spec("[5, -2]", "[1, 8]"), HasSubstr("lists of integers"));
  EXPECT_THAT(spec("5, 2", "[1, 8]"), HasSubstr("lists of integers"));
}

// NumPy's .npy: every defect of a file gives one error with file and place, and no damaged file crashes the reader.

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
      {npy("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': ()}", 4), "'descr' appears twice"},
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
      {npy(typed("'<c16'"), 32), "is a type for which Assay has no format"},
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

// The safetensors format: every defect of a file gives one error with file and place, and no damaged file crashes the reader.

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
      {safetensors("{\"a\":", 0), "the header is truncated or damaged: not valid JSON"},
      {safetensors("{\"\xff\xfe\":1}", 0), "the header is not UTF-8"},
      {safetensors(R"({"a":{"dtype":"F32","shape":[[[1]]],"data_offsets":[0,8]}})", 8), "is nested deeper than 3 levels"},
      {safetensors("{\"a\":" + std::string(100000, '['), 0), "is nested deeper than 3 levels"},
      {safetensors(
           R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 8),
       "'a' appears twice"},
      {safetensors(R"({"a":{"dtype":"F32","dtype":"F16","shape":[2],"data_offsets":[0,8]}})", 8), "'dtype' appears twice"},
      {safetensors(R"({"a":7})", 0), "tensor 'a': is number, not object"},
      {safetensors(R"({"a":{"shape":[2],"data_offsets":[0,8]}})", 8), "tensor 'a': lacks dtype"},
      {safetensors(R"({"a":{"dtype":3,"shape":[2],"data_offsets":[0,8]}})", 8), "dtype is number, not string"},
      {safetensors(R"({"a":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}})", 8), "unknown dtype 'F33'"},
      {safetensors(R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", 8),
       "shape holds -2, which is not an integer from 0"},
      {safetensors(R"({"a":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}})", 8), "shape holds 2.5"},
      {safetensors(R"({"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,8]}})", 8), "shape holds"},
      {safetensors(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}})", 8), "too many elements"},
      {safetensors(R"({"a":{"dtype":"F32","shape":[0,9223372036854775807,9223372036854775807],"data_offsets":[0,8]}})", 8),
       "needs 0 bytes"},
      {safetensors(R"({"a":{"dtype":"F4","shape":[1],"data_offsets":[0,1]}})", 1), "is not a whole number of bytes"},
      {safetensors(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", 8),
       "data_offsets [8, 0] are not begin and end offsets"},
      {safetensors(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}})", 8),
       "data_offsets [0] are not begin and end offsets"},
      {safetensors(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})", 8), "exceed the file, which holds 8 bytes"},
      {safetensors(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8),
       "F32 [3] needs 12 bytes, data_offsets [0, 8] give 8"},
      {safetensors(
           R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})", 12),
       "tensor 'b': begins at byte 4 of the data, inside the previous tensor, which ends at 8"},
      {safetensors(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 8), "and no tensor holds the bytes from 0 on"},
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
      (void)safetensors_complaint(damaged);  // the damaged header gives an error or is valid, too; it never causes a crash
    }
}

// Two runs of one case: the number of changed codes, the first changed element, and the largest change.

const Format& bf16() { return *find_format("bf16"); }

/// A [2, 3] tensor with the bf16 codes of 1, 2, 3 and of their negatives.
HostTensor plain() {
  HostTensor tensor{dense("y", Role::kOutput, bf16(), {2, 3}), {}};
  tensor.bytes.resize(tensor.spec.bytes());
  for (int64_t i = 0; i < 6; ++i) tensor.set_code(i, code_of(bf16(), double(i < 3 ? i + 1 : 2 - i)));
  return tensor;
}

const Part kPart{.tensor = "y", .format = &bf16(), .shape = {2, 3}};

TEST(Changes, EqualBitsAreNone) { EXPECT_TRUE(changes({kPart}, {plain()}, {plain()}).empty()); }

TEST(Changes, CountsElementsAndNamesTheFirstAndTheFarthest) {
  HostTensor now = plain();
  now.set_code(2, now.code(2) + 1);
  now.set_code(4, now.code(4) + 3);
  const std::vector<PartChange> all = changes({kPart}, {plain()}, {now});
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].part, "y");
  EXPECT_EQ(all[0].changed, 2);
  EXPECT_EQ(all[0].elements(), 6);
  EXPECT_EQ(all[0].most_ulps, 3);
  EXPECT_THAT(all[0].at, ::testing::ElementsAre(0, 2));
  EXPECT_EQ(all[0].before, 0x4040u);
  EXPECT_EQ(all[0].now, 0x4041u);
}

TEST(Changes, NanHasNoDistanceAndTheOtherZeroIsAChange) {
  HostTensor before = plain(), now = plain();
  now.set_code(0, 0x7fc0);
  before.set_code(1, 0x0000);
  now.set_code(1, 0x8000);
  const std::vector<PartChange> all = changes({kPart}, {before}, {now});
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].changed, 2);
  EXPECT_EQ(all[0].most_ulps, 0);
}

TEST(Changes, PaddingIsNotCompared) {
  HostTensor before = plain(), now = plain();
  for (HostTensor* const tensor : {&before, &now}) {
    tensor->spec.storage = 8;
    tensor->bytes.resize(tensor->spec.bytes());
  }
  now.set_code(7, 1);
  EXPECT_TRUE(changes({kPart}, {before}, {now}).empty());
}

TEST(Changes, AnotherSizeIsRefusedByName) {
  HostTensor now = plain();
  now.bytes.resize(4);
  try {
    changes({kPart}, {plain()}, {now});
    FAIL() << "nothing was thrown";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("output 'y'"));
  }
}

}  // namespace
}  // namespace assay
