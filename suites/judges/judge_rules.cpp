#include "suites/judges/judge_rules.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"
#include "reference/table/near.h"
#include "reference/table/table.h"
#include "suites/rows/row_case.h"
#include "suites/rows/row_tensors.h"

namespace assay::judges {
namespace {

// The outputs of a call as tests of other projects see them: values, not accepted intervals.

const HostTensor* find_or_null(const std::vector<HostTensor>& tensors, std::string_view name) {
  const auto found = std::find_if(tensors.begin(), tensors.end(), [&](const HostTensor& t) { return t.spec.name == name; });
  return found == tensors.end() ? nullptr : &*found;
}

Numbers dense_numbers(const HostTensor& tensor) {
  const auto count = size_t(tensor.spec.elements());
  Numbers made{tensor.spec.format, std::vector<uint32_t>(count), std::vector<double>(count)};
  for (size_t i = 0; i < count; ++i) made.codes[i] = tensor.code(tensor.spec.offset + int64_t(i));
  decode_all(*made.format, tensor.bytes.data() + tensor.spec.byte_of(tensor.spec.offset), made.values);
  return made;
}

/// Appends the values of one more rank. The projects compare each rank separately; here all ranks form one tensor.
void append(Numbers& all, const Numbers& more) {
  all.format = more.format;
  all.codes.insert(all.codes.end(), more.codes.begin(), more.codes.end());
  all.values.insert(all.values.end(), more.values.begin(), more.values.end());
}

Answer answer_of_ranks(const std::vector<HostTensor>& outputs) {
  Answer answer;
  for (const HostTensor& tensor : outputs)
    append(tensor.spec.name == "residual" ? answer.residual : answer.result, dense_numbers(tensor));
  return answer;
}

/// The scales of all groups, row by row.
Numbers scale_numbers(const HostTensor& tensor, const RowCase& c) {
  const ScalePlaces places(c);
  Numbers scale;
  scale.format = c.layout()->element;
  for (int64_t row = 0; row < c.rows_of_scales(); ++row)
    for (const double value : decoded_scales(tensor, places, row, c.scales_of_row())) {
      scale.values.push_back(value);
      scale.codes.push_back(code_of(*scale.format, value));
    }
  return scale;
}

std::vector<double> dequantized(const Answer& answer, int64_t columns, const Numbers& scale, const RowCase& c) {
  const Numbers& q = answer.result;
  std::vector<double> values(q.values.size());
  for (int64_t i = 0; i < int64_t(values.size()); ++i) {
    const int64_t group = i / columns / c.group_rows() * c.scales_of_row() + i % columns / c.group_size();
    const double zero = answer.zero.values.empty() ? 0.0 : answer.zero.values.at(size_t(group));
    values[size_t(i)] = double(float(q.values[size_t(i)] - zero) * float(scale.values.at(size_t(group))));
  }
  return values;
}

}  // namespace

Numbers numbers(const Format& format, std::vector<uint32_t> codes) {
  Numbers made{&format, std::move(codes), {}};
  made.values.reserve(made.codes.size());
  for (const uint32_t code : made.codes) made.values.push_back(decode(format, code));
  return made;
}

bool is_comparable(const Problem& problem) {
  const HostTensor* x = find_or_null(problem.tensors, "x");
  return std::any_of(problem.tensors.begin(), problem.tensors.end(), [&](const HostTensor& tensor) {
    if (tensor.spec.role != Role::kOutput) return false;
    const bool of_two_halves = x && x->spec.shape.back() == 2 * tensor.spec.shape.back();
    return tensor.spec.name == "q" || (tensor.spec.name == "d" && find_or_null(problem.tensors, "scale_a")) ||
           (tensor.spec.name == "y" && !of_two_halves);
  });
}

Answer answer_of(const Case& one, const Problem& problem, const std::vector<HostTensor>& outputs) {
  if (problem.ranks > 1) return answer_of_ranks(outputs);
  Answer answer;
  if (const HostTensor* d = find_or_null(outputs, "d")) {
    answer.result = dense_numbers(*d);
    return answer;
  }
  const RowCase c = read_row_case(one);
  const HostTensor* q = find_or_null(outputs, "q");
  answer.result = dense_numbers(q ? *q : find(outputs, "y"));
  const HostTensor& x = find(problem.tensors, "x");
  for (int64_t row = 0; row < c.stored_rows(); ++row) {
    const std::vector<double> numbers = decoded_row(x, row, c.x_columns());
    answer.input.insert(answer.input.end(), numbers.begin(), numbers.end());
  }
  if (!q || !c.layout()) return answer;
  if (const HostTensor* zero = find_or_null(outputs, "azp")) answer.zero = dense_numbers(*zero);
  const HostTensor* stored = find_or_null(outputs, "scale");
  const Numbers scale = scale_numbers(stored ? *stored : find(problem.tensors, "scale"), c);
  answer.dequantized = dequantized(answer, q->spec.shape.back(), scale, c);
  if (!stored) return answer;
  answer.scale = scale;
  answer.scale_storage = stored->bytes;
  return answer;
}

namespace {

// The measures of rules.csv, as in the sources that its rows cite. a: element of the kernel's tensor x; b: of the reference's y.

struct Measure {
  std::string name;
  std::vector<std::string> bounds;    ///< bounds that a check must have
  std::vector<std::string> optional;  ///< bounds that a check may have
};

///   close      torch.isclose for all elements: |a - b| <= atol + rtol |b| (of_kernel: |a|); Inf is close to Inf, NaN to nothing
///   equal      torch.equal: the values are equal; NaN equals nothing, and -0 equals 0
///   bits       the codes are equal
///   steps      vLLM's fp8_ulp_distance: in the order of their values, codes are at most `steps` apart, and the share of codes
///              that differ is less than `share`
///
///   tiny_diff  sglang's assert_all_close_or_tiny_diff: bytes differ by at most 1, the share of bytes that differ is less than
///              `share`, and there are at most `elements` bytes; for int8 it compares a tensor with itself; no other formats
///   diff       DeepGEMM's calc_diff: 1 - 2 xy / (x x + y y) < limit
///   cosine     xy / (|x| |y|) > limit
///   mean_diff  vLLM's mean relative difference: mean |a - b| / mean |b| < limit
///   fuzz       FlashInfer's fuzz test, ck_tile's check_err: |a - b| <= of_largest * (maximum of |b|) + rtol |b| for all elements
///   sqnr       20 log10(|x| / |x - y|) >= limit; here x is the input of the kernel, and y its dequantized output
///   logged     AITER's checkAllclose, which only logs: the test ignores its result, so the measure always accepts
///   reported   checkAllclose, if a person takes its "failed!" as a rejection: more than `share` of the elements are not close
const std::vector<Measure>& measures();

Judgement measured(const Check& check, const Answer& kernel, const Answer& reference);

Judgement accepted_if(bool accepted) { return accepted ? Judgement::kAccepts : Judgement::kRefuses; }

/// The two tensors that a check compares.
struct Pair {
  const Numbers& kernel;
  const Numbers& reference;
  size_t size() const { return kernel.values.size(); }
};

/// The bound for the tensor's format (rtol.bf16) if the check has one, otherwise the general one (rtol).
double bound_for(const Check& check, const std::string& name, const Numbers& numbers) {
  const std::string of_format = name + "." + std::string(numbers.format->name);
  return check.bound(check.has(of_format) ? of_format : name);
}

int64_t not_close(const Check& check, const Pair& pair) {
  const double absolute = bound_for(check, "atol", pair.kernel), relative = bound_for(check, "rtol", pair.kernel);
  int64_t count = 0;
  for (size_t i = 0; i < pair.size(); ++i) {
    const double a = pair.kernel.values[i], b = pair.reference.values[i];
    const double allowed = absolute + relative * std::fabs(check.of_kernel ? a : b);
    const bool close = a == b || (std::isfinite(a - b) && std::fabs(a - b) <= allowed);
    count += !close;
  }
  return count;
}

double share(int64_t count, const Pair& pair) { return pair.size() == 0 ? 0.0 : double(count) / double(pair.size()); }

bool equal_values(const Pair& pair) {
  return std::equal(pair.kernel.values.begin(), pair.kernel.values.end(), pair.reference.values.begin());
}

Judgement steps(const Check& check, const Pair& pair) {
  const uint32_t sign = uint32_t(1) << (pair.kernel.format->bits - 1);
  const auto place = [&](uint32_t code) { return code >= sign ? int64_t(2 * sign - 1 - code) : int64_t(code + sign); };
  int64_t apart = 0, farthest = 0;
  for (size_t i = 0; i < pair.size(); ++i) {
    const int64_t distance = std::llabs(place(pair.kernel.codes[i]) - place(pair.reference.codes[i]));
    farthest = std::max(farthest, distance);
    apart += distance > 0;
  }
  const bool few = !check.has("share") || share(apart, pair) < check.bound("share");
  return accepted_if(double(farthest) <= check.bound("steps") && few);
}

Judgement tiny_diff(const Check& check, const Pair& pair) {
  const Format& format = *pair.kernel.format;
  const bool is_int8 = format.is_integer() && format.bits == 8;
  if (!is_int8 && format.name != "e4m3fn") return Judgement::kCannot;
  if (check.has("elements") && double(pair.size()) > check.bound("elements")) return Judgement::kRefuses;
  int64_t signs = 0, tiny = 0, large = 0;
  for (size_t i = 0; i < pair.size(); ++i) {
    if (is_int8) {
      signs += pair.reference.values[i] >= 0 && pair.kernel.values[i] < 0;
      continue;
    }
    const int64_t distance = std::llabs(int64_t(pair.kernel.codes[i]) - int64_t(pair.reference.codes[i]));
    tiny += distance == 1;
    large += distance >= 2;
  }
  return accepted_if(signs == 0 && large == 0 && share(tiny, pair) < check.bound("share"));
}

Judgement diff(const Check& check, const std::vector<double>& x, const std::vector<double>& y) {
  double squares = 0, product = 0;
  for (size_t i = 0; i < x.size(); ++i) squares += x[i] * x[i] + y[i] * y[i], product += x[i] * y[i];
  return accepted_if(squares == 0 || 1 - 2 * product / squares < check.bound("limit"));
}

Judgement cosine(const Check& check, const Pair& pair) {
  double x = 0, y = 0, product = 0;
  for (size_t i = 0; i < pair.size(); ++i) {
    const double a = pair.kernel.values[i], b = pair.reference.values[i];
    x += a * a, y += b * b, product += a * b;
  }
  return accepted_if(product / std::sqrt(x * y) > check.bound("limit"));
}

Judgement mean_diff(const Check& check, const Pair& pair) {
  double difference = 0, reference = 0;
  for (size_t i = 0; i < pair.size(); ++i) {
    difference += std::fabs(pair.kernel.values[i] - pair.reference.values[i]);
    reference += std::fabs(pair.reference.values[i]);
  }
  return accepted_if(difference / reference < check.bound("limit"));
}

Judgement fuzz(const Check& check, const Pair& pair) {
  double largest = 0;
  for (const double b : pair.reference.values) largest = std::max(largest, std::fabs(b));
  for (size_t i = 0; i < pair.size(); ++i) {
    const double b = pair.reference.values[i], allowed = check.bound("of_largest") * largest + check.bound("rtol") * std::fabs(b);
    if (!(std::fabs(pair.kernel.values[i] - b) <= allowed)) return Judgement::kRefuses;
  }
  return Judgement::kAccepts;
}

Judgement sqnr(const Check& check, const std::vector<double>& x, const std::vector<double>& y) {
  if (x.size() != y.size()) return Judgement::kCannot;  // the op does not quantize x itself
  double signal = 0, noise = 0;
  for (size_t i = 0; i < x.size(); ++i) signal += x[i] * x[i], noise += (x[i] - y[i]) * (x[i] - y[i]);
  const double ratio = 10 * std::log10(signal / noise);
  const auto is_zero = [](double v) { return v == 0; };
  if (std::isnan(ratio)) return accepted_if(std::all_of(x.begin(), x.end(), is_zero) && std::all_of(y.begin(), y.end(), is_zero));
  return accepted_if(ratio >= check.bound("limit"));
}

Judgement of_numbers(const Check& check, const Pair& pair) {
  if (!pair.kernel.format && !pair.reference.format) return Judgement::kAccepts;  // the op has no such tensor
  if (check.measure == "close") return accepted_if(not_close(check, pair) == 0);
  if (check.measure == "equal") return accepted_if(equal_values(pair));
  if (check.measure == "bits") return accepted_if(pair.kernel.codes == pair.reference.codes);
  if (check.measure == "steps") return steps(check, pair);
  if (check.measure == "tiny_diff") return tiny_diff(check, pair);
  if (check.measure == "diff") return diff(check, pair.kernel.values, pair.reference.values);
  if (check.measure == "cosine") return cosine(check, pair);
  if (check.measure == "mean_diff") return mean_diff(check, pair);
  if (check.measure == "fuzz") return fuzz(check, pair);
  if (check.measure == "logged") return Judgement::kAccepts;
  if (check.measure == "reported") return accepted_if(share(not_close(check, pair), pair) <= check.bound("share"));
  throw std::logic_error("no measure '" + check.measure + "' of " + check.what);
}

const std::vector<Measure>& measures() {
  static const std::vector<Measure> all = {
      {"close", {"atol"}, {"rtol", "rtol.bf16", "rtol.f16", "rtol.f32", "atol.f16", "atol.f32"}},
      {"equal", {}, {}},
      {"bits", {}, {}},
      {"steps", {"steps"}, {"share"}},
      {"tiny_diff", {"share"}, {"elements"}},
      {"diff", {"limit"}, {}},
      {"cosine", {"limit"}, {}},
      {"mean_diff", {"limit"}, {}},
      {"fuzz", {"of_largest", "rtol"}, {}},
      {"sqnr", {"limit"}, {}},
      {"logged", {"rtol", "atol"}, {}},
      {"reported", {"rtol", "atol", "share"}, {}}};
  return all;
}

Judgement measured(const Check& check, const Answer& kernel, const Answer& reference) {
  if (!check.only.empty() && kernel.result.format->name != check.only) return Judgement::kCannot;
  if (check.what == "zero") return of_numbers(check, {kernel.zero, reference.zero});
  if (check.what == "scale") return of_numbers(check, {kernel.scale, reference.scale});
  if (check.what == "residual") return of_numbers(check, {kernel.residual, reference.residual});
  if (check.what == "storage") return accepted_if(kernel.scale_storage == reference.scale_storage);
  if (check.what != "dequantized") return of_numbers(check, {kernel.result, reference.result});
  if (check.measure == "sqnr") return sqnr(check, kernel.input, kernel.dequantized);
  static const Format& kF32 = *find_format("f32");
  return of_numbers(check, {{&kF32, {}, kernel.dequantized}, {&kF32, {}, reference.dequantized}});
}

constexpr const char* kRuleColumns[] = {"rule",    "ops",    "recipe", "pairs",  "part", "what",
                                    "measure", "bounds", "source", "status", "why"};
const std::vector<std::string> kWhats = {"codes", "scale", "zero", "storage", "dequantized", "output", "residual"};
const std::vector<std::string> kKinds = {"quant", "norm", "norm_quant", "reduce", "reduce_norm", "gemm"};

std::vector<std::string> split(const std::string& text, char between) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, between);)
    if (!part.empty()) parts.push_back(part);
  return parts;
}

