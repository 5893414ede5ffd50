// Ops that are still a set of functions of a case, each of which reads its cells again. New ops derive a class from BoundCase.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/core/op.h"

namespace assay {

/// The members of Op and BoundCase under their names there.
struct CallbackOp {
  /// The case and problem whose row i is row rows[i] of another.
  struct Batch {
    std::function<int64_t(const Case&)> rows;
    std::function<std::pair<Case, Problem>(const Case&, const Problem&, const std::vector<int64_t>& rows)> with_rows;
  };

  std::string name;
  std::vector<RoleSpec> roles{};
  std::vector<ParameterSpec> parameters{};
  std::vector<std::string> columns{};
  std::set<std::string> optional_columns{};
  std::string data_column = "fill", untried{};
  std::function<bool(const std::string& contract)> takes{};
  std::function<Case(Case)> validate{};  ///< checks and names a row
  std::function<Problem(const Case&)> problem{};
  std::function<Expectation(const Case&, const Problem&, const std::vector<HostTensor>* outputs)> expect{};
  std::function<std::vector<Hypothesis>(const Case&)> neighbours{};
  std::function<Expectation(const Case&, const Problem&)> programs{};
  std::function<std::string(const Case&, const std::string& said)> program_meant{};
  std::function<Case(Case)> excerpt{};
  std::optional<Batch> batch{};
  std::function<std::vector<Relation>(const Case&, const Problem&)> relations{};
  std::function<std::vector<std::string>(const Case&)> formulas{};
  std::function<std::vector<std::string>(const Case&, const Problem&, int64_t row, int64_t column)> trace{};
  std::function<std::vector<std::string>(const Case&)> layouts{};
  std::function<std::vector<std::string>(const Case&, const Problem&, const std::vector<HostTensor>& outputs)> remarks{};
  std::function<std::string(const Case&, const Problem&, const std::vector<HostTensor>& outputs)> situation{};
  std::function<Shrinking(const Case&, const std::map<std::string, int64_t>& multiple_of)> shrink{};
  std::function<DumpCase(const Op&, const DumpRequest&)> case_of_dump{};
};

Op bindable(CallbackOp op);

}  // namespace assay
