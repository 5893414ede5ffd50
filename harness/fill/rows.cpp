// Generators for the ends of groups, rows and blocks, and for rows after a row with NaN or Inf.
#include <cmath>

#include "harness/fill/sheet.h"
#include "harness/fill/nearest.h"

namespace assay::fills {

void ends(Sheet& sheet) {
  for (int64_t i = 0; i < int64_t(sheet.values.size()); ++i) sheet.values[size_t(i)] = sheet.random.normal(i);
  for_each_group(sheet, [&](const Group& group) {
    const bool last_of_rows = group.row % 128 == 127 || group.row + 1 == sheet.rows;
    const double magnitude = (1.0 + sheet.random.uniform(group.number, kGroup)) * (last_of_rows ? 32.0 : 8.0);
    const int64_t place =
        (group.row + group.in_row) % 2 == 0 || group.end == (group.row + 1) * sheet.columns ? group.end - 1 : group.begin;
    sheet.values[size_t(place)] = sheet.random.coin(group.number, kSign) ? -magnitude : magnitude;
  });
}

void spoiled_rows(Sheet& sheet) {
  const bool has_nan = !sheet.format.is_integer();
  const bool has_infinity = sheet.format.specials == Specials::kIeee;
  for (int64_t row = 0; row < sheet.rows && sheet.columns > 0; ++row) {
    const int64_t turn = row % 6, begin = row * sheet.columns, place = begin + sheet.random.below(sheet.columns, row, kPlace);
    if (turn == 2 || turn == 4) continue;  // rows of zeros
    for (int64_t i = begin; i < begin + sheet.columns; ++i) sheet.values[size_t(i)] = sheet.random.normal(i);
    if (turn == 1 && has_nan) sheet.codes.push_back({place, code_of(sheet.format, std::nan(""))});
    if (turn == 3 && has_infinity) sheet.values[size_t(place)] = HUGE_VAL;
  }
}

}  // namespace assay::fills
