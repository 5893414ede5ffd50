// Mistakes in the address that a kernel of any op computes to read an input: a bit of the storage offset that is lost or used
// twice, an address that does not advance, a stride that is lost. The offset counts elements of the tensor's storage, so one such
// mistake has one name in cases of all sizes, where a name made of rows and columns would differ.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/diagnosis/input_edits.h"

namespace assay {
namespace {

constexpr int64_t kFewestStored = 16, kMostStored = int64_t{1} << 24;
/// Quotients and remainders by the sizes of other tensors are only tried for inputs of at most this many elements, such as
/// scales, weights and indices.
constexpr int64_t kMostOfSmall = int64_t{1} << 16;
constexpr size_t kMostSizes = 8;
constexpr int kWidestField = 6, kWidestCopy = 3;
/// Copies of fields are many, so they are only tried for inputs of at most this many elements.
constexpr int64_t kMostOfCopies = int64_t{1} << 13;

/// Storage of an input without gaps, in row-major or column-major order.
struct Storage {
  int64_t rows, columns;
  bool by_columns;  ///< column-major

  int64_t size() const { return rows * columns; }
  int64_t offset(int64_t row, int64_t column) const { return by_columns ? column * rows + row : row * columns + column; }
  std::pair<int64_t, int64_t> place(int64_t offset) const {
    return by_columns ? std::pair(offset % rows, offset / rows) : std::pair(offset / columns, offset % columns);
  }
};

/// Collects the edits of one input.
class Addresses {
 public:
  Addresses(const Problem& problem, size_t tensor, const Storage& storage, std::vector<InputEdit>& all)
      : tensor_(tensor), name_(problem.tensors[tensor].spec.name), storage_(storage), all_(all) {}

  void bits() {
    for (int k = 0; int64_t{1} << k < storage_.size(); ++k) {
      const int64_t bit = int64_t{1} << k;
      add(fmt::format("bit {} ({}) of the storage offset is not used", k, bit), [bit](int64_t at) { return at & ~bit; });
      if (k > 0)
        add(fmt::format("bits {} and up of the storage offset are not used: the first {} elements are read again and again", k,
                        bit),
            [bit](int64_t at) { return at % bit; });
      // If 2^k divides the columns, input_edits() describes the same reads by the column.
      if (k > 0 && (storage_.by_columns ? storage_.rows : storage_.columns) % bit != 0)
        add(fmt::format("bits below {} of the storage offset are not used: each {} elements are the first of them", k, bit),
            [bit](int64_t at) { return at - at % bit; });
      if (2 * bit < storage_.size()) {
        add(fmt::format("bit {} of the storage offset is used twice, also in the place of bit {}", k, k + 1),
            [bit](int64_t at) { return (at & ~(2 * bit)) | (at & bit) << 1; });
        add(fmt::format("bit {} of the storage offset is used twice, also in the place of bit {}", k + 1, k),
            [bit](int64_t at) { return (at & ~bit) | (at & 2 * bit) >> 1; });
        add(fmt::format("bits {} and {} of the storage offset are exchanged", k, k + 1),
            [bit](int64_t at) { return (at & ~(3 * bit)) | (at & bit) << 1 | (at & 2 * bit) >> 1; });
      }
    }
  }

  /// A field of several bits is 0, as if a shift, mask or factor had lost it.
  void fields() {
    for (int width = 2; width <= kWidestField; ++width)
      for (int first = 0; int64_t{1} << (first + width) < storage_.size(); ++first) {
        const int64_t field = ((int64_t{1} << width) - 1) << first;
        if (first == 0 && (storage_.by_columns ? storage_.rows : storage_.columns) % (field + 1) == 0) continue;  // see bits()
        add(fmt::format("bits {}..{} of the storage offset are not used", first, first + width - 1),
            [field](int64_t at) { return at & ~field; });
        all_.back().late = true;
      }
  }

