#pragma once

#include <string>
#include <string_view>

// What editors, web pages and other systems put into a configuration and nobody sees: byte order
// marks, no-break spaces, curly quotes, the mark that ends a text under DOS.

namespace steelyard::apacheconf {

// What is odd about the text and what to do; empty: nothing is.
std::string odd_characters(std::string_view text);

// The text with what a terminal does not show as \xHH, as httpd writes it in its messages.
std::string with_odd_characters_shown(std::string_view text);

}  // namespace steelyard::apacheconf