class Reader {
 public:
  Reader(const Table& table, const TableRow& row) : table_(table), row_(row) {}

  const std::string& text(const char* column) const { return table_.text(row_, column); }
  [[noreturn]] void refuse(const char* column, const std::string& problem) const { throw table_.error(row_, column, problem); }
  void require_one_of(const char* column, const std::string& word, const std::vector<std::string>& known) const {
    if (std::find(known.begin(), known.end(), word) == known.end())
      refuse(column, "unknown '" + word + "'" + did_you_mean(word, known));
  }

  Check check() const {
    Check check;
    check.what = text("what");
    check.measure = text("measure");
    require_one_of("what", check.what, kWhats);
    std::vector<std::string> names;
    for (const Measure& measure : measures()) names.push_back(measure.name);
    require_one_of("measure", check.measure, names);
    const Measure& measure = measures()[size_t(std::find(names.begin(), names.end(), check.measure) - names.begin())];
    std::vector<std::string> known = measure.bounds;
    known.insert(known.end(), measure.optional.begin(), measure.optional.end());
    for (const std::string& bound : split(text("bounds"), ' ')) read_bound(bound, known, check);
    for (const std::string& needed : measure.bounds)
      if (!check.has(needed)) refuse("bounds", measure.name + " needs " + needed);
    return check;
  }

