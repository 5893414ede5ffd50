// One factor r, and one mean, must explain all outputs of a row. Finds r by bisection over the fp32 values.
#include <algorithm>
#include <cmath>

#include "reference/flow/group_quant/group_quant.h"
#include "reference/flow/row.h"
#include "reference/flow/row_norm/row_norm.h"
#include "reference/formats/catalogue.h"
#include "reference/recipe/eval.h"

namespace assay {
namespace {

/// Indices of the elements whose interval has more than one value. Only these show which r a kernel used.
std::vector<size_t> open_elements(const Spans& spans) {
  std::vector<size_t> open;
  for (size_t i = 0; !spans.pinned() && i < spans.size(); ++i)
    if (!spans[i].pinned() && !spans[i].any()) open.push_back(i);
  return open;
}

bool inside(Span span, double value) { return span.low <= value && value <= span.high; }

/// The open elements whose interval contains the stored value. Other open elements already fail the check of single elements.
std::vector<size_t> usable(const Spans& spans, const std::vector<double>& stored) {
  std::vector<size_t> open = stored.empty() ? std::vector<size_t>() : open_elements(spans);
  std::erase_if(open, [&](size_t i) { return !inside(spans[i], stored[i]); });
  return open;
}

Spans gather(const std::vector<double>& row, const std::vector<size_t>& at) {
  std::vector<double> values;
  values.reserve(at.size());
  for (size_t i : at) values.push_back(row[i]);
  return Spans(std::move(values));
}

Spans gather(const Spans& row, const std::vector<size_t>& at) {
  Spans values(std::vector<double>(at.size(), 0.0));
  for (size_t i = 0; i < at.size(); ++i) values.set(i, row[at[i]]);
  return values;
}

/// For a trial value of r (or of the mean): whether some stored outputs need a larger value, and whether some need a smaller one.
struct Vote {
  bool up = false, down = false;
  std::string wants_up, wants_down;

  /// Adds an output whose magnitude increases with r. `at_trial`: the output's interval for the trial value.
  void add(Span at_trial, double stored, const char* tensor, size_t index) {
    const double low = std::fabs(at_trial.low), high = std::fabs(at_trial.high);
    add_rising({std::min(low, high), std::max(low, high)}, std::fabs(stored), tensor, index);
  }
  /// Adds an output that increases with r.
  void add_rising(Span at_trial, double stored, const char* tensor, size_t index) {
    const std::string name = std::string(tensor) + "[" + std::to_string(index) + "]";
    if (at_trial.high < stored) up = true, wants_up = name;
    if (at_trial.low > stored) down = true, wants_down = name;
  }
  /// A text such as "no single r explains the row: y[3] needs a larger r, y[7] a smaller one".
  std::string contradiction(const std::string& what) const {
    return "no single " + what + " explains the row: " + (wants_up.empty() ? std::string("one part") : wants_up) +
           " needs a larger " + what + ", " + (wants_down.empty() ? std::string("another part") : wants_down) + " a smaller one";
  }
  Direction direction() const {
    return up && down ? Direction::kBoth : up ? Direction::kUp : down ? Direction::kDown : Direction::kFits;
  }
};

class JointCheck {
 public:
  JointCheck(const Contract& contract, const RowInputs& inputs, const NormRow& row, const StoredRow& stored,
             const RowOutputs& wide)
      : contract_(contract), inputs_(inputs), normalized_(row.normalized), mu_(row.mu), stored_(stored), wide_(wide) {
    open_y_ = usable(wide.y, stored.y);
    if (const Rope* rope = contract.rope()) {
      head_ = Spans(normalized_), weights_ = Spans(inputs.gamma);
      const Spans head = norm_outputs(*contract.row_norm(), head_, weights_, wide.r);
      const std::vector<bool> rises = rises_with_head(*rope, head, {inputs.cos, inputs.sin});
      std::erase_if(open_y_, [&](size_t i) { return !rises[i]; });
    }
    open_q_ = usable(wide.q, stored.q);
    open_scales_ = usable(wide.scale, stored.scale);
    if (contract.rope()) return;  // a head is short and its elements depend on their partners, so all of it is recomputed
    if (contract.row_norm()->centers()) std::erase_if(open_y_, [&](size_t i) { return slope(i) == 0; });
    x_y_ = gather(normalized_, open_y_), weights_y_ = weights_at(open_y_);
    x_q_ = gather(normalized_, open_q_), weights_q_ = weights_at(open_q_);
  }

  std::optional<Span> factors(std::string& contradiction) const {
    Vote last;
    const auto allowed = narrow(wide_.r, kF32, [&](double trial) {
      last = vote(trial);
      return last.direction();
    });
    if (!allowed) contradiction = last.contradiction("r");
    return allowed;
  }

 private:
  NormWeights weights_at(const std::vector<size_t>& at) const {
    NormWeights own(gather(inputs_.gamma, at));
    if (contract_.row_norm()->centers()) own.beta = gather(inputs_.beta, at);
    if (contract_.row_norm()->gates()) own.gate = gather(inputs_.gate, at);
    return own;
  }

  /// For a norm that subtracts the mean: 1 if output i increases with r, -1 if it decreases, 0 if the interval of mu contains x.
  /// This is the sign of (x - mu) gamma.
  int slope(size_t i) const {
    const double x = normalized_[i];
    const int side = x > mu_.high ? 1 : x < mu_.low ? -1 : 0;
    return std::signbit(inputs_.gamma[i]) ? -side : side;
  }

