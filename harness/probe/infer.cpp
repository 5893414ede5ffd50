#include "harness/probe/infer.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "harness/probe/draw.h"
#include "harness/probe/survivors.h"
#include "harness/probe/symmetry.h"
#include "harness/probe/unexplained.h"
#include "reference/units/unit_separate.h"

namespace assay {
namespace {

constexpr int kMostRounds = 6;  ///< limit on refitting after a new input contradicts the model
constexpr int64_t kEverything = int64_t{1} << 60;
constexpr int kMostQuestions = 200;  ///< inputs generated to distinguish two models

class Probe {
 public:
  Probe(const Instruction& instruction, const Ask& ask, const ProbeEffort& effort)
      : instruction_(std::make_shared<Instruction>(instruction)), ask_(ask), effort_(effort) {}

  Probed run() {
    look();
    Fit found = fit(*instruction_, seen_, nan_);
    for (int round = 0; found.unexplained == 0 && round < kMostRounds; ++round) {
      ask_between(found);
      if (found.unexplained == 0) check(found, uint64_t(round));
      if (found.unexplained == 0) break;
      found = improved(*instruction_, seen_, found);
      if (found.unexplained != 0) found = fit(*instruction_, seen_, nan_);
    }
    result_.instruction = instruction_;
    result_.unit = found.unit;
    explain(found.unit);
    return std::move(result_);
  }

 private:
  std::vector<uint32_t> answer(const Tiles& tiles) {
    std::vector<uint32_t> d = ask_(tiles);
    result_.elements += int64_t(d.size());
    return d;
  }

  const Observation& observe(std::string_view kind, Tiles tiles) {
    std::vector<uint32_t> d = answer(tiles);
    seen_.all.push_back({kind, std::move(tiles), std::move(d)});
    return seen_.all.back();
  }

  /// Tests that need no model.
  void look() {
    Instruction& i = *instruction_;
    i.dead = dead_places(
        i, observe("alone", probe_tiles("alone", i, std::max<int64_t>(i.k, tiles_for(i, effort_.elements)), effort_.seed)));
    if (std::count(i.dead.begin(), i.dead.end(), true) == 0) {
      i.dead.clear();
    } else {
      std::string places;
      for (size_t k = 0; k < i.dead.size(); ++k)
        if (i.dead[k]) places += (places.empty() ? "" : ", ") + std::to_string(k);
      result_.remarks.push_back("order: a product at k " + places + " never counts; nothing was put there any more");
      seen_.all.clear();
      observe("alone", probe_tiles("alone", i, i.k, effort_.seed));
    }
    for (const ProbeData& data : probe_data())
      if (data.name != "alone")
        observe(data.name, probe_tiles(data.name, i, std::max<int64_t>(6, tiles_for(i, effort_.elements)), effort_.seed));
    if (!i.integers()) {
      find_nan();
      look_at_c();
    }
    const Ask counted = [this](const Tiles& tiles) { return answer(tiles); };
    seen_.alike = places_alike(i, counted, effort_.elements, effort_.seed);
    seen_.c_at_the_end = adds_c_at_the_end(i, counted, effort_.elements / 2, effort_.seed + 1);
  }

  void find_nan() {
    std::map<uint32_t, int64_t> codes;
    for (const Observation& one : seen_.all)
      for (const uint32_t code : one.d)
        if (std::isnan(decode(*instruction_->d, code))) ++codes[code];
    nan_ = plain_unit(*instruction_).nan;
    int64_t most = 0;
    std::string all;
    for (const auto& [code, count] : codes) {
      if (count > most) nan_ = code, most = count;
      all += fmt::format("{}{:x}", all.empty() ? "" : ", ", code);
    }
    if (codes.size() > 1) result_.remarks.push_back("special: NaN has several codes: " + all);
  }

  /// c without products: no known model changes its exponent then.
  void look_at_c() {
    for (const Observation& one : seen_.all) {
      if (one.kind != "c_alone") continue;
      double least = HUGE_VAL;
      for (size_t i = 0; i < one.d.size(); ++i)
        if (std::isinf(decode(*instruction_->d, one.d[i]))) least = std::min(least, std::fabs(c_of(one.tiles, i)));
      if (least < max_finite(*instruction_->d) / 2)
        result_.remarks.push_back(fmt::format("c: one of {:.9g} comes back as Inf, without any product", least));
    }
  }

  double c_of(const Tiles& tiles, size_t element) const {
    const auto at = int64_t(element), n = int64_t(instruction_->n), of_tile = int64_t(instruction_->m) * n;
    return decode(*instruction_->d, tiles.c(at / of_tile, at % of_tile / n, at % n));
  }

  /// Finds models that differ from the fitted one in a single value and explain as much; asks for inputs that distinguish them.
  void ask_between(Fit& found) {
    int questions = 0;
    result_.not_observable.clear();
    for (const UnitParameter& parameter : unit_parameters()) {
      if (parameter.of_several) continue;
      std::vector<Unit> left = survivors(parameter, *instruction_, found.unit, seen_);
      std::set<int> equal;
      while (!left.empty() && questions < kMostQuestions) {
        const Unit other = farthest(parameter, found.unit, left);
        const std::optional<UnitWitness> witness = first_witness(found.unit, other);
        const Tiles question = witness ? tiles_of(*witness, *instruction_) : Tiles(*instruction_, 1);
        if (!witness || question.predicted(found.unit, 0) == question.predicted(other, 0)) {
          keep_equal(parameter, found.unit, other, left, equal);
          continue;
        }
        ++questions;
        const Observation& seen = observe("between", question);
        if (mismatches(found.unit, seen, 0) != 0) {
          if (mismatches(other, seen, 0) != 0) {
            found.unexplained = seen_.unexplained(found.unit, kEverything);
            return;
          }
          found.unit = other;
          left = survivors(parameter, *instruction_, found.unit, seen_);
          equal.clear();
        }
        std::erase_if(left, [&](const Unit& unit) { return mismatches(unit, seen, 0) != 0; });
      }
      if (!equal.empty()) result_.not_observable.push_back({std::string(parameter.cell), words_of(parameter, found.unit, equal)});
    }
  }

  void check(Fit& found, uint64_t round) {
    result_.checked = 0;
    for (const ProbeData& data : probe_data()) {
      Tiles tiles = probe_tiles(data.name, *instruction_, std::max<int64_t>(6, tiles_for(*instruction_, effort_.checked)),
                                effort_.seed + 1000 + round);
      Observation seen{data.name, std::move(tiles), {}};
      seen.d = answer(seen.tiles);
      result_.checked += int64_t(seen.d.size());
      found.unexplained += mismatches(found.unit, seen, int64_t(seen.d.size()));
      if (found.unexplained == 0) continue;
      seen_.all.push_back(std::move(seen));
      found.unexplained = seen_.unexplained(found.unit, kEverything);
      return;
    }
  }

  void explain(const Unit& unit) {
    result_.unexplained = unexplained_by(unit, *instruction_, seen_);
    if (result_.unexplained.size() == 1 && result_.unexplained[0].kind == "signs")
      result_.remarks.push_back("round: the sign of a zero");
  }

  std::shared_ptr<Instruction> instruction_;
  const Ask& ask_;
  const ProbeEffort& effort_;
  Seen seen_;
  Probed result_;
  uint32_t nan_ = 0;
};

}  // namespace

Probed probe_unit(const Instruction& instruction, const Ask& ask, const ProbeEffort& effort) {
  return Probe(instruction, ask, effort).run();
}

}  // namespace assay
