// Applies the acceptance rules of other projects, and Assay, to faulty and healthy kernels.
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

// Recipes (recipes.csv): the inputs of other projects' tests, generated with Assay's random numbers.

struct Recipe {
  std::string id;
  std::vector<std::string> x;  ///< formats of x, or of d for GEMMs; the first that the kernel accepts is used
  std::string fill;        ///< generator of x (GEMMs: of a and b)
  double factor = 1;       ///< x is multiplied by it (GEMMs: instead the scales of a, the bias and c)
  double offset = 0;       ///< added to the multiplied x; the sum is rounded to the format of x (not for GEMMs)
  bool over_n = false;     ///< `factor` is first divided by the number of columns
  std::string gamma, eps;  ///< norms: generator of gamma, and eps; GEMMs: `gamma` is the generator of the scales
  std::vector<std::array<int64_t, 3>> shapes;  ///< rows, columns, and k for GEMMs (otherwise 0)
  std::vector<std::string> ranks{};  ///< ops with ranks: the numbers of ranks to use; empty: as in the kernel's own cases
  int64_t before = 0;                ///< ops with ranks: number of warm-up calls
  bool again = false;                ///< warm-up calls have the same inputs as the case
};

/// Reads recipes.csv. Throws TableError.
std::vector<Recipe> load_recipes(const std::string& file);

/// Each recipe runs once with each of these numbers, which multiplies its factor and its offset. At 2^-10 an absolute tolerance is larger than the data, at 2^10
/// far smaller. Smaller factors would reach the lower bounds of scales in some recipes; larger ones would overflow fp16.
inline constexpr std::array<double, 3> kScales = {0x1p-10, 1.0, 0x1p10};

struct Trial {
  Case one;
  Problem problem;
  size_t scale = 0;  ///< index into kScales
};

/// The trials of a recipe for a kernel: each factor of kScales with each shape that the kernel accepts. Other cells are those of
/// the first case in `models` that the kernel accepts, preferably with groups of 128. The cell scale_ub becomes half of the trial's
/// factor, for uniform data half of the largest magnitude. Given scales are amax / largest code, as in the projects' tests.
std::vector<Trial> trials(const Recipe& recipe, const KernelOffer& kernel, const std::vector<Case>& models);

/// A kernel to test.
struct Contestant {
  std::string name;
  bool healthy = false;
  const Backend* backend;
  KernelOffer kernel;
  std::string twin{};  ///< kernel of the healthy library that gives the reference outputs; empty: any kernel for the contract
  std::string reference_contract{};  ///< another contract, whose kernel gives the reference outputs; only rules that compare
                                     ///< these two contracts are then applied
};

/// Counts of the cases of one rule on one kernel. `refused`: the rule rejects the kernel's outputs.
struct Tally {
  int64_t cases = 0, refused = 0;
  int64_t cannot = 0;       ///< cases with a format that the rule does not support
  int64_t own_refused = 0;  ///< cases in which the rule rejects the reference itself, because NaN != NaN; not in `refused`

  bool caught() const { return refused > 0; }
  void add(const Tally& other);
};

/// Results for one kernel, by rule id or (assay_on_recipe) by recipe id. Arrays have a Tally for each factor of kScales.
struct Marks {
  std::string kind;  ///< kind of its op, as in Rule::kinds; empty: no rule can compare its outputs
  std::map<std::string, std::array<Tally, kScales.size()>> on_recipe;  ///< verdicts of each rule on its own recipe
  std::map<std::string, std::array<Tally, kScales.size()>> assay_on_recipe;
  std::map<std::string, Tally> on_quick;  ///< verdicts of each rule on Assay's quick cases
  Tally assay;                            ///< Assay's verdicts on its quick cases
};

/// `said` is called for every judgement about a kernel's outputs; the program prints these as lines of --list.
struct Listener {
  std::function<void(const std::string& judge, const std::string& data, const std::string& case_id, Judgement)> said;
};

