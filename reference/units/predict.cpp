#include "reference/units/predict.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "reference/formats/catalogue.h"
#include "reference/units/decode.h"

namespace assay {
namespace {

constexpr int kRowsOfTask = 32;      ///< their state and one instruction of a panel fit in the L1 cache
constexpr int kPanelsOfStripe = 32;  ///< panels decoded at a time

void require(bool holds, const Unit& unit, const char* what) {
  if (!holds) throw std::invalid_argument("unit " + unit.id + ": " + what);
}

/// Computes the NaN and Inf results of one block of one row, for each lane of a panel.
class Specials {
 public:
  Specials(const Unit& unit, const FactorCodes& a, const FactorCodes& b, const std::vector<int64_t>& steps)
      : unit_(unit), a_(a), b_(b), steps_(steps) {}

  void sum(int64_t row, int64_t column, int columns, int block, float* sums) const {
    for (int l = 0; l < columns; ++l) {
      sums[l] = 0;
      for (int i = block * unit_.take; i < (block + 1) * unit_.take; ++i) {
        const double product = kept(a_, row, i) * kept(b_, column + l, i);
        if (!std::isfinite(product))
          sums[l] += float(product);
        else if (unit_.product_limit != 0 && std::fabs(product) >= std::ldexp(1.0, unit_.product_limit))
          sums[l] += std::copysign(HUGE_VALF, float(product));
      }
    }
  }

 private:
  double kept(const FactorCodes& codes, int64_t row, int i) const {
    const double x = codes.value(row, steps_[size_t(i)]);
    if (!unit_.flush) return x;
    const double least = std::ldexp(1.0, codes.format().min_exponent());
    return std::fabs(decode(codes.format(), codes.code(row, steps_[size_t(i)]))) < least ? x * 0 : x;
  }
  const Unit& unit_;
  const FactorCodes &a_, &b_;
  const std::vector<int64_t>& steps_;
};

}  // namespace

/// Everything that does not depend on the factors.
struct PreparedUnit::Tables {
  const Unit unit;
  const UnitLoops& loops;
  const UnitPlan plan;
  const CodeTable a, b;

  Tables(const Unit& of, const UnitLoops& by)
      : unit(of), loops(by), plan(plan_of(unit, loops)), a(plan, *unit.a, 0), b(plan, *unit.b, loops.lanes) {}
};

namespace {

/// State of one tile during its instructions.
class Tile {
 public:
  Tile(const UnitPlan& plan, const CodeTable& table_a, const CodeTable& table_b, const UnitProduct& product, const UnitTile& tile,
       int64_t first, int64_t end, const UnitLoops& loops)
      : unit_(*plan.unit),
        plan_(plan),
        tile_(tile),
        loops_(loops),
        a_(unit_, product.a, *unit_.a, product.k),
        b_(unit_, product.b, *unit_.b, product.k),
        table_a_(table_a),
        table_b_(table_b),
        steps_(steps_of(unit_, first, end)),
        specials_(unit_, a_, b_, steps_) {}

  void run(uint32_t* d, int64_t pitch, const ForEach& for_each) const {
    const int64_t panels = (tile_.columns + loops_.lanes - 1) / loops_.lanes,
                  row_tasks = (tile_.rows + kRowsOfTask - 1) / kRowsOfTask;
    for (int64_t first = 0; first < panels; first += kPanelsOfStripe) {
      std::vector<Decoded> stripe(size_t(std::min<int64_t>(kPanelsOfStripe, panels - first)));
      for_each(int64_t(stripe.size()), [&](int64_t i) {
        const int64_t column = (first + i) * loops_.lanes;
        stripe[size_t(i)] = decode_factor(plan_, b_, table_b_, tile_.column + column, columns_from(column), loops_.lanes, steps_);
      });
      for_each(row_tasks, [&](int64_t i) {
        const int64_t row = i * kRowsOfTask;
        const int rows = int(std::min<int64_t>(kRowsOfTask, tile_.rows - row));
        const Decoded a = decode_factor(plan_, a_, table_a_, tile_.row + row, rows, 0, steps_);
        for (size_t p = 0; p < stripe.size(); ++p)
          run_panel(a, stripe[p], row, rows, (first + int64_t(p)) * loops_.lanes, d, pitch);
      });
    }
  }

 private:
  int columns_from(int64_t column) const { return int(std::min<int64_t>(loops_.lanes, tile_.columns - column)); }

  void run_panel(const Decoded& a, const Decoded& b, int64_t row, int rows, int64_t column, uint32_t* d, int64_t pitch) const {
    float state[kRowsOfTask * kMostLanes] = {};
    int32_t integers[kRowsOfTask * kMostLanes] = {};
    const int columns = columns_from(column), lanes = loops_.lanes;
    const bool exact = unit_.sum == ProductSum::kExact;
    const auto element = [&](int r, int l) -> uint32_t& { return d[(row + r) * pitch + column + l]; };
    for (int r = 0; r < rows; ++r)
      for (int l = 0; l < columns; ++l) {
        if (exact)
          integers[r * lanes + l] = int32_t(element(r, l));
        else
          state[r * lanes + l] = float(decode(*unit_.d, element(r, l)));
      }
    const SpecialSums sums = [&](int r, int block, float* out) {
      std::fill(out, out + lanes, 0.0f);
      specials_.sum(tile_.row + row + r, tile_.column + column, columns, block, out);
    };
    loops_.run({&plan_, &a, &b, rows, state, integers, &sums});
    for (int r = 0; r < rows; ++r)
      for (int l = 0; l < columns; ++l) {
        const float value = state[r * lanes + l];
        element(r, l) = exact               ? uint32_t(integers[r * lanes + l])
                        : std::isnan(value) ? unit_.nan
                                            : code_of(*unit_.d, double(value));
      }
  }

  const Unit& unit_;
  const UnitPlan& plan_;
  const UnitTile tile_;
  const UnitLoops& loops_;
  const FactorCodes a_, b_;
  const CodeTable &table_a_, &table_b_;
  const std::vector<int64_t> steps_;
  const Specials specials_;
};

}  // namespace

void one_after_the_other(int64_t count, const std::function<void(int64_t)>& f) {
  for (int64_t i = 0; i < count; ++i) f(i);
}

PreparedUnit::PreparedUnit(const Unit& unit, const UnitLoops& loops)
    : unit_(unit), tables_(unit.known() ? std::make_shared<const Tables>(unit, loops) : nullptr) {}

void PreparedUnit::accumulate(const UnitProduct& product, const UnitTile& tile, int64_t first, int64_t end, uint32_t* d,
                              int64_t pitch, const ForEach& for_each) const {
  require(unit_.known(), unit_, "is unknown: nothing is predicted for it");
  require(first >= 0 && first % unit_.k == 0 && (end % unit_.k == 0 || end == product.k) && end <= product.k, unit_,
          "instructions begin and end at multiples of its k, or at the product's");
  require(!unit_.scale || (product.a.scales && product.b.scales), unit_, "has scales, and none are given");
  Tile(tables_->plan, tables_->a, tables_->b, product, tile, first, end, tables_->loops).run(d, pitch, for_each);
}

void accumulate(const Unit& unit, const UnitProduct& product, const UnitTile& tile, int64_t first, int64_t end, uint32_t* d,
                int64_t pitch, const ForEach& for_each, const UnitLoops& loops) {
  PreparedUnit(unit, loops).accumulate(product, tile, first, end, d, pitch, for_each);
}

}  // namespace assay
