#include "reference/units/unit.h"

namespace assay {

std::vector<int> product_order(const Unit& unit) {
  std::vector<int> taken;
  const int period = unit.interleave_period == 0 ? unit.k : unit.interleave_period;
  const int width = unit.interleave_period == 0 ? unit.k : unit.interleave_width;
  for (int part = 0; part < period / width; ++part)
    for (int k = 0; k < unit.k; ++k)
      if (k % period / width == part) taken.push_back(k);
  std::vector<int> order;
  for (int block = 0; block < unit.k; block += unit.take)
    for (int split = 0; split < unit.splits; ++split)
      for (int i = split; i < unit.take; i += unit.splits) order.push_back(taken[size_t(block + i)]);
  return order;
}

}  // namespace assay
