#include "reference/flow/contiguity/contiguity.h"

#include "reference/contracts/contract_rows.h"
#include "reference/flow/flow.h"

namespace assay {
namespace {

/// Number of elements from the lowest to the highest address that the tensor uses.
int64_t reach(const StridedExtents& x) {
  int64_t last = 0;
  for (size_t d = 0; d < x.shape.size(); ++d) last += (x.shape[d] - 1) * x.strides[d];
  return last + 1;
}

/// Whether the elements fill a range of memory without overlaps or gaps, in whatever order.
bool without_gaps(const StridedExtents& x) {
  std::vector<bool> seen(size_t(x.elements()), false);
  for (int64_t i = 0; i < x.elements(); ++i) {
    int64_t place = 0, rest = i;
    for (size_t d = x.shape.size(); d-- > 0; rest /= x.shape[d]) place += rest % x.shape[d] * x.strides[d];
    if (place >= x.elements() || seen[size_t(place)]) return false;
    seen[size_t(place)] = true;
  }
  return true;
}

}  // namespace

int64_t StridedExtents::elements() const {
  int64_t product = 1;
  for (const int64_t size : shape) product *= size;
  return product;
}

bool StridedExtents::contiguous() const {
  int64_t wanted = 1;
  for (size_t d = shape.size(); d-- > 0; wanted *= shape[d])
    if (shape[d] != 1 && strides[d] != wanted) return elements() == 0;
  return true;
}

bool Contiguity::takes(const StridedExtents& x) const {
  return (contiguous && x.contiguous()) || (tail && (x.storage - x.offset) * x.bytes == x.elements() * x.bytes);
}

Contiguity read_contiguity(const ContractRow& row) {
  const RowCells cells(row);
  Contiguity right;
  for (const std::string& word : cells.alternatives("accepts")) {
    if (word != "contiguous" && word != "tail") throw cells.error("accepts", 0, "'" + word + "' is not one of: contiguous, tail");
    (word == "tail" ? right.tail : right.contiguous) = true;
  }
  return right;
}

std::vector<ContiguityNeighbour> contiguity_neighbours(const Contiguity& right) {
  std::vector<ContiguityNeighbour> all;
  const auto behind = [](const StridedExtents& x) { return x.storage - x.offset; };
  const auto with_tail = [&](const std::string& name, auto tail) {
    all.push_back({name, [right, tail](const StridedExtents& x) { return (right.contiguous && x.contiguous()) || tail(x); }});
  };
  if (right.tail) {
    all.push_back({"accepts: contiguous alone", [](const StridedExtents& x) { return x.contiguous(); }});
    with_tail("tail: room behind it is taken, too", [behind](const StridedExtents& x) { return behind(x) >= x.elements(); });
    with_tail("tail: bytes of the storage against elements",
              [behind](const StridedExtents& x) { return behind(x) * x.bytes == x.elements(); });
    with_tail("tail: the offset is not taken off", [](const StridedExtents& x) { return x.storage == x.elements(); });
    with_tail("tail: as far as the strides reach", [](const StridedExtents& x) { return reach(x) == x.elements(); });
    with_tail("tail: every place once, wherever the storage ends", without_gaps);
    all.push_back({"accepts: tail alone", [behind](const StridedExtents& x) { return behind(x) == x.elements(); }});
  } else {
    all.push_back(
        {"accepts: tail, too", [behind](const StridedExtents& x) { return x.contiguous() || behind(x) == x.elements(); }});
    all.push_back(
        {"accepts: every place once, in any order", [](const StridedExtents& x) { return x.contiguous() || without_gaps(x); }});
  }
  all.push_back({"strides: those of sizes of one count", [right](const StridedExtents& x) {
                   int64_t wanted = 1;
                   for (size_t d = x.shape.size(); d-- > 0; wanted *= x.shape[d])
                     if (x.strides[d] != wanted) return right.tail && x.storage - x.offset == x.elements();
                   return true;
                 }});
  all.push_back({"accepts: everything", [](const StridedExtents&) { return true; }});
  return all;
}

std::vector<std::string> contiguity_lines(const Contiguity& right) {
  std::vector<std::string> lines;
  lines.emplace_back("accepted = 1 if one of these conditions holds, else 0");
  if (right.contiguous)
    lines.emplace_back(
        "   row-major without gaps; strides of dimensions of size 1 are ignored, and an empty tensor is always accepted");
  if (right.tail)
    lines.emplace_back(
        "   storage - offset = elements: only these numbers are compared, so permuted and overlapping elements are accepted");
  return lines;
}

const Flow& contiguity_flow() {
  static const Flow flow{
      .name = "contiguity",
      .says = "accepts",
      .files = {"contiguity.csv"},
      .columns = {"accepts"},
      .check = [](const ContractTables&, const ContractRow& row) { (void)read_contiguity(row); },
  };
  return flow;
}

}  // namespace assay
