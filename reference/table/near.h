// Near matches for a misspelt name: "did you mean ...".
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace assay {

/// Least number of inserted, deleted, replaced or swapped neighbouring characters that turn one word into the other.
int edit_distance(std::string_view a, std::string_view b);

/// Up to three candidates that are near `word`, nearest first: at most a third of its letters differ, or one contains the other.
std::vector<std::string> near_matches(std::string_view word, std::span<const std::string> candidates);

/// "; did you mean 'a' or 'b'?" or, if nothing is near, "; there are: a, b, c" (at most 20 of them). Empty without candidates.
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

}  // namespace assay
