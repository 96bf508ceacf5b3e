// What a program keeps over a restart of what it shares: what the store had when it was last heard
// of, and orders that are not shared yet. As text, for a file.
//
// Pure.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/ledger.hpp"

namespace steelyard::cluster {

struct Kept {
  std::string store;  // which one: its address and prefix; another one's is of no use
  std::vector<Sight> known{};
  std::vector<Order> unshared{};
};

// By the prefix, and by having one address in common: members of an etcd come and go, and may be
// written in any order, with the usual port or without.
[[nodiscard]] bool is_same_store(std::string_view a, std::string_view b);

[[nodiscard]] std::string kept_text(const Kept& kept);
// The error says what is wrong with the text.
std::expected<Kept, std::string> read_kept(std::string_view text);

}  // namespace steelyard::cluster
