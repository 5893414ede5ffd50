// For outputs that were partly never written: finds a wrong address calculation that explains which elements were written, and
// what they hold. Such a calculation loses bits of the storage offset, uses some bits twice, or has wrong strides.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <exception>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/compare/compare.h"
#include "harness/diagnosis/diagnose.h"
#include "harness/diagnosis/wrong_part.h"
#include "reference/formats/round.h"

namespace assay {
namespace {

constexpr int64_t kMostStoredElements = int64_t{1} << 18;
constexpr size_t kFewestOfAddresses = 16;  ///< written places, and unwritten elements with a code of their own

/// The elements of an output by storage offset.
class Stored {
 public:
  Stored(const WholePart& whole, const HostTensor& tensor, const std::function<bool(int64_t offset)>& is_written,
         bool wrote_behind)
      : whole_(whole), tensor_(tensor), columns_(whole.part.columns()), wrote_behind_(wrote_behind) {
    const int64_t stored = stored_elements(whole.part, tensor);
    for (int64_t i = 0; i < whole.part.elements(); ++i) {
      const int64_t offset = whole.offset_at(i);
      if (offset < 0 || offset >= stored) return;
      offsets_.push_back(offset);
      bits_ = std::max(bits_, int(std::bit_width(uint64_t(offset))));
    }
    places_.assign(size_t(stored), kNoElement);
    for (const int64_t offset : offsets_) places_[size_t(offset)] = is_written(offset) ? kWritten : kNotWritten;
    written_ = size_t(std::count(places_.begin(), places_.end(), kWritten));
    complete_ = true;
  }

  bool complete() const { return complete_ && written_ >= kFewestOfAddresses; }
  int bits() const { return bits_; }
  int64_t written() const { return int64_t(written_); }
  int64_t rows() const { return whole_.part.rows(); }
  int64_t columns() const { return columns_; }
  int64_t offset(int64_t row, int64_t column) const { return offsets_[size_t(row * columns_ + column)]; }

  /// Whether exactly the written places follow from `to`, and each holds the code of an element that `to` stores there. Several
  /// elements may be stored to one place; any of them may be the last.
  bool holds(const std::function<int64_t(int64_t element, int64_t offset)>& to) const {
    std::vector<uint8_t> hit(places_.size());  // 1: an element is stored there, 2: with the code that the place holds
    size_t places = 0;
    for (size_t i = 0; i < offsets_.size(); ++i) {
      const int64_t at = to(int64_t(i), offsets_[i]);
      if (at >= int64_t(places_.size()) && wrote_behind_) continue;
      if (at < 0 || at >= int64_t(places_.size()) || places_[size_t(at)] != kWritten) return false;
      uint8_t& state = hit[size_t(at)];
      places += state == 0;
      state = std::max<uint8_t>(state, 1);
      if (state == 1 &&
          whole_.at(int64_t(i)).holds(*whole_.part.format, ordinal(*whole_.part.format, load_code(whole_.part, tensor_, at))))
        state = 2;
    }
    return places == written_ && std::find(hit.begin(), hit.end(), 1) == hit.end();
  }

  /// Whether the data are varied enough: the written places hold several codes, and many hold another code than their own element's.
  bool tells() const {
    std::set<uint32_t> codes;
    size_t others = 0;
    for (size_t i = 0; i < offsets_.size(); ++i) {
      if (places_[size_t(offsets_[i])] != kWritten) continue;
      const uint32_t code = load_code(whole_.part, tensor_, offsets_[i]);
      codes.insert(code);
      others += !whole_.at(int64_t(i)).holds(*whole_.part.format, ordinal(*whole_.part.format, code));
    }
    return codes.size() >= 4 && others >= kFewestOfAddresses / 2;
  }

  /// Bits first..last of the offset as bits of the row or column, if each bit of the offset is one: "row bits 5..6".
  std::string bits_text(int first, int last) const {
    const std::pair<char, int> begin = source_of(first);
    for (int bit = first; bit <= last; ++bit)
      if (begin.first == 0 || source_of(bit) != std::pair(begin.first, begin.second + bit - first))
        return (first == last ? fmt::format("bit {}", first) : fmt::format("bits {}..{}", first, last)) +
               " of the storage offset";
    const std::string unit = begin.first == 'r' ? "row" : "column";
    return first == last ? fmt::format("bit {} of the {} number", begin.second, unit)
                         : fmt::format("bits {}..{} of the {} number", begin.second, begin.second + last - first, unit);
  }

