#include "reference/flow/shuffle/shuffle.h"

#include <algorithm>

#include "reference/contracts/contract_rows.h"
#include "reference/flow/flow.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

/// Position in memory of element (row, column) of an expert.
using PlaceInExpert = std::function<int64_t(int64_t row, int64_t column)>;

/// For each element (r, c): position to(r, c) of the result gets the element at position from(r, c) of x.
std::vector<int64_t> moved(const ShuffleExtents& extents, const PlaceInExpert& from, const PlaceInExpert& to) {
  std::vector<int64_t> sources(size_t(extents.elements()));
  const int64_t of_expert = extents.n() * extents.k;
  for (int64_t row = 0; row < extents.n(); ++row)
    for (int64_t column = 0; column < extents.k; ++column) {
      const int64_t source = from(row, column), place = to(row, column);
      for (int64_t first = 0; first < extents.elements(); first += of_expert) sources[size_t(first + place)] = first + source;
    }
  return sources;
}

PlaceInExpert by_rows(const ShuffleExtents& extents) {
  return [k = extents.k](int64_t row, int64_t column) { return row * k + column; };
}

PlaceInExpert by_tiles(const WeightShuffle& shuffle, const ShuffleExtents& extents) {
  return [=](int64_t row, int64_t column) { return shuffle.place(row, column, extents.k, extents.bytes); };
}

std::vector<int64_t> between(const WeightMove& move, const ShuffleExtents& extents, const PlaceInExpert& shuffled) {
  const PlaceInExpert rows = by_rows(extents);
  return move.back ? moved(extents, shuffled, rows) : moved(extents, rows, shuffled);
}

/// Mutant: keeps each row of a tile contiguous instead of splitting it into runs of 16 bytes.
PlaceInExpert rows_of_tiles(const WeightShuffle& shuffle, const ShuffleExtents& extents) {
  return [=](int64_t row, int64_t column) {
    const int64_t tile_k = 2 * shuffle.products;
    return row / shuffle.rows * (shuffle.rows * extents.k) + column / tile_k * (shuffle.rows * tile_k) +
           row % shuffle.rows * tile_k + column % tile_k;
  };
}

/// Mutant: stores the tiles of a weight column by column instead of row by row.
PlaceInExpert tiles_by_columns(const WeightShuffle& shuffle, const ShuffleExtents& extents) {
  return [=](int64_t row, int64_t column) {
    const int64_t tile_k = 2 * shuffle.products, tile = shuffle.rows * tile_k;
    const int64_t in_tile = shuffle.place(row % shuffle.rows, column % tile_k, tile_k, extents.bytes);
    return (column / tile_k * (extents.n() / shuffle.rows) + row / shuffle.rows) * tile + in_tile;
  };
}

}  // namespace

bool WeightMove::moves(const Format& x) const {
  return std::any_of(formats.begin(), formats.end(), [&](const Format* format) { return *format == x; });
}

std::vector<int64_t> sources_of(const WeightMove& move, const ShuffleExtents& extents) {
  return between(move, extents, by_tiles(move.shuffle, extents));
}

std::vector<ShuffleNeighbour> shuffle_neighbours(const WeightMove& move, const ShuffleExtents& extents) {
  std::vector<std::vector<int64_t>> seen = {sources_of(move, extents)};
  std::vector<ShuffleNeighbour> all;
  const auto add = [&](const std::string& name, std::vector<int64_t> sources) {
    if (std::find(seen.begin(), seen.end(), sources) != seen.end()) return;
    seen.push_back(sources);
    all.push_back({name, std::move(sources)});
  };
  const WeightShuffle& shuffle = move.shuffle;
  const PlaceInExpert rows = by_rows(extents);
  add("order: as it was", moved(extents, rows, rows));
  WeightMove other_way = move;
  other_way.back = !move.back;
  add("order: moved the other way", sources_of(other_way, extents));
  add("order: moved twice", between(move, extents, [&](int64_t row, int64_t column) {
        const int64_t once = shuffle.place(row, column, extents.k, extents.bytes);
        return shuffle.place(once / extents.k, once % extents.k, extents.k, extents.bytes);
      }));
  const WeightShuffle other_tile{shuffle.rows == 16 ? 32 : 16, shuffle.products};
  if (other_tile.fits(extents.n(), extents.k))
    add("tile: " + std::to_string(other_tile.rows) + " rows", between(move, extents, by_tiles(other_tile, extents)));
  const ShuffleExtents other_bytes{extents.experts, extents.k, extents.bytes == 1 ? 2 : 1};
  add("runs: of " + std::to_string(16 / other_bytes.bytes) + " elements", between(move, extents, by_tiles(shuffle, other_bytes)));
  add("runs: those of a row together", between(move, extents, rows_of_tiles(shuffle, extents)));
  add("tiles: those of a column together", between(move, extents, tiles_by_columns(shuffle, extents)));
  if (extents.experts.count() > 1) {
    std::vector<int64_t> first = seen.front();
    for (int64_t& source : first) source %= extents.n() * extents.k;
    add("experts: the first in the place of each", std::move(first));
  }
  return all;
}

WeightMove read_shuffle(const ContractRow& row) {
  const RowCells cells(row);
  WeightMove move;
  move.shuffle = read_weight_tile(cells, "tile");
  move.back = cells.is_first_of("direction", "unshuffle", "shuffle");
  for (const std::string& name : cells.alternatives("x")) {
    const Format* format = find_format(name);
    if (!format || format->bits % 8 != 0 || format->bits > 16)
      throw cells.error("x", 0, "'" + name + "': expected a format of one or two bytes");
    move.formats.push_back(format);
  }
  return move;
}

std::vector<std::string> shuffle_lines(const WeightMove& move) {
  const std::string rows = std::to_string(move.shuffle.rows), products = std::to_string(2 * move.shuffle.products);
  return {"shuffled = x.view(n / " + rows + ", " + rows + ", k / " + products + ", " + products +
              " / V, V).permute(0, 2, 3, 1, 4), where V elements have 16 bytes",
          move.back ? "y        = x, moved from the shuffled to the row-major order"
                    : "y        = x, shuffled; the shape does not change"};
}

const Flow& shuffle_flow() {
  static const Flow flow{
      .name = "shuffle",
      .says = "tile",
      .files = {"weight_shuffle.csv"},
      .columns = {"tile", "direction", "x"},
      .check = [](const ContractTables&, const ContractRow& row) { (void)read_shuffle(row); },
  };
  return flow;
}

}  // namespace assay
