#include "reference/flow/dot/k_order.h"

#include <charconv>

namespace assay {
namespace {

int64_t whole(const RowCells& cells, const std::string& column, const CellStep& word, size_t i) {
  const std::string text = word.argument(i);
  int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size() || value < 1)
    throw cells.error(column, word.position, "'" + word.text + "' takes whole numbers from 1");
  return value;
}

}  // namespace

int64_t KOrder::product_at(int64_t place) const {
  if (!any()) return place;
  const int64_t at = place % period(), group = at / run, step = group / lanes, lane = group % lanes;
  return place - at + lane * apart + step * run + at % run;
}

std::string KOrder::text() const {
  if (!any()) return "ascending";
  return "lanes(" + std::to_string(lanes) + "," + std::to_string(run) + "," + std::to_string(apart) + ")";
}

std::vector<KOrder> read_k_orders(const RowCells& cells, const std::string& column) {
  std::vector<KOrder> orders;
  if (cells.text(column).empty()) return orders;
  for (const std::string& text : cells.alternatives(column)) {
    const std::vector<CellStep> words = read_cell(text);
    if (words.size() != 1 || words[0].word != "lanes" || words[0].arguments.size() != 3)
      throw cells.error(column, 0, "expected lanes(GROUPS,RUN,APART), got '" + text + "'");
    const KOrder order{whole(cells, column, words[0], 0), whole(cells, column, words[0], 1), whole(cells, column, words[0], 2)};
    if (order.apart % order.run != 0) throw cells.error(column, 0, "'" + text + "': groups of lanes lie whole runs apart");
    orders.push_back(order);
  }
  return orders;
}

std::vector<std::byte> in_order(const KOrder& order, const UnitFactor& factor, int64_t rows, int64_t k) {
  const int64_t pitch = (k + order.period() - 1) / order.period() * order.period();
  std::vector<std::byte> codes(static_cast<size_t>(rows * pitch));
  for (int64_t place = 0; place < pitch; ++place) {
    const int64_t product = order.product_at(place);
    for (int64_t row = 0; row < rows && product < k; ++row)
      codes[size_t(row * pitch + place)] = factor.codes[row * factor.pitch + product];
  }
  return codes;
}

}  // namespace assay