  Rule rule() const {
    Rule rule{text("rule"), split(text("ops"), '|'), text("recipe"), pairs(), {}, text("source"), text("status"), text("why")};
    for (const std::string& kind : rule.kinds) require_one_of("ops", kind, kKinds);
    require_one_of("status", rule.status, {"read", "inferred"});
    for (const char* column : {"ops", "recipe", "source"})
      if (text(column).empty()) refuse(column, "expected a value in the first row of a rule");
    return rule;
  }

 private:
  std::vector<std::array<std::string, 2>> pairs() const {
    std::vector<std::array<std::string, 2>> all;
    for (const std::string& pair : split(text("pairs"), '|')) {
      const std::vector<std::string> sides = split(pair, '~');
      if (sides.size() != 2) refuse("pairs", "'" + pair + "': expected two contracts separated by ~");
      all.push_back({sides[0], sides[1]});
    }
    return all;
  }

  void read_bound(const std::string& text, const std::vector<std::string>& known, Check& check) const {
    const size_t equals = text.find('=');
    const std::string name = text.substr(0, equals), value = equals == std::string::npos ? "" : text.substr(equals + 1);
    if (name == "of") {
      require_one_of("bounds", value, {"kernel", "reference"});
      check.of_kernel = value == "kernel";
      return;
    }
    if (name == "only") {
      if (!find_format(value)) refuse("bounds", "'" + value + "' is not a format");
      check.only = value;
      return;
    }
    require_one_of("bounds", name, known);
    char* end = nullptr;
    check.bounds[name] = std::strtod(value.c_str(), &end);
    if (value.empty() || *end != '\0') refuse("bounds", "'" + text + "': expected name=number");
  }

