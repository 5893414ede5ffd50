#include "harness/report/words.h"

#include <fmt/format.h>

#include <cmath>

#include "reference/formats/catalogue.h"

namespace assay {

std::string shape_text(const std::array<int64_t, 2>& shape) { return fmt::format("[{}, {}]", shape[0], shape[1]); }

std::string code_digits(const std::string& format, uint32_t code) {
  const Format* known = find_format(format);
  return fmt::format("0x{:0{}x}", code, known != nullptr ? known->bits / 4 : 8);
}

std::string code_text(const std::string& format, uint32_t code, double value) {
  return fmt::format("{} = {:.9g}", code_digits(format, code), value);
}

std::string accepted_text(const std::string& format, const Element& e) {
  const std::string low = code_text(format, e.low_code, e.low);
  return e.low_code == e.high_code ? low : low + " .. " + code_text(format, e.high_code, e.high);
}

std::string distance_text(const std::string& format, const Element& e) {
  if (e.ulps != 0) return fmt::format("{:+} ulp of {}", e.ulps, format);
  if (std::isnan(e.value) != std::isnan(e.low)) return std::isnan(e.value) ? "is NaN" : "should be NaN";
  return std::isnan(e.value) ? "is another NaN" : "differs in the sign of zero";
}

std::string direction_text(const TensorFinding& f) {
  if (f.outside < 2) return "";
  if (f.toward_zero == f.outside) return ", every one toward zero";
  if (f.away_from_zero == f.outside) return ", every one away from zero";
  if (f.toward_zero + f.away_from_zero == 0) return "";
  return fmt::format(", {} toward zero, {} away from zero", f.toward_zero, f.away_from_zero);
}

std::string data_text(const DataPower& data) {
  const auto percent = [&](int64_t count) { return data.elements == 0 ? 0 : 100.0 * double(count) / double(data.elements); };
  const std::string codes = data.codes.none() ? "" : fmt::format("{} of 256 codes, ", data.codes.count());
  return fmt::format("{} {}: {}{:.3g} % subnormal, {:.3g} % saturated, {:.3g} % NaN", data.tensor, data.format, codes,
                     percent(data.subnormal), percent(data.saturated), percent(data.not_a_number));
}

std::string program_text(const Verdict& verdict) {
  return verdict.program + (verdict.program_said.empty() ? "" : "; the library said " + verdict.program_said);
}

std::string headline(const Verdict& verdict) {
  std::string text = verdict.message;
  for (const TensorFinding& finding : verdict.tensors) {
    if (finding.agrees()) continue;
    text += text.empty() ? "" : "; ";
    if (finding.outside > 0) {
      text += fmt::format("{}: {} of {} elements outside, worst {} ulp at {}", finding.name, finding.outside, finding.elements,
                          finding.worst_ulps, shape_text(finding.worst.at));
    }
    if (finding.padding_wrong > 0) {
      text +=
          fmt::format("{}{}: {} padding elements wrong", finding.outside > 0 ? ", " : "", finding.name, finding.padding_wrong);
    }
  }
  return text;
}

std::string headline_with_cause(const Verdict& verdict) {
  const std::string text = headline(verdict);
  if (verdict.causes.empty()) return text;
  return text + (text.empty() ? "cause: " : "; cause: ") + verdict.causes.front();
}

}  // namespace assay
