// Tests the C API as a caller that was built with the header of 2026-11-25. That copy of the header never changes, so a change of
// check.h that moves a field or changes a function's arguments fails here.
#include "assay/check.h"

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "harness/check/conforms.hpp"

static_assert(ASSAY_CHECK_VERSION == 1 && sizeof(assay_check_tensor) == 56 && sizeof(assay_check_request) == 48 &&
                  sizeof(assay_check_tables) == 24 && sizeof(assay_check_parameter) == 16,
              "the header of 2026-11-25 has these");
static_assert(offsetof(assay_check_tensor, data) == 40 && offsetof(assay_check_request, layout) == 40);

namespace assay {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

/// The tensors of a correct call: two rows of 512 bf16 elements, in groups of 128. All elements of group g in row r are 448 *
/// 2^(r + g): the scale is 2^(r + g).
struct GroupQuant {
  std::vector<uint16_t> x = std::vector<uint16_t>(1024);
  std::vector<uint8_t> q = std::vector<uint8_t>(1024, 0x7e);
  std::vector<float> scale = std::vector<float>(8);

  GroupQuant() {
    for (int i = 0; i < 8; ++i) {
      const float value = std::ldexp(448.f, i / 4 + i % 4);
      uint32_t bits = 0;
      std::memcpy(&bits, &value, sizeof bits);
      std::fill_n(x.begin() + i * 128, 128, uint16_t(bits >> 16));
      scale[size_t(i)] = value / 448;
    }
  }

