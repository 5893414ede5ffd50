// Random models with the operands of table rows, within and slightly beyond what real GPUs do. For tests.
#pragma once

#include <string>

#include "harness/probe/draw.h"
#include "reference/units/unit_table.h"

namespace assay {

inline UnitRow random_row(const UnitTable& table, Draw& draw) {
  const auto number = [&](int low, int high) { return std::to_string(draw.between(low, high)); };
  const auto one_in = [&](int n) { return draw.below(n) == 0; };
  const auto loss = [&] { return one_in(2) ? " floor" : " truncate"; };
  for (;;) {
    UnitRow row = table.rows()[size_t(draw.below(int(table.rows().size())))];
    const Unit operands = row.unit;
    if (!operands.known() || operands.sum == ProductSum::kExact || operands.group > 1) continue;
    const bool f16 = operands.d->bits == 16, pairs = !f16 && !operands.scale && one_in(8), joined = !f16 && !pairs && one_in(4),
               split = joined && one_in(3);
    const int take = operands.k >> draw.below(3), bits = operands.d->mantissa_bits;
    const auto set = [&](const char* column, const std::string& text) { row.cells[column].text = text; };
    row.id = "random", set("id", "random"), set("evidence", "model");
    set("order", (take < operands.k && !joined && one_in(4) ? "interleave(4,2) take(" : "take(") + std::to_string(take) + ")");
    const std::string align = "align(" + number(11, 28) + ")" + loss();
    set("sum", pairs ? "pairs" : split ? "split(2) " + align + " join(" + number(20, 30) + ")" + loss() : align);
    const std::string least =
        one_in(2) ? "" : " least(" + number(operands.d->min_exponent() - 10, operands.d->min_exponent() - 2) + ")";
    set("exponent",
        pairs ? "" : std::string(one_in(4) ? "normalized" : "ea+eb") + (one_in(4) ? " zeros" : "") + (joined ? "" : least));
    const std::string drop = one_in(2) ? "" : " drop(" + number(20, 30) + ")";
    set("c", pairs       ? "added"
             : joined    ? "joined(" + number(25, 34) + "," + number(22, 30) + ")" + loss() + drop
             : one_in(6) ? "aligned last"
                         : "aligned");
    set("round",
        pairs ? "rne(23)" : (one_in(2) ? "rz(" : "rne(") + (one_in(2) ? std::to_string(bits) : number(bits - 6, bits)) + ")");
    set("special", std::string(f16 ? "nan(7fff)" : one_in(2) ? "nan(7fffffff)" : "nan(7fc00000)") + (one_in(4) ? " flush" : ""));
    try {
      row.unit = read_unit(row);
      return row;
    } catch (const TableError&) {
    }
  }
}

/// A random row for operands that are converted before they have exponents.
inline UnitRow random_converted_row(const UnitTable& table, Draw& draw) {
  for (;;) {
    UnitRow row = random_row(table, draw);
    std::string& cell = row.cells["exponent"].text;
    if (!cell.starts_with("ea+eb")) continue;
    cell.insert(5, draw.coin() ? " in(f16)" : " in(f32)");
    try {
      row.unit = read_unit(row);
      return row;
    } catch (const TableError&) {
    }
  }
}

}  // namespace assay
