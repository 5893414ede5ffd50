// Helpers to build the HTML report. Each appends to a node; text is escaped when the page is written.
#pragma once

#include <pugixml.hpp>
#include <string>
#include <vector>

#include "harness/compare/verdict.h"

namespace assay::html {

using Node = pugi::xml_node;

/// Appends an element, with a CSS class if given.
Node child(Node parent, const char* name, const std::string& css_class = "");
/// As child(), on a line of its own in the HTML source.
Node line(Node parent, const char* name, const std::string& css_class = "");

/// Returns `node`.
Node set(Node node, const char* attribute, const std::string& value);

/// Appends text that may come from a library: unprintable characters are escaped as in C. Returns `node`.
Node write(Node node, const std::string& text);
/// As write(), with the exponent of "2^-3" as a superscript.
Node write_powers(Node node, const std::string& text);
void code(Node parent, const std::string& text);  ///< monospaced
void soft(Node parent, const std::string& text);  ///< de-emphasized

/// Gives a node the meaning of a word of the glossary as its tooltip; nothing for other words. Returns `node`.
Node explained(Node node, const std::string& word);

/// Defines the drawings that mark() refers to. Call it once, at the beginning of the body.
void mark_definitions(Node body);
/// The symbol of an outcome. Symbols differ in shape, so that they can be told apart without colour.
void mark(Node parent, Outcome outcome);

/// A bar; `share` is the filled part, from 0 to 1.
void bar(Node parent, double share);

/// "12.5 %"; "0 %" only for zero and "100 %" only for all.
std::string percent(int64_t count, int64_t of);

/// A container for a wide table or drawing: it scrolls by itself, the page does not.
Node wide(Node parent);

/// A link to a cause's card. `number` counts from 0; readers see it from 1.
Node cause_link(Node parent, size_t number);

/// A table with this head. Returns its body.
Node table(Node parent, const std::string& css_class, const std::vector<std::string>& head);
/// Appends a cell to a row.
Node cell(Node row, const std::string& css_class = "");

/// A collapsed list: write the title into `summary` and the content into `content`.
struct Folded {
  Node summary, content;
};
Folded folded(Node parent);

/// Begins a page: document type, head with our style sheet and `style` behind it, and an empty body, which is returned.
Node begin_page(pugi::xml_document& document, const std::string& title, const std::string& style = "");

/// The HTML source of a document. Void elements and SVG elements may lack an end tag; all others have one.
std::string source_of(pugi::xml_document& document);

// Style sheet of the HTML report.

extern const char* const kStyle;

}  // namespace assay::html
