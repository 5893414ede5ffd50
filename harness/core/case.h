// One test case: everything that determines its bits, and the table row it comes from.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace assay {

/// Position of a table row for messages: suites/quant_group/cases/quick.csv:3
struct Origin {
  std::string file;
  int line = 0;
  std::string text() const { return file + ":" + std::to_string(line); }
};

/// The parts of a case's id.
struct CaseName {
  std::string op, contract;
  std::string shape;  ///< formats and extents: "bf16.m4.n1024.eps1e-6"
  std::string fills;  ///< input generators and seed: "normal.gamma.s1"; empty if the data come from elsewhere
  int warp = 0;       ///< warp size; 0: the case has none

  std::string data() const { return fills.empty() ? shape : shape + "/" + fills; }
  std::string without_warp() const { return (contract.empty() ? op : op + "/" + contract) + "/" + data(); }
  std::string id() const { return warp == 0 ? without_warp() : without_warp() + "/w" + std::to_string(warp); }
};

/// One expanded row of a case table. Immutable after expansion.
struct Case {
  std::string op;
  std::string tier;                               ///< "quick", "full": the table's file name up to the first '_'
  CaseName name;
  std::string id;                                 ///< text of `name`: selects cases, names golden records and reproduces a
                                                  ///< verdict
  std::map<std::string, std::string> parameters;  ///< column -> cell, with one alternative chosen
  std::string why;
  std::string run_options{};          ///< of `assay run`, without which no table has the case: " --cases mine.csv"
  std::vector<std::string> blind_to;  ///< globs over fault names that this case is declared not to see
  Origin origin;
  bool of_given_data = false;  ///< no fill makes its data, as of a dump: it lacks the cells that name fills, seed and warp

  const std::string& text(const std::string& parameter) const { return parameters.at(parameter); }
  void set_name(CaseName parts) { id = (name = std::move(parts)).id(); }
  /// Id of the case's data. Cases that differ only in warp size share it.
  std::string data_id() const { return name.without_warp(); }
  int64_t integer(const std::string& parameter) const { return std::stoll(parameters.at(parameter)); }
};

/// Case::data_id computed from a case id.
inline std::string data_id(const std::string& case_id) { return case_id.substr(0, case_id.rfind("/w")); }

}  // namespace assay
