// Runs wrong and healthy kernels against the acceptance rules of other projects, and against Assay.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "harness/core/call.h"
#include "harness/core/case.h"
#include "harness/core/op.h"
#include "suites/judges/judge_rules.h"

namespace assay::judges {

// Inputs of other projects' tests (recipes.csv), generated with Assay's random numbers.

struct Recipe {
  std::string id;
  std::vector<std::string> x;  ///< formats of the input, or of d for GEMMs; the first that the kernel takes is used
  std::string fill;        ///< generated in that format (GEMMs: in the format of a and b), then
  double factor = 1;       ///< multiplied (GEMMs: the scales of a and the added terms),
  double offset = 0;       ///< shifted,
  bool over_n = false;     ///< and divided by the number of columns, then rounded again
  std::string gamma, eps;  ///< for norms: a generator and the case's cell; for GEMMs gamma is the generator of scales
  std::vector<std::array<int64_t, 3>> shapes;  ///< rows, columns, and k; 0 unless a GEMM
  std::vector<std::string> ranks{};  ///< for ops with ranks: how many; empty: as in the kernel's cases
  int64_t before = 0;                ///< for ops with ranks: number of warm-up calls
  bool again = false;                ///< whether the warm-up calls have the inputs of the case
};

/// Reads recipes.csv. Throws TableError.
std::vector<Recipe> load_recipes(const std::string& file);

/// Factors of the inputs. At 2^-10 an absolute tolerance is larger than the data, at 2^10 far smaller. Smaller factors would
/// reach the floors of scales in some recipes, larger ones overflow fp16.
inline constexpr std::array<double, 3> kScales = {0x1p-10, 1.0, 0x1p10};

struct Trial {
  Case one;
  Problem problem;
  size_t scale = 0;  ///< index into kScales
};

/// The recipe's inputs at every scale, in each of its shapes that the kernel takes. Everything else is taken from the first of
/// the `models` that the kernel accepts, preferring groups of 128. A bound on amax is half the largest value of uniform data.
/// Given scales are amax / largest code, as the projects compute them.
std::vector<Trial> trials(const Recipe& recipe, const KernelOffer& kernel, const std::vector<Case>& models);

/// A kernel to test.
struct Contestant {
  std::string name;
  bool healthy = false;
  const Backend* backend;
  KernelOffer kernel;
  std::string twin{};  ///< kernel of the healthy library whose outputs are the reference; empty: any kernel of the contract
  std::string reference_contract{};  ///< another contract whose kernel is the reference; only rules that compare these two
                                     ///< contracts are applied
};

/// Results of one rule on one kernel.
struct Tally {
  int64_t cases = 0, refused = 0;
  int64_t cannot = 0;       ///< cases that the rule does not support
  int64_t own_refused = 0;  ///< cases in which it rejects the reference itself (NaN is not equal to NaN); not counted as rejected

  bool caught() const { return refused > 0; }
  void add(const Tally& other);
};

/// Results for one kernel: by rule id, one tally for each of kScales; "assay" is listed like a rule.
struct Marks {
  std::string kind;  ///< kind of its op: quant, norm, norm_quant, reduce, reduce_norm; empty: no rule compares its outputs
  std::map<std::string, std::array<Tally, kScales.size()>> on_recipe;  ///< of a rule, on its own recipe
  std::map<std::string, std::array<Tally, kScales.size()>> assay_on_recipe;
  std::map<std::string, Tally> on_quick;  ///< on Assay's quick cases
  Tally assay;                            ///< Assay, on its quick cases
};

/// Reports how one kernel's outputs were judged, for --list.
struct Listener {
  std::function<void(const std::string& judge, const std::string& data, const std::string& case_id, Judgement)> said;
};

/// Cache of healthy outputs, by kernel, case and input bytes: many faults share a reference.
class HealthyOutputs {
 public:
  /// Null if it is not cached.
  const std::vector<HostTensor>* find(const std::string& key) const;
  /// Stores nothing beyond a size limit.
  void keep(const std::string& key, const std::vector<HostTensor>& outputs);

 private:
  static constexpr size_t kMostBytes = size_t{256} << 20;
  std::map<std::string, std::vector<HostTensor>> all_;
  size_t bytes_ = 0;
  mutable std::mutex mutex_;
};

struct Field {
  std::vector<Rule> rules;
  std::vector<Recipe> recipes;
  std::vector<Case> quick;  ///< cases of all ops
  const Backend* healthy;
  std::shared_ptr<HealthyOutputs> before = std::make_shared<HealthyOutputs>();

  const Recipe& recipe(const std::string& id) const;
};

Marks contest(const Field& field, const Contestant& contestant, const Listener& listener);

/// Wraps a library: its codes, normalized numbers or GEMM results become zero.
Backend all_zero(Backend backend);

// The kernels to test: from the libraries in one folder.

/// Libraries with kernels.
struct Libraries {
  std::string faulty_path;
  Backend cpu, faulty, varied, zero;
  std::deque<Backend> of_ranks;

  explicit Libraries(const std::string& folder);

  /// State that a kernel of ranks leaves in the flags of its group is not seen by others.
  const Backend* with_groups_of_its_own();
};

/// The healthy library of a folder.
std::string healthy_library(const std::string& folder);

/// All kernels to test: those of libassay_faulty.so except races, whose outputs vary; mistakes that are not mutants; all-zero
/// outputs; healthy kernels that use the freedom of their contracts; and pairs of contracts that rules compare.
std::vector<Contestant> contestants(Libraries& libraries, const std::string& root, const std::vector<Rule>& rules);

// Results as Markdown tables, and violated requirements.

struct Entry {
  Contestant contestant;
  Marks marks;
};

/// Two tables: each rule over all kernels, and each faulty kernel against the rules of its kind.
std::string tables(const std::vector<Rule>& rules, const std::vector<Entry>& entries);

/// Errors: a faulty kernel that Assay's own cases miss, a healthy kernel that Assay rejects, or a rule that applies to no kernel.
std::vector<std::string> complaints(const std::vector<Rule>& rules, const std::vector<Entry>& entries);

// Cache of results in a file, so that a new fault can be measured alone.

/// Results, and a hash of everything they depend on.
struct KeptMarks {
  std::string state;
  Marks marks;
};

/// By kernel name. Empty if there is no such file. Throws std::runtime_error naming a file that write_kept() did not write.
std::map<std::string, KeptMarks> read_kept(const std::string& file);

void write_kept(const std::string& file, const std::map<std::string, KeptMarks>& all);

/// Files that affect the results of all kernels: rules, recipes, contracts, layouts, the healthy library, and this program.
std::vector<std::string> what_marks_depend_on(const std::string& root, const std::string& healthy_library);

/// Cached and new results of kernels. A cached result is valid only while these files, the kernel's quick cases, and its outputs
/// on the first few single-rank cases are unchanged. A change of a kernel that affects none of these is missed. Thread-safe.
class Kept {
 public:
  /// `file` empty: no cache file.
  Kept(std::string file, const Field& field, const std::vector<std::string>& files);

  std::optional<Marks> of(const Contestant& contestant);
  /// Adds the results of a kernel that of() did not find.
  void add(const Contestant& contestant, const Marks& marks);
  /// Number of cached results that were out of date.
  int stale() const { return stale_; }

 private:
  std::string state_of(const Contestant& contestant) const;

  std::string file_, common_;
  const Field& field_;
  std::map<std::string, KeptMarks> marks_;
  std::map<std::string, std::string> states_;  ///< hashes of the kernels requested so far
  int stale_ = 0;
  std::mutex mutex_;
};

}  // namespace assay::judges
