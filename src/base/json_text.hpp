#pragma once

#include <string>
#include <string_view>

// Text as JSON has it. Threads: pure.

namespace steelyard {

// Appends `text` as it stands between the quotes of a string (RFC 8259 7). Any bytes are taken:
// controls are escaped, those of Unicode's second block too, so that no terminal obeys them; what
// is not UTF-8 becomes U+FFFD, one for each longest piece that no character begins with
// (Unicode 3.9, U+FFFD Substitution).
void append_json_text(std::string_view text, std::string& out);
// With the quotes.
void append_json_string(std::string_view text, std::string& out);

}  // namespace steelyard
