#include "suites/rows/row_expectation.h"

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"
#include "suites/rows/row_case.h"
#include "suites/rows/row_tensors.h"
#include "suites/rulebook.h"

namespace assay {

std::string reason_of(const Contract& contract, const RowInputs& first_row, const Format& x) {
  return justification(contract, first_row, x);
}

AcceptedRows accepted_rows(const Spans& values, const Format& format, int64_t first, int64_t end) {
  AcceptedRows accepted{first, end, std::vector<int32_t>(values.size()), {}};
  ordinals_of_values(format, values.low, accepted.low);
  if (values.pinned()) return accepted;
  accepted.high.resize(values.size());
  ordinals_of_values(format, values.high, accepted.high);
  for (size_t i = 0; i < values.size(); ++i)
    if (values[i].any()) accepted.low[i] = Interval::anything().low, accepted.high[i] = Interval::anything().high;
  return accepted;
}

Spans as_stored(Spans scale, const Format& element) {
  const bool exponents = element.specials == Specials::kScale;
  const double most = max_finite(element);
  for (size_t i = 0; i < scale.size(); ++i) {
    if (scale[i].any()) continue;  // any code is accepted: the infinite ends are no values, and rounding would make them NaN
    for (std::vector<double>* ends : {&scale.low, &scale.high}) {
      if (ends->empty()) continue;
      double& v = (*ends)[i];
      if (exponents || v > most) v = round_to(element, v, Rounding::kTowardZero, Overflow::kSpecial);  // fp32 cannot hold 2^128
    }
  }
  return scale;
}

namespace {

/// Accepted codes of the first elements of one row.
AcceptedRows accepted_row(const Format& format, const Spans& numbers) {
  Accepted row(Part{"", &format, {1, int64_t(numbers.size())}}, 0, 1);
  row.put(0, numbers);
  return std::move(row).finish();
}

/// Computes the accepted codes. A block of rows is computed when it is compared.
struct Rows {
  const std::shared_ptr<const Contract> contract_held;
  const std::shared_ptr<const RowCase> case_held;
  const Contract& contract = *contract_held;
  const RowCase& c = *case_held;
  const std::vector<HostTensor>* const outputs;
  const CaseInputs inputs;
  std::optional<ScalePlaces> places;                            ///< addresses of the scales, if the op stores scales
  std::function<std::shared_ptr<const RowBehind>()> first_row;  ///< for mutants: calls FirstRow::behind(); may return null

  Rows(std::shared_ptr<const Contract> of, std::shared_ptr<const RowCase> one, const Problem& problem,
       const std::vector<HostTensor>* stored, const RowReading& reading)
      : contract_held(std::move(of)), case_held(std::move(one)), outputs(stored), inputs(contract, c, problem, reading) {
    const GroupQuant* quant = contract.group_quant();
    if (quant && !quant->takes_scales()) places.emplace(c);
  }

  StoredRow stored_row(int64_t row) const {
    const GroupQuant* quant = contract.group_quant();
    const int64_t row_of_groups = row / c.group_rows();
    StoredRow stored;
    if (places) stored.scale = decoded_scales(find(*outputs, "scale"), *places, row_of_groups, c.scales_of_row());
    if (places && quant->has_zero()) stored.zero = decoded_row(find(*outputs, "azp"), row_of_groups, c.scales_of_row());
    if (quant)
      stored.q = decoded_row(find(*outputs, "q"), c.stored_row(row), c.n);
    else
      stored.y = decoded_row(find(*outputs, "y"), row, c.n);
    return stored;
  }

  /// Adds one row's results to `rows`. If a group spans several rows, only the result of its first row has the scales.
  void put(const Part& part, int64_t row, const RowOutputs& answer, Accepted& rows) const {
    if (part.tensor == "y") return rows.put(row, answer.y);
    if (part.tensor == "q") return rows.put(row, answer.q);
    if (part.tensor == "residual") return rows.put(row, answer.residual);
    if (row % c.group_rows() != 0) return;
    if (part.tensor == "azp") return rows.put(row / c.group_rows(), answer.zero);
    rows.put(row / c.group_rows(), as_stored(answer.scale, *c.layout()->element));
  }

