#include "apacheconf/methods.hpp"

#include <algorithm>

namespace steelyard::apacheconf {

namespace {

// What httpd knows without RegisterHttpMethod.
constexpr std::string_view known_methods[] = {
    "GET",        "HEAD",       "PUT",
    "POST",       "DELETE",     "CONNECT",
    "OPTIONS",    "TRACE",      "PATCH",
    "PROPFIND",   "PROPPATCH",  "MKCOL",
    "COPY",       "MOVE",       "LOCK",
    "UNLOCK",     "REPORT",     "VERSION-CONTROL",
    "CHECKOUT",   "CHECKIN",    "UPDATE",
    "LABEL",      "UNCHECKOUT", "MKWORKSPACE",
    "MKACTIVITY", "MERGE",      "BASELINE-CONTROL",
};

}  // namespace

bool is_known_method(Reading& reading, std::string_view name) {
  const std::vector<std::string>& registered = reading.part<RegisteredMethods>().names;
  return std::ranges::find(known_methods, name) != std::end(known_methods) ||
         std::ranges::find(registered, name) != registered.end();
}

void register_methods(Scope& scope, const Statement& statement) {
  auto& names = scope.reading.part<RegisteredMethods>().names;
  names.insert(names.end(), statement.words.begin(), statement.words.end());
}

}  // namespace steelyard::apacheconf
