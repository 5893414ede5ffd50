#include "harness/diagnosis/input_edits.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "harness/compare/verdict.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"

namespace assay {
namespace {

/// Columns and rows of an input; a vector has one row.
std::array<int64_t, 2> shape_of(const TensorSpec& spec) { return {spec.elements() / spec.shape.back(), spec.shape.back()}; }

constexpr int64_t kFewestColumns = 8, kFewestRows = 4;

/// Collects the edits of one input.
class Edits {
 public:
  Edits(const Problem& problem, size_t tensor, std::vector<InputEdit>& all)
      : tensor_(tensor), data_(problem.tensors[tensor]), name_(data_.spec.name), all_(all) {
    const auto [rows, columns] = shape_of(problem.tensors[tensor].spec);
    rows_ = rows, columns_ = columns;
  }

  /// Every element is read from a position a fixed number of elements or rows away. Elements are counted row after row.
  void shifts(bool of_integers) {
    for (const int64_t by : {1, -1, 2, -2, 4, -4, 8, -8, 16, -16, 32, -32, 64, -64, 128, -128})
      if (columns_ >= std::max(kFewestColumns, 2 * std::abs(by))) {
        add(shift_name(by, "element"), [rows = rows_, columns = columns_, by](int64_t r, int64_t c) {
          const int64_t at = std::clamp<int64_t>(r * columns + c + by, 0, rows * columns - 1);
          return std::pair(at / columns, at % columns);
        });
        all_.back().plain = std::abs(by) == 1;
        // Beyond the end of a row, the kernel may read the next row or padding, or use a zero instead.
        all_.back().unknown = [rows = rows_, columns = columns_, by, of_integers](int64_t r, int64_t c) {
          const int64_t at = of_integers ? r * columns + c + by : c + by;
          return at < 0 || at >= (of_integers ? rows * columns : columns);
        };
      }
    for (const int64_t by : {1, -1, 2, -2, 4, -4, 8, -8, 16, -16})
      if (rows_ >= std::max(kFewestRows, 2 * std::abs(by)) && columns_ > 1)
        add(shift_name(by, "row"), [by](int64_t r, int64_t c) { return std::pair(r + by, c); }).plain = std::abs(by) == 1;
  }

  /// One element is read for several, or several elements are exchanged.
  void other_places() {
    if (rows_ * columns_ >= kFewestColumns && data_.code(data_.spec.row(0)) != 0)  // as unread() if it is 0
      add("[i, j] is read from [0, 0]", [](int64_t, int64_t) { return std::pair<int64_t, int64_t>(0, 0); });
    if (rows_ > 1 && columns_ > 1)
      add("[i, j] is read from [0, j]", [](int64_t, int64_t c) { return std::pair<int64_t, int64_t>(0, c); });
    if (rows_ >= kFewestRows && columns_ > 1) {
      add("[i, j] is read from [i / 2, j]", [](int64_t r, int64_t c) { return std::pair(r / 2, c); });
      add("[i, j] is read from [2 i, j]", [rows = rows_](int64_t r, int64_t c) { return std::pair(2 * r % rows, c); });
    }
    if (rows_ == columns_ && rows_ >= kFewestRows)
      add("[i, j] is read from [j, i]", [](int64_t r, int64_t c) { return std::pair(c, r); });
    for (int64_t period = 2; period <= columns_ && columns_ >= kFewestColumns; period *= 2) {
      add(fmt::format("[i, j] is read from [i, j - j mod {}]", period),
          [period](int64_t r, int64_t c) { return std::pair(r, c - c % period); });
      if (period < columns_)
        add(fmt::format("[i, j] is read from [i, j mod {}]", period),
            [period](int64_t r, int64_t c) { return std::pair(r, c % period); });
      add(fmt::format("[i, j] is read from [i, j ^ {}] (halves of each {} exchanged)", period / 2, period),
          [period](int64_t r, int64_t c) { return std::pair(r, c ^ period / 2); });
      if (period > 2)
        add(fmt::format("[i, j] is read from [i, j ^ {}] (each {} in the opposite order)", period - 1, period),
            [period](int64_t r, int64_t c) { return std::pair(r, c ^ (period - 1)); });
    }
    for (int64_t period = 2; period < rows_; period *= 2) {
      add(fmt::format("[i, j] is read from [i - i mod {}, j]", period),
          [period](int64_t r, int64_t c) { return std::pair(r - r % period, c); });
      add(fmt::format("[i, j] is read from [i mod {}, j]", period),
          [period](int64_t r, int64_t c) { return std::pair(r % period, c); });
      add(fmt::format("[i, j] is read from [i ^ {}, j]", period / 2),
          [period](int64_t r, int64_t c) { return std::pair(r ^ period / 2, c); });
    }
    if (columns_ >= kFewestColumns) {
      add("[i, j] is read from [i, 2 j]", [columns = columns_](int64_t r, int64_t c) { return std::pair(r, 2 * c % columns); });
      add("[i, j] is read from [i, j / 2]", [](int64_t r, int64_t c) { return std::pair(r, c / 2); });
    }
  }

