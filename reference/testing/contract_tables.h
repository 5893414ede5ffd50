// Contract tables for tests: the shipped tables plus a table that the test writes, and the message of the error that it causes.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "reference/contracts/contract_rows.h"

namespace assay::contract_tables {

inline constexpr char kFolder[] = "reference/contracts";

inline const ContractTables& tables() {
  static const ContractTables all = ContractTables::load(kFolder);
  return all;
}

/// A table file that exists as long as this object.
class TableFile {
 public:
  explicit TableFile(const std::string& text)
      : path_(std::filesystem::temp_directory_path() / ("rows_test_" + std::to_string(::getpid()) + ".csv")) {
    std::ofstream(path_) << text;
  }
  ~TableFile() { std::filesystem::remove(path_); }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

inline const std::string kQuantHeader = "id,q,M,amax,scale,mult,code,group,layouts,pad,since,until,source,why\n";

inline std::string quant_row(const std::string& id, const std::string& amax, const std::string& scale, const std::string& code) {
  return kQuantHeader + id + ",e4m3fn,448," + amax + "," + scale + ",," + code + ",128,row,rows:untouched,2026,,here,because\n";
}

/// The error message if this table is added to the shipped tables, without the path of the file; "no error" if there is none.
inline std::string error_of(const std::string& text) {
  const TableFile file(text);
  ContractTables tables = ContractTables::load(kFolder);
  try {
    tables.add(file.path());
  } catch (const TableError& error) {
    const std::string what = error.what();
    return what.substr(what.find(file.path()) == 0 ? file.path().size() + 1 : 0);
  }
  return "no error";
}

}  // namespace assay::contract_tables
