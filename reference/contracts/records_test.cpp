// Offsets of records computed by hand, and invalid tables.
#include "reference/contracts/records.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <map>

#include "reference/formats/catalogue.h"
#include "reference/table/table.h"

namespace assay {
namespace {

const Record& record(const char* id) {
  static const std::vector<Record> records = load_records("reference/contracts/records.csv");
  for (const Record& one : records)
    if (one.id == id) return one;
  throw std::out_of_range(id);
}

/// vLLM's fp8_ds_mla cache: 512 codes, four fp32 scales, 64 numbers of 16 bits in 656 bytes.
TEST(Records, ATokenOfFp8DsMla) {
  const Record& mla = record("fp8_ds_mla");
  EXPECT_EQ(mla.find("codes")->byte(64, 3, 511), 3 * 656 + 511);
  EXPECT_EQ(mla.find("scale")->byte(64, 3, 3), 3 * 656 + 512 + 12);
  EXPECT_EQ(mla.find("rope")->byte(64, 3, 63), 3 * 656 + 528 + 126);
  EXPECT_EQ(mla.block_bytes(64, kE4M3Fn, kBf16), 64 * 656);
  EXPECT_EQ(mla.numbers(), 576);
  EXPECT_EQ(&mla.find("rope")->format_in(kE4M3Fn, kF16), &kF16);
  EXPECT_EQ(mla.find("zeros"), nullptr);
}

std::string problem_of(const std::string& rows) {
  const std::string file = testing::TempDir() + "records.csv";
  std::ofstream(file) << "record,part,holds,from,elements,format,offset,source,why\n" << rows;
  try {
    load_records(file);
  } catch (const TableError& error) {
    return error.what();
  }
  return "";
}

TEST(Records, WrongTablesAreRefused) {
  const std::string codes = "a,codes,codes,0,4,q,p*8+c,s,w\n";
  EXPECT_EQ(problem_of(codes + "a,scale,scales,0,1,f32,p*8+4,s,w\n"), "");
  const std::map<std::string, std::string> wrong = {
      {codes + "a,scale,scales,0,1,f32,p*8+2,s,w\n", "not aligned"},
      {codes + "a,scale,scales,0,1,f32,p*4,s,w\n", "overlaps another at byte"},
      {codes + "a,more,codes,0,4,q,p*8+5+c,s,w\n", "overlaps another at byte 8"},  // the next token
      {codes + "a,codes,codes,0,1,q,p*8+7,s,w\n", "is already a part of this record"},
      {"a,codes,numbers,0,4,q,p*8+c,s,w\n", "is not one of: codes, scales, values, zeros"},
      {"a,codes,codes,0,4,e4m4,p*8+c,s,w\n", "expected q, x or a format"},
      {"a,codes,codes,0,4,q,p*8+k,s,w\n", "unknown name 'k'"},
      {"a,codes,codes,0,0,q,p*8+c,s,w\n", "at least one"},
      {codes + "b,codes,codes,0,1,q,p,s,w\n" + "a,scale,scales,0,1,f32,p*8+4,s,w\n", "must be neighbouring rows"}};
  for (const auto& [rows, problem] : wrong) EXPECT_NE(problem_of(rows).find(problem), std::string::npos) << rows << problem_of(rows);
}

}  // namespace
}  // namespace assay
