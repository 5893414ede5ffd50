// Kernels, wrong and healthy, before the judges: the rules of other projects, and Assay.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "harness/core/call.h"
#include "suites/judges/recipes.h"
#include "suites/judges/rules.h"

namespace assay::judges {

/// A kernel before the judges.
struct Contestant {
  std::string name;
  bool healthy = false;
  const Backend* backend;
  KernelOffer kernel;
  std::string twin{};  ///< kernel of the healthy library that gives the reference's outputs; empty: any that does the contract
  std::string reference_contract{};  ///< another contract, whose kernel gives them; only the rules that compare the two judge
};

/// What a judge said of a kernel.
struct Tally {
  int64_t cases = 0, refused = 0;
  int64_t cannot = 0;       ///< cases that the rule is not made for
  int64_t own_refused = 0;  ///< cases in which it refuses the reference itself: NaN is not equal to NaN. Not counted as refused.

  bool caught() const { return refused > 0; }
  void add(const Tally& other);
};

/// Of one kernel. Recipes by id, one tally for each of kScales; "assay" beside the ids of the rules.
struct Marks {
  std::string kind;  ///< of its op: quant, norm, norm_quant, reduce, reduce_norm; empty: no rule compares what it gives
  std::map<std::string, std::array<Tally, kScales.size()>> on_recipe;  ///< of a rule, on its own recipe
  std::map<std::string, std::array<Tally, kScales.size()>> assay_on_recipe;
  std::map<std::string, Tally> on_quick;  ///< on Assay's quick cases
  Tally assay;                            ///< on those
};

/// How one kernel's outputs were judged; for --list.
struct Listener {
  std::function<void(const std::string& judge, const std::string& data, const std::string& case_id, Judgement)> said;
};

/// What healthy kernels gave, by kernel, case and the bytes of all inputs: many faults have one twin.
class HealthyOutputs {
 public:
  /// Null if it is not there.
  const std::vector<HostTensor>* find(const std::string& key) const;
  /// Nothing is kept once there is much of it.
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

/// A library whose codes, normalised numbers or products are all zero.
Backend all_zero(Backend backend);

}  // namespace assay::judges