  Vote vote(double trial) const {
    Vote vote;
    const RowNorm& norm = *contract_.row_norm();
    if (const Rope* rope = contract_.rope()) {
      const Spans head = rope_outputs(*rope, norm_outputs(norm, head_, weights_, point(trial)), {inputs_.cos, inputs_.sin});
      for (size_t i : open_y_) vote.add(head[i], stored_.y[i], "y", i);
      if (const GroupQuant* quant = contract_.group_quant()) {
        vote_scales([&](const std::vector<size_t>& at) { return gather(head, at); }, *quant, vote);
        vote_codes(gather(head, open_q_), *quant, vote);
      }
      return vote;
    }
    const Spans y = norm_outputs(norm, x_y_, weights_y_, {point(trial), mu_});
    for (size_t k = 0; k < open_y_.size(); ++k) {
      const double value = stored_.y[open_y_[k]];
      if (!norm.centers())
        vote.add(y[k], value, "y", open_y_[k]);
      else if (slope(open_y_[k]) > 0)
        vote.add_rising(y[k], value, "y", open_y_[k]);
      else
        vote.add_rising({-y[k].high, -y[k].low}, -value, "y", open_y_[k]);
    }
    if (const GroupQuant* quant = contract_.group_quant()) {
      const auto normalized = [&](const std::vector<size_t>& at) {
        return norm_outputs(norm, gather(normalized_, at), weights_at(at), point(trial));
      };
      vote_scales(normalized, *quant, vote);
      vote_codes(norm_outputs(norm, x_q_, weights_q_, point(trial)), *quant, vote);
    }
    return vote;
  }

  /// Adds the votes of the stored scales. `numbers(at)`: the values at these columns, from which scales and codes are computed.
  template <class Numbers>
  void vote_scales(Numbers numbers, const GroupQuant& quant, Vote& vote) const {
    const auto size = size_t(inputs_.group_size);
    for (size_t g : open_scales_) {
      std::vector<size_t> at(size);
      for (size_t i = 0; i < size; ++i) at[i] = g * size + i;
      const Spans amax = group_maxima(quant, numbers(at), inputs_.group_size);
      const GroupScales scales =
          group_scales(quant, amax, inputs_.scale_ub, {}, nullptr, inputs_.group_size, inputs_.outer_scale);
      vote.add(scales.scale[0], stored_.scale[g], "scale", g);
    }
  }

  /// Adds the votes of the stored codes, each checked with its group's stored scale. `y`: the values of the elements in
  /// open_q_.
  void vote_codes(const Spans& y, const GroupQuant& quant, Vote& vote) const {
    for (size_t k = 0; k < open_q_.size(); ++k) {
      const size_t g = open_q_[k] / size_t(inputs_.group_size);
      const Span scale = quant.takes_scales() ? point(inputs_.scale[g]) : wide_.scale[g];
      if (!scale.pinned() && stored_.scale.empty()) continue;
      const Span s = scale.pinned() ? scale : point(stored_.scale[g]);
      Environment environment = with_outer_scale(inputs_.outer_scale);
      environment.set("m", quant.mult.start.empty() ? evaluate(quant.mult, s, environment) : Span{std::nan(""), HUGE_VAL});
      environment.set("s", s);
      vote.add(evaluate(quant.code, y[k], environment), stored_.q[open_q_[k]], "q", open_q_[k]);
    }
  }

  const Contract& contract_;
  const RowInputs& inputs_;
  const std::vector<double>& normalized_;
  Span mu_;
  const StoredRow& stored_;
  const RowOutputs& wide_;
  std::vector<size_t> open_y_, open_q_, open_scales_;
  Spans x_y_, x_q_;
  NormWeights weights_y_{{}}, weights_q_{{}};
  Spans head_;  ///< for a contract that rotates
  NormWeights weights_{{}};
};

}  // namespace

std::optional<Span> factors_of_outputs(const Contract& contract, const RowInputs& inputs, const NormRow& row,
                                       const StoredRow& stored, const RowOutputs& wide, std::string& contradiction) {
  return JointCheck(contract, inputs, row, stored, wide).factors(contradiction);
}

std::optional<Span> means_of_outputs(const RowNorm& norm, const RowInputs& inputs, Span mu, const StoredRow& stored,
                                     const RowOutputs& wide, std::string& contradiction) {
  std::vector<size_t> open = usable(wide.y, stored.y);
  std::erase_if(open, [&](size_t i) { return inputs.gamma[i] == 0; });
  const Spans x = gather(inputs.x, open);
  const NormWeights weights(gather(inputs.gamma, open), gather(inputs.beta, open));
  Vote last;
  const auto means = narrow(mu, kF32, [&](double trial) {
    last = {};
    const Spans y = norm_outputs(norm, x, weights, {wide.r, point(trial)});
    for (size_t k = 0; k < open.size(); ++k) {
      const double value = stored.y[open[k]];
      if (inputs.gamma[open[k]] < 0)  // the output then increases with the mean
        last.add_rising(y[k], value, "y", open[k]);
      else
        last.add_rising({-y[k].high, -y[k].low}, -value, "y", open[k]);
    }
    return last.direction();
  });
  if (!means) contradiction = last.contradiction("mean");
  return means;
}

}  // namespace assay
