// Text into HTML. Whatever came from outside goes through html_escape, so no page of ours can be
// made to carry markup. Threads: pure.
#pragma once

#include <string>
#include <string_view>

namespace steelyard::http {

// Appends with & < > " as entities, the four that httpd escapes.
void html_escape(std::string& out, std::string_view text);

}  // namespace steelyard::http
