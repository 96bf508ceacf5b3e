#include "proxy/shard_group.hpp"

namespace steelyard::proxy {

std::shared_ptr<ShardGroup::Door> ShardGroup::enter(io::Loop& loop, RoomMaker& shard) {
  auto door = std::make_shared<Door>(&loop, &shard);
  const std::lock_guard hold(lock_);
  doors_.push_back(door);
  return door;
}

void ShardGroup::leave(const std::shared_ptr<Door>& door) {
  const std::lock_guard hold(lock_);
  std::erase(doors_, door);
  left_.add(door->cells);
  door->shard = nullptr;  // jobs already posted find nobody
}

void ShardGroup::ask_for_room(const balance::Member* member, const RoomMaker& caller) {
  const std::lock_guard hold(lock_);
  for (const auto& door : doors_) {
    if (door->shard == &caller) continue;
    door->loop->post([door, member] {
      if (door->shard != nullptr) door->shard->make_room(member);
    });
  }
}

std::uint64_t ShardGroup::busy_connections() {
  const std::lock_guard hold(lock_);
  std::uint64_t sum = 0;
  for (const auto& door : doors_) sum += door->busy_connections.load(std::memory_order_relaxed);
  return sum;
}

void ShardGroup::add_to(ShardCells& sum) {
  const std::lock_guard hold(lock_);
  sum.add(left_);
  for (const auto& door : doors_) sum.add(door->cells);
}

void ShardGroup::members_retired() {
  tallies.forget_retired();
  const std::lock_guard hold(lock_);
  for (const auto& door : doors_) {
    door->loop->post([door] {
      if (door->shard != nullptr) door->shard->drop_pools_of_retired();
    });
  }
}

}  // namespace steelyard::proxy
