#pragma once

#include <optional>
#include <string>

#include "apacheconf/scope.hpp"

// The handlers that SetHandler and RewriteRule's [H=] may name.

namespace steelyard::apacheconf {

// nullopt after a complaint or a warning, in which `line` stands for what was written.
std::optional<config::Responder> read_handler(Scope& scope, const std::string& line,
                                              const std::string& word);

}  // namespace steelyard::apacheconf