  RowOutputs evaluated(int64_t row, const StoredRow* stored) const {
    const RowInputs of_row = inputs.of_row(row);
    const std::shared_ptr<const RowBehind> behind = row == 0 && first_row ? first_row() : nullptr;
    return behind ? evaluate_behind(*behind, contract, of_row, stored, *c.x) : evaluate_row(contract, of_row, stored, *c.x);
  }

  /// The number of leading columns of row 0 that can be computed without the rest of the row; 0: none.
  int64_t columns_of_glimpse() const {
    constexpr int64_t kFew = 256;
    int64_t columns = kFew;
    for (const Link& link : contract.links) {
      if (std::holds_alternative<Rope>(link)) return 0;
      const auto* quant = std::get_if<GroupQuant>(&link);
      if (quant && quant->has_zero()) return 0;
      if (!quant || quant->takes_scales()) continue;
      const auto* made = std::get_if<AmaxScales>(&quant->scales);
      if (!made || made->amax.over == Over::kTwice || made->amax.over == Over::kNextRowToo) return 0;
      columns = (kFew + c.group_size() - 1) / c.group_size() * c.group_size();
    }
    return columns <= c.n / 2 ? columns : 0;
  }

  RowOutputs first_columns(size_t columns) const {
    const std::shared_ptr<const RowBehind> behind = first_row();
    if (!behind && contract.row_norm()) return evaluate_first(contract, inputs.of_row(0), *c.x, columns);
    const RowInputs of_row = inputs.first_of_row0(int64_t(columns));
    if (!behind) return evaluate_row(contract, of_row, nullptr, *c.x);
    return evaluate_behind(first_numbers(*behind, columns), contract, of_row, nullptr, *c.x);
  }

  /// Accepted codes of the first columns_of_glimpse() columns of row 0, and of their scales: a fast first check of mutants.
  AcceptedBlock glimpse(const std::vector<Part>& parts) const {
    const auto columns = size_t(columns_of_glimpse());
    AcceptedBlock block{std::vector<AcceptedRows>(parts.size())};
    if (columns == 0) return block;
    const RowOutputs answer = first_columns(columns);
    for (size_t p = 0; p < parts.size(); ++p) {
      const std::string& tensor = parts[p].tensor;
      if (tensor == "y") block.parts[p] = accepted_row(*parts[p].format, answer.y);
      if (tensor == "q") block.parts[p] = accepted_row(*parts[p].format, answer.q);
      if (tensor == "scale") block.parts[p] = accepted_row(*parts[p].format, as_stored(answer.scale, *c.layout()->element));
    }
    return block;
  }

