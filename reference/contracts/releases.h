// Releases of the code behind a contract row: its cells `since` and `until`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "reference/contracts/contract_rows.h"

namespace assay {

/// A period of releases: the first that has the behaviour, and the first that no longer has it. Either may be empty. `from` is "unmerged"
/// for code of a branch.
struct Period {
  std::string from, to;
};

/// "v0.20.0; v0.24.0" with `until` "v0.23.0" is two periods, of which the second is open. A row without a release has one empty period.
std::vector<Period> periods_of(const ContractRow& row);

/// "from v0.20.0 before v0.23.0, from v0.24.0". Empty if neither `since` nor `until` is known.
std::string releases_of(const ContractRow& row);

/// Whether the newest release still does what the row says: its last period has no end. False for code of a branch.
bool is_current(const ContractRow& row);

/// Whether the words are a release, "v0.33.0" or "0.33", or a date, "2026-06-18".
bool is_release(const std::string& words);

/// Whether that release of the row's package does what the row says. Nothing if the row cannot tell: its `since` is empty, or is a date
/// where `release` is none, or the other way round.
std::optional<bool> in_release(const ContractRow& row, const std::string& release);

}  // namespace assay
