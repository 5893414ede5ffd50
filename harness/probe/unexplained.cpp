#include "harness/probe/unexplained.h"

#include <fmt/format.h>

#include <cmath>
#include <map>

namespace assay {
namespace {

int products_of(const Tiles& tiles, int64_t tile, int64_t e) {
  const Instruction& i = tiles.instruction();
  int count = 0;
  for (int k = 0; k < i.k; ++k)
    count += decode(*i.a, tiles.a(tile, e / i.n, k)) != 0 && decode(*i.b, tiles.b(tile, e % i.n, k)) != 0;
  return count;
}

std::string element_text(const Tiles& tiles, int64_t tile, int64_t e, uint32_t got, uint32_t predicted) {
  const Instruction& i = tiles.instruction();
  const int64_t row = e / i.n, column = e % i.n;
  std::string text;
  int shown = 0;
  for (int k = 0; k < i.k; ++k) {
    const double a = decode(*i.a, tiles.a(tile, row, k)), b = decode(*i.b, tiles.b(tile, column, k));
    if (a == 0 && b == 0) continue;
    if (++shown > 4) continue;
    text += fmt::format("k {}: {:.9g} * {:.9g}, ", k, a, b);
  }
  if (shown > 4) text += fmt::format("and {} more products, ", shown - 4);
  return text + fmt::format("c {:.9g}: returned {:0{}x}, predicted {:0{}x}", decode(*i.d, tiles.c(tile, row, column)), got,
                            (i.d->bits + 3) / 4, predicted, (i.d->bits + 3) / 4);
}

}  // namespace

std::vector<Unexplained> unexplained_by(const Unit& unit, const Instruction& instruction, const Seen& seen) {
  std::map<std::string_view, Unexplained> kinds;
  for (const Observation& one : seen.all) {
    Unexplained& kind = kinds[one.kind];
    kind.kind = one.kind;
    for (const ProbeData& data : probe_data())
      if (data.name == one.kind) kind.shows = data.shows;
    kind.elements += int64_t(one.d.size());
    int fewest = 1 << 20;
    for (int64_t tile = 0, at = 0; tile < one.tiles.count(); ++tile)
      for (const uint32_t code : one.tiles.predicted(unit, tile)) {
        const int64_t e = at++ % (instruction.m * instruction.n);
        if (code == one.d[size_t(at - 1)]) continue;
        ++kind.wrong;
        const int size = products_of(one.tiles, tile, e);
        if (size < fewest) fewest = size, kind.example = element_text(one.tiles, tile, e, one.d[size_t(at - 1)], code);
      }
  }
  std::vector<Unexplained> all;
  for (auto& [name, kind] : kinds)
    if (kind.wrong > 0) all.push_back(std::move(kind));
  return all;
}

}  // namespace assay