 private:
  static constexpr uint8_t kNoElement = 0, kWritten = 1, kNotWritten = 2;

  /// The bit of the row ('r') or column ('c') that sets a bit of the offset; 0 if none does in the first row and column.
  std::pair<char, int> source_of(int bit) const {
    for (int k = 0; int64_t{1} << k < rows(); ++k)
      if ((offset(int64_t{1} << k, 0) ^ offset(0, 0)) == int64_t{1} << bit) return {'r', k};
    for (int k = 0; int64_t{1} << k < columns(); ++k)
      if ((offset(0, int64_t{1} << k) ^ offset(0, 0)) == int64_t{1} << bit) return {'c', k};
    return {0, 0};
  }

  const WholePart& whole_;
  const HostTensor& tensor_;
  const int64_t columns_;
  const bool wrote_behind_;
  std::vector<int64_t> offsets_;
  std::vector<uint8_t> places_;
  size_t written_ = 0;
  int bits_ = 0;
  bool complete_ = false;
};

int64_t field(int first, int width) { return ((int64_t{1} << width) - 1) << first; }

std::string lost_bits(const Stored& stored) {
  for (int width = 1; width <= stored.bits(); ++width)
    for (int first = 0; first + width <= stored.bits(); ++first) {
      const int64_t lost = field(first, width);
      if (stored.holds([&](int64_t, int64_t at) { return at & ~lost; }))
        return fmt::format("{} {} not used", stored.bits_text(first, first + width - 1), width == 1 ? "is" : "are");
      for (int twice = 0; twice + width <= stored.bits(); ++twice)
        if (twice != first && stored.holds([&](int64_t, int64_t at) { return (at & ~lost) | (at >> twice << first & lost); }))
          return fmt::format("{} {} not used, and {} {} used twice", stored.bits_text(first, first + width - 1),
                             width == 1 ? "is" : "are", stored.bits_text(twice, twice + width - 1), width == 1 ? "is" : "are");
    }
  return "";
}

std::string wrong_strides(const Stored& stored) {
  const int64_t rows = stored.rows(), columns = stored.columns(), first = stored.offset(0, 0);
  const int64_t down = rows > 1 ? stored.offset(1, 0) - first : 0, across = columns > 1 ? stored.offset(0, 1) - first : 0;
  for (int64_t row = 0; row < rows; ++row)
    for (const int64_t column : {int64_t{0}, columns - 1})
      if (stored.offset(row, column) != first + row * down + column * across) return "";
  const auto strides = [&](int64_t right) {
    std::set<int64_t> all = {0, 1, 2, 4, 8, 16, rows, columns, 2 * right, right + 1, right - 1};
    for (const int64_t divisor : {2, 4, 8})
      if (right % divisor == 0) all.insert(right / divisor);
    for (const int64_t unit : {8, 16, 32, 64, 128}) all.insert((right + unit - 1) / unit * unit);
    all.erase(right);
    return all;
  };
  std::set<int64_t> apart = strides(down);
  // If rows overlap, the number of written places tells their distance.
  if (const int64_t overlapped = stored.written() - columns; rows > 1 && overlapped > 0 && overlapped % (rows - 1) == 0)
    apart.insert(overlapped / (rows - 1));
  if (rows > 1)
    for (const int64_t other : apart)
      if (stored.holds([&](int64_t i, int64_t) { return first + i / columns * other + i % columns * across; }))
        return fmt::format("rows are stored {} elements apart instead of {}", other, down);
  if (columns > 1)
    for (const int64_t other : strides(across))
      if (stored.holds([&](int64_t i, int64_t) { return first + i / columns * down + i % columns * other; }))
        return fmt::format("the elements of a row are stored {} elements apart instead of {}", other, across);
  return "";
}

}  // namespace

std::string wrong_address_of_stores(const WholePart& whole, const HostTensor& tensor,
                                    const std::function<bool(int64_t offset)>& is_written, bool wrote_behind) {
  if (whole.part.elements() > kMostStoredElements) return "";
  const Stored stored(whole, tensor, is_written, wrote_behind);
  if (!stored.complete() || !stored.tells()) return "";
  std::string words = lost_bits(stored);
  if (words.empty()) words = wrong_strides(stored);
  return words.empty() ? "" : fmt::format("address: where {} is stored, {}", whole.part.label(), words);
}

// Rows that all have the address of row 0, in an output and perhaps in inputs too: row pitches that are 0 because they were never
// set.

namespace {

/// The tensor with each row of a matrix replaced by the matrix's row 0.
void read_row_0(HostTensor& tensor) {
  const TensorSpec& spec = tensor.spec;
  const int64_t columns = spec.shape.back(), rows = spec.elements() / columns, of_matrix = spec.shape.end()[-2];
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t column = 0; column < columns; ++column)
      tensor.set_code(spec.row(row) + column * spec.strides.back(),
                      tensor.code(spec.row(row - row % of_matrix) + column * spec.strides.back()));
}

}  // namespace

