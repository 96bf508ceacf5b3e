#include "config/auth_settings.hpp"

namespace steelyard::config {

std::shared_ptr<const AuthSettings> merge(const std::shared_ptr<const AuthSettings>& outer,
                                          const std::shared_ptr<const AuthSettings>& inner) {
  if (outer == nullptr) return inner;
  if (inner == nullptr) return outer;
  auto merged = std::make_shared<AuthSettings>(*outer);
  const auto take = [](auto& to, const auto& from) {
    if (from) to = from;
  };
  take(merged->type, inner->type);
  take(merged->realm, inner->realm);
  take(merged->user_file, inner->user_file);
  take(merged->group_file, inner->group_file);
  take(merged->is_authoritative, inner->is_authoritative);
  take(merged->forbids_on_failure, inner->forbids_on_failure);
  take(merged->fake, inner->fake);
  return merged;
}

}  // namespace steelyard::config
