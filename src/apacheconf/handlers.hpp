#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "apacheconf/scope.hpp"

// The handlers that SetHandler and RewriteRule's [H=] may name.

namespace steelyard::apacheconf {

// nullopt after a complaint or a warning, in which `line` stands for what was written.
std::optional<config::Responder> read_handler(Scope& scope, const std::string& line,
                                              const std::string& word);

// SetHandler "proxy:URL". Null after a complaint.
bool is_proxy_handler(std::string_view word);
std::shared_ptr<const config::ProxyHandler> read_proxy_handler(Scope& scope,
                                                               const std::string& word);

}  // namespace steelyard::apacheconf
