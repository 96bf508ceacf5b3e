#pragma once

#include <string>
#include <string_view>
#include <vector>

// The word rule of httpd's configuration files, for directives that split their own arguments too.
//
//   "a b" 'a b'   one word; \" (that quote) and \\ lose the backslash; text after the closing
//                 quote begins a new word; a missing closing quote ends with the line
//   a\\b          outside quotes only \\ is special; quotes inside a word are ordinary

namespace steelyard::apacheconf {

enum class Braces : std::uint8_t { ordinary, quote };  // quote: {a {b} c} is one word, braces gone

// Takes the next word off `rest`. False when only white space is left. An empty word is a word
// when it was quoted.
bool take_word(std::string_view& rest, std::string& word, Braces braces = Braces::ordinary);

std::vector<std::string> split_into_words(std::string_view text);

}  // namespace steelyard::apacheconf