std::string zero_pitches(const BoundCase& bound, const Problem& problem, const WholePart& whole,
                         const std::vector<HostTensor>& outputs, WorkBudget& budget) {
  constexpr int64_t kFewestColumns = 8;
  constexpr size_t kFewestCodes = 4, kMostInputs = 4;
  const Part& part = whole.part;
  const HostTensor& tensor = tensor_of(outputs, part);
  const int64_t columns = part.columns(), stored = stored_elements(part, tensor);
  if (part.rows() < 2 || columns < kFewestColumns) return "";
  std::set<uint32_t> codes;
  for (int64_t c = 0; c < columns; ++c) {
    if (whole.offset_at(c) < 0 || whole.offset_at(c) >= stored) return "";
    codes.insert(load_code(part, tensor, whole.offset_at(c)));
  }
  if (codes.size() < kFewestCodes) return "";
  std::vector<size_t> inputs;
  for (size_t i = 0; i < problem.tensors.size(); ++i) {
    const TensorSpec& spec = problem.tensors[i].spec;
    if (access_of(problem.tensors[i]) == Access::kIn && spec.rank == part.rank && spec.shape.size() >= 2 &&
        spec.shape.end()[-2] > 1 && spec.shape.back() >= kFewestColumns && spec.format->bits <= 32 &&
        !(spec.format->is_integer() && spec.format->bits > 8) && has_rows(spec) && spec.elements() > 0)
      inputs.push_back(i);
  }
  if (inputs.size() > kMostInputs) return "";
  for (size_t set = 0; set < size_t{1} << inputs.size(); ++set) {
    Problem changed = problem;
    std::string names;
    for (size_t k = 0; k < inputs.size(); ++k)
      if (set >> k & 1) {
        read_row_0(changed.tensors[inputs[k]]);
        names += (names.empty() ? "" : " and ") + problem.tensors[inputs[k]].spec.name;
      }
    try {
      const Expectation expected = bound.expect(changed, &outputs);
      for (const Answer& answer : expected.any_of) {
        if (!budget.take(answer.elements() * work_of_element(answer))) return "";
        for (const WholePart& other : computed(answer)) {
          if (other.part.label() != part.label() || other.part.rank != part.rank || other.part.shape != part.shape) continue;
          for (int64_t row = 0; row < part.rows(); ++row) {
            int64_t column = 0;
            while (column < columns && membership(part, tensor, stored, whole.offset_at(column),
                                                  other.at(row * columns + column)) == Membership::kInside)
              ++column;
            if (column < columns) continue;
            return fmt::format("address: all rows of {} are stored to row 0{}: {}, as if {} never set", part.label(),
                               names.empty() ? "" : ", and all rows of " + names + " are read from row 0",
                               names.empty() ? "the row pitch is 0" : "the row pitches are 0",
                               names.empty() ? "it were" : "they were");
          }
        }
      }
    } catch (const std::exception&) {  // the op refuses such an input
      continue;
    }
  }
  return "";
}

}  // namespace assay
