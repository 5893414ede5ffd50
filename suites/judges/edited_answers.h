// Helpers for tests of the rules: answers, changes of them, and a rule's judgement of a changed answer.
#pragma once

#include <algorithm>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "harness/fill/nearest.h"
#include "reference/formats/catalogue.h"
#include "suites/judges/rules.h"

namespace assay::judges {

inline const std::vector<Rule>& rules() {
  static const std::vector<Rule> all = load_rules("suites/judges/rules.csv");
  return all;
}
inline const Rule& rule(const std::string& id) {
  const auto found = std::find_if(rules().begin(), rules().end(), [&](const Rule& r) { return r.id == id; });
  if (found == rules().end()) throw std::out_of_range(id);
  return *found;
}

inline Numbers filled(const char* format, size_t count, double value) {
  const Format& f = *find_format(format);
  return numbers(f, std::vector<uint32_t>(count, nearest_code(f, value)));
}

/// 8192 codes 8 with one scale by default.
inline Answer quantized(double scale, const char* format = "e4m3fn", size_t count = 8192) {
  Answer answer;
  answer.result = filled(format, count, 8);
  answer.scale = filled("f32", 1, scale);
  answer.scale_storage.assign(16, std::byte{0});
  return answer;
}
inline Answer normalised(double y, const char* format = "bf16") {
  Answer answer;
  answer.result = filled(format, 1000, y);
  return answer;
}

using Edit = std::function<void(Answer&)>;

inline Edit same() {
  return [](Answer&) {};
}
/// Increases the first codes by `steps`.
inline Edit stepped(size_t count, uint32_t steps) {
  return [=](Answer& a) {
    for (size_t i = 0; i < count; ++i) a.result.codes[i] += steps;
  };
}
inline Edit zeroed(size_t count) {
  return [=](Answer& a) { std::fill_n(a.result.codes.begin(), count, 0u); };
}
inline Edit becomes(double value) {
  return [=](Answer& a) { a.result = filled(a.result.format->name.data(), a.result.codes.size(), value); };
}
inline Edit scale_becomes(double value) {
  return [=](Answer& a) { a.scale = filled("f32", 1, value); };
}
inline Answer with_zero_point(double zero) {
  Answer answer = quantized(1, "int8");
  answer.zero = filled("int32", 1, zero);
  return answer;
}
inline Edit zero_becomes(double value) {
  return [=](Answer& a) { a.zero = filled("int32", 1, value); };
}
inline Answer with_residual(double y) {
  Answer answer = normalised(y);
  answer.residual = answer.result;
  return answer;
}
inline Edit residual_becomes(double value) {
  return [=](Answer& a) { a.residual = filled("bf16", a.residual.codes.size(), value); };
}
inline Edit padding_changes() {
  return [](Answer& a) { a.scale_storage.back() = std::byte{0x7f}; };
}

/// Recomputes values, dequantized numbers and input from the codes.
inline Answer finished(Answer a) {
  a.result = numbers(*a.result.format, a.result.codes);
  a.dequantized = a.result.values;
  for (double& v : a.dequantized) v = a.scale.format ? double(float(v) * float(a.scale.values[0])) : v;
  return a;
}
inline Judgement said(const std::string& id, const Answer& base, const Edit& edit) {
  Answer reference = finished(base), kernel = base;
  edit(kernel);
  kernel = finished(kernel);
  reference.input = kernel.input = reference.dequantized;
  return judge(rule(id), kernel, reference);
}

}  // namespace assay::judges