  /// Wrong strides: rows begin at wrong elements, or vectors lie too far apart or too close together.
  void pitches() {
    if (columns_ < kFewestColumns) return;
    std::set<int64_t> pitches = {columns_ + 1, columns_ - 1, 2 * columns_};
    if (columns_ % 2 == 0) pitches.insert({columns_ / 2, columns_ / 2 * 3});
    for (const int64_t pitch : pitches) {
      if (rows_ < 2) continue;
      InputEdit& made = add(fmt::format("row i is read starting at element {} * i instead of {} * i", pitch, columns_),
                            [pitch, columns = columns_](int64_t r, int64_t c) {
                              const int64_t at = r * pitch + c;
                              return std::pair(at / columns, at % columns);
                            });
      made.unknown_rows = [pitch, end = rows_ * columns_, columns = columns_](int64_t r) { return r * pitch + columns > end; };
    }
    for (const int64_t vector : {4, 8, 16})
      for (const int64_t apart : {vector + 1, vector - 1, 2 * vector}) {
        if (2 * vector > columns_) continue;
        InputEdit& made = add(fmt::format("the vectors of {} elements in a row are read {} elements apart", vector, apart),
                              [=](int64_t r, int64_t c) { return std::pair(r, c / vector * apart + c % vector); });
        made.unknown = [=, columns = columns_](int64_t, int64_t c) { return c / vector * apart + c % vector >= columns; };
      }
  }

  /// Tiles of rows whose first address uses the row pitch wrongly: not at all, or as a divisor.
  void tile_starts() {
    for (const int64_t tile : {8, 16, 32, 64, 128}) {
      if (columns_ < 2 || rows_ < 2 * tile || rows_ % tile != 0) continue;
      const auto starts = [&](const std::string& words, const std::function<int64_t(int64_t)>& first) {
        InputEdit& made = add(fmt::format("tile t of {} rows is read starting at element {} instead of {} * t", tile, words, tile * columns_),
                              [first, tile, columns = columns_](int64_t r, int64_t c) {
                                const int64_t at = first(r / tile) + r % tile * columns + c;
                                return std::pair(at / columns, at % columns);
                              });
        made.late = true;
      };
      starts(fmt::format("{} * t (the row pitch is left out)", tile), [tile](int64_t t) { return tile * t; });
      // As tile 0 in every tile, which other_places() has, if the quotient is 0.
      if (rows_ - tile >= columns_)
        starts(fmt::format("{} * t / {} (it is divided by the row pitch)", tile, columns_),
               [tile, columns = columns_](int64_t t) { return tile * t / columns; });
    }
  }

  /// Matrices of an input, such as the weights of experts, whose first address lacks a factor, or counts one row too many or too
  /// few.
  void matrix_starts() {
    const TensorSpec& spec = data_.spec;
    if (spec.shape.size() != 3 || spec.shape[0] < 2 || spec.strides[0] != spec.shape[1] * spec.strides[1]) return;
    const int64_t of_matrix = spec.shape[1], right = of_matrix * columns_;
    const auto starts = [&](int64_t apart, const char* why) {
      if (apart <= 0 || apart == right) return;
      InputEdit& made = add(fmt::format("matrix e of {} x {} is read starting at element {} * e instead of {} * e{}", of_matrix,
                                        columns_, apart, right, why),
                            [=, columns = columns_](int64_t r, int64_t c) {
                              const int64_t at = r / of_matrix * apart + r % of_matrix * columns + c;
                              return std::pair(at / columns, at % columns);
                            });
      made.late = true;
    };
    starts(columns_, " (the number of rows is left out)");
    if (of_matrix != columns_) starts(of_matrix, " (the number of columns is left out)");
    starts(1, " (its size is left out)");
    starts(right - columns_, " (one row less)");
    if (right % 2 == 0) starts(right / 2, " (half of its size)");
  }

  /// Integers are cut to fewer bits. Numbers below -1 are cut as signed integers. Others may be indices, which stay valid if they
  /// are cut as unsigned integers; -1 marks an absent one and stays.
  void cut_integers(const Format& format) {
    int64_t least = 0, most = 0;
    for (int64_t r = 0; r < rows_; ++r)
      for (int64_t c = 0; c < columns_; ++c) {
        const int64_t value = number_at(r, c);
        least = std::min(least, value), most = std::max(most, value);
      }
    const bool is_signed = least < -1;
    for (const int bits : {8, 15, 16}) {
      if (bits >= format.bits || (is_signed && bits == 15)) continue;
      const int64_t half = int64_t{1} << (bits - 1);
      if (is_signed ? least >= -half && most < half : most < 2 * half) continue;  // changes nothing
      add(fmt::format("cut to {} bits", bits), [](int64_t r, int64_t c) { return std::pair(r, c); }).code = [=](uint32_t code) {
        const uint32_t all = format.bits == 32 ? ~uint32_t{0} : (uint32_t{1} << format.bits) - 1, low = code & uint32_t(2 * half - 1);
        if (is_signed) return (low & uint32_t(half) ? low | ~uint32_t(2 * half - 1) : low) & all;
        return code == all ? code : low;
      };
    }
  }