  /// A field of several bits is replaced by a copy of another field.
  void copied_fields() {
    for (int width = 2; width <= kWidestCopy; ++width)
      for (int first = 0; int64_t{1} << (first + width - 1) < storage_.size(); ++first)
        for (int twice = 0; int64_t{1} << (twice + width - 1) < storage_.size(); ++twice) {
          if (twice == first) continue;
          const int64_t field = ((int64_t{1} << width) - 1) << first;
          add(fmt::format("bits {}..{} of the storage offset are used twice, also in the place of bits {}..{}", twice,
                          twice + width - 1, first, first + width - 1),
              [=](int64_t at) { return (at & ~field) | (at >> twice << first & field); });
          all_.back().late = true;
        }
  }

  void strides() {
    if (storage_.rows == 1 || storage_.columns == 1) return;
    const int64_t stride = storage_.by_columns ? storage_.rows : storage_.columns;
    const char *const line = storage_.by_columns ? "column j" : "row i", *const index = storage_.by_columns ? "j" : "i";
    const auto lines = [&](const std::string& begin, const std::function<int64_t(int64_t)>& first) {
      add(fmt::format("{} is read starting at element {} instead of {} * {}", line, begin, stride, index),
          [=](int64_t at) { return first(at / stride) + at % stride; });
    };
    lines(index, [](int64_t i) { return i; });
    lines(fmt::format("{} / {}", index, stride), [stride](int64_t i) { return i / stride; });
    if (storage_.by_columns) lines("0", [](int64_t) { return 0; });  // for row-major storage: "[i, j] is read from [0, j]"
    const int64_t across = storage_.by_columns ? storage_.columns : storage_.rows;
    if (across != stride) {
      lines(fmt::format("{} * {}", across, index), [across](int64_t i) { return across * i; });
      add(fmt::format("the data are read as a {}-major matrix", storage_.by_columns ? "row" : "column"),
          [stride, across](int64_t at) { return at % stride * across + at / stride; });
    }
  }

  /// The element at offset j is read from j / size or j mod size instead, where size is an extent of another tensor, such as the
  /// number of experts per token.
  void sizes(const std::set<int64_t>& sizes) {
    const char* const element = storage_.rows == 1 ? "[j]" : "the element at storage offset j";
    for (const int64_t size : sizes) {
      if (size < 2 || size >= storage_.size()) continue;
      add(fmt::format("{} is read from {}", element,
                      storage_.rows == 1 ? fmt::format("[j / {}]", size) : fmt::format("offset j / {}", size)),
          [size](int64_t at) { return at / size; });
      // bits() and strides() have these remainders
      if ((size & (size - 1)) == 0 || size == (storage_.by_columns ? storage_.rows : storage_.columns)) continue;
      add(fmt::format("{} is read from {}", element,
                      storage_.rows == 1 ? fmt::format("[j mod {}]", size) : fmt::format("offset j mod {}", size)),
          [size](int64_t at) { return at % size; });
    }
  }

 private:
  void add(const std::string& words, std::function<int64_t(int64_t offset)> from) {
    InputEdit edit;
    edit.tensor = tensor_;
    edit.name = name_ + ": " + words;
    edit.general = true;
    edit.source = [storage = storage_, from](int64_t row, int64_t column) {
      return storage.place(std::clamp<int64_t>(from(storage.offset(row, column)), 0, storage.size() - 1));
    };
    edit.unknown = [storage = storage_, from = std::move(from)](int64_t row, int64_t column) {
      return from(storage.offset(row, column)) >= storage.size();
    };
    all_.push_back(std::move(edit));
  }

