#include "suites/judges/measures.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "reference/formats/catalogue.h"

namespace assay::judges {
namespace {

Judgement accepted_if(bool accepted) { return accepted ? Judgement::kAccepts : Judgement::kRefuses; }

/// The two sides of a check.
struct Pair {
  const Numbers& kernel;
  const Numbers& reference;
  size_t size() const { return kernel.values.size(); }
};

/// The bound for the format (rtol.bf16), or else the general one (rtol).
double bound_for(const Check& check, const std::string& name, const Numbers& numbers) {
  const std::string of_format = name + "." + std::string(numbers.format->name);
  return check.bound(check.has(of_format) ? of_format : name);
}

int64_t not_close(const Check& check, const Pair& pair) {
  const double absolute = bound_for(check, "atol", pair.kernel), relative = bound_for(check, "rtol", pair.kernel);
  int64_t count = 0;
  for (size_t i = 0; i < pair.size(); ++i) {
    const double a = pair.kernel.values[i], b = pair.reference.values[i];
    const double allowed = absolute + relative * std::fabs(check.of_kernel ? a : b);
    const bool close = a == b || (std::isfinite(a - b) && std::fabs(a - b) <= allowed);
    count += !close;
  }
  return count;
}

double share(int64_t count, const Pair& pair) { return pair.size() == 0 ? 0.0 : double(count) / double(pair.size()); }

bool equal_values(const Pair& pair) {
  return std::equal(pair.kernel.values.begin(), pair.kernel.values.end(), pair.reference.values.begin());
}

Judgement steps(const Check& check, const Pair& pair) {
  const uint32_t sign = uint32_t(1) << (pair.kernel.format->bits - 1);
  const auto place = [&](uint32_t code) { return code >= sign ? int64_t(2 * sign - 1 - code) : int64_t(code + sign); };
  int64_t apart = 0, farthest = 0;
  for (size_t i = 0; i < pair.size(); ++i) {
    const int64_t distance = std::llabs(place(pair.kernel.codes[i]) - place(pair.reference.codes[i]));
    farthest = std::max(farthest, distance);
    apart += distance > 0;
  }
  const bool few = !check.has("share") || share(apart, pair) < check.bound("share");
  return accepted_if(double(farthest) <= check.bound("steps") && few);
}

Judgement tiny_diff(const Check& check, const Pair& pair) {
  const Format& format = *pair.kernel.format;
  const bool is_int8 = format.is_integer() && format.bits == 8;
  if (!is_int8 && format.name != "e4m3fn") return Judgement::kCannot;
  if (check.has("elements") && double(pair.size()) > check.bound("elements")) return Judgement::kRefuses;
  int64_t signs = 0, tiny = 0, large = 0;
  for (size_t i = 0; i < pair.size(); ++i) {
    if (is_int8) {
      signs += pair.reference.values[i] >= 0 && pair.kernel.values[i] < 0;
      continue;
    }
    const int64_t distance = std::llabs(int64_t(pair.kernel.codes[i]) - int64_t(pair.reference.codes[i]));
    tiny += distance == 1;
    large += distance >= 2;
  }
  return accepted_if(signs == 0 && large == 0 && share(tiny, pair) < check.bound("share"));
}

Judgement diff(const Check& check, const std::vector<double>& x, const std::vector<double>& y) {
  double squares = 0, product = 0;
  for (size_t i = 0; i < x.size(); ++i) squares += x[i] * x[i] + y[i] * y[i], product += x[i] * y[i];
  return accepted_if(squares == 0 || 1 - 2 * product / squares < check.bound("limit"));
}

Judgement cosine(const Check& check, const Pair& pair) {
  double x = 0, y = 0, product = 0;
  for (size_t i = 0; i < pair.size(); ++i) {
    const double a = pair.kernel.values[i], b = pair.reference.values[i];
    x += a * a, y += b * b, product += a * b;
  }
  return accepted_if(product / std::sqrt(x * y) > check.bound("limit"));
}

Judgement mean_diff(const Check& check, const Pair& pair) {
  double difference = 0, reference = 0;
  for (size_t i = 0; i < pair.size(); ++i) {
    difference += std::fabs(pair.kernel.values[i] - pair.reference.values[i]);
    reference += std::fabs(pair.reference.values[i]);
  }
  return accepted_if(difference / reference < check.bound("limit"));
}

Judgement fuzz(const Check& check, const Pair& pair) {
  double largest = 0;
  for (const double b : pair.reference.values) largest = std::max(largest, std::fabs(b));
  for (size_t i = 0; i < pair.size(); ++i) {
    const double b = pair.reference.values[i], allowed = check.bound("of_largest") * largest + check.bound("rtol") * std::fabs(b);
    if (!(std::fabs(pair.kernel.values[i] - b) <= allowed)) return Judgement::kRefuses;
  }
  return Judgement::kAccepts;
}

Judgement sqnr(const Check& check, const std::vector<double>& x, const std::vector<double>& y) {
  if (x.size() != y.size()) return Judgement::kCannot;  // the op quantizes something other than its input
  double signal = 0, noise = 0;
  for (size_t i = 0; i < x.size(); ++i) signal += x[i] * x[i], noise += (x[i] - y[i]) * (x[i] - y[i]);
  const double ratio = 10 * std::log10(signal / noise);
  const auto is_zero = [](double v) { return v == 0; };
  if (std::isnan(ratio)) return accepted_if(std::all_of(x.begin(), x.end(), is_zero) && std::all_of(y.begin(), y.end(), is_zero));
  return accepted_if(ratio >= check.bound("limit"));
}

Judgement of_numbers(const Check& check, const Pair& pair) {
  if (!pair.kernel.format && !pair.reference.format) return Judgement::kAccepts;  // the op stores no such tensor
  if (check.measure == "close") return accepted_if(not_close(check, pair) == 0);
  if (check.measure == "equal") return accepted_if(equal_values(pair));
  if (check.measure == "bits") return accepted_if(pair.kernel.codes == pair.reference.codes);
  if (check.measure == "steps") return steps(check, pair);
  if (check.measure == "tiny_diff") return tiny_diff(check, pair);
  if (check.measure == "diff") return diff(check, pair.kernel.values, pair.reference.values);
  if (check.measure == "cosine") return cosine(check, pair);
  if (check.measure == "mean_diff") return mean_diff(check, pair);
  if (check.measure == "fuzz") return fuzz(check, pair);
  if (check.measure == "logged") return Judgement::kAccepts;
  if (check.measure == "reported") return accepted_if(share(not_close(check, pair), pair) <= check.bound("share"));
  throw std::logic_error("no measure '" + check.measure + "' of " + check.what);
}

}  // namespace

const std::vector<Measure>& measures() {
  static const std::vector<Measure> all = {{"close", {"atol"}, {"rtol", "rtol.bf16", "rtol.f16", "rtol.f32", "atol.f16", "atol.f32"}},
                                           {"equal", {}, {}},
                                           {"bits", {}, {}},
                                           {"steps", {"steps"}, {"share"}},
                                           {"tiny_diff", {"share"}, {"elements"}},
                                           {"diff", {"limit"}, {}},
                                           {"cosine", {"limit"}, {}},
                                           {"mean_diff", {"limit"}, {}},
                                           {"fuzz", {"of_largest", "rtol"}, {}},
                                           {"sqnr", {"limit"}, {}},
                                           {"logged", {"rtol", "atol"}, {}},
                                           {"reported", {"rtol", "atol", "share"}, {}}};
  return all;
}

Judgement measured(const Check& check, const Answer& kernel, const Answer& reference) {
  if (!check.only.empty() && kernel.result.format->name != check.only) return Judgement::kCannot;
  if (check.what == "zero") return of_numbers(check, {kernel.zero, reference.zero});
  if (check.what == "scale") return of_numbers(check, {kernel.scale, reference.scale});
  if (check.what == "residual") return of_numbers(check, {kernel.residual, reference.residual});
  if (check.what == "storage") return accepted_if(kernel.scale_storage == reference.scale_storage);
  if (check.what != "dequantized") return of_numbers(check, {kernel.result, reference.result});
  if (check.measure == "sqnr") return sqnr(check, kernel.input, kernel.dequantized);
  static const Format& kF32 = *find_format("f32");
  return of_numbers(check, {{&kF32, {}, kernel.dequantized}, {&kF32, {}, reference.dequantized}});
}

}  // namespace assay::judges
