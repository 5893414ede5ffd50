// The place in a library where it threw the exception whose text it returns as the message of a call.
#pragma once

#include <string>

namespace assay {

/// Forgets the exceptions of earlier calls.
void forget_throws();

/// Adds ", thrown in libmine.so+0x11a9 <- +0x88" to the message of a call if it contains the text of an exception that the
/// library threw since forget_throws(). Needs answer_where_you_are(), so it adds nothing outside of workers.
std::string with_place_of_throw(const std::string& message);

/// Replaces that place by source lines: ", thrown at mine.h:12, called from mine.cpp:40; function scale(int)". Removes it if
/// addr2line finds no line.
std::string with_lines_of_throw(const std::string& message, const std::string& library);

}  // namespace assay
