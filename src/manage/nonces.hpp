// The secrets that a form of the balancer-manager must know: one for each balancer, made when it is
// first asked for and kept as long as the balancer, over reloads too.
//
// Threads: one.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "balance/balancer.hpp"

namespace steelyard::manage {

class Nonces {
 public:
  const std::string& of(const std::shared_ptr<const balance::Balancer>& balancer);
  void forget_the_gone();

 private:
  using Key = std::weak_ptr<const balance::Balancer>;
  std::map<Key, std::string, std::owner_less<>> known_;
};

// 122 random bits in the form of a UUID.
[[nodiscard]] std::string random_uuid();

// In a time that does not tell how much of it is right.
[[nodiscard]] bool is_same_secret(std::string_view a, std::string_view b);

}  // namespace steelyard::manage
