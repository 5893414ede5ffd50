// One case: everything that changes bits, and where it was written down.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace assay {

/// Where a row stands, for messages: suites/quant_group/cases/quick.csv:3
struct Origin {
  std::string file;
  int line = 0;
  std::string text() const { return file + ":" + std::to_string(line); }
};

/// One expanded row of a case table. Never changed after expansion.
struct Case {
  std::string op;
  std::string tier;                               ///< "quick", "full": the name of the table up to the first '_'
  std::string id;                                 ///< name, filter, golden key and repro in one
  std::map<std::string, std::string> parameters;  ///< column -> cell, one alternative of it
  std::string why;
  std::vector<std::string> blind_to;  ///< globs over fault names that this case is declared not to see
  Origin origin;

  const std::string& text(const std::string& parameter) const { return parameters.at(parameter); }
  int64_t integer(const std::string& parameter) const { return std::stoll(parameters.at(parameter)); }
};

/// The id without its warp: cases that differ in warp alone share their data.
inline std::string data_id(const std::string& case_id) { return case_id.substr(0, case_id.rfind("/w")); }

}  // namespace assay
