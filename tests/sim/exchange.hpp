// One request in a world. For the world's own sources.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "balance/waiting_line.hpp"
#include "world.hpp"

namespace steelyard::sim {

struct World::Exchange {
  std::uint64_t number = 0;
  double arrived = 0;
  double asked = 0;  // when its member got it
  std::string key;
  std::size_t client = 0;
  std::string tag;  // of the client's session
  bool is_replayable = true;

  int attempts = 1;
  std::vector<balance::Lease> leases;
  std::vector<balance::MemberRef> tried;
  bool lines_up = false;  // the balancer has a line
  bool used_up = false;   // the attempts are, and only the line is left

  // Once it stood in the line.
  std::unique_ptr<balance::WaitingLine::Place> place;
  std::uint64_t ticket = 0;
  Instant deadline = never;
  Instant not_before{};  // it asks
  double stood_since = 0;
  bool comes_back = false;
  bool is_over = false;  // its time
  bool is_asleep = false;
  std::uint64_t sleeps = 0;
};

}  // namespace steelyard::sim
