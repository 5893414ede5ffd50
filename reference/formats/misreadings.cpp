#include "reference/formats/misreadings.h"

#include <bit>
#include <cmath>
#include <set>
#include <utility>

namespace assay {
namespace {

/// The fields of a code.
struct Fields {
  bool negative;
  int exponent, mantissa;

  Fields(const Format& format, uint32_t code)
      : negative((code >> (format.bits - 1) & 1) != 0),
        exponent(int(code >> format.mantissa_bits & ((1u << format.exponent_bits) - 1))),
        mantissa(int(code & ((1u << format.mantissa_bits) - 1))) {}
};

/// The magnitude of a code with these fields, if no code were NaN or Inf.
double magnitude(const Format& format, int exponent, int mantissa) {
  const double fraction = std::ldexp(double(mantissa), -format.mantissa_bits);
  return exponent == 0 ? std::ldexp(fraction, 1 - format.bias) : std::ldexp(1 + fraction, exponent - format.bias);
}

double with_sign(bool negative, double size) { return negative ? -size : size; }

/// Reads the code of a finite number as its sign times size(format, fields), and other codes as the format does.
CodeReader of_numbers(std::function<double(const Format& format, const Fields& fields)> size) {
  return [size = std::move(size)](const Format& format, uint32_t code) {
    const double right = decode(format, code);
    if (!std::isfinite(right)) return right;
    const Fields fields(format, code);
    return with_sign(fields.negative, size(format, fields));
  };
}

/// Reads subnormal codes and zero as their sign times size(format, mantissa), and other codes as the format does.
CodeReader of_subnormals(std::function<double(const Format& format, int mantissa)> size) {
  return of_numbers([size = std::move(size)](const Format& format, const Fields& fields) {
    return fields.exponent == 0 ? size(format, fields.mantissa) : magnitude(format, fields.exponent, fields.mantissa);
  });
}

/// Reads normal codes as their sign times size(format, exponent, mantissa), and other codes as the format does.
CodeReader of_normals(std::function<double(const Format& format, int exponent, int mantissa)> size) {
  return of_numbers([size = std::move(size)](const Format& format, const Fields& fields) {
    return fields.exponent > 0 ? size(format, fields.exponent, fields.mantissa) : magnitude(format, 0, fields.mantissa);
  });
}

/// A decoder that builds fp32 bits as exponent | mantissa, but does not mask the bits above the mantissa. For subnormal codes
/// it takes the whole code as the mantissa.
double unmasked(const Format& format, uint32_t code) {
  const double right = decode(format, code);
  if (!std::isfinite(right)) return right;
  const Fields fields(format, code);
  if (fields.exponent == 0) {
    const auto whole = double(code & ((1u << format.bits) - 1));
    return with_sign(fields.negative, std::ldexp(whole, 1 - format.bias - format.mantissa_bits));
  }
  constexpr int kMantissa = 23, kBias = 127;
  const uint32_t bits = uint32_t(fields.exponent + kBias - format.bias) << kMantissa | code << (kMantissa - format.mantissa_bits);
  return with_sign(fields.negative, double(std::bit_cast<float>(bits)));
}

/// Reads fields of which `exponent` and `mantissa` return other ones, as a wrong mask does.
CodeReader of_fields(std::function<int(const Format& format, int exponent)> exponent,
                     std::function<int(const Format& format, int mantissa)> mantissa) {
  return of_numbers([=](const Format& format, const Fields& fields) {
    return magnitude(format, exponent ? exponent(format, fields.exponent) : fields.exponent,
                     mantissa ? mantissa(format, fields.mantissa) : fields.mantissa);
  });
}

/// A decoder that builds the fp32 bits of normal codes as exponent | mantissa, with the mantissa `by` bits too high.
CodeReader of_shifted_mantissa(int by) {
  return of_normals([by](const Format& format, int exponent, int mantissa) {
    constexpr int kMantissa = 23, kBias = 127;
    const uint32_t right = uint32_t(mantissa) << (kMantissa - format.mantissa_bits);
    const uint32_t bits = uint32_t(exponent + kBias - format.bias) << kMantissa | (by > 0 ? right << by : right >> -by);
    return double(std::bit_cast<float>(bits));
  });
}

}  // namespace

std::vector<CodeMisreading> code_misreadings(const Format& format) {
  if (format.bits != 8 || !format.has_sign() || format.exponent_bits == 0 || format.mantissa_bits == 0) return {};
  const int m = format.mantissa_bits;
  std::vector<CodeMisreading> all = {
      {"subnormal codes are read as 0", of_subnormals([](const Format&, int) { return 0.0; })},
      {"subnormal codes are read with the leading 1 of normal codes", of_subnormals([](const Format& f, int mantissa) {
         return std::ldexp(1 + std::ldexp(double(mantissa), -f.mantissa_bits), -f.bias);
       })},
      {"normal codes are read without the leading 1", of_normals([](const Format& f, int exponent, int mantissa) {
         return std::ldexp(double(mantissa), exponent - f.bias - f.mantissa_bits);
       })},
      {"normal codes are read as 0", of_normals([](const Format&, int, int) { return 0.0; })},
      {"the mantissa of normal codes is not read",
       of_normals([](const Format& f, int exponent, int) { return std::ldexp(1.0, exponent - f.bias); })},
      {"the bits above the mantissa are not masked", unmasked},
      {"the exponent includes the sign bit",
       [](const Format& f, uint32_t code) {
         const double right = decode(f, code);
         if (!std::isfinite(right)) return right;
         const Fields fields(f, code);
         return with_sign(fields.negative, magnitude(f, int(code >> f.mantissa_bits), fields.mantissa));
       }},
      {"the sign is not read", [](const Format& f, uint32_t code) { return std::abs(decode(f, code)); }},
      {"the code of NaN is read as a number", [](const Format& f, uint32_t code) {
         if (!std::isnan(decode(f, code))) return decode(f, code);
         const Fields fields(f, code);
         return with_sign(fields.negative, magnitude(f, fields.exponent, fields.mantissa));
       }}};
  for (const int shift : std::set<int>{1, -1, m, -m, 2 * m, -2 * m, 2 * format.bias, -2 * format.bias})
    all.push_back(
        {"subnormal codes are read " + std::string(shift > 0 ? "" : "1/") + std::to_string(int64_t(1) << std::abs(shift)) +
             " times as large",
         of_subnormals([shift](const Format& f, int mantissa) { return std::ldexp(magnitude(f, 0, mantissa), shift); })});
  for (const int shift : {1, -1, 2 * format.bias, -2 * format.bias})
    all.push_back({"normal codes are read " + std::string(shift > 0 ? "" : "1/") + std::to_string(int64_t(1) << std::abs(shift)) +
                       " times as large",
                   of_normals([shift](const Format& f, int exponent, int mantissa) {
                     return std::ldexp(magnitude(f, exponent, mantissa), shift);
                   })});
  for (const int shift : {1, -1})
    all.push_back({std::string("the exponent is read one bit too ") + (shift > 0 ? "high" : "low"),
                   [shift](const Format& f, uint32_t code) {
                     const double right = decode(f, code);
                     if (!std::isfinite(right)) return right;
                     const Fields fields(f, code);
                     const int exponent = int(code >> (f.mantissa_bits + shift) & ((1u << f.exponent_bits) - 1));
                     return with_sign(fields.negative, magnitude(f, exponent, fields.mantissa));
                   }});
  all.push_back({"the lowest bit of the mantissa is not read",
                 of_fields({}, [](const Format&, int mantissa) { return mantissa & ~1; })});
  all.push_back({"the highest bit of the mantissa is not read", of_fields({}, [](const Format& f, int mantissa) {
                   return mantissa & ((1 << (f.mantissa_bits - 1)) - 1);
                 })});
  all.push_back({"the lowest bit of the exponent is not read",
                 of_fields([](const Format&, int exponent) { return exponent & ~1; }, {})});
  all.push_back({"the highest bit of the exponent is not read", of_fields([](const Format& f, int exponent) {
                   return exponent & ((1 << (f.exponent_bits - 1)) - 1);
                 }, {})});
  for (const int by : std::set<int>{1, -1, 2, -2, m, -m, 2 * m})
    all.push_back({"the mantissa of normal codes is placed " + std::to_string(std::abs(by)) +
                       (std::abs(by) == 1 ? " bit" : " bits") + " too " + (by > 0 ? "high: its bits are added to the exponent by OR" : "low"),
                   of_shifted_mantissa(by)});
  return all;
}

}  // namespace assay
