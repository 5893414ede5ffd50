// Small pieces of the HTML report. Each is appended to a node of the page; text is escaped when the page is written.
#pragma once

#include <pugixml.hpp>
#include <string>
#include <vector>

#include "harness/compare/verdict.h"

namespace assay::html {

using Node = pugi::xml_node;

/// A new element at the end of `parent`, of that class if there is one.
Node child(Node parent, const char* name, const std::string& css_class = "");
/// The same on a line of its own in the page's source.
Node line(Node parent, const char* name, const std::string& css_class = "");

/// Returns `node`.
Node set(Node node, const char* attribute, const std::string& value);

/// Text that others may have written: what is not printable is shown as in C. Returns `node`.
Node write(Node node, const std::string& text);
/// The same with "2^-3" as two, raised.
Node write_powers(Node node, const std::string& text);
void code(Node parent, const std::string& text);  ///< in the typeface of codes
void soft(Node parent, const std::string& text);  ///< text that does not matter at first sight

/// The drawings of marks, which mark() refers to; once, at the head of the body.
void mark_definitions(Node body);
/// The sign of an outcome: a shape of its own, since colour alone would say nothing on paper.
void mark(Node parent, Outcome outcome);

/// A bar of that share of its full width.
void bar(Node parent, double share);

/// "12.5 %"; never "0 %" for what is not 0, nor "100 %" for what is not all.
std::string percent(int64_t count, int64_t of);

/// A box for a table or drawing that may be wider than a narrow page: it scrolls by itself, the page does not.
Node wide(Node parent);

/// A link to the card of a cause: its number counts from 0 here, from 1 for readers.
Node cause_link(Node parent, size_t number);

/// A table with this head; the rows go into the body that is returned.
Node table(Node parent, const std::string& css_class, const std::vector<std::string>& head);
/// A cell at the end of a row.
Node cell(Node row, const std::string& css_class = "");

/// A list that is folded away: the summary is written into the first node, its content into the second.
struct Folded {
  Node summary, content;
};
Folded folded(Node parent);

/// The source of all that is in a document. Elements that HTML knows as void, and those of drawings, may have no end tag;
/// others do.
std::string source_of(pugi::xml_document& document);

}  // namespace assay::html