/// Cache of outputs of healthy kernels, by kernel, case and bytes of the inputs. Many faults have the same reference.
class HealthyOutputs {
 public:
  /// Null if the key is not cached.
  const std::vector<HostTensor>* find(const std::string& key) const;
  /// Does nothing if the cache would exceed kMostBytes.
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
  std::vector<Case> quick;  ///< quick cases of all ops
  const Backend* healthy;   ///< the library of correct kernels
  std::shared_ptr<HealthyOutputs> before = std::make_shared<HealthyOutputs>();

  const Recipe& recipe(const std::string& id) const;
};

/// Applies all rules that can compare the kernel's outputs, and Assay, to one kernel.
Marks contest(const Field& field, const Contestant& contestant, const Listener& listener);

/// The library, but all its codes, norm results and GEMM results are zero.
Backend all_zero(Backend backend);

// The kernels to test, from the libraries of one folder.

/// The libraries whose kernels are tested.
struct Libraries {
  std::string faulty_path;
  Backend cpu, faulty, varied, zero;
  std::deque<Backend> of_ranks;

  explicit Libraries(const std::string& folder);

  /// Opens the faulty library once more. A kernel with ranks may leave wrong flags in its group; other kernels must not see them.
  const Backend* with_groups_of_its_own();
};

/// Path of the healthy library in a folder.
std::string healthy_library(const std::string& folder);

/// All kernels to test: the kernels of libassay_faulty.so, except races, whose outputs vary; kernels with mistakes that are not
/// mutants; kernels that return zeros; healthy kernels with other results that contracts allow; pairs that a rule compares.
std::vector<Contestant> contestants(Libraries& libraries, const std::string& root, const std::vector<Rule>& rules);

// The results as Markdown tables, and requirements that are not met.

struct Entry {
  Contestant contestant;
  Marks marks;
};

/// Two kinds of tables: each rule with totals over all kernels, and each faulty kernel with the rules of its kind.
std::string tables(const std::vector<Rule>& rules, const std::vector<Entry>& entries);

/// Requirements not met: Assay's cases miss a faulty kernel, Assay rejects a healthy one, or a rule was applied to no kernel.
std::vector<std::string> complaints(const std::vector<Rule>& rules, const std::vector<Entry>& entries);

// Cache of results in a file, so that after a new fault only this fault is measured.

/// The results for a kernel, and a hash of everything on which they depend.
struct KeptMarks {
  std::string state;
  Marks marks;
};

/// Results by kernel name. Empty if the file does not exist. Throws std::runtime_error if write_kept() did not write the file.
std::map<std::string, KeptMarks> read_kept(const std::string& file);

void write_kept(const std::string& file, const std::map<std::string, KeptMarks>& all);

/// Files on which the results of all kernels depend: rules, recipes, contracts, layouts, the healthy library, and this program.
std::vector<std::string> what_marks_depend_on(const std::string& root, const std::string& healthy_library);

/// Cached and new results. A cached result is valid while `files`, the kernel's quick cases and its outputs on its first four
/// cases without ranks are the same. Other changes of a kernel are not noticed. Thread-safe.
class Kept {
 public:
  /// `file` empty: nothing is cached.
  Kept(std::string file, const Field& field, const std::vector<std::string>& files);

  std::optional<Marks> of(const Contestant& contestant);
  /// Adds the results of a kernel for which of() returned nothing.
  void add(const Contestant& contestant, const Marks& marks);
  /// Number of cached results that were no longer valid.
  int stale() const { return stale_; }

 private:
  std::string state_of(const Contestant& contestant) const;

  std::string file_, common_;
  const Field& field_;
  std::map<std::string, KeptMarks> marks_;
  std::map<std::string, std::string> states_;  ///< hashes of the kernels for which of() was called
  int stale_ = 0;
  std::mutex mutex_;
};

}  // namespace assay::judges
