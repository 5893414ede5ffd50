#include "suites/rulebook.h"

#include <memory>
#include <stdexcept>

#include "reference/table/near.h"

namespace assay {
namespace {
std::unique_ptr<Rulebook> open_book;
}

const Layout& Rulebook::layout(const std::string& id) const {
  std::vector<std::string> known;
  for (const Layout& layout : layouts) {
    if (layout.id == id) return layout;
    known.push_back(layout.id);
  }
  throw std::out_of_range("unknown layout '" + id + "'" + did_you_mean(id, known));
}

void open_rulebook(const std::string& root, const std::vector<std::string>& more_contracts) {
  auto book = std::make_unique<Rulebook>();
  book->contracts = ContractTables::load(root + "/reference/contracts");
  for (const std::string& file : more_contracts) book->contracts.add(file);
  book->layouts = load_layouts(root + "/reference/contracts/layouts.csv");
  open_book = std::move(book);
}

const Rulebook& rulebook() {
  if (!open_book) throw std::logic_error("no rulebook is open");
  return *open_book;
}

}  // namespace assay
