#include "proxy/server_variable.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "expr/variables.hpp"

namespace steelyard::proxy {

namespace {

// The names that mod_ssl shares with expressions (seen on 2.4.71), apart from those of the time.
constexpr std::string_view shared_names[] = {
    "HTTP_USER_AGENT",       "HTTP_REFERER",    "HTTP_COOKIE",
    "HTTP_FORWARDED",        "HTTP_HOST",       "HTTP_ACCEPT",
    "HTTP_PROXY_CONNECTION", "THE_REQUEST",     "REQUEST_FILENAME",
    "REQUEST_METHOD",        "REQUEST_SCHEME",  "REQUEST_URI",
    "SCRIPT_FILENAME",       "QUERY_STRING",    "IS_SUBREQ",
    "DOCUMENT_ROOT",         "SERVER_ADMIN",    "SERVER_NAME",
    "SERVER_PROTOCOL",       "SERVER_SOFTWARE", "REMOTE_HOST",
    "REMOTE_ADDR",           "API_VERSION",     "TIME",
};

bool is_shared(std::string_view name) {
  if (starts_with_ignoring_case(name, "TIME_")) return true;
  return std::ranges::any_of(
      shared_names, [name](std::string_view known) { return equals_ignoring_case(known, name); });
}

}  // namespace

std::optional<std::string_view> server_variable(const Exchange& x, std::string_view name) {
  constexpr std::string_view field_mark = "HTTP:", environment_mark = "ENV:";
  const auto& modules = x.generation->config().modules;
  if (std::ranges::find(modules, "ssl_module") == modules.end()) return std::nullopt;
  if (starts_with_ignoring_case(name, field_mark))
    return x.request_header(name.substr(field_mark.size()));
  if (starts_with_ignoring_case(name, environment_mark))
    return x.variable(name.substr(environment_mark.size()));
  if (equals_ignoring_case(name, "SERVER_PORT")) return x.arena.decimal(x.public_port());
  if (!is_shared(name)) return std::nullopt;
  const expr::Variable* const known = expr::find_variable(name);
  if (known == nullptr || known->read == nullptr) return std::nullopt;
  expr::Evaluation evaluation{x, x.arena};
  return known->read(evaluation);
}

}  // namespace steelyard::proxy
