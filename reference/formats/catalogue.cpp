#include "reference/formats/catalogue.h"

#include <algorithm>
#include <vector>

namespace assay {

std::span<const Format> all_formats() {
  static constexpr Format formats[] = {kF32, kBf16, kF16, kE4M3Fn, kE4M3Fnuz, kE5M2, kE5M2Fnuz, kE8M0,
                                       kUe4M3, kE3M2, kE2M3, kE2M1, kTf32, kInt8, kInt32};
  return formats;
}

const Format& with_nans_by_code(const Format& format) {
  static const std::vector<Format> formats = [] {
    std::vector<Format> all(all_formats().begin(), all_formats().end());
    for (Format& f : all) f.nan_by_code = true;
    return all;
  }();
  return *std::find(formats.begin(), formats.end(), format);
}

const Format* find_format(std::string_view name) {
  for (const Format& format : all_formats())
    if (format.name == name) return &format;
  for (const Format* format : {&kUint8, &kInt64})
    if (format->name == name) return format;
  return nullptr;
}

}  // namespace assay
