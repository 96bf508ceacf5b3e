#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/forward_proxy.hpp"
#include "proxy/http2_test_client.hpp"

// CONNECT over HTTP/2 (RFC 9113 8.5) on the simulated network: whom it leads to and whom never,
// what both ends hear of each other, and how either hears of the other's end.

namespace steelyard::proxy {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using Client = Http2TestClient;

struct World : TestWorld {
  World() : TestWorld(1) {
    forward.takes_requests = config::Place{};
    renew();
    for (const char* const place : {"far.test:443", "other.test:443", "proxy.test:3128"}) {
      dialer.listen(place, [this, place](std::unique_ptr<io::SimStream> peer) {
        places[place].push_back(std::move(peer));
      });
    }
  }
  void renew() {
    auto config = make_config(1, {});
    config::Server& server = *config->servers[0];
    server.client.protocols.add(config::ClientProtocol::h2c);
    server.client.timeout = std::chrono::seconds(10);
    server.proxy.timeout = std::chrono::seconds(10);
    server.client.http2.window_bytes = window_bytes;
    server.proxy.forward = std::make_shared<const config::ForwardProxy>(forward);
    server.proxy.blocked_hosts = {"blocked"};
    config->modules = modules;
    config->listens.push_back({.ip = {}, .port = 9000, .place = {}});
    adopt(std::move(config));
  }
  void ask_remote(const std::string& authorization = "") {
    config::RemoteProxy remote;
    remote.match = "*";
    remote.host = "proxy.test";
    remote.port = 3128;
    remote.authorization = authorization;
    forward.remotes.push_back(std::move(remote));
    renew();
  }
  bool was_asked(const std::string& place) const { return places.contains(place); }
  io::SimStream& at(const std::string& place) { return *places.at(place).back(); }
  const std::string& line(std::size_t i = 0) { return log_.access_lines.at(i); }