  /// fp32 numbers are rounded to 16 bits before they are used.
  void rounded() {
    for (const Format* const format : {&kBf16, &kF16}) {
      bool changes = false;
      const auto code = [format](uint32_t one) {
        const double value = decode(kF32, one);
        return std::isfinite(value) ? code_of(kF32, round_to(*format, value, Rounding::kNearestEven, Overflow::kSpecial)) : one;
      };
      for (int64_t r = 0; r < rows_ && !changes; ++r)
        for (int64_t c = 0; c < columns_ && !changes; ++c) changes = code(code_at(r, c)) != code_at(r, c);
      if (changes) add(fmt::format("rounded to {}", format->name), [](int64_t r, int64_t c) { return std::pair(r, c); }).code = code;
    }
  }

  /// The codes of scales at the ends of the format are misread.
  void scale_codes() {
    const auto of = [&](const char* words, uint32_t from, uint32_t to) {
      for (int64_t r = 0; r < rows_; ++r)
        for (int64_t c = 0; c < columns_; ++c)
          if (code_at(r, c) == from) {
            add(words, [](int64_t row, int64_t column) { return std::pair(row, column); }).code = [=](uint32_t code) {
              return code == from ? to : code;
            };
            return;
          }
    };
    of("the code 0, which is 2^-127, is read as 2^-126", 0, 1);
    of("the code 0xff, which is NaN, is read as 2^127", 0xff, 0xfe);
  }

  /// Some codes are misread as others, such as NaN as 0.
  void codes(const Format& format) {
    const uint32_t sign = uint32_t(1) << (format.bits - 1);
    std::set<uint32_t> there;
    for (int64_t r = 0; r < rows_; ++r)
      for (int64_t c = 0; c < columns_; ++c) there.insert(data_.code(data_.spec.row(r) + c * data_.spec.strides.back()));
    const auto of = [&](const char* words, const std::function<uint32_t(uint32_t)>& code) {
      if (std::any_of(there.begin(), there.end(), [&](uint32_t one) { return code(one) != one; }))
        add(words, [](int64_t r, int64_t c) { return std::pair(r, c); }).code = code;
    };
    const auto nan_as = [&](const char* words, double value) {
      of(words, [=](uint32_t code) {
        return std::isnan(decode(format, code)) ? code_of(format, std::copysign(value, code & sign ? -1.0 : 1.0)) : code;
      });
    };
    if (format.specials == Specials::kIeee) nan_as("NaN becomes Inf with the same sign", HUGE_VAL);
    nan_as("NaN becomes 0", 0);
    if (format.has_sign()) of("the sign is not read", [=](uint32_t code) { return code & ~sign; });
    of("subnormal numbers become 0",
       [=](uint32_t code) { return std::abs(decode(format, code)) < power_of_two(format.min_exponent()) ? code & sign : code; });
    of("the lowest bit of the mantissa is not read",
       [=](uint32_t code) { return std::isfinite(decode(format, code)) ? code & ~1u : code; });
  }

  /// Some elements of each vector are read from other positions of the same vector.
  void parts_of_vectors() {
    for (const int64_t period : {2, 4, 8, 16, 32})
      for (int64_t width = std::max<int64_t>(1, period / 16); width < period; width *= 2)
        for (int64_t to = 0; to < period && columns_ >= 2 * period; to += width)
          for (int64_t from = 0; from < period; from += width)
            if (from != to && (width > period / 16 || std::abs(from - to) == width))
              add(fmt::format("[i, j] with j mod {} {} is read from [i, j {} {}]", period, range_text(to, width),
                              from > to ? '+' : '-', std::abs(from - to)),
                  [=](int64_t r, int64_t c) { return std::pair(r, c % period / width * width == to ? c + from - to : c); });
  }

  /// Reads each element of a vector from its neighbour. The last element has no neighbour, so its value is unknown. `halves`:
  /// rows hold gate and up; the mistake may be in one half only.
  void beside_within_vectors(bool halves) {
    struct Half {
      const char* words;
      int64_t first, end;
    };
    std::vector<Half> all = {{"", 0, columns_}};
    if (halves) all = {{"", 0, columns_}, {"in the first half of a row, ", 0, columns_ / 2}, {"in the second half of a row, ", columns_ / 2, columns_}};
    for (const int64_t period : {64, 32, 16, 8, 4})  // the longest period that explains everything is reported
      for (const int64_t by : {1, -1})
        for (const bool flat : {false, true})
          for (const Half& half : all) {
            if (columns_ * (flat ? rows_ : 1) < 2 * period || columns_ < 2 || (flat && (rows_ == 1 || columns_ % period == 0))) continue;
            const auto stays = [=, columns = columns_](int64_t r, int64_t c) {
              const int64_t at = (flat ? r * columns : 0) + c;
              return c < half.first || c >= half.end || at % period + by < 0 || at % period + by >= period ||
                     (!flat && (c + by < half.first || c + by >= half.end));
            };
            InputEdit& made = add(fmt::format("{}[i, j] is read from the element {} it, within vectors of {}{}", half.words,
                                              by > 0 ? "after" : "before", period, flat ? " counted over all rows" : ""),
                                  [=, columns = columns_](int64_t r, int64_t c) {
                                    const int64_t at = r * columns + c + (stays(r, c) ? 0 : by);
                                    return std::pair(at / columns, at % columns);
                                  });
            made.unknown = [=](int64_t r, int64_t c) { return c >= half.first && c < half.end && stays(r, c); };
          }
  }

