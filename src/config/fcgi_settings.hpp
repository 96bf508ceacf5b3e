#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "balance/spec.hpp"
#include "expr/condition.hpp"
#include "expr/string_expression.hpp"

// What sections say about FastCGI members. Threads: immutable values.

namespace steelyard::config {

enum class FcgiBackend : std::uint8_t { fpm, generic };  // ProxyFCGIBackendType

// ProxyFCGISetEnvIf: where the condition holds, a variable gets the value, or goes.
struct FcgiVariable {
  expr::Condition condition;
  std::string name;
  std::shared_ptr<const expr::StringExpression> value;  // null: the variable goes
};

// SetHandler "proxy:URL", for what nothing else proxies: the URL and behind it the path of a file
// in DocumentRoot.
struct ProxyHandler {
  std::string url;             // "fcgi://localhost", "balancer://php"
  balance::MemberSpec member;  // of a URL that no balancer has
};

}  // namespace steelyard::config