  config::ForwardProxy forward;
  std::vector<std::string> modules{"proxy_connect_module"};
  std::uint32_t window_bytes = 65535;
  std::map<std::string, std::vector<std::unique_ptr<io::SimStream>>> places;
};

Client::Fields connect_to(const std::string& place, const Client::Fields& more = {}) {
  Client::Fields fields{{":method", "CONNECT"}, {":authority", place}};
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

struct Tunnel {
  World world;
  Client client{world};
  std::int32_t id = client.ask(connect_to("far.test:443"), true);
  Http2TestAnswers::Answer& answer() { return client[id]; }
  io::SimStream& place() { return world.at("far.test:443"); }
  std::string heard() { return place().take_all(); }
  void answer_with(std::string_view text) {
    world.say(place(), text);
    client.talk();
  }
  void close_place() {
    world.places.clear();
    world.loop.settle();
    client.talk();
  }
};

TEST(Http2Connect, is_answered_with_200_and_nothing_that_frames_a_body) {
  Tunnel one;
  ASSERT_EQ(one.answer().heads.size(), 1u);
  ASSERT_EQ(one.answer().heads[0].size(), 2u);
  EXPECT_EQ(one.answer().heads[0][0], (std::pair<std::string, std::string>(":status", "200")));
  EXPECT_EQ(one.answer().heads[0][1].first, "proxy-agent");
  EXPECT_EQ(one.answer().body, "");
  EXPECT_FALSE(one.answer().ended);
  EXPECT_EQ(one.heard(), "");
}

TEST(Http2Connect, carries_both_ways_until_both_ended) {
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

TEST(Http2Connect, a_place_that_is_done_is_told_at_once_and_hears_on) {
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

TEST(Http2Connect, a_client_that_had_said_all_with_its_head_ends_its_half) {
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

TEST(Http2Connect, what_is_said_with_the_head_follows_it_however_it_arrives) {
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

TEST(Http2Connect, streams_do_not_hear_each_other) {
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
TEST(Http2Connect, what_was_said_before_both_halves_ended_arrives) {
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

TEST(Http2Connect, a_server_that_goes_waits_for_last_words) {
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

TEST(Http2Connect, a_client_that_is_gone_before_its_last_words_arrived_resets_the_connection) {
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

TEST(Http2Connect, so_many_wait_for_their_last_words_and_no_more) {
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
TEST(Http2Connect, a_broken_connection_is_told_as_a_reset) {
  Tunnel one;
  one.place().reset();
  one.close_place();
  EXPECT_EQ(one.answer().reset, NGHTTP2_CONNECT_ERROR);
  EXPECT_FALSE(one.answer().ended);
  EXPECT_FALSE(one.client.goaway().has_value());
}

TEST(Http2Connect, a_reset_stream_resets_the_connection) {
  Tunnel one;
  one.client.reset(one.id);
  char byte = 0;
  EXPECT_EQ(one.place().read({&byte, 1}).status, io::IoStatus::failed);
  EXPECT_EQ(one.world.line(), "CONNECT far.test:443 HTTP/2.0|200|-|X");
}

TEST(Http2Connect, a_client_that_is_gone_resets_the_connection) {
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

TEST(Http2Connect, one_that_is_idle_for_too_long_ends_in_order) {
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

TEST(Http2Connect, trailers_do_not_belong_on_a_tunnel) {
  Tunnel one;
  one.client.frame_of(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, one.id,
                      std::string("\0\1x\1y", 5));
  EXPECT_EQ(one.answer().reset, NGHTTP2_PROTOCOL_ERROR);
  char byte = 0;
  EXPECT_EQ(one.place().read({&byte, 1}).status, io::IoStatus::failed);
}

TEST(Http2Connect, a_client_that_takes_nothing_holds_the_place_back) {
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

TEST(Http2Connect, a_place_that_takes_nothing_holds_the_client_back) {
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

TEST(Http2Connect, more_than_the_window_is_a_mistake_even_before_the_answer) {
  World world;
  world.dialer.be_silent("mute.test:443");
  Client client(world);
  const auto id = client.ask(connect_to("mute.test:443"), true);
  for (int i = 0; i < 5; ++i) client.say(id, std::string(16384, 'x'), false);
  EXPECT_EQ(client[id].reset, NGHTTP2_FLOW_CONTROL_ERROR);
  EXPECT_EQ(world.line(), "CONNECT mute.test:443 HTTP/2.0|400|-|X");
}

// Of padding the windows are given back, or a long tunnel would come to a stop.
TEST(Http2Connect, padding_uses_up_no_window) {
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

TEST(Http2Connect, frames_of_nothing_but_padding_have_an_end) {
  Tunnel one;
  for (int i = 0; i < 1100; ++i)
    one.client.frame_of(NGHTTP2_DATA, NGHTTP2_FLAG_PADDED, one.id,
                        std::string(2, '\0').replace(0, 1, "\1"));
  EXPECT_EQ(one.client.goaway(), NGHTTP2_ENHANCE_YOUR_CALM);
}

TEST(Http2Connect, leads_to_allowed_ports_and_places_alone) {
  World world;
  Client client(world);
  for (const std::string place : {"far.test:80", "far.test:444", "blocked.test:443"}) {
    const auto id = client.ask(connect_to(place), true);
    EXPECT_EQ(client[id].value(":status"), "403") << place;
    EXPECT_THAT(client[id].body, HasSubstr("Connect to remote machine blocked"));
    EXPECT_TRUE(client[id].ended);
    // It would wait for its tunnel's end.
    EXPECT_EQ(client[id].reset, NGHTTP2_NO_ERROR);
  }
  EXPECT_EQ(world.dialer.dials(), 0u);
  EXPECT_THAT(world.line(), StartsWith("CONNECT far.test:80 HTTP/2.0|403|"));
}

TEST(Http2Connect, what_the_client_says_to_a_place_it_does_not_get_goes_nowhere) {
  World world;
  Client client(world);
  const auto id = client.ask(connect_to("far.test:444"), true);
  client.say(id, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", true);
  EXPECT_EQ(client[id].value(":status"), "403");
  EXPECT_EQ(world.dialer.dials(), 0u);
  EXPECT_TRUE(world.members[0].connections.empty());
}

TEST(Http2Connect, without_ProxyRequests_it_is_a_method_that_nobody_has) {
  World world;
  world.forward.takes_requests.reset();
  world.renew();
  Client client(world);
  for (const std::string place : {"far.test:443", "lb.test:443", "m1:80", "lb.test:80"}) {
    const auto id = client.ask(connect_to(place), true);
    EXPECT_EQ(client[id].value(":status"), "405") << place;
    EXPECT_TRUE(client[id].ended);
  }
  EXPECT_EQ(world.dialer.dials(), 0u);
}

TEST(Http2Connect, without_its_module_it_is_an_error) {
  World world;
  world.modules.clear();
  world.renew();
  Client client(world);
  const auto id = client.ask(connect_to("far.test:443"), true);
  EXPECT_EQ(client[id].value(":status"), "500");
  EXPECT_EQ(world.dialer.dials(), 0u);
}

TEST(Http2Connect, what_only_looks_like_a_place_is_refused) {
  World world;
  Client client(world);
  for (const std::string place : {"far.test", "far.test:0", "far.test:65979", "a@far.test:443",
                                  "far.test:443@x.test:1", ":443", "[::1:443", "*"}) {
    const auto id = client.ask(connect_to(place), true);
    EXPECT_EQ(client[id].value(":status"), "400") << place;
    EXPECT_TRUE(client[id].ended) << place;
  }
  EXPECT_EQ(world.dialer.dials(), 0u);
}

TEST(Http2Connect, a_path_makes_it_malformed) {
  for (const Client::Fields& more :
       {Client::Fields{{":path", "/"}}, Client::Fields{{":scheme", "http"}},
        Client::Fields{{":scheme", "http"}, {":path", "/"}}}) {
    World world;
    Client client(world);
    Client::Fields fields = connect_to("far.test:443");
    fields.insert(fields.end(), more.begin(), more.end());
    const auto id = client.ask(fields, true);
    EXPECT_EQ(client[id].reset, NGHTTP2_PROTOCOL_ERROR) << more.size();
    EXPECT_EQ(world.dialer.dials(), 0u);
  }
}

TEST(Http2Connect, does_not_lead_back_to_this_server) {
  World world;
  world.forward.connect_ports = {{1, 65535}};
  world.renew();
  world.dialer.listen("127.0.0.1:9000", [](std::unique_ptr<io::SimStream>) {});
  Client client(world);
  const auto id = client.ask(connect_to("127.0.0.1:9000"), true);
  EXPECT_EQ(client[id].value(":status"), "403");
}

TEST(Http2Connect, to_nobody_is_told) {
  World world;
  world.dialer.refuse("far.test:443");
  Client client(world);
  const auto id = client.ask(connect_to("far.test:443"), true);
  EXPECT_EQ(client[id].value(":status"), "503");
  EXPECT_TRUE(client[id].ended);
}

// Whose stream is no tunnel must not be told of success, whatever page it gets.
TEST(Http2Connect, no_page_of_ours_is_a_tunnel) {
  World world;
  Client client(world);
  auto config = TestWorld::make_config(1, {});
  config::Server& server = *config->servers[0];
  server.client.protocols.add(config::ClientProtocol::h2c);
  server.proxy.forward = std::make_shared<const config::ForwardProxy>(world.forward);
  config->modules = world.modules;
  server.defaults.error_documents[403] = {config::ErrorDocument::Kind::local_path, "/why"};
  world.adopt(std::move(config));
  const auto id = client.ask(connect_to("far.test:444"), true);
  EXPECT_THAT(world.members[0].heard(), StartsWith("GET /why HTTP/1.1\r\n"));
  world.say(world.members[0].last(), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
  client.talk();
  EXPECT_EQ(client[id].value(":status"), "403");
  EXPECT_THAT(client[id].body, Not(HasSubstr("hi\n")));
  EXPECT_TRUE(client[id].ended);
}

TEST(Http2Connect, through_another_proxy_it_is_that_ones_to_grant) {
  for (const bool byte_by_byte : {false, true}) {
    World world;
    world.ask_remote("Basic eDp5");
    Client client(world);
    const auto id = client.ask(connect_to("far.test:443", {{"x-a", "1"}}), true);
    client.say(id, "hello", false);
    EXPECT_THAT(world.at("proxy.test:3128").take_all(),
                AllOf(StartsWith("CONNECT far.test:443 HTTP/1.0\r\n"
                                 "Proxy-Authorization: Basic eDp5\r\nProxy-agent: "),
                      EndsWith("\r\n\r\n"), Not(HasSubstr("X-A"))));
    EXPECT_TRUE(client[id].heads.empty());
    world.say(
        world.at("proxy.test:3128"),
        "HTTP/1.1 200 Yes\r\nX-B: 2\r\nContent-Length: 5\r\nConnection: x-c\r\nX-C: 3\r\n\r\nfirst",
        byte_by_byte);
    client.talk();
    ASSERT_EQ(client[id].heads.size(), 1u);
    EXPECT_EQ(client[id].heads[0], (Client::Fields{{":status", "200"}, {"x-b", "2"}}));
    EXPECT_EQ(client[id].body, "first");
    EXPECT_FALSE(client[id].ended);
    EXPECT_EQ(world.at("proxy.test:3128").take_all(), "hello");
    EXPECT_FALSE(world.was_asked("far.test:443"));
  }
}

TEST(Http2Connect, what_another_proxy_refuses_stays_refused) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno", "403"},
      {"HTTP/1.0 503 No\r\n\r\n", "503"},
      // It is ProxyRemote that lets us in there, and not the client.
      {"HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=x\r\n\r\n", "502"},
      {"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=x\r\n\r\n", "502"},
      {"HTTP/1.1 301 There\r\nLocation: x\r\n\r\n", "502"},
      {"HTTP/1.1 101 Switching Protocols\r\n\r\n", "502"},
      {"HTTP/1.1 100 Continue\r\n\r\n", "502"},
      {"SSH-2.0-x\r\n", "502"},
      {"HTTP/1.1 200 Yes\r\nX: " + std::string(20'000, 'x'), "502"},
  };
  for (const auto& [said, status] : cases) {
    World world;
    world.ask_remote();
    Client client(world);
    const auto id = client.ask(connect_to("far.test:443"), true);
    client.say(id, "hello", false);
    EXPECT_THAT(world.at("proxy.test:3128").take_all(), EndsWith("\r\n\r\n"));
    world.say(world.at("proxy.test:3128"), said);
    client.talk();
    EXPECT_EQ(client[id].value(":status"), status) << said;
    EXPECT_EQ(client[id].value("proxy-authenticate"), "");
    EXPECT_TRUE(client[id].ended) << said;
    EXPECT_TRUE(world.at("proxy.test:3128").ended()) << said;
    EXPECT_EQ(world.at("proxy.test:3128").take_all(), "") << said;
    EXPECT_FALSE(world.was_asked("far.test:443")) << said;
    EXPECT_THAT(world.line(), HasSubstr("|" + status + "|")) << said;
  }
}

TEST(Http2Connect, another_proxy_that_does_not_answer_is_waited_for_no_longer_than_a_member) {
  World world;
  world.ask_remote();
  Client client(world);
  const auto id = client.ask(connect_to("far.test:443"), true);
  world.loop.advance(std::chrono::seconds(9));
  client.talk();
  EXPECT_TRUE(client[id].heads.empty());
  world.loop.advance(std::chrono::seconds(2));
  client.talk();
  EXPECT_EQ(client[id].value(":status"), "502");
  EXPECT_FALSE(world.was_asked("far.test:443"));
}

TEST(Http2Connect, goes_directly_when_the_other_proxy_is_not_there) {
  World world;
  world.ask_remote();
  world.dialer.refuse("proxy.test:3128");
  Client client(world);
  const auto id = client.ask(connect_to("far.test:443"), true);
  EXPECT_EQ(client[id].value(":status"), "200");
  EXPECT_TRUE(world.was_asked("far.test:443"));
}

TEST(Http2Connect, a_server_that_goes_waits_for_it) {
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

TEST(Http2Connect, goes_on_through_a_reload_that_takes_the_right_away) {
  Tunnel one;
  one.world.forward.takes_requests.reset();
  one.world.renew();
  const auto id = one.client.ask(connect_to("far.test:443"), true);
  EXPECT_EQ(one.client[id].value(":status"), "405");
  one.client.say(one.id, "still", false);
  EXPECT_EQ(one.heard(), "still");
}

// Upgrade: h2c would make a stream of it that has ended its half; RFC 9110 9.3.6: what follows the
// head is the tunnel's.
TEST(Http2Connect, over_HTTP_1_asks_for_no_other_protocol) {
  World world;
  const auto client = world.connect();
  world.say(*client,
            "CONNECT far.test:443 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\n"
            "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\nhello");
  EXPECT_THAT(client->take_all(), StartsWith("HTTP/1.0 200 Connection Established\r\n"));
  EXPECT_EQ(world.at("far.test:443").take_all(), "hello");
}

}  // namespace
}  // namespace steelyard::proxy