  /// Columns that a sum or a maximum over the columns leaves out.
  void left_out(bool all) {
    constexpr const char* kAll = "any j";
    if (columns_ < kFewestColumns) return;
    const auto leave = [&](const std::string& words, const std::function<bool(int64_t)>& out) {
      int64_t count = 0;
      for (int64_t c = 0; c < columns_; ++c) count += out(c);
      if (count == 0 || (count == columns_ && words != kAll)) return;
      InputEdit& made = add("[i, j] with " + words + " is left out of the sum or maximum over j",
                            [out](int64_t r, int64_t c) { return out(c) ? kZero : std::pair(r, c); });
      made.leaves_out = out, made.share = double(count) / double(columns_);
    };
    for (int64_t unit = 2; unit <= columns_ / 2; unit *= 2)
      if (const int64_t last = columns_ / unit * unit; last < columns_) {
        leave(fmt::format("j >= {}, the last, incomplete {}", last, unit), [=](int64_t c) { return c >= last; });
        all_.back().general = true;
      }
    for (int64_t period = 2; period <= 16; period *= 2)
      for (int64_t at = 0; at < period; ++at)
        leave(fmt::format("j mod {} = {}", period, at), [=](int64_t c) { return c % period == at; });
    std::set<int64_t> cleared;
    for (int64_t step = 8; step <= 256 && !all; step *= 2)
      if (const int64_t last = (columns_ - 1) / step * step; last > 0 && cleared.insert(last).second) {
        leave(fmt::format("j < {}", last), [=](int64_t c) { return c < last; });
        all_.back().name +=
            fmt::format(": only the last {} are added, as if accumulators were cleared at each step", columns_ - last);
      }
    for (const int64_t quarter : {1, 2, 3}) {
      const int64_t at = quarter * columns_ / 4;
      leave(fmt::format("j >= {}", at), [=](int64_t c) { return c >= at; });
      if (!cleared.contains(at)) leave(fmt::format("j < {}", at), [=](int64_t c) { return c < at; });
    }
    for (int64_t period = 4; period <= columns_ / 2; period *= 2) {
      const int64_t half = period / 2;
      leave(fmt::format("j mod {} < {}", period, half), [=](int64_t c) { return c % period < half; });
      leave(fmt::format("j mod {} >= {}", period, half), [=](int64_t c) { return c % period >= half; });
      leave(fmt::format("j mod {} > 0", period), [=](int64_t c) { return c % period > 0; });
      if (period < 32) continue;
      for (const int64_t width : {period / 4, period / 8, period / 16, period / 32}) {
        leave(fmt::format("j mod {} < {}", period, width), [=](int64_t c) { return c % period < width; });
        leave(fmt::format("j mod {} >= {}", period, width), [=](int64_t c) { return c % period >= width; });
        leave(fmt::format("j mod {} >= {}", period, period - width), [=](int64_t c) { return c % period >= period - width; });
        leave(fmt::format("j mod {} < {}", period, period - width), [=](int64_t c) { return c % period < period - width; });
      }
    }
    if (all) leave(kAll, [](int64_t) { return true; });
    leave("j = 0", [](int64_t c) { return c == 0; });
    for (int64_t unit = 1; unit < columns_; unit *= 2) {  // the last unit (may be partial), all but the first, or the first
      const int64_t last = (columns_ - 1) / unit * unit;
      leave(fmt::format("j >= {}", last), [=](int64_t c) { return c >= last; });
      leave(fmt::format("j >= {}", unit), [=](int64_t c) { return c >= unit; });
      if (!cleared.contains(unit)) leave(fmt::format("j < {}", unit), [=](int64_t c) { return c < unit; });
    }
  }

  /// For rows that hold gate and up: the last column of one half is treated as if it lay beyond the end, and read as 0.
  void last_of_halves() {
    for (const auto& [words, last] : {std::pair("first", columns_ / 2 - 1), std::pair("second", columns_ - 1)})
      if (columns_ >= kFewestColumns)
        add(fmt::format("the last column of the {} half of a row is read as 0", words), [last = last](int64_t r, int64_t c) {
          return c == last ? kZero : std::pair(r, c);
        }).plain = true;
  }

  /// An input that is never read.
  void unread() {
    if (rows_ * columns_ >= kFewestColumns) add("read as 0, or never added", [](int64_t, int64_t) { return kZero; });
  }

 private:
  uint32_t code_at(int64_t r, int64_t c) const { return data_.code(data_.spec.row(r) + c * data_.spec.strides.back()); }
  int64_t number_at(int64_t r, int64_t c) const { return int64_t(decode(*data_.spec.format, code_at(r, c))); }
  static std::string range_text(int64_t first, int64_t width) {
    return width == 1 ? fmt::format("= {}", first) : fmt::format("in {}..{}", first, first + width - 1);
  }
  static std::string shift_name(int64_t by, const char* unit) {
    return fmt::format("each element is read from {} {}{} {}", std::abs(by), unit, std::abs(by) == 1 ? "" : "s", by > 0 ? "later" : "earlier");
  }

