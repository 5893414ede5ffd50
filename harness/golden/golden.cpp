#include "harness/golden/golden.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstring>
#include <stdexcept>

namespace assay {
namespace {

std::string digest(const std::vector<int32_t>& ordinals) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx",
                static_cast<unsigned long long>(XXH3_64bits(ordinals.data(), ordinals.size() * sizeof ordinals[0])));
  return text;
}

std::vector<int32_t> stored_ordinals(const ExpectedTensor& expected, const HostTensor& tensor) {
  const auto width = size_t(expected.format->bytes());
  std::vector<int32_t> ordinals(size_t(expected.elements()));
  for (int64_t i = 0; i < expected.elements(); ++i) {
    uint32_t code = 0;
    std::memcpy(&code, tensor.bytes.data() + size_t(expected.offset_at(i)) * width, width);
    ordinals[size_t(i)] = ordinal(*expected.format, code);
  }
  return ordinals;
}

}  // namespace

std::string prediction_key(const Case& one) { return data_id(one.id); }

std::vector<PredictedTensor> predict(const Expectation& expectation) {
  std::vector<PredictedTensor> tensors;
  for (const ExpectedTensor& expected : expectation.tensors) {
    int64_t single = 0;
    for (int64_t i = 0; i < expected.elements(); ++i) single += expected.low[size_t(i)] == expected.high_at(i);
    const std::string low = digest(expected.low);
    tensors.push_back({expected.label(), std::string(expected.format->name), expected.elements(), single, low,
                       expected.high.empty() ? low : digest(expected.high)});
  }
  return tensors;
}

std::vector<ObservedTensor> observe(const Expectation& expectation, const std::vector<HostTensor>& outputs) {
  std::vector<ObservedTensor> tensors;
  for (const ExpectedTensor& expected : expectation.tensors) {
    const std::vector<int32_t> ordinals = stored_ordinals(expected, find(outputs, expected.name));
    ObservedTensor tensor{expected.label(), std::string(expected.format->name), digest(ordinals), {}};
    for (size_t i = 0; i < ordinals.size(); ++i)
      if (ordinals[i] != expected.low[i]) tensor.steps[int64_t(i)] = ordinals[i] - expected.low[i];
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

std::string disagreement(const std::vector<ObservedTensor>& observed, const Expectation& expectation) {
  if (observed.size() != expectation.tensors.size()) return "another number of tensors";
  for (size_t t = 0; t < observed.size(); ++t) {
    const ExpectedTensor& expected = expectation.tensors[t];
    if (observed[t].name != expected.label() || observed[t].format != expected.format->name)
      return "tensor " + observed[t].name + " " + observed[t].format + " where " + expected.label() + " " +
             std::string(expected.format->name) + " is expected";
    std::vector<int32_t> ordinals = expected.low;
    for (const auto& [element, step] : observed[t].steps) {
      if (element < 0 || element >= expected.elements())
        return expected.label() + ": element " + std::to_string(element) + " does not exist";
      ordinals[size_t(element)] += step;
    }
    if (digest(ordinals) != observed[t].digest)
      return expected.label() + ": the digest does not fit: the accepted sets are no longer those of the recording";
    for (const auto& [element, step] : observed[t].steps) {
      if (ordinals[size_t(element)] < expected.low[size_t(element)] || ordinals[size_t(element)] > expected.high_at(element))
        return expected.label() + ": element " + std::to_string(element) + " was seen outside its accepted set";
    }
  }
  return {};
}

}  // namespace assay
