#include <fmt/format.h>

#include <charconv>

#include "reference/flow/contiguity/contiguity.h"
#include "reference/flow/flow.h"
#include "reference/formats/catalogue.h"
#include "suites/registry.h"
#include "suites/rows/case_cells.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

struct StridedCase {
  std::string id;
  Contiguity contract;
  const Format* x = nullptr;
  StridedExtents extents;
  int warp = 0;
};

/// Parses nonnegative integers such as "3x4".
std::vector<int64_t> sizes_of(const Cells& cells, const char* column) {
  const std::string& text = cells.text(column);
  std::vector<int64_t> sizes;
  for (const char *at = text.data(), *const end = at + text.size(); at <= end; ++at) {
    int64_t size = 0;
    const auto [next, error] = std::from_chars(at, end, size);
    if (error != std::errc() || size < 0 || (next != end && *next != 'x'))
      cells.refuse(column, "'" + text + "': expected whole numbers with x between them, such as 4x16");
    sizes.push_back(size);
    at = next;
  }
  return sizes;
}

StridedCase read_strided_case(const Case& c) {
  const Cells cells(c);
  const ContractRow& row = cells.contract();
  if (row.flow != &contiguity_flow())
    cells.refuse("contract", "'" + row.id + "' is a " + row.flow->name + " contract; expected a contiguity contract");
  StridedCase p{row.id, read_contiguity(row), find_format(cells.text("x")), {}, cells.warp()};
  if (!p.x || p.x->bits < 16) cells.refuse("x", "'" + cells.text("x") + "': expected a format of two or four bytes");
  StridedExtents& x = p.extents;
  x = {sizes_of(cells, "shape"), sizes_of(cells, "strides"), int64_t(cells.number("offset")), int64_t(cells.number("storage")),
       p.x->bytes()};
  if (x.strides.size() != x.shape.size()) cells.refuse("strides", "expected one stride for each dimension of shape");
  int64_t last = x.offset;
  for (size_t d = 0; d < x.shape.size(); ++d) last += (x.shape[d] - 1) * x.strides[d];
  if (x.elements() > 0 && last >= x.storage) cells.refuse("storage", "expected a storage that holds all elements of the tensor");
  if (x.offset > x.storage) cells.refuse("offset", "expected an offset inside the storage");
  return p;
}

Expectation expect_answer(bool taken) {
  return expectation_of(
      {WholePart{{"accepted", &kInt32, {1, 1}, "the answer is yes or no: one code"}, {ordinal(kInt32, uint32_t(taken))}, {}}});
}

class BoundContiguity : public BoundCase {
 public:
  BoundContiguity(StridedCase c, CaseName name) : c_(std::move(c)), name_(std::move(name)) {}

  CaseName name() const override { return name_; }
  Problem problem() const override {
    const StridedExtents& e = c_.extents;
    HostTensor x{{"x", Role::kInput, c_.x, e.shape, e.strides, e.storage, e.offset}, {}};
    x.bytes.resize(x.spec.bytes());
    return {{std::move(x), {dense("accepted", Role::kOutput, kInt32, {1}), {}}}, {{"warp", double(c_.warp)}}};
  }
  Expectation expect(const Problem&, const std::vector<HostTensor>*) const override {
    return expect_answer(c_.contract.takes(c_.extents));
  }
  std::vector<Hypothesis> mutants() const override {
    std::vector<Hypothesis> all;
    for (const ContiguityNeighbour& wrong : contiguity_neighbours(c_.contract)) {
      all.push_back(
          {wrong.name,
           [taken = wrong.takes(c_.extents)](const Problem&, const std::vector<HostTensor>*) { return expect_answer(taken); },
           rulebook().equivalent(c_.id, *c_.x, wrong.name)});
      if (wrong.name.starts_with("strides: those of sizes of one"))
        all.back().in_words = [name = wrong.name, is_empty = c_.extents.elements() == 0](const std::vector<HostTensor>&) {
          return name + (is_empty ? ", only where another size is 0: the test for a size of 0 may be missing, or come too late"
                                  : ", only where no size is 0");
        };
    }
    return all;
  }
  std::vector<std::string> formulas() const override { return contiguity_lines(c_.contract); }
  std::vector<std::string> trace(const Problem&, int64_t, int64_t) const override {
    const StridedExtents& e = c_.extents;
    return {fmt::format("{} elements of {} bytes; the storage has {} bytes from the first element", e.elements(), e.bytes,
                        e.storage - e.offset),
            fmt::format("row-major without gaps: {}", e.contiguous() ? "yes" : "no"),
            fmt::format("accepted = {}", c_.contract.takes(e) ? 1 : 0)};
  }

 private:
  const StridedCase c_;
  const CaseName name_;
};

std::unique_ptr<const BoundCase> bind_strided(const Case& c) {
  StridedCase p = read_strided_case(c);
  CaseName name = {
      c.op, p.id,
      fmt::format("{}.{}.by{}.at{}.of{}", p.x->name, c.text("shape"), c.text("strides"), c.text("offset"), c.text("storage")),
      "zeros", p.warp};
  return std::make_unique<const BoundContiguity>(std::move(p), std::move(name));
}

}  // namespace

Op weak_contiguity_op() {
  return {.name = "weak_contiguity",
          .roles = {{"x", Access::kIn, "a strided tensor of any shape; its field `bytes` is the size of its storage from the first element on"},
                    {"accepted", Access::kOut, "[1] int32: 1 if an op that reads x as flat memory accepts it, otherwise 0"}},
          .parameters = {roles::kWarp},
          .columns = {"contract", "x", "shape", "strides", "offset", "storage", "warp"},
          .data_column = "",  // no generator: the result depends on shape and strides, not on what x holds
          .takes = [](const std::string& contract) { return rulebook().is_row(contract, contiguity_flow()); },
          .bind = bind_strided};
}

}  // namespace assay