  InputEdit& add(std::string words, std::function<std::pair<int64_t, int64_t>(int64_t, int64_t)> source) {
    for (size_t at = 0; rows_ == 1 && (at = words.find("[i, ", at)) != std::string::npos;)
      words.erase(at + 1, 3);  // a vector has one index
    all_.push_back({tensor_, name_ + ": " + words, std::move(source)});
    return all_.back();
  }

  const size_t tensor_;
  const HostTensor& data_;
  const std::string name_;
  int64_t rows_ = 0, columns_ = 0;
  std::vector<InputEdit>& all_;
};

}  // namespace

Problem InputEdit::applied(const Problem& problem) const {
  Problem changed = problem;
  for (const InputEdit& other : with) changed.tensors[other.tensor] = other.applied(problem).tensors[other.tensor];
  for (const size_t other : also) {
    InputEdit edit = *this;
    edit.tensor = other, edit.also.clear();
    changed.tensors[other] = edit.applied(problem).tensors[other];
  }
  const HostTensor& from = problem.tensors[tensor];
  const TensorSpec& spec = from.spec;
  const auto [rows, columns] = shape_of(spec);
  const auto place = [&](int64_t r, int64_t c) { return spec.row(r) + c * spec.strides.back(); };
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c) {
      const std::pair<int64_t, int64_t> at = source(r, c);
      const uint32_t read =
          at == kZero
              ? 0
              : from.code(place(std::clamp<int64_t>(at.first, 0, rows - 1), std::clamp<int64_t>(at.second, 0, columns - 1)));
      const bool is_filled = filled && filled(r, c);
      changed.tensors[tensor].set_code(place(r, c), is_filled ? fill : code ? code(read) : read);
    }
  return changed;
}

/// Whether the op sums over the columns of an input, as a GEMM does. Another input then has a row per column of the output.
bool is_summed(const Problem& problem, size_t tensor) {
  const auto has_columns = [&](int64_t columns) {
    return std::any_of(problem.tensors.begin(), problem.tensors.end(), [&](const HostTensor& one) {
      return access_of(one) != Access::kIn && !one.spec.shape.empty() && one.spec.shape.back() == columns;
    });
  };
  if (!has_columns(problem.tensors[tensor].spec.shape.back())) return true;
  for (size_t i = 0; i < problem.tensors.size(); ++i) {
    const TensorSpec& spec = problem.tensors[i].spec;
    if (i != tensor && access_of(problem.tensors[i]) == Access::kIn && spec.shape.size() > 1 && has_columns(spec.shape.end()[-2]))
      return true;
  }
  return false;
}

/// Edits of several inputs at once, if each has one row and all have the same number of columns, such as weights and bias. One
/// function often loads them all, so that a wrong index in it affects all.
void vectors_together(const Problem& problem, std::vector<InputEdit>& all) {
  std::map<int64_t, std::vector<size_t>> by_columns;
  for (size_t i = 0; i < problem.tensors.size(); ++i) {
    const TensorSpec& spec = problem.tensors[i].spec;
    if (access_of(problem.tensors[i]) == Access::kIn && spec.shape.size() == 1 && spec.rank == 0 && !spec.format->is_integer() &&
        spec.format->bits <= 32 && spec.elements() >= kFewestColumns)
      by_columns[spec.elements()].push_back(i);
  }
  for (const auto& [columns, tensors] : by_columns) {
    if (tensors.size() < 2) continue;
    std::string names;
    for (const size_t i : tensors) names += (names.empty() ? "" : " and ") + problem.tensors[i].spec.name;
    std::vector<InputEdit> made;
    Edits edits(problem, tensors.front(), made);
    edits.shifts(false);
    edits.beside_within_vectors(false);
    const size_t length = problem.tensors[tensors.front()].spec.name.size();
    for (InputEdit& edit : made) {
      edit.name.replace(0, length, names);
      edit.plain = false;
      edit.also.assign(tensors.begin() + 1, tensors.end());
      all.push_back(std::move(edit));
    }
  }
}

/// An input that is left out on all ranks, and all inputs of such a sum at once, as if the memory that the kernel adds were zeroed.
void unread_on_all_ranks(const Problem& problem, std::vector<InputEdit>& all) {
  std::map<std::string, std::vector<size_t>> by_name;
  for (size_t i = 0; i < problem.tensors.size(); ++i) {
    const TensorSpec& spec = problem.tensors[i].spec;
    const auto has_columns = [&](const HostTensor& one) {
      return access_of(one) != Access::kIn && !one.spec.shape.empty() && one.spec.shape.back() == spec.shape.back();
    };
    if (access_of(problem.tensors[i]) == Access::kIn && !spec.format->is_integer() && spec.format->bits <= 32 && has_rows(spec) &&
        spec.shape.size() > 1 && spec.elements() >= kFewestColumns &&
        std::any_of(problem.tensors.begin(), problem.tensors.end(), has_columns))
      by_name[spec.name].push_back(i);
  }
  const auto add = [&](const std::string& names, const std::vector<size_t>& tensors) {
    std::vector<InputEdit> edits;
    for (const size_t i : tensors)
      edits.push_back({i, names + " of all ranks: read as 0, or never added", [](int64_t, int64_t) { return kZero; }});
    InputEdit edit = edits.front();
    edit.with.assign(edits.begin() + 1, edits.end());
    edit.plain = true;
    all.push_back(std::move(edit));
  };
  std::string names;
  std::vector<size_t> together;
  size_t count = 0;
  for (const auto& [name, tensors] : by_name) {
    if (int64_t(tensors.size()) == problem.ranks) add(name, tensors);
    const bool is_updated = std::any_of(problem.tensors.begin(), problem.tensors.end(), [&name = name](const HostTensor& one) {
      return one.spec.role != Role::kInput && (one.spec.name == name || one.spec.shares == name);
    });
    if (is_updated) continue;  // the sum is added to it
    names += (count++ == 0 ? "" : " and ") + name;
    together.insert(together.end(), tensors.begin(), tensors.end());
  }
  if (count > 1) add(names, together);
}

