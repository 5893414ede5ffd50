// Wrong positions within a vector, for kernels that read a matrix as one array of vectors. If the number of columns is no
// multiple of the vector, the position in the array tells which elements are read wrongly, and the column does not.
#include <fmt/format.h>

#include <cstdlib>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "harness/diagnosis/input_edits.h"

namespace assay {

std::vector<InputEdit> flat_vector_edits(const Problem& problem, size_t tensor) {
  constexpr int64_t kLongestWithAllPairs = 8, kFewestVectors = 4;
  const TensorSpec& spec = problem.tensors[tensor].spec;
  std::vector<InputEdit> all;
  if (spec.shape.size() < 2 || spec.elements() == 0) return all;
  const int64_t columns = spec.shape.back(), elements = spec.elements(), rows = elements / columns;
  if (rows < 2 || columns < 2 || spec.row(1) - spec.row(0) != columns || spec.strides.back() != 1) return all;
  const auto add = [&](const std::string& words, int64_t period, const std::function<int64_t(int64_t at)>& source) {
    const int64_t whole = elements / period * period;
    InputEdit edit;
    edit.tensor = tensor;
    edit.name = fmt::format("{}: {}, j counted over all rows", spec.name, words);
    edit.source = [=](int64_t r, int64_t c) {
      const int64_t at = r * columns + c, from = at < whole ? source(at) : at;
      return std::pair(from / columns, from % columns);
    };
    // A loop over single elements may read what lies behind the last whole vector.
    edit.unknown = [=](int64_t r, int64_t c) { return r * columns + c >= whole; };
    edit.late = edit.is_everywhere = true;
    all.push_back(std::move(edit));
  };
  for (const int64_t period : {4, 8, 2, 16}) {
    if (columns % period == 0 || elements < kFewestVectors * period) continue;
    for (int64_t width = 1; width < period; width *= 2)
      for (int64_t to = 0; to < period; to += width)
        for (int64_t from = 0; from < period; from += width) {
          const int64_t away = std::abs(from - to);
          if (away == 0 || (period > kLongestWithAllPairs && (width > 1 || away > 1))) continue;
          const std::string which = width == 1 ? fmt::format("= {}", to) : fmt::format("in {}..{}", to, to + width - 1);
          add(fmt::format("[i, j] with j mod {} {} is read from [i, j {} {}]", period, which, from > to ? '+' : '-', away),
              period, [=](int64_t at) { return at % period / width * width == to ? at + from - to : at; });
        }
    add(fmt::format("[i, j] is read from [i, j ^ {}] (halves of each {} exchanged)", period / 2, period), period,
        [=](int64_t at) { return at ^ period / 2; });
    if (period > 2)
      add(fmt::format("[i, j] is read from [i, j ^ {}] (each {} in the opposite order)", period - 1, period), period,
          [=](int64_t at) { return at ^ (period - 1); });
  }
  return all;
}

}  // namespace assay
