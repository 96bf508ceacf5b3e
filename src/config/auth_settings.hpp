#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "expr/string_expression.hpp"

// How users are asked who they are: AuthType and its relatives (mod_authn_core, mod_auth_basic,
// mod_authn_file, mod_authz_groupfile). Of each the innermost section that says it counts.

namespace steelyard::config {

enum class AuthType : std::uint8_t { none, basic };

struct AuthSettings {
  // AuthBasicFake: what members are told instead of what the client said.
  struct FakeLogin {
    bool is_on = false;
    expr::StringExpression user{}, password{};
  };

  std::optional<AuthType> type{};
  std::optional<expr::StringExpression> realm{};  // AuthName
  std::optional<std::string> user_file{}, group_file{};
  std::optional<bool> is_authoritative{};    // AuthBasicAuthoritative; nullopt: On
  std::optional<bool> forbids_on_failure{};  // AuthzSendForbiddenOnFailure; nullopt: Off
  std::optional<FakeLogin> fake{};

  bool is_basic() const { return type == AuthType::basic; }
};

// Either may be null.
std::shared_ptr<const AuthSettings> merge(const std::shared_ptr<const AuthSettings>& outer,
                                          const std::shared_ptr<const AuthSettings>& inner);

}  // namespace steelyard::config