std::vector<InputEdit> input_edits(const Problem& problem, int64_t products) {
  std::vector<InputEdit> all;
  bool has_sum = false;
  for (size_t i = 0; i < problem.tensors.size(); ++i) {
    const TensorSpec& spec = problem.tensors[i].spec;
    if (access_of(problem.tensors[i]) == Access::kOut || spec.format->bits > 32 || !has_rows(spec) || spec.elements() == 0)
      continue;
    Edits edits(problem, i, all);
    edits.shifts(spec.format->is_integer());
    const bool is_index = spec.format->is_integer() && !(products > 1 && spec.format->bits == 8);  // 8 bits: operands of a GEMM
    if (is_index) {  // other changes of indices and positions may be invalid
      std::erase_if(all, [&](const InputEdit& edit) { return edit.tensor == i && !edit.plain; });
      if (spec.format->bits > 8) edits.cut_integers(*spec.format);
      continue;
    }
    if (*spec.format == kF32) edits.rounded();
    if (spec.format->specials == Specials::kScale && spec.format->bits == 8 && !spec.format->has_sign()) edits.scale_codes();
    edits.other_places();
    std::ranges::move(address_edits(problem, i), std::back_inserter(all));
    if (spec.row(1) - spec.row(0) == spec.shape.back() && spec.strides.back() == 1)
      edits.pitches(), edits.tile_starts(), edits.matrix_starts();
    if (products == 1 && spec.format->specials != Specials::kScale && spec.format->specials != Specials::kBits)
      edits.codes(*spec.format);
    edits.parts_of_vectors();
    const bool halves = std::any_of(problem.tensors.begin(), problem.tensors.end(), [&](const HostTensor& other) {
      return access_of(other) == Access::kOut && !other.spec.shape.empty() && 2 * other.spec.shape.back() == spec.shape.back();
    });
    if (products == 1) edits.beside_within_vectors(halves);
    if (products == 1 && halves) edits.last_of_halves();
    if (products == 1 && spec.format->specials != Specials::kScale && spec.format->specials != Specials::kBits)
      std::ranges::move(flat_vector_edits(problem, i), std::back_inserter(all));
    if (spec.format->specials == Specials::kScale || spec.format->specials == Specials::kBits)
      continue;
    if (products > 1 ? !has_sum && is_summed(problem, i) : spec.shape.size() > 1) edits.left_out(products == 1);
    has_sum = true;                     // a GEMM's a and b have the same columns (k), so one input suffices
    if (products == 1) edits.unread();  // a GEMM may return zeros for many reasons
  }
  if (products == 1) vectors_together(problem, all);
  if (products == 1) std::ranges::move(skipped_elements(problem), std::back_inserter(all));
  if (products == 1 && problem.ranks > 1) unread_on_all_ranks(problem, all);
  std::ranges::move(address_edits_of_pairs(problem), std::back_inserter(all));
  // Misread codes of 8 or 4 bits are few and common, so that the limit of the work must not leave them out.
  const auto is_of_codes = [&](const InputEdit& edit) { return edit.code && problem.tensors[edit.tensor].spec.format->bits <= 8; };
  const auto turn = [&](const InputEdit& edit) {
    return edit.plain ? 0 : edit.late ? 3 : edit.general || is_of_codes(edit) ? 1 : 2;
  };
  std::ranges::stable_sort(all, {}, turn);
  return all;
}

InputEdit exchanged_in_pairs(const Problem& problem, size_t tensor, int64_t away, int64_t first, int64_t period) {
  const int64_t columns = problem.tensors[tensor].spec.shape.back();
  InputEdit edit;
  edit.tensor = tensor;
  edit.source = [=](int64_t r, int64_t c) {
    const int64_t at = c - first;
    if (at < 0) return std::pair(r, c);
    const int64_t to = at / away % 2 == 0 ? c + away : c - away;
    return std::pair(r, to < columns && to / period == c / period ? to : c);
  };
  return edit;
}

bool data_tell(const InputEdit& edit, const Problem& problem, const Problem& changed) {
  constexpr int64_t kLeastShare = 4;
  const HostTensor &before = problem.tensors[edit.tensor], &now = changed.tensors[edit.tensor];
  if (before.spec.format->specials != Specials::kBits) return true;
  const auto [rows, columns] = shape_of(before.spec);
  int64_t moved = 0, differ = 0;
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c) {
      const std::pair<int64_t, int64_t> from = edit.source(r, c);
      if (from == kZero || from == std::pair(r, c)) continue;
      const int64_t at = before.spec.row(r) + c * before.spec.strides.back();
      ++moved, differ += before.code(at) != now.code(at);
    }
  return kLeastShare * differ >= moved;
}

