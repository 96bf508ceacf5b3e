#pragma once

#include "apacheconf/directive.hpp"

// The handlers of mod_proxy's directives that need more than a line or two; proxy_directives.cpp
// names them in its table.

namespace steelyard::apacheconf {

void handle_proxy_pass(Scope& scope, const Statement& statement);
void handle_proxy_pass_match(Scope& scope, const Statement& statement);
void handle_proxy_pass_reverse(Scope& scope, const Statement& statement);
void handle_balancer_member(Scope& scope, const Statement& statement);
void handle_proxy_set(Scope& scope, const Statement& statement);
void handle_proxy_error_override(Scope& scope, const Statement& statement);

// <Proxy URL key=value ...>: after its lines, its frame still open.
void finish_proxy_section(Scope& scope);

}  // namespace steelyard::apacheconf
