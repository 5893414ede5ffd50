#include "harness/text/guarded_json.h"

#include <algorithm>
#include <iterator>
#include <unordered_set>
#include <vector>

namespace assay {
namespace {

using nlohmann::json;

/// Input iterator that stores how far the parser has read, since the parser's events do not tell a position.
class Counted {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  Counted(const char* at, const char** furthest) : at_(at), furthest_(furthest) {}
  reference operator*() const { return *at_; }
  Counted& operator++() {
    *furthest_ = ++at_;
    return *this;
  }
  Counted operator++(int) {
    const Counted before = *this;
    ++*this;
    return before;
  }
  bool operator==(const Counted& other) const { return at_ == other.at_; }
  bool operator!=(const Counted& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  const char** furthest_;
};

/// SAX handler that counts values and stores the member names of open objects, to find limits exceeded and duplicate names.
class Guard : public nlohmann::json_sax<json> {
 public:
  Guard(std::string_view text, const std::string& file, const JsonLimits& limits)
      : text_(text), file_(file), limits_(limits), furthest_(text.data()) {}

  void read() {
    (void)json::sax_parse(Counted(text_.data(), &furthest_), Counted(text_.data() + text_.size(), &furthest_), this);
  }

  bool null() override { return value(); }
  bool boolean(bool) override { return value(); }
  bool number_integer(number_integer_t) override { return value(); }
  bool number_unsigned(number_unsigned_t) override { return value(); }
  bool number_float(number_float_t, const string_t&) override { return value(); }
  bool string(string_t&) override { return value(); }
  bool binary(binary_t&) override { return value(); }
  bool start_object(std::size_t) override { return deeper(false); }
  bool start_array(std::size_t) override { return deeper(true); }
  bool end_object() override { return open_.pop_back(), true; }
  bool end_array() override { return open_.pop_back(), true; }
  bool key(string_t& name) override {
    if (++members_ > limits_.members) refuse("has more than " + std::to_string(limits_.members) + " named members");
    if (!open_.back().names.insert(name).second) refuse("'" + name + "' appears twice");
    return true;
  }
  bool parse_error(std::size_t byte, const std::string&, const json::exception& error) override {
    const std::string_view words = error.what();
    if (words.find("UTF-8") != words.npos) throw JsonError(file_, text_, byte > 0 ? byte - 1 : 0, "is not UTF-8");
    const bool number = dynamic_cast<const json::out_of_range*>(&error) != nullptr;
    throw JsonError(file_, text_, byte > 0 ? byte - 1 : 0,
                    number ? "has a number too large for double" : "is truncated or damaged: not valid JSON");
  }

 private:
  struct Open {
    bool is_list;
    size_t count = 0;
    std::unordered_set<std::string> names{};
  };

  [[noreturn]] void refuse(const std::string& problem) const {
    const size_t byte = size_t(furthest_ - text_.data());
    throw JsonError(file_, text_, byte > 0 ? byte - 1 : 0, problem);
  }
  bool value() {
    if (++values_ > limits_.values) refuse("has more than " + std::to_string(limits_.values) + " values");
    if (!open_.empty() && open_.back().is_list && ++open_.back().count > limits_.list)
      refuse("has a list of more than " + std::to_string(limits_.list) + " values");
    return true;
  }
  bool deeper(bool is_list) {
    value();
    if (open_.size() == limits_.levels) refuse("is nested deeper than " + std::to_string(limits_.levels) + " levels");
    open_.push_back({is_list});
    return true;
  }

  std::string_view text_;
  const std::string& file_;
  const JsonLimits& limits_;
  const char* furthest_;
  size_t members_ = 0, values_ = 0;
  std::vector<Open> open_;
};

int line_of(std::string_view text, size_t byte) {
  return 1 + int(std::count(text.begin(), text.begin() + std::ptrdiff_t(std::min(byte, text.size())), '\n'));
}

int column_of(std::string_view text, size_t byte) {
  const size_t at = std::min(byte, text.size());
  const size_t line = at == 0 ? text.npos : text.rfind('\n', at - 1);
  return int(line == text.npos ? at + 1 : at - line);
}

}  // namespace

JsonError::JsonError(const std::string& file, std::string_view text, size_t byte, const std::string& problem)
    : TableError(file, line_of(text, byte), column_of(text, byte), "", problem), byte_(byte) {}

json guarded_json(std::string_view text, const std::string& file, const JsonLimits& limits) {
  Guard(text, file, limits).read();
  return json::parse(text.begin(), text.end());
}

json read_json(const std::string& path, const JsonLimits& limits) { return guarded_json(read_text(path), path, limits); }

}  // namespace assay
