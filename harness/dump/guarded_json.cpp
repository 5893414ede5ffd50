#include "harness/dump/guarded_json.h"

#include <unordered_set>
#include <vector>

namespace assay {
namespace {

using nlohmann::json;

/// Sees the events of the text and keeps nothing but names.
class Guard : public nlohmann::json_sax<json> {
 public:
  explicit Guard(int deepest) : deepest_(size_t(deepest)) {}

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return deeper(); }
  bool start_array(std::size_t) override { return deeper(); }
  bool end_object() override { return names_.pop_back(), true; }
  bool end_array() override { return names_.pop_back(), true; }
  bool key(string_t& name) override {
    if (!names_.back().insert(name).second) throw JsonRefused("'" + name + "' stands twice");
    return true;
  }
  /// The second pass says what is wrong.
  bool parse_error(std::size_t, const std::string&, const json::exception&) override { return false; }

 private:
  bool deeper() {
    if (names_.size() == deepest_) throw JsonRefused("is nested deeper than " + std::to_string(deepest_) + " levels");
    names_.emplace_back();
    return true;
  }

  size_t deepest_;
  std::vector<std::unordered_set<std::string>> names_;  ///< of each object that is open; none of an array
};

}  // namespace

json guarded_json(const std::string& text, int deepest) {
  Guard guard(deepest);
  (void)json::sax_parse(text, &guard);
  return json::parse(text);
}

}  // namespace assay
