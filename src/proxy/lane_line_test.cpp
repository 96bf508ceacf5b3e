#include "proxy/lane_line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/http2_test_member.hpp"

namespace steelyard::proxy {
namespace {

// An exchange that stands in the line.
struct Waiter {
  explicit Waiter(io::SimLoop& loop) : timer(loop.timers()) {}
  io::WaitTimer timer;
  bool woken = false;
  std::unique_ptr<BackendConnection> lane;
  io::Task<> task;
};

io::Task<> stand(LaneLine& line, LaneLine::Place place, Waiter& waiter) {
  io::Wait wait(waiter.timer, never);
  LaneLine::Stay stay(line, std::move(place), wait);
  co_await wait.called();
  waiter.woken = true;
  waiter.lane = stay.take_lane();
}

LaneLine::Place with_a_body() {
  LaneLine::Place place;
  place.sends_body = true;
  return place;
}

LaneLine::Place who_may_dial() {
  LaneLine::Place place;
  place.may_dial = true;
  return place;
}

class LineForLanes : public testing::Test {
 protected:
  void TearDown() override { waiters.clear(); }

  std::shared_ptr<Http2Carrier> connect(std::uint32_t streams_max) {
    member.streams_max = streams_max;
    io::SimPair pair = io::connect_pair(loop);
    member.open(std::move(pair.peer));
    auto connection = std::make_unique<BackendConnection>();
    connection->stream = std::move(pair.program);
    auto carrier = Http2Carrier::begin(std::move(connection), loop);
    member.talk_until_quiet();
    return carrier;
  }
  Waiter& join(LaneLine::Place place = {}) {
    if (!place.may_dial) place.gate = gate;
    place.loop = &loop;
    waiters.push_back(std::make_unique<Waiter>(loop));
    Waiter& waiter = *waiters.back();
    waiter.task = stand(line, std::move(place), waiter);
    waiter.task.start();
    return waiter;
  }
  void look_again(const Http2Carrier& carrier) {
    line.look_again([&carrier](const LaneLine::Place& place) { return place.fits(carrier); });
  }
  // All of the window of the connection, for a body that the member does not read.
  static void use_up_window(Http2Lane& lane) {
    http::FieldList head;
    for (const auto& [name, value] : {std::pair{":method", "POST"}, std::pair{":scheme", "http"},
                                      std::pair{":authority", "x"}, std::pair{":path", "/"}})
      head.add(name, value);
    lane.ask(head, false);
    const std::string filler(16'384, 'x');
    const std::string_view pieces[] = {filler};
    for (int i = 0; i < 5; ++i) lane.write(pieces);
  }

  io::SimLoop loop;
  io::SimDialer dialer{loop};
  Http2TestMember member{loop, dialer, "m1:80"};
  std::shared_ptr<ConnectionGate> gate = std::make_shared<ConnectionGate>(1);
  LaneLine line;
  std::vector<std::unique_ptr<Waiter>> waiters;
};

TEST_F(LineForLanes, who_came_first_is_served_first_and_woken_later) {
  const auto carrier = connect(2);
  const Waiter &first = join(), &second = join(), &third = join();
  line.hand_out(carrier);
  EXPECT_FALSE(first.woken);
  EXPECT_FALSE(carrier->takes_more(false));  // whoever comes now gets nothing of theirs
  loop.settle();
  EXPECT_NE(first.lane, nullptr);
  EXPECT_NE(second.lane, nullptr);
  EXPECT_FALSE(third.woken);
}

TEST_F(LineForLanes, the_lane_of_one_who_leaves_before_it_wakes_is_free_again) {
  const auto carrier = connect(1);
  join();
  line.hand_out(carrier);
  waiters.clear();
  loop.settle();
  EXPECT_TRUE(carrier->rests());
  const Waiter& next = join();
  line.hand_out(carrier);
  loop.settle();
  EXPECT_NE(next.lane, nullptr);
}

TEST_F(LineForLanes, who_has_a_body_is_passed_over_while_there_is_no_window) {
  const auto carrier = connect(5);
  const auto upload = lane_on(carrier);
  use_up_window(static_cast<Http2Lane&>(*upload->stream));
  const Waiter &with_body = join(with_a_body()), &without = join();
  line.hand_out(carrier);
  loop.settle();
  EXPECT_FALSE(with_body.woken);
  EXPECT_NE(without.lane, nullptr);
  member.talk_until_quiet();  // it reads
  line.hand_out(carrier);
  loop.settle();
  EXPECT_NE(with_body.lane, nullptr);
}

TEST_F(LineForLanes, a_connection_for_another_host_is_nothing_for_who_speaks_tls) {
  const auto plain = connect(5);
  const int other_host = 0;
  LaneLine::Place place;
  place.wish.context = reinterpret_cast<const tls::ClientContext*>(&other_host);
  const Waiter &waiter = join(std::move(place)), &other = join();
  look_again(*plain);
  EXPECT_EQ(gate->helped(), 1u);
  line.hand_out(plain);
  loop.settle();
  EXPECT_FALSE(waiter.woken);
  EXPECT_NE(other.lane, nullptr);
}

TEST_F(LineForLanes, only_who_may_dial_is_called_to_do_so_and_the_first_is_called_first) {
  const Waiter &slot = join(), &first = join(who_may_dial()), &second = join(who_may_dial());
  EXPECT_EQ(line.possible_dials(), 2u);
  line.call_all_but(1);
  line.call_all_but(1);
  loop.settle();
  EXPECT_TRUE(first.woken);
  EXPECT_EQ(first.lane, nullptr);
  EXPECT_FALSE(second.woken || slot.woken);
  line.call_all_but(0);
  loop.settle();
  EXPECT_TRUE(second.woken);
  EXPECT_FALSE(slot.woken);
}

// They are in the gate's queue so long.
TEST_F(LineForLanes, who_waits_for_a_slot_counts_as_helped_until_he_knows_of_his_lane) {
  const auto carrier = connect(1);
  join(who_may_dial());
  const Waiter& slot = join();
  EXPECT_EQ(gate->helped(), 0u);
  look_again(*carrier);
  look_again(*carrier);
  EXPECT_EQ(gate->helped(), 1u);
  waiters.erase(waiters.begin());
  line.hand_out(carrier);
  EXPECT_EQ(gate->helped(), 1u);
  loop.settle();
  EXPECT_NE(slot.lane, nullptr);
  EXPECT_EQ(gate->helped(), 0u);
}

TEST_F(LineForLanes, nobody_is_helped_by_a_connection_that_is_gone) {
  const auto carrier = connect(1);
  join();
  look_again(*carrier);
  EXPECT_EQ(gate->helped(), 1u);
  line.look_again([](const LaneLine::Place&) { return false; });
  EXPECT_EQ(gate->helped(), 0u);
}

}  // namespace
}  // namespace steelyard::proxy