  const size_t tensor_;
  const std::string name_;
  const Storage storage_;
  std::vector<InputEdit>& all_;
};

}  // namespace

std::vector<InputEdit> address_edits(const Problem& problem, size_t tensor) {
  std::vector<InputEdit> all;
  const TensorSpec& spec = problem.tensors[tensor].spec;
  if (spec.elements() < kFewestStored || spec.elements() > kMostStored) return all;
  const int64_t columns = spec.shape.back(), rows = spec.elements() / columns;
  const bool by_rows = spec.strides.back() == 1 && (rows == 1 || spec.row(1) - spec.row(0) == columns);
  const bool by_columns = rows > 1 && columns > 1 && spec.row(1) - spec.row(0) == 1 && spec.strides.back() == rows;
  if (!by_rows && !by_columns) return all;
  Addresses addresses(problem, tensor, {rows, columns, !by_rows}, all);
  addresses.bits();
  addresses.strides();
  addresses.fields();
  if (spec.elements() > kMostOfSmall) return all;
  std::set<int64_t> sizes;
  for (const HostTensor& other : problem.tensors)
    for (const int64_t size : other.spec.shape)
      if (sizes.size() < kMostSizes) sizes.insert(size);
  addresses.sizes(sizes);
  if (spec.elements() <= kMostOfCopies) addresses.copied_fields();
  return all;
}

std::vector<InputEdit> address_edits_of_pairs(const Problem& problem) {
  std::vector<InputEdit> all;
  const auto stem = [&](size_t i) {
    const std::string& name = problem.tensors[i].spec.name;
    return name.substr(0, name.rfind('_') == std::string::npos ? 0 : name.rfind('_'));
  };
  for (size_t a = 0; a < problem.tensors.size(); ++a)
    for (size_t b = a + 1; b < problem.tensors.size(); ++b) {
      const TensorSpec &one = problem.tensors[a].spec, &other = problem.tensors[b].spec;
      if (access_of(problem.tensors[a]) != Access::kIn || access_of(problem.tensors[b]) != Access::kIn ||
          one.rank != other.rank || one.format->is_integer() || !(*one.format == *other.format) || stem(a).empty() ||
          stem(a) != stem(b) || std::max(one.elements(), other.elements()) > kMostOfSmall)
        continue;
      const std::vector<InputEdit> of_other = address_edits(problem, b);
      for (InputEdit& edit : address_edits(problem, a)) {
        const std::string words = edit.name.substr(one.name.size());
        const auto same = std::find_if(of_other.begin(), of_other.end(), [&](const InputEdit& each) {
          return each.name.compare(other.name.size(), std::string::npos, words) == 0;
        });
        if (same == of_other.end()) continue;
        edit.name = one.name + " and " + other.name + words;
        edit.with = {*same};
        all.push_back(std::move(edit));
      }
    }
  return all;
}

// Edits for elements that a loop over the elements of a vector skips: the kernel uses 0 for them.

namespace {

constexpr int64_t kFewestColumns = 8, kLongestVector = 16;

bool is_matrix_of_numbers(const TensorSpec& spec) {
  return spec.role == Role::kInput && spec.shape.size() > 1 && has_rows(spec) && spec.elements() > 0 && is_number(*spec.format) &&
         spec.format->bits <= 32 && spec.shape.back() >= kFewestColumns;
}

/// Calls add(words, skips) for each element of a vector of 2, 4, 8 or 16 columns.
template <class Add>
void for_each_element_of_vectors(int64_t columns, Add add) {
  for (int64_t period = 2; period <= std::min(columns, kLongestVector); period *= 2)
    for (int64_t at = 0; at < period; ++at)
      add(fmt::format("[i, j] with j mod {} = {} is read as 0, or never added", period, at),
          [=](int64_t r, int64_t c) { return c % period == at ? kZero : std::pair(r, c); });
}

}  // namespace

std::vector<InputEdit> skipped_elements(const Problem& problem) {
  std::vector<InputEdit> all;
  if (problem.ranks == 1) {
    for (size_t i = 0; i < problem.tensors.size(); ++i)
      if (const TensorSpec& spec = problem.tensors[i].spec; is_matrix_of_numbers(spec))
        for_each_element_of_vectors(spec.shape.back(), [&](const std::string& words, auto source) {
          all.push_back({i, spec.name + ": " + words, source});
        });
    return all;
  }
  // A sum over ranks may have several terms on each rank. If the loop over the ranks skips an element, all of them are missing.
  std::map<int64_t, std::vector<size_t>> by_columns;
  for (size_t i = 0; i < problem.tensors.size(); ++i)
    if (is_matrix_of_numbers(problem.tensors[i].spec)) by_columns[problem.tensors[i].spec.shape.back()].push_back(i);
  for (const auto& [columns, tensors] : by_columns)
    for_each_element_of_vectors(columns, [&](const std::string& words, auto source) {
      InputEdit edit{tensors.front(), "sum over ranks: " + words, source};
      for (size_t i = 1; i < tensors.size(); ++i) edit.with.push_back({tensors[i], edit.name, source});
      all.push_back(std::move(edit));
    });
  return all;
}

}  // namespace assay