/// The input column from which column 0 of a part is computed: 0 if the part has the columns of the input. More if the first
/// parts of its tensor share them, such as 448 codes and 64 numbers in a row of 512. -1 if its columns are others.
static int64_t first_column_of(const Answer& answer, const Part& part, int64_t columns) {
  if (part.columns() == columns) return 0;
  int64_t next = 0, first = -1;
  for (const Part& other : answer.parts) {
    if (other.tensor != part.tensor || other.rank != part.rank || other.rows() != part.rows()) continue;
    if (&other == &part) first = next;
    next += other.columns();
    if (next >= columns) break;
  }
  return next == columns ? first : -1;
}

bool is_judged(const InputEdit& edit, const Problem& problem, const Answer& answer, const Part& part, int64_t row, int64_t column) {
  if (!edit.leaves_out && !edit.unknown && !edit.unknown_rows) return true;
  const int64_t columns = problem.tensors[edit.tensor].spec.shape.back();
  if (edit.leaves_out && answer.products == 1) {
    if (const int64_t first = first_column_of(answer, part, columns); first >= 0) return !edit.leaves_out(first + column);
    return 2 * part.columns() != columns || (!edit.leaves_out(column) && !edit.leaves_out(column + part.columns()));
  }
  const int64_t rows = shape_of(problem.tensors[edit.tensor].spec)[0];
  if (edit.unknown_rows) return rows != part.rows() || !edit.unknown_rows(row);
  if (answer.products > 1 && (edit.leaves_out || rows != part.rows() || columns != part.columns())) return true;
  if (edit.unknown) {
    if (rows > 1 && rows != part.rows()) return true;
    if (part.columns() == columns) return !edit.unknown(rows == 1 ? 0 : row, column);
    if (2 * part.columns() == columns)
      return !edit.unknown(rows == 1 ? 0 : row, column) && !edit.unknown(rows == 1 ? 0 : row, column + part.columns());
  }
  return true;
}

namespace {

/// An input whose groups of columns have one scale each, and the output that holds these scales.
struct GroupsOfInput {
  size_t tensor = 0, part = 0;
  int64_t columns = 0;  ///< columns of the input per output row; the input may have twice as many (gate and up)
  int64_t width = 0;    ///< columns of a group
};

std::optional<GroupsOfInput> groups_of_input(const Problem& problem, const std::vector<WholePart>& answer) {
  int64_t widest = 0;
  for (const WholePart& whole : answer) widest = std::max(widest, whole.part.columns());
  for (size_t p = 0; p < answer.size(); ++p) {
    const Part& part = answer[p].part;
    if (2 * part.columns() >= widest || part.columns() == 0 || widest % part.columns() != 0 || !part.tensor.starts_with("scale"))
      continue;
    for (size_t i = 0; i < problem.tensors.size(); ++i) {
      const TensorSpec& spec = problem.tensors[i].spec;
      if (spec.shape.size() < 2 || spec.format->is_integer() || spec.rank != part.rank || spec.packed || spec.elements() == 0)
        continue;
      const auto [rows, columns] = shape_of(spec);
      if (rows == part.rows() && (columns == widest || columns == 2 * widest))
        return GroupsOfInput{i, p, widest, widest / part.columns()};
    }
  }
  return std::nullopt;
}

/// Whether many elements are wrong in groups whose scales are right. A maximum that leaves out columns does not do that.
bool wrong_beside_right_scales(const WrongPart& scales, const std::vector<WholePart>& answer, int64_t width,
                               const std::vector<HostTensor>& outputs) {
  constexpr int64_t kFewest = 8;
  const std::set<int64_t> wrong_scales(scales.failing().begin(), scales.failing().end());
  const int64_t groups = scales.part().columns();
  for (const WholePart& one : answer) {
    const Part& part = one.part;
    if (part.rank != scales.part().rank || part.rows() != scales.part().rows() || part.columns() != groups * width) continue;
    const WrongPart elements(one, tensor_of(outputs, part));
    if (!elements.complete()) continue;
    const int64_t beside = std::count_if(elements.failing().begin(), elements.failing().end(), [&](int64_t i) {
      return !wrong_scales.contains(i / part.columns() * groups + i % part.columns() / width);
    });
    if (beside >= kFewest) return true;
  }
  return false;
}

/// A rule such as "j mod 8 = 7" that holds for all columns in `out` and for none in `kept`. Empty if there is none.
std::string rule_of_columns(const std::set<int64_t>& out, const std::set<int64_t>& kept, int64_t columns) {
  for (int64_t period = 2; period < columns; period *= 2) {
    std::set<int64_t> rests, kept_rests;
    for (const int64_t c : out) rests.insert(c % period);
    for (const int64_t c : kept) kept_rests.insert(c % period);
    const bool apart = std::none_of(rests.begin(), rests.end(), [&](int64_t rest) { return kept_rests.contains(rest); });
    if (!apart || 2 * int64_t(rests.size()) > period || out.size() < 2 * rests.size()) continue;
    return fmt::format("j mod {} {} {}", period, rests.size() == 1 ? "=" : "in", numbers_text(rests, period));
  }
  const int64_t first = *out.begin(), last = *out.rbegin();
  if (std::any_of(kept.begin(), kept.end(), [&](int64_t c) { return first <= c && c <= last; })) return "";
  return fmt::format("j from {} to {}", first, last);
}

}  // namespace

