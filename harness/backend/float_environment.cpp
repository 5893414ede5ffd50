#include "harness/backend/float_environment.h"

#include <array>
#include <cfenv>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace assay {
namespace {

struct Rounding {
  uint64_t bits;
  const char* words;
};

struct Switch {
  uint64_t bit;
  const char *on, *off;
};

#if defined(__x86_64__)

constexpr uint64_t kFlags = 0x3f, kTraps = 0x1f80, kRounding = 0x6000;
constexpr bool kTrapsAreSet = false;  // on this architecture a set bit masks an exception
constexpr std::array kRoundings = {Rounding{0x0000, "rounds to nearest"}, Rounding{0x2000, "rounds downward"},
                                   Rounding{0x4000, "rounds upward"}, Rounding{0x6000, "rounds toward zero"}};
constexpr std::array kSwitches = {
    Switch{0x8000, "flushes subnormal results to zero (FTZ)", "no longer flushes subnormal results to zero (FTZ)"},
    Switch{0x0040, "takes subnormal inputs as zero (DAZ)", "no longer takes subnormal inputs as zero (DAZ)"}};

uint64_t read_control() { return _mm_getcsr() & ~kFlags; }
void write_control(uint64_t control) { _mm_setcsr(uint32_t(control)); }
uint64_t read_x87() {
  uint16_t word = 0;
  __asm__ volatile("fnstcw %0" : "=m"(word));
  return word;
}
void write_x87(uint64_t word) {
  const auto narrow = uint16_t(word);
  __asm__ volatile("fnclex\n\tfldcw %0" : : "m"(narrow));  // a pending exception would trap once it is unmasked
}

#elif defined(__aarch64__)

constexpr uint64_t kTraps = 0x9f00, kRounding = 0xc00000;
constexpr bool kTrapsAreSet = true;
constexpr std::array kRoundings = {Rounding{0x000000, "rounds to nearest"}, Rounding{0x400000, "rounds upward"},
                                   Rounding{0x800000, "rounds downward"}, Rounding{0xc00000, "rounds toward zero"}};
constexpr std::array kSwitches = {
    Switch{0x1000000, "flushes subnormals to zero (FZ)", "no longer flushes subnormals to zero (FZ)"},
    Switch{0x0080000, "flushes subnormals of 16 bits to zero (FZ16)", "no longer flushes subnormals of 16 bits to zero (FZ16)"},
    Switch{0x2000000, "returns the default NaN (DN)", "no longer returns the default NaN (DN)"}};

uint64_t read_control() {
  uint64_t control = 0;
  __asm__ volatile("mrs %0, fpcr" : "=r"(control));
  return control;
}
void write_control(uint64_t control) { __asm__ volatile("msr fpcr, %0" : : "r"(control)); }
uint64_t read_x87() { return 0; }
void write_x87(uint64_t) {}

#else

constexpr uint64_t kTraps = 0, kRounding = ~uint64_t{0};
constexpr bool kTrapsAreSet = true;
constexpr std::array<Rounding, 0> kRoundings = {};
constexpr std::array<Switch, 0> kSwitches = {};
uint64_t read_control() { return uint64_t(std::fegetround()); }
void write_control(uint64_t control) { std::fesetround(int(control)); }
uint64_t read_x87() { return 0; }
void write_x87(uint64_t) {}

#endif

void append(std::string& text, const char* words) { text.append(text.empty() ? "" : ", ").append(words); }

}  // namespace

FloatEnvironment::FloatEnvironment() : control_(read_control()), x87_(read_x87()) {}

std::string FloatEnvironment::changes_to(const FloatEnvironment& now) const {
  std::string text;
  const uint64_t changed = control_ ^ now.control_;
  for (const Rounding& rounding : kRoundings)
    if ((changed & kRounding) != 0 && (now.control_ & kRounding) == rounding.bits) append(text, rounding.words);
  for (const Switch& one : kSwitches)
    if ((changed & one.bit) != 0) append(text, (now.control_ & one.bit) != 0 ? one.on : one.off);
  if ((changed & kTraps) != 0)
    append(text, ((changed & now.control_ & kTraps) != 0) == kTrapsAreSet ? "traps floating-point exceptions"
                                                                          : "no longer traps floating-point exceptions");
  if (text.empty() && x87_ != now.x87_) append(text, "has another x87 control word");
  return text.empty() ? "has another floating-point control word" : text;
}

std::string FloatEnvironment::restore() const {
  const FloatEnvironment now;
  if (now.control_ == control_ && now.x87_ == x87_) return "";
  if (now.x87_ != x87_) write_x87(x87_);
  write_control(control_);
  return changes_to(now);
}

}  // namespace assay
