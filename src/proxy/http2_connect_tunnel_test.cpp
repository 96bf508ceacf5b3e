#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/http2_connect_test_world.hpp"

// The life of a tunnel that was asked for by CONNECT over HTTP/2 (RFC 9113 8.5): what both ends
// hear of each other, and how either hears of the other's end.

namespace steelyard::proxy {
namespace {

using testing::EndsWith;
using testing::StartsWith;
using Client = Http2TestClient;
using World = ConnectWorld;
using Tunnel = ConnectTunnel;

TEST(Http2ConnectTunnel, is_answered_with_200_and_nothing_that_frames_a_body) {
  Tunnel one;
  ASSERT_EQ(one.answer().heads.size(), 1u);
  ASSERT_EQ(one.answer().heads[0].size(), 2u);
  EXPECT_EQ(one.answer().heads[0][0], (std::pair<std::string, std::string>(":status", "200")));
  EXPECT_EQ(one.answer().heads[0][1].first, "proxy-agent");
  EXPECT_EQ(one.answer().body, "");
  EXPECT_FALSE(one.answer().ended);
  EXPECT_EQ(one.heard(), "");
}

TEST(Http2ConnectTunnel, carries_both_ways_until_both_ended) {
  Tunnel one;
  one.client.say(one.id, "ping", false);
  EXPECT_EQ(one.heard(), "ping");
  one.answer_with("pong");
  EXPECT_EQ(one.answer().body, "pong");
  one.client.say(one.id, "last", true);
  EXPECT_EQ(one.heard(), "last");
  EXPECT_TRUE(one.place().ended());
  EXPECT_FALSE(one.answer().ended);
  one.answer_with("words");
  one.close_place();
  EXPECT_EQ(one.answer().body, "pongwords");
  EXPECT_TRUE(one.answer().ended);
  EXPECT_FALSE(one.answer().reset.has_value());
  EXPECT_EQ(one.world.line(), "CONNECT far.test:443 HTTP/2.0|200|-|-");
}

TEST(Http2ConnectTunnel, a_place_that_is_done_is_told_at_once_and_hears_on) {
  Tunnel one;
  one.place().end_writing();
  one.world.loop.settle();
  one.client.talk();
  EXPECT_TRUE(one.answer().ended);
  one.client.say(one.id, "more", false);
  EXPECT_EQ(one.heard(), "more");
  one.client.say(one.id, "", true);
  EXPECT_TRUE(one.place().ended());
  EXPECT_FALSE(one.answer().reset.has_value());
}

TEST(Http2ConnectTunnel, a_client_that_had_said_all_with_its_head_ends_its_half) {
  World world;
  Client client(world);
  const auto id = client.ask(connect_to("far.test:443"));
  EXPECT_EQ(client[id].value(":status"), "200");
  EXPECT_TRUE(world.at("far.test:443").ended());
  world.say(world.at("far.test:443"), "all");
  world.at("far.test:443").end_writing();
  world.loop.settle();
  client.talk();
  EXPECT_EQ(client[id].body, "all");
  EXPECT_TRUE(client[id].ended);
}

TEST(Http2ConnectTunnel, what_is_said_with_the_head_follows_it_however_it_arrives) {
  for (const bool ends : {false, true}) {
    World world;
    Client client(world);
    const auto id = client.ask(connect_to("far.test:443"), true);
    client.raw(std::string("\0\0\x0b\0\x08\0\0\0\1\x05", 10).append("hello\0\0\0\0\0", 10));
    client.say(id, " there", ends);
    EXPECT_EQ(world.at("far.test:443").take_all(), "hello there");
    EXPECT_EQ(world.at("far.test:443").ended(), ends);
  }
}

TEST(Http2ConnectTunnel, streams_do_not_hear_each_other) {
  World world;
  Client client(world);
  const auto one = client.ask(connect_to("far.test:443"), true);
  const auto two = client.ask(connect_to("other.test:443"), true);
  const auto page = client.ask(Client::get("/a"));
  client.say(one, "1", false);
  client.say(two, "2", false);
  EXPECT_EQ(world.at("far.test:443").take_all(), "1");
  EXPECT_EQ(world.at("other.test:443").take_all(), "2");
  EXPECT_THAT(world.members[0].heard(), StartsWith("GET /a HTTP/1.1\r\n"));
  world.say(world.at("other.test:443"), "two");
  world.say(world.at("far.test:443"), "one");
  world.say(world.members[0].last(), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
  client.talk();
  EXPECT_EQ(client[one].body, "one");
  EXPECT_EQ(client[two].body, "two");
  EXPECT_EQ(client[page].body, "hi");
  client.reset(one);
  EXPECT_TRUE(world.at("far.test:443").ended());
  client.say(two, "3", false);
  EXPECT_EQ(world.at("other.test:443").take_all(), "3");
}

struct SlowPlace {
  explicit SlowPlace(World& world) {
    world.dialer.listen("slow.test:443",
                        [this](std::unique_ptr<io::SimStream> peer) { stream = std::move(peer); },
                        {.window_bytes = 10'000});
  }
  std::string hear_all(World& world) {
    std::string all;
    for (int i = 0; i < 60; ++i) {
      all += stream->take_all();
      world.loop.settle();
    }
    return all;
  }
  std::unique_ptr<io::SimStream> stream;
};

// The library is through with a stream when both halves ended; its last words may still be here.
TEST(Http2ConnectTunnel, what_was_said_before_both_halves_ended_arrives) {
  for (const bool place_ends_first : {false, true}) {
    World world;
    SlowPlace place(world);
    Client client(world);
    const auto id = client.ask(connect_to("slow.test:443"), true);
    const auto end_place = [&] {
      place.stream->end_writing();
      world.loop.settle();
      client.talk();
    };
    if (place_ends_first) end_place();
    for (int i = 0; i < 5; ++i) client.say(id, std::string(10'000, 'x'), false);
    client.say(id, "end", true);
    if (!place_ends_first) end_place();
    EXPECT_TRUE(client[id].ended);
    EXPECT_TRUE(world.log_.access_lines.empty());
    const std::string heard = place.hear_all(world);
    EXPECT_EQ(heard.size(), 50'003u);
    EXPECT_THAT(heard, EndsWith("end"));
    char byte = 0;
    EXPECT_EQ(place.stream->read({&byte, 1}).status, io::IoStatus::end);
    EXPECT_FALSE(client[id].reset.has_value());
    EXPECT_EQ(world.line(), "CONNECT slow.test:443 HTTP/2.0|200|-|-");
    // The connection goes on, with all of its window.
    EXPECT_EQ(client[client.ask(connect_to("far.test:443"), true)].value(":status"), "200");
  }
}

TEST(Http2ConnectTunnel, a_server_that_goes_waits_for_last_words) {
  World world;
  SlowPlace place(world);
  Client client(world);
  const auto id = client.ask(connect_to("slow.test:443"), true);
  world.shard->drain([] {});
  client.talk();
  EXPECT_EQ(client.goaway(), NGHTTP2_NO_ERROR);
  for (int i = 0; i < 5; ++i) client.say(id, std::string(10'000, 'x'), i == 4);
  place.stream->end_writing();
  world.loop.settle();
  client.talk();
  EXPECT_TRUE(client[id].ended);
  EXPECT_EQ(place.hear_all(world).size(), 50'000u);
  char byte = 0;
  EXPECT_EQ(place.stream->read({&byte, 1}).status, io::IoStatus::end);
  client.talk();
  EXPECT_TRUE(client.closed());
}

TEST(Http2ConnectTunnel,
     a_client_that_is_gone_before_its_last_words_arrived_resets_the_connection) {
  World world;
  SlowPlace place(world);
  {
    Client client(world);
    const auto id = client.ask(connect_to("slow.test:443"), true);
    place.stream->end_writing();
    world.loop.settle();
    for (int i = 0; i < 5; ++i) client.say(id, std::string(10'000, 'x'), i == 4);
  }
  world.loop.settle();
  char byte = 0;
  EXPECT_EQ(place.stream->read({&byte, 1}).status, io::IoStatus::failed);
  world.loop.advance(std::chrono::seconds(3));
  EXPECT_EQ(world.shard->connection_count(), 0u);
}

// Of a small payload.
std::string frame(int type, int flags, int id, const std::string& payload) {
  const std::string head{
      0, 0, static_cast<char>(payload.size()), static_cast<char>(type), static_cast<char>(flags),
      0, 0, static_cast<char>(id >> 8),        static_cast<char>(id)};
  return head + payload;
}

TEST(Http2ConnectTunnel, so_many_wait_for_their_last_words_and_no_more) {
  // Literals that no table keeps (RFC 7541 6.2.2).
  const std::string head = std::string(
                               "\0\x07:method\x07"
                               "CONNECT",
                               17) +
                           std::string(
                               "\0\x0a:authority\x0d"
                               "deaf.test:443",
                               26);
  World world;
  std::vector<std::unique_ptr<io::SimStream>> deaf;
  world.dialer.listen("deaf.test:443",
                      [&](std::unique_ptr<io::SimStream> peer) {
                        peer->end_writing();
                        deaf.push_back(std::move(peer));
                      },
                      {.window_bytes = 10});
  const auto client = world.connect();
  world.say(*client, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(NGHTTP2_SETTINGS, 0, 0, ""));
  for (int i = 0; i < 400; ++i) {
    const int id = 2 * i + 1;
    world.say(*client, frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, id, head));
    world.say(*client, frame(NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, id, std::string(20, 'x')));
    (void)client->take_all();
  }
  EXPECT_EQ(deaf.size(), 400u);
  char byte = 0;
  const auto is_reset = [&](const auto& each) {
    return each->read({&byte, 1}).status == io::IoStatus::failed;
  };
  // Twice H2MaxSessionStreams.
  EXPECT_EQ(deaf.size() - std::ranges::count_if(deaf, is_reset), 200u);
}

// RFC 9113 8.5.
TEST(Http2ConnectTunnel, a_broken_connection_is_told_as_a_reset) {
  Tunnel one;
  one.place().reset();
  one.close_place();
  EXPECT_EQ(one.answer().reset, NGHTTP2_CONNECT_ERROR);
  EXPECT_FALSE(one.answer().ended);
  EXPECT_FALSE(one.client.goaway().has_value());
}

TEST(Http2ConnectTunnel, a_reset_stream_resets_the_connection) {
  Tunnel one;
  one.client.reset(one.id);
  char byte = 0;
  EXPECT_EQ(one.place().read({&byte, 1}).status, io::IoStatus::failed);
  EXPECT_EQ(one.world.line(), "CONNECT far.test:443 HTTP/2.0|200|-|X");
}

TEST(Http2ConnectTunnel, a_client_that_is_gone_resets_the_connection) {
  World world;
  {
    Client client(world);
    client.ask(connect_to("far.test:443"), true);
  }
  world.loop.settle();
  char byte = 0;
  EXPECT_EQ(world.at("far.test:443").read({&byte, 1}).status, io::IoStatus::failed);
  world.loop.advance(std::chrono::seconds(3));
  EXPECT_EQ(world.shard->connection_count(), 0u);
}

TEST(Http2ConnectTunnel, one_that_is_idle_for_too_long_ends_in_order) {
  Tunnel one;
  one.world.loop.advance(std::chrono::seconds(9));
  one.client.say(one.id, "x", false);
  one.world.loop.advance(std::chrono::seconds(9));
  one.client.talk();
  EXPECT_FALSE(one.answer().ended);
  one.world.loop.advance(std::chrono::seconds(2));
  one.client.talk();
  EXPECT_TRUE(one.answer().ended);
  EXPECT_EQ(one.answer().reset, NGHTTP2_NO_ERROR);
  EXPECT_TRUE(one.place().ended());
  EXPECT_EQ(one.heard(), "x");
}

TEST(Http2ConnectTunnel, trailers_do_not_belong_on_a_tunnel) {
  Tunnel one;
  one.client.frame_of(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, one.id,
                      std::string("\0\1x\1y", 5));
  EXPECT_EQ(one.answer().reset, NGHTTP2_PROTOCOL_ERROR);
  char byte = 0;
  EXPECT_EQ(one.place().read({&byte, 1}).status, io::IoStatus::failed);
}

TEST(Http2ConnectTunnel, a_client_that_takes_nothing_holds_the_place_back) {
  World world;
  Client client(world, 1000);
  const auto id = client.ask(connect_to("far.test:443"), true);
  const std::string words(10'000, 'w');
  std::size_t said = 0;
  for (int i = 0; i < 100; ++i) {
    const std::string_view pieces[] = {words};
    said += world.at("far.test:443").write(pieces).bytes;
    client.talk();
  }
  EXPECT_LT(said, 600'000u);
  EXPECT_LE(client[id].body.size(), 1000u);
}

TEST(Http2ConnectTunnel, a_place_that_takes_nothing_holds_the_client_back) {
  World world;
  std::unique_ptr<io::SimStream> place;
  world.dialer.listen("slow.test:443",
                      [&place](std::unique_ptr<io::SimStream> peer) { place = std::move(peer); },
                      {.window_bytes = 10'000});
  Client client(world);
  const auto id = client.ask(connect_to("slow.test:443"), true);
  for (int i = 0; i < 6; ++i) client.say(id, std::string(10'000, 'x'), false);
  EXPECT_LT(nghttp2_session_get_stream_remote_window_size(client.session(), id), 65536);
  std::size_t heard = 0;
  for (int i = 0; i < 60 && heard < 60'000; ++i) {
    heard += place->take_all().size();
    client.talk();
  }
  EXPECT_EQ(heard, 60'000u);
  EXPECT_GT(nghttp2_session_get_stream_remote_window_size(client.session(), id), 65536);
}

TEST(Http2ConnectTunnel, more_than_the_window_is_a_mistake_even_before_the_answer) {
  World world;
  world.dialer.be_silent("mute.test:443");
  Client client(world);
  const auto id = client.ask(connect_to("mute.test:443"), true);
  for (int i = 0; i < 5; ++i) client.say(id, std::string(16384, 'x'), false);
  EXPECT_EQ(client[id].reset, NGHTTP2_FLOW_CONTROL_ERROR);
  EXPECT_EQ(world.line(), "CONNECT mute.test:443 HTTP/2.0|400|-|X");
}

// Of padding the windows are given back, or a long tunnel would come to a stop.
TEST(Http2ConnectTunnel, padding_uses_up_no_window) {
  Tunnel one;
  std::size_t heard = 0;
  for (int i = 0; i < 1000; ++i) {
    one.client.frame_of(NGHTTP2_DATA, NGHTTP2_FLAG_PADDED, one.id,
                        std::string("\xff") + "x" + std::string(255, '\0'));
    heard += one.heard().size();
  }
  EXPECT_EQ(heard, 1000u);
  EXPECT_FALSE(one.answer().reset.has_value());
  EXPECT_FALSE(one.client.goaway().has_value());
}

TEST(Http2ConnectTunnel, frames_of_nothing_but_padding_have_an_end) {
  Tunnel one;
  for (int i = 0; i < 1100; ++i)
    one.client.frame_of(NGHTTP2_DATA, NGHTTP2_FLAG_PADDED, one.id,
                        std::string(2, '\0').replace(0, 1, "\1"));
  EXPECT_EQ(one.client.goaway(), NGHTTP2_ENHANCE_YOUR_CALM);
}

TEST(Http2ConnectTunnel, a_server_that_goes_waits_for_it) {
  Tunnel one;
  one.world.shard->drain([] {});
  one.client.talk();
  EXPECT_EQ(one.client.goaway(), NGHTTP2_NO_ERROR);
  one.client.say(one.id, "still", false);
  EXPECT_EQ(one.heard(), "still");
  one.client.say(one.id, "", true);
  one.close_place();
  EXPECT_TRUE(one.answer().ended);
  EXPECT_TRUE(one.client.closed());
}

TEST(Http2ConnectTunnel, goes_on_through_a_reload_that_takes_the_right_away) {
  Tunnel one;
  one.world.forward.takes_requests.reset();
  one.world.renew();
  const auto id = one.client.ask(connect_to("far.test:443"), true);
  EXPECT_EQ(one.client[id].value(":status"), "405");
  one.client.say(one.id, "still", false);
  EXPECT_EQ(one.heard(), "still");
}

}  // namespace
}  // namespace steelyard::proxy
