// Layout of a token's record within a block of a paged cache: rows of records.csv, one per part of the record.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "reference/exact/expression.h"
#include "reference/formats/format.h"

namespace assay {

/// Content of a part.
enum class PartKind {
  kCodes,   ///< codes of the numbers from `from` on
  kScales,  ///< scales of the groups of codes
  kValues,  ///< the numbers from `from` on, in the input format
  kZeros
};

struct RecordPart {
  std::string name;
  PartKind kind;
  int64_t from = 0;      ///< index of the first number of the token that it holds
  int64_t elements = 0;  ///< per token
  std::string format;    ///< "q", "x", or the name of a format
  Expression offset;     ///< byte offset from the start of the block: element c of the token at position p of b

  /// `q` and `x`: the formats that these names stand for.
  const Format& format_in(const Format& q, const Format& x) const;
  int64_t byte(int64_t block_size, int64_t position, int64_t element) const;
};

struct Record {
  std::string id;
  std::vector<RecordPart> parts;  ///< in table order

  const RecordPart* find(const std::string& part) const;  ///< by name; nullptr if there is none
  const RecordPart* find(PartKind kind) const;                ///< the first of that kind; nullptr if there is none
  int64_t numbers() const;                                ///< numbers per token
  /// Smallest number of bytes of a block.
  int64_t block_bytes(int64_t block_size, const Format& q, const Format& x) const;
};

/// Reads records.csv. Throws TableError, also for overlapping parts.
std::vector<Record> load_records(const std::string& file);

}  // namespace assay
