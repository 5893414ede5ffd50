// Where the record of a token lies in a block of a paged cache: rows of records.csv, one for each part of the record.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "reference/exact/expression.h"
#include "reference/formats/format.h"

namespace assay {

/// What the elements of a part are.
enum class PartKind {
  kCodes,   ///< of the numbers from `from` on
  kScales,  ///< of the groups of the codes
  kValues,  ///< the numbers themselves from `from` on, in the format of the input
  kZeros
};

struct RecordPart {
  std::string name;
  PartKind kind;
  int64_t from = 0;      ///< first of the token's numbers that it holds
  int64_t elements = 0;  ///< of a token
  std::string format;    ///< "q", "x", or the name of one
  Expression offset;     ///< in bytes from the beginning of the block: element c of the token at position p of b

  /// `q` and `x` are the formats that the cells of those names stand for.
  const Format& format_in(const Format& q, const Format& x) const;
  int64_t byte(int64_t block_size, int64_t position, int64_t element) const;
};

struct Record {
  std::string id;
  std::vector<RecordPart> parts;  ///< in the order of the table

  const RecordPart* find(const std::string& part) const;  ///< or nullptr
  const RecordPart* find(PartKind kind) const;                ///< the first that holds such; or nullptr
  int64_t numbers() const;                                ///< of a token, that it is made of
  /// Bytes that the tokens of a block take at least.
  int64_t block_bytes(int64_t block_size, const Format& q, const Format& x) const;
};

/// Reads records.csv. Throws TableError, also for parts that overlap.
std::vector<Record> load_records(const std::string& file);

}  // namespace assay
