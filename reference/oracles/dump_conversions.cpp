// Prints results of format conversions, for comparison with another implementation: the values of all codes of at most 16 bits,
// and the codes of a fixed list of f32 inputs in every format.
#include <bit>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"

namespace assay {
namespace {

/// For every f32 exponent and sign: every half step of a 7-bit mantissa and its f32 neighbours (all ties of bf16 and of the 8-bit
/// formats), every single mantissa bit, and a sequence with odd strides (which includes ties of f16).
std::vector<uint32_t> inputs() {
  std::vector<uint32_t> all;
  uint32_t walk = 1;
  for (uint32_t top = 0; top < 512; ++top) {
    const auto add = [&](uint32_t mantissa) { all.push_back(top << 23 | (mantissa & 0x7fffffu)); };
    for (uint32_t half_step = 0; half_step < 256; ++half_step)
      for (uint32_t off : {0u, 1u, 0x7fffffu}) add((half_step << 15) + off);
    for (int bit = 0; bit < 23; ++bit) add(1u << bit);
    for (int i = 0; i < 100; ++i) add((walk += 2654435761u) >> 9), add((walk >> 20) << 12);
  }
  return all;
}

void print_decoded(const Format& f) {
  std::printf("decode %s\n", std::string(f.name).c_str());
  for (uint32_t code = 0; code < f.code_count(); ++code)
    std::printf("%llx\n", static_cast<unsigned long long>(std::bit_cast<uint64_t>(decode(f, code))));
}

void print_rounded(const std::vector<const Format*>& formats) {
  std::printf("round");
  for (const Format* f : formats) std::printf(" %s", std::string(f->name).c_str());
  std::printf("\n");
  for (uint32_t bits : inputs()) {
    std::printf("%x", bits);
    for (const Format* f : formats) {
      const double y = round_to(*f, std::bit_cast<float>(bits), Rounding::kNearestEven, Overflow::kSpecial);
      const bool absent = std::isnan(y) && f->is_integer();
      std::printf(" %x", absent ? 0u : code_of(*f, y));
    }
    std::printf("\n");
  }
}

}  // namespace
}  // namespace assay

int main() {
  using namespace assay;
  const std::vector<const Format*> formats = {&kBf16, &kF16, &kE4M3Fn, &kE4M3Fnuz, &kE5M2, &kE5M2Fnuz, &kE8M0, &kInt8};
  for (const Format* f : formats) print_decoded(*f);
  print_rounded(formats);
}