  Tensors tensors() const {
    Tensors call;
    return call.add("x", "bf16", {2, 512}, x.data())
        .add("q", "e4m3fn", {2, 512}, q.data())
        .add("scale", "f32", {2, 4}, scale.data());
  }
};

struct Answer {
  assay_check_status status;
  std::string text, json;
  bool conforms;
};

Answer answer_of(const std::function<assay_check_status(assay_check_report**)>& ask) {
  assay_check_report* report = nullptr;
  const assay_check_status status = ask(&report);
  Answer answer{status, assay_check_text(report), assay_check_json(report), assay_check_conforms(report) == 1};
  assay_check_free(report);
  return answer;
}

/// The answer of the C API for a correct call after `change` has modified its tensors.
Answer judged(const std::function<void(std::vector<assay_check_tensor>&)>& change, const char* contract = "vllm.group_fp8") {
  const GroupQuant data;
  const int64_t wide[] = {2, 512}, narrow[] = {2, 4};
  std::vector<assay_check_tensor> tensors = {
      {sizeof(assay_check_tensor), 2, "x", "bf16", wide, nullptr, data.x.data(), 0},
      {sizeof(assay_check_tensor), 2, "q", "e4m3fn", wide, nullptr, data.q.data(), 0},
      {sizeof(assay_check_tensor), 2, "scale", "f32", narrow, nullptr, data.scale.data(), 0}};
  change(tensors);
  assay_check_request request{};
  request.size = sizeof request, request.contract = contract;
  request.tensors = tensors.data(), request.n_tensors = int32_t(tensors.size()), request.with_power = 1;
  return answer_of([&](assay_check_report** report) { return assay_check_judge(&request, report); });
}

TEST(CheckApi, FunctionsOfTheHeaderOfThatDayAreThere) {
  ASSERT_EQ(assay_check_version(), ASSAY_CHECK_VERSION);
  for (const char* name : {"version", "text", "json", "conforms", "free", "open", "judge", "match", "explain", "scale",
                           "contract", "cases", "case_open", "case_close", "case_data", "case_judge", "worker", "serve"})
    EXPECT_NE(::dlsym(RTLD_DEFAULT, (std::string("assay_check_") + name).c_str()), nullptr) << name;
  EXPECT_EQ(::dlsym(RTLD_DEFAULT, "assay_check_guess"), nullptr);
}

TEST(CheckApi, RightTensorsConformAndWrongOnesNameTheCause) {
  GroupQuant data;
  EXPECT_THAT(data.tensors(), ConformsTo("vllm.group_fp8"));
  for (float& scale : data.scale) scale *= 2;
  EXPECT_THAT(data.tensors(), Not(ConformsTo("vllm.group_fp8")));
  std::string report;
  EXPECT_FALSE(data.tensors().conform_to("vllm.group_fp8", report));
  EXPECT_THAT(report, AllOf(HasSubstr("8 of 8 elements outside their accepted set"), HasSubstr("cause")));
}

TEST(CheckApi, PatternsAndContractsThatAreObeyedInsteadAreNamed) {
  GroupQuant data;
  for (size_t i = 0; i < 4; ++i) std::swap(data.scale[i], data.scale[i + 4]);
  std::string report;
  EXPECT_FALSE(data.tensors().conform_to("vllm.group_fp8", report));
  EXPECT_THAT(report, HasSubstr("pattern: scale holds"));
  const Answer right = judged([](auto&) {});
  EXPECT_THAT(right.json, HasSubstr("\"obeys\":[]"));
  // The scale of a group of zeros shows the lower bound of amax, which is 1e-4 in DeepGEMM and 1e-10 in vLLM.
  std::fill_n(data.x.begin(), 128, uint16_t(0));
  std::fill_n(data.q.begin(), 128, uint8_t(0));
  GroupQuant deep = data;
  for (size_t i = 0; i < 4; ++i) std::swap(deep.scale[i], deep.scale[i + 4]);
  deep.scale[0] = 1e-4f / 448;
  const Answer other =
      judged([&](auto& t) { t[0].data = deep.x.data(), t[1].data = deep.q.data(), t[2].data = deep.scale.data(); });
  EXPECT_FALSE(other.conforms);
  EXPECT_THAT(other.json,
              AllOf(HasSubstr("\"obeys deepgemm.per_token_cast"), HasSubstr("\"obeys\":[\"deepgemm.per_token_cast\"")));
}

TEST(CheckApi, PowerOfTheInputsIsComputed) {
  const Answer answer = judged([](auto&) {});
  EXPECT_EQ(answer.status, ASSAY_CHECK_OK);
  EXPECT_TRUE(answer.conforms);
  EXPECT_THAT(answer.text, HasSubstr("these inputs expose"));
  EXPECT_THAT(answer.json, HasSubstr("\"blind_to\":["));
}

TEST(CheckApi, WrongQuestionsAreRefusedByName) {
  const int64_t thin[] = {2, 256}, negative[] = {-2, 512}, huge[] = {int64_t{1} << 40, int64_t{1} << 40}, far[] = {INT64_MAX, 1};
  const auto refusal = [](const std::function<void(std::vector<assay_check_tensor>&)>& change,
                          const char* contract = "vllm.group_fp8") {
    const Answer answer = judged(change, contract);
    EXPECT_EQ(answer.status, ASSAY_CHECK_REFUSED);
    EXPECT_FALSE(answer.conforms);
    EXPECT_EQ(answer.json, "{}");
    return answer.text;
  };
  EXPECT_THAT(refusal([&](auto& t) { t[1].shape = thin; }),
              HasSubstr("tensor 'q': has shape [2, 256]; role 'q' must be [2, 512]"));
  EXPECT_THAT(refusal([](auto& t) { t[1].dtype = "e5m2"; }), HasSubstr("tensor 'q': is e5m2; the contract requires e4m3fn"));
  EXPECT_THAT(refusal([](auto& t) { t[1].dtype = "e4m3"; }), HasSubstr("did you mean"));
  EXPECT_THAT(refusal([](auto& t) { t[1].dtype = nullptr; }), HasSubstr("dtype is NULL"));
  EXPECT_THAT(refusal([](auto& t) { t[1].data = nullptr; }), HasSubstr("tensor 'q': data is NULL"));
  EXPECT_THAT(refusal([](auto& t) { t[1].role = "y"; }), HasSubstr("tensor 'y': op quant_group has no such tensor; expected x"));
  EXPECT_THAT(refusal([](auto& t) { t[1].role = "x"; }), HasSubstr("tensor 'x': given twice"));
  EXPECT_THAT(refusal([](auto& t) { t.pop_back(); }), HasSubstr("tensor 'scale': expected one, got q, x"));
  EXPECT_THAT(refusal([](auto& t) { t[1].bytes = 1000; }), HasSubstr("only 1000 are readable"));
  EXPECT_THAT(refusal([](auto& t) { t[1].ndim = -1; }), HasSubstr("dimensions"));
  EXPECT_THAT(refusal([](auto& t) { t[0].size = 8; }), HasSubstr("expected size"));
  EXPECT_THAT(refusal([&](auto& t) { t[1].shape = negative; }), HasSubstr("has shape [-2, 512]"));
  EXPECT_THAT(refusal([&](auto& t) { t[1].shape = huge; }), HasSubstr("which does not fit into memory"));
  EXPECT_THAT(refusal([&](auto& t) { t[1].strides = far; }), HasSubstr("which reach beyond memory"));
  EXPECT_THAT(refusal([](auto&) {}, "vllm.group_fp9"), HasSubstr("did you mean"));
  EXPECT_THAT(refusal([](auto&) {}, nullptr), HasSubstr("contract is NULL"));
  EXPECT_EQ(answer_of([](auto** report) { return assay_check_judge(nullptr, report); }).text, "request is NULL");
  EXPECT_EQ(assay_check_judge(nullptr, nullptr), ASSAY_CHECK_REFUSED);
  EXPECT_STREQ(assay_check_text(nullptr), "out of memory");
}

TEST(CheckApi, StridesAreFollowed) {
  GroupQuant data;
  std::vector<uint8_t> apart(2 * 600, 0xff), backwards(data.q.size());
  for (size_t i = 0; i < data.q.size(); ++i) data.q[i] = uint8_t(0x7e - (i % 512) % 128 / 100);  // so that a wrong order shows
  for (size_t i = 0; i < 1024; ++i) apart[i / 512 * 600 + i % 512] = data.q[i], backwards[1023 - i] = data.q[i];
  std::string plain, strided, reversed;
  EXPECT_FALSE(data.tensors().conform_to("vllm.group_fp8", plain));
  const auto with_q = [&](const void* q, std::vector<int64_t> strides) {
    Tensors call;
    return call.add("x", "bf16", {2, 512}, data.x.data())
        .add("q", "e4m3fn", {2, 512}, q, std::move(strides))
        .add("scale", "f32", {2, 4}, data.scale.data());
  };
  EXPECT_FALSE(with_q(apart.data(), {600, 1}).conform_to("vllm.group_fp8", strided));
  EXPECT_FALSE(with_q(backwards.data() + 1023, {-512, -1}).conform_to("vllm.group_fp8", reversed));
  EXPECT_EQ(strided, plain);
  EXPECT_EQ(reversed, plain);
}

TEST(CheckApi, ContractsAndScalesAndMatchesAreAnswered) {
  EXPECT_THAT(answer_of([](auto** report) { return assay_check_contract("vllm.group_fp8", report); }).json,
              HasSubstr("\"role\":\"scale\""));
  const Tensors tensors = GroupQuant().tensors();
  const GroupQuant data;
  const int64_t wide[] = {2, 512}, narrow[] = {2, 4};
  std::vector<assay_check_tensor> all = {{sizeof(assay_check_tensor), 2, "x", "bf16", wide, nullptr, data.x.data(), 0},
                                         {sizeof(assay_check_tensor), 2, "q", "e4m3fn", wide, nullptr, data.q.data(), 0},
                                         {sizeof(assay_check_tensor), 2, "scale", "f32", narrow, nullptr, data.scale.data(), 0}};
  assay_check_request request{};
  request.size = sizeof request, request.tensors = all.data(), request.n_tensors = 3, request.contract = "quant_group";
  const Answer matched = answer_of([&](auto** report) { return assay_check_match(&request, report); });
  EXPECT_TRUE(matched.conforms);
  EXPECT_THAT(matched.json, HasSubstr("\"obeys\":[\"vllm.group_fp8\""));
  request.contract = "vllm.group_fp8";
  EXPECT_THAT(answer_of([&](auto** report) { return assay_check_explain(&request, 1, 5, report); }).text,
              HasSubstr("trace of element [1, 5]"));
  EXPECT_THAT(answer_of([&](auto** report) { return assay_check_explain(&request, 2, 0, report); }).text,
              HasSubstr("element [2, 0]: expected one of [2, 512]"));
  request.tensors = &all[2], request.n_tensors = 1;
  EXPECT_TRUE(answer_of([&](auto** report) { return assay_check_scale(&request, 1, report); }).conforms);
  all[2].dtype = "e8m0";
  all[2].bytes = 0;
  EXPECT_FALSE(answer_of([&](auto** report) { return assay_check_scale(&request, 1, report); }).conforms);
}

TEST(CheckApi, CasesHandOutInputsAndTakeOutputs) {
  const char* const id = "quant_group/vllm.group_fp8/bf16.m5.n1024.g128.row/normal.s1/w32";
  EXPECT_THAT(answer_of([](auto** report) { return assay_check_cases("vllm.group_fp8", "quick", report); }).text, HasSubstr(id));
  EXPECT_FALSE(answer_of([](auto** report) { return assay_check_cases("vllm.no_such", nullptr, report); }).conforms);
  assay_check_case* opened = nullptr;
  const Answer described = answer_of([&](auto** report) { return assay_check_case_open(id, &opened, report); });
  ASSERT_NE(opened, nullptr) << described.text;
  EXPECT_THAT(described.json, HasSubstr("\"kernel_parameters\":{\"group_size\":128.0"));
  uint64_t bytes = 0;
  EXPECT_NE(assay_check_case_data(opened, "x", &bytes), nullptr);
  EXPECT_EQ(bytes, 5u * 1024 * 2);
  EXPECT_EQ(assay_check_case_data(opened, "q", &bytes), nullptr);
  const std::vector<uint8_t> q(5 * 1024);
  const std::vector<float> scale(5 * 8);
  const int64_t wide[] = {5, 1024}, narrow[] = {5, 8};
  const assay_check_tensor outputs[] = {{sizeof(assay_check_tensor), 2, "q", "uint8", wide, nullptr, q.data(), 0},
                                        {sizeof(assay_check_tensor), 2, "scale", "f32", narrow, nullptr, scale.data(), 0}};
  const auto judge = [&](int32_t n) {
    return answer_of([&](auto** report) { return assay_check_case_judge(opened, outputs, n, report); });
  };
  EXPECT_THAT(judge(2).text, AllOf(HasSubstr("FAIL  " + std::string(id)), HasSubstr("40 of 40 elements outside")));
  EXPECT_THAT(judge(1).text, HasSubstr("scale"));
  EXPECT_EQ(judge(1).status, ASSAY_CHECK_REFUSED);
  assay_check_case_close(opened);
  EXPECT_THAT(answer_of([&](auto** report) { return assay_check_case_open("quant_group/none", &opened, report); }).text,
              HasSubstr("no case"));
  EXPECT_EQ(opened, nullptr);
  assay_check_case_close(nullptr);
}

TEST(CheckApi, ThreadsAskAtOnce) {
  const std::string alone = judged([](auto&) {}).json;
  std::vector<std::string> answers(8);
  std::vector<std::thread> threads;
  for (std::string& answer : answers) threads.emplace_back([&answer] { answer = judged([](auto&) {}).json; });
  for (std::thread& thread : threads) thread.join();
  for (const std::string& answer : answers) EXPECT_EQ(answer, alone);
}

TEST(CheckApi, TablesAreReadOnce) {
  (void)judged([](auto&) {});
  const assay_check_tables other{sizeof(assay_check_tables), 0, "/nowhere", nullptr};
  EXPECT_THAT(answer_of([&](auto** report) { return assay_check_open(&other, report); }).text, HasSubstr("are open already"));
}

}  // namespace
}  // namespace assay