std::optional<Regularity> left_out_of_maxima(const BoundCase& bound, const Problem& problem,
                                             const std::vector<HostTensor>& outputs, WorkBudget& budget) {
  constexpr int kMostLeftOut = 24;
  constexpr int64_t kMostElements = int64_t(1) << 20;
  const Expectation right = bound.expect(problem, &outputs);
  const Answer& answer = right.any_of.front();
  if (answer.products > 1 || answer.elements() > kMostElements || !budget.take(answer.elements())) return std::nullopt;
  std::vector<WholePart> whole = computed(answer);
  const std::optional<GroupsOfInput> of = groups_of_input(problem, whole);
  if (!of) return std::nullopt;
  const WrongPart scales(whole[of->part], tensor_of(outputs, whole[of->part].part));
  if (!scales.complete() || scales.failing().empty()) return std::nullopt;
  const HostTensor& input = problem.tensors[of->tensor];
  const int64_t groups = scales.part().columns(), in_columns = input.spec.shape.back();
  const auto at = [&](int64_t r, int64_t c) { return input.spec.row(r) + c * input.spec.strides.back(); };
  const auto size_of = [&](int64_t r, int64_t c) {
    double size = std::abs(decode(*input.spec.format, input.code(at(r, c))));
    if (in_columns > of->columns) size *= std::abs(decode(*input.spec.format, input.code(at(r, c + of->columns))));
    return std::isnan(size) ? HUGE_VAL : size;
  };
  const auto by_size = [&](int64_t scale) {
    std::vector<std::pair<double, int64_t>> sorted;
    for (int64_t c = scale % groups * of->width; c < (scale % groups + 1) * of->width; ++c)
      sorted.emplace_back(-size_of(scale / groups, c), c);
    std::sort(sorted.begin(), sorted.end());
    return sorted;
  };
  std::set<int64_t> open(scales.failing().begin(), scales.failing().end()), out, kept;
  std::map<int64_t, std::vector<std::pair<double, int64_t>>> sorted;
  for (const int64_t scale : open) sorted[scale] = by_size(scale);
  Problem changed = problem;
  int64_t explained = 0;
  std::string first;
  for (int k = 1; k <= std::min<int64_t>(kMostLeftOut, of->width - 1) && !open.empty() && budget.take(answer.elements()); ++k) {
    for (const int64_t scale : open) {
      const int64_t c = sorted[scale][size_t(k - 1)].second;
      for (int64_t column = c; column < in_columns; column += of->columns)
        changed.tensors[of->tensor].set_code(at(scale / groups, column), 0);
    }
    const Problem now = changed;
    const Expectation expected = bound.expect(now, &outputs);
    const std::vector<WholePart> without = computed(expected.any_of.front());
    if (without.size() != whole.size()) return std::nullopt;
    for (auto it = open.begin(); it != open.end();) {
      const Interval accepted = without[of->part].at(*it);
      if (accepted.any() || !accepted.holds(scales.format(), ordinal(scales.format(), scales.codes()[size_t(*it)]))) {
        ++it;
        continue;
      }
      const auto& group = sorted[*it];
      for (int i = 0; i < k; ++i)
        if (group[size_t(i)].first < group[size_t(k)].first) out.insert(group[size_t(i)].second);
      kept.insert(group[size_t(k)].second);
      if (first.empty()) first = fmt::format("{}[{}, {}]", input.spec.name, *it / groups, group[0].second);
      ++explained;
      it = open.erase(it);
    }
  }
  const auto failing = int64_t(scales.failing().size());
  if (4 * explained < 3 * failing || out.empty()) return std::nullopt;
  if (explained == 1 && wrong_beside_right_scales(scales, whole, of->width, outputs)) return std::nullopt;
  const std::set<int64_t> wrong(scales.failing().begin(), scales.failing().end());
  for (int64_t scale = 0; scale < scales.part().elements(); ++scale) {
    if (wrong.contains(scale)) continue;
    const auto group = by_size(scale);
    if (group.size() < 2 || group[0].first < group[1].first) kept.insert(group[0].second);
  }
  for (const int64_t c : out) kept.erase(c);
  const std::string rule = rule_of_columns(out, kept, of->columns);
  if (rule.empty() && 4 * int64_t(out.size()) > of->columns) return std::nullopt;  // other mistakes also give long lists
  const std::string columns = rule.empty() ? "j in " + numbers_text(out, of->columns) : rule;
  Regularity found{scales.label(),
                   fmt::format("the scale of a maximum that leaves out {}[i, j] with {}", input.spec.name, columns),
                   failing, explained};
  found.note = fmt::format("; the first is {}", first);
  return found;
}

}  // namespace assay