  AcceptedBlock accepted(const std::vector<Part>& parts, int64_t first, int64_t end) const {
    std::vector<Accepted> rows;
    for (const Part& part : parts) rows.emplace_back(part, first, end);
    AcceptedBlock block;
    for (int64_t row = first; row < end; ++row) {
      const std::optional<StoredRow> stored = outputs ? std::optional(stored_row(row)) : std::nullopt;
      const RowOutputs answer = evaluated(row, stored ? &*stored : nullptr);
      for (size_t p = 0; p < parts.size(); ++p) put(parts[p], row, answer, rows[p]);
      for (const std::string& violation : answer.joint_violations)
        block.violations.push_back({"one r for a row",
                                    "row " + std::to_string(row) + ": " + violation,
                                    row,
                                    {{parts.front().label(), row, Place::kWholeRow}}});
    }
    for (Accepted& accepted : rows) block.parts.push_back(std::move(accepted).finish());
    return block;
  }
};

/// For groups with unused rows: sets the addresses of rows, and the rule that unused rows keep their content.
void place_in_room(const std::shared_ptr<const Rows>& rows, Part& q) {
  q.places = Places::of_rows([rows](int64_t row) { return rows->c.stored_row(row) * rows->c.n; });
  q.padding = [rows](const std::function<void(const Padding&)>& visit) {
    const RowCase& c = rows->c;
    c.groups.for_each_unused([&](int64_t stored) {
      for (int64_t column = 0; column < c.n; ++column) visit({stored * c.n + column, {stored, column}, PaddingRule::kUntouched});
    });
  };
}

/// Dense rows that begin at element 1 of the storage; element 0 must keep its content.
void place_behind_one(int64_t columns, Part& part) {
  part.places = Places::of_rows([columns](int64_t row) { return 1 + row * columns; });
  part.padding = [](const std::function<void(const Padding&)>& visit) { visit({0, {0, -1}, PaddingRule::kUntouched}); };
}

/// The addresses of scales, and the contract's `pad` rule for storage that holds none.
void place_scales(const std::shared_ptr<const Rows>& rows, Part& scale) {
  scale.places = Places::of_elements([rows](int64_t row, int64_t group) { return rows->places->offset(row, group); });
  scale.padding = [rows](const std::function<void(const Padding&)>& visit) {
    const std::string& rules = rulebook().contracts.find(rows->contract.group_quant()->row).text("pad");
    const PaddingRule columns = padding_rule(rules, "k"), beyond = padding_rule(rules, "rows");
    rows->places->for_each_absent([&](int64_t offset, int64_t row, int64_t column, bool beyond_rows) {
      visit({offset, {row, column}, beyond_rows ? beyond : columns});
    });
  };
}

/// The output tensors, in the order of reports.
std::vector<Part> parts_of(const std::shared_ptr<const Rows>& rows, bool explains) {
  const RowCase& c = rows->c;
  const GroupQuant* quant = rows->contract.group_quant();
  const std::string reason = explains && c.m > 0 ? reason_of(rows->contract, rows->inputs.of_row(0), *c.x) : "";
  std::vector<Part> parts = {{quant ? "q" : "y", quant ? quant->q : c.x, {c.m, c.n}, reason}};
  if (c.stored_rows() > c.m) place_in_room(rows, parts.front());
  if (c.shifted.contains("y")) place_behind_one(c.n, parts.front());
  if (rows->contract.row_norm() && rows->contract.row_norm()->adds()) {
    parts.push_back({"residual", c.x, {c.m, c.n}, "the sum is rounded once: one code"});
    if (c.shifted.contains("residual")) place_behind_one(c.n, parts.back());
  }
  if (!rows->places) return parts;
  Part of_groups{.tensor = "azp", .format = &kInt32, .shape = {c.rows_of_scales(), c.scales_of_row()}, .justification = reason};
  of_groups.steps_per_row = c.group_rows();
  if (quant->has_zero()) parts.push_back(of_groups);
  of_groups.tensor = "scale";
  of_groups.format = c.layout()->element;
  place_scales(rows, of_groups);
  parts.push_back(std::move(of_groups));
  return parts;
}

Expectation answer_of(const std::shared_ptr<const Rows>& rows, bool explains) {
  const std::vector<Part> parts = parts_of(rows, explains);
  Answer answer{"", parts, rows->c.m, [rows, parts](int64_t first, int64_t end) { return rows->accepted(parts, first, end); }};
  if (rows->first_row) answer.glimpse = [rows, parts] { return rows->glimpse(parts); };
  return {{std::move(answer)}};
}

}  // namespace

std::shared_ptr<const RowBehind> FirstRow::behind(const Neighbour& mistake, const Problem& problem,
                                                  const std::function<RowInputs()>& inputs, const Format& x) {
  const size_t links = mistake.contract.links.size() - 1;
  if (links == 0 || mistake.right_links < links) return nullptr;
  return known_.of(problem, [&] { return row_behind(mistake.contract, links, inputs(), x); });
}

Expectation expect_rows(const std::shared_ptr<const Contract>& contract, const std::shared_ptr<const RowCase>& c,
                        const Problem& problem, const std::vector<HostTensor>* outputs, const RowReading& reading) {
  return answer_of(std::make_shared<const Rows>(contract, c, problem, outputs, reading), reading.explains);
}

Expectation expect_rows(const Contract& contract, const RowCase& c, const Problem& problem,
                        const std::vector<HostTensor>* outputs, const RowReading& reading) {
  return expect_rows(std::make_shared<const Contract>(contract), std::make_shared<const RowCase>(c), problem, outputs, reading);
}

Expectation expect_mistake(const std::shared_ptr<const Neighbour>& mistake, const std::shared_ptr<const RowCase>& c,
                           const Problem& problem, const std::vector<HostTensor>* outputs,
                           const std::shared_ptr<FirstRow>& first) {
  const auto rows = std::make_shared<Rows>(std::shared_ptr<const Contract>(mistake, &mistake->contract), c, problem, outputs,
                                           RowReading{.explains = false});
  rows->first_row = [mistake, first, &problem, x = c->x, inputs = &rows->inputs] {
    return first->behind(
        *mistake, problem, [&] { return inputs->of_row(0); }, *x);
  };
  return answer_of(rows, false);
}

}  // namespace assay