  const Table& table_;
  const TableRow& row_;
};

}  // namespace

bool Rule::is_for(const std::string& kind) const { return std::find(kinds.begin(), kinds.end(), kind) != kinds.end(); }

bool Rule::compares(const std::string& contract, const std::string& reference) const {
  return std::find(pairs.begin(), pairs.end(), std::array{contract, reference}) != pairs.end();
}

std::vector<Rule> load_rules(const std::string& file) {
  const Table table = read_table(file);
  const std::vector<std::string> columns(std::begin(kRuleColumns), std::end(kRuleColumns));
  table.require_columns(columns);
  table.allow_columns(columns);
  std::vector<Rule> rules;
  for (const TableRow& row : table.rows) {
    const Reader reader(table, row);
    if (rules.empty() || rules.back().id != reader.text("rule")) rules.push_back(reader.rule());
    Rule& rule = rules.back();
    const int64_t part = table.integer(row, "part"), parts = int64_t(rule.parts.size());
    if (part != parts && part != parts + 1)
      reader.refuse("part", "part " + std::to_string(part) + " after " + std::to_string(parts));
    if (part > parts) rule.parts.emplace_back();
    rule.parts.back().push_back(reader.check());
  }
  return rules;
}

Judgement judge(const Rule& rule, const Answer& kernel, const Answer& reference) {
  bool refused = false;
  for (const std::vector<Check>& part : rule.parts) {
    bool accepted = false;
    for (const Check& check : part) {
      const Judgement judgement = measured(check, kernel, reference);
      if (judgement == Judgement::kCannot) return judgement;
      accepted = accepted || judgement == Judgement::kAccepts;
    }
    refused = refused || !accepted;
  }
  return refused ? Judgement::kRefuses : Judgement::kAccepts;
}

}  // namespace assay::judges
