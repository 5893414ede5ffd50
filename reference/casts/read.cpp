// Parses a row of casts.csv. Cells are keywords, hexadecimal codes, and ranges of inputs.
#include <cstdlib>
#include <span>
#include <stdexcept>

#include "reference/casts/cell_words.h"
#include "reference/casts/profile.h"
#include "reference/formats/catalogue.h"
#include "reference/table/near.h"

namespace assay {
namespace {

template <class Value>
Value word(const ContractRow& row, const std::string& column, std::span<const CellWord<Value>> words) {
  std::vector<std::string> known;
  std::string all;
  for (const auto& [name, value] : words) {
    if (row.text(column) == name) return value;
    known.emplace_back(name);
    all.append(all.empty() ? "" : ", ").append(name);
  }
  throw row.error(column, 0, "'" + row.text(column) + "' is not one of: " + all + did_you_mean(row.text(column), known));
}

/// Parses all of `text` as a hexadecimal number of at most that many bits.
uint64_t hexadecimal(const ContractRow& row, const std::string& column, size_t at, const std::string& text, int bits) {
  char* end = nullptr;
  const uint64_t value = std::strtoull(text.c_str(), &end, 16);
  const bool digits = !text.empty() && text.size() <= 16 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (!digits || (bits < 64 && value >> bits != 0))
    throw row.error(column, at, "'" + text + "' is no hexadecimal number of " + std::to_string(bits) + " bits");
  return value;
}

uint32_t code(const ContractRow& row, const std::string& column, const Format& format) {
  return uint32_t(hexadecimal(row, column, 0, row.text(column), format.bits));
}

/// Parses `FIRST..LAST:CODE` or `FIRST..LAST*2^K`; `at`: position in the cell.
Anomaly anomaly(const ContractRow& row, const CastProfile& p, size_t at, const std::string& text) {
  const size_t dots = text.find(".."), end = text.find_first_of(":*");
  if (dots == std::string::npos || end == std::string::npos || end < dots)
    throw row.error("anomaly", at,
                    "'" + text + "' must read FIRST..LAST:CODE or FIRST..LAST*2^K, inputs in hexadecimal without their sign");
  Anomaly a{hexadecimal(row, "anomaly", at, text.substr(0, dots), p.from->bits - 1),
            hexadecimal(row, "anomaly", at + dots + 2, text.substr(dots + 2, end - dots - 2), p.from->bits - 1), std::nullopt};
  if (a.first > a.last) throw row.error("anomaly", at, "the range '" + text.substr(0, end) + "' is empty");
  const std::string what = text.substr(end + 1);
  if (text[end] == ':') {
    a.code = uint32_t(hexadecimal(row, "anomaly", at + end + 1, what, p.format->bits));
  } else {
    char* rest = nullptr;
    const long exponent = what.starts_with("2^") ? std::strtol(what.c_str() + 2, &rest, 10) : 0;
    if (!rest || *rest != '\0' || what.size() == 2)
      throw row.error("anomaly", at + end + 1, "a factor reads 2^K, not '" + what + "'");
    for (long i = 0; i < std::labs(exponent); ++i) a.factor = exponent > 0 ? a.factor * 2 : a.factor / 2;
  }
  return a;
}

}  // namespace

CastProfile read_cast(const ContractRow& row) {
  CastProfile p;
  p.id = row.id;
  std::vector<std::string> known;
  for (const Format& format : all_formats()) known.emplace_back(format.name);
  p.format = find_format(row.text("format"));
  if (!p.format)
    throw row.error("format", 0, "unknown format '" + row.text("format") + "'" + did_you_mean(row.text("format"), known));
  p.from = find_cast_source(row.text("from"));
  if (!p.from) throw row.error("from", 0, "'" + row.text("from") + "' is not one of: f32, bf16, f16, f64");
  p.rounding = word<Rounding>(row, "rounding", kRoundingWords);
  p.overflow = word<Beyond>(row, "overflow", kBeyondWords);
  p.infinity = word<Beyond>(row, "infinity", std::span(kBeyondWords).first(2));  // Inf is always above the largest value
  p.nan = code(row, "nan", *p.format);
  p.minus_nan = code(row, "minus_nan", *p.format);
  const std::string& negative = row.text("negative");
  p.negative = negative == "sign" ? Negative::kSign : negative == "magnitude" ? Negative::kMagnitude : Negative::kCode;
  if (p.negative == Negative::kCode) p.negative_code = code(row, "negative", *p.format);
  if (p.negative == Negative::kSign && !p.format->has_sign())
    throw row.error("negative", 0,
                    std::string(p.format->name) + " has no sign: magnitude, or the code that negative numbers get");
  if (!row.text("zero").empty()) p.zero = code(row, "zero", *p.format);
  const std::string& cell = row.text("anomaly");
  for (size_t at = 0; at < cell.size();) {
    const size_t end = std::min(cell.find(' ', at), cell.size());
    if (end > at) p.anomalies.push_back(anomaly(row, p, at, cell.substr(at, end - at)));
    at = end + 1;
  }
  return p;
}

}  // namespace assay
