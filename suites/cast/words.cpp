#include "suites/cast/words.h"

#include <fmt/format.h>

#include <cmath>

#include "reference/casts/cast_encode.h"

namespace assay {
namespace {

std::string number(double value) {
  return std::isnan(value) ? "NaN" : std::isinf(value) ? (value < 0 ? "-Inf" : "Inf") : fmt::format("{:.9g}", value);
}
std::string pattern(const CastSource& source, uint64_t input) { return fmt::format("{:0{}x}", input, source.bits / 4); }

std::string inputs_in_words(double inputs) { return inputs == 1 ? "1 input" : fmt::format("{:.0f} inputs", inputs); }

}  // namespace

std::string input_text(const CastSource& source, uint64_t input) {
  return pattern(source, input) + " = " + number(value_of(source, input));
}

std::string inputs_text(const CastSource& source, uint64_t first, uint64_t last) {
  if (first == last) return input_text(source, first);
  return fmt::format("{} .. {} = {} .. {}", pattern(source, first), pattern(source, last), number(value_of(source, first)),
                     number(value_of(source, last)));
}

std::string cast_code_text(const Format& format, uint32_t code) {
  return fmt::format("{:0{}x} = {}", code, (format.bits + 3) / 4, number(decode(format, code)));
}

std::vector<std::string> cast_lines(const CastProfile& p) {
  const CastSource& from = *p.from;
  const std::vector<CodeRun> runs = runs_of(p);
  const auto line = [&](const char* what, uint64_t input) {
    return fmt::format("{:<10} {:<28} -> {}", what, input_text(from, input), cast_code_text(*p.format, code_at(runs, input)));
  };
  std::vector<std::string> lines = {
      fmt::format("{} -> {}: {} runs of one code over all 2^{} inputs", from.name, p.format->name, runs.size(), from.bits)};
  for (const auto& [what, input] : {std::pair{"+0", uint64_t{0}},
                                    {"-0", from.sign()},
                                    {"Inf", from.infinity()},
                                    {"-Inf", from.sign() | from.infinity()},
                                    {"NaN", from.sign() - 1},
                                    {"-NaN", from.last()}})
    lines.push_back(line(what, input));
  // the boundary between the largest code and overflow
  const uint32_t largest = largest_code(*p.format, false);
  for (const CodeRun& run : runs) {
    if (run.code != largest || run.first >= from.infinity()) continue;
    lines.push_back(line("largest", run.last));
    if (run.last < from.infinity()) lines.push_back(line("beyond", run.last + 1));
    break;
  }
  return lines;
}

std::vector<std::string> difference_lines(const CastProfile& a, const CastProfile& b) {
  if (a.from != b.from)
    return {fmt::format("{} starts from {} and {} from {}: their inputs have nothing in common", a.id, a.from->name, b.id,
                        b.from->name)};
  const std::vector<RunDifference> found = differences(runs_of(a), runs_of(b));
  if (found.empty()) return {fmt::format("no input of all 2^{} tells them apart", a.from->bits)};
  std::vector<std::string> lines = {
      fmt::format("{} of all 2^{} differ, in {} runs", inputs_in_words(inputs_of(found)), a.from->bits, found.size())};
  for (const RunDifference& d : found)
    lines.push_back(fmt::format("{}: {} against {}, {}", inputs_text(*a.from, d.first, d.last), cast_code_text(*a.format, d.a),
                                cast_code_text(*b.format, d.b), inputs_in_words(double(d.last - d.first) + 1)));
  return lines;
}

}  // namespace assay
