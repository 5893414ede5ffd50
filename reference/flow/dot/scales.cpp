#include "reference/flow/dot/scales.h"

#include "reference/exact/expression.h"
#include "reference/formats/codes.h"

namespace assay {

std::vector<std::byte> ScaleValues::codes(const Format& format, int64_t rows, int64_t k, int64_t block) const {
  std::vector<std::byte> all;
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t first = 0; first < k; first += block) all.push_back(std::byte(code_of(format, at(row, first))));
  return all;
}

GemmScales gemm_scales_named(const std::string& name) {
  constexpr const char* kShort[][3] = {
      {"tensor", "tensor", "tensor"}, {"token", "row", "tensor"}, {"channel", "tensor", "row"}, {"token_channel", "row", "row"}};
  GemmScales scales{name, {}, {}};
  for (const auto& [known, a, b] : kShort)
    if (name == known) scales.a = parse_scale_spec(a), scales.b = parse_scale_spec(b);
  if (!scales.a.any()) {
    const size_t bar = name.find('_');
    if (bar == std::string::npos)
      throw ParseError(0, "'" + name + "' is none of tensor, token, channel, token_channel, and no A_B such as 1x128_128x128");
    scales.a = parse_scale_spec(name.substr(0, bar));
    scales.b = parse_scale_spec(name.substr(bar + 1));
  }
  if (scales.a.block().columns != scales.b.block().columns)
    throw ParseError(0, "'" + name + "' has blocks along k that differ: expected one length for a and b");
  for (ScaleSpec* spec : {&scales.a, &scales.b})
    for (ScaleLevel& level : spec->levels) level.given = true;
  return scales;
}

}  // namespace assay
