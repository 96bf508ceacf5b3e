#include "config/compression.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "base/check.hpp"
#include "proxy/http2_test_client.hpp"
#include "proxy/limits.hpp"

// Answers that pass through the filter DEFLATE, on their way through a shard.

namespace steelyard::proxy {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view question = "GET /a HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n";

struct World : TestWorld {
  explicit World(const config::DeflateSettings& deflate = {}) {
    auto config = TestWorld::make_config(1, {});
    config::Server& server = *config->servers[0];
    server.client.protocols.add(config::ClientProtocol::h2c);
    config::Compression compression;
    compression.all = true;
    server.defaults.compression = std::make_shared<const config::Compression>(compression);
    server.deflate = std::make_shared<const config::DeflateSettings>(deflate);
    server.access_logs[0].format = *expr::LogFormat::compile("%{in}n %{out}n %{ratio}n %B");
    adopt(std::move(config));
  }
  std::string ask(std::string_view answer) {
    const auto client = connect();
    say(*client, question);
    say(members[0].last(), answer);
    return client->take_all();
  }
};

std::string answer_of(std::string_view body, std::string_view fields = {}) {
  std::string text("HTTP/1.1 200 OK\r\n");
  text.append(fields).append("Content-Length: ").append(std::to_string(body.size()));
  return text.append("\r\n\r\n").append(body);
}

std::string_view body_of(std::string_view text) {
  const std::size_t end = text.find("\r\n\r\n");
  return end == text.npos ? std::string_view() : text.substr(end + 4);
}

std::string joined_chunks(std::string_view text) {
  std::string joined;
  while (!text.empty()) {
    const std::size_t line = text.find("\r\n");
    if (line == text.npos) break;
    const std::size_t bytes = std::stoul(std::string(text.substr(0, line)), nullptr, 16);
    joined += text.substr(line + 2, bytes);
    if (bytes == 0) break;
    text.remove_prefix(std::min(text.size(), line + 2 + bytes + 2));
  }
  return joined;
}

// What can be read of it; `is_whole`: its end is there and right.
std::string inflated(std::string_view packed, bool* is_whole = nullptr) {
  z_stream stream{};
  CHECK(::inflateInit2(&stream, 15 + 16) == Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));  // NOLINT
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string plain;
  int state = Z_OK;
  while (state == Z_OK && (stream.avail_in != 0 || stream.avail_out == 0)) {
    const std::size_t begin = plain.size();
    plain.resize(begin + 65536);
    stream.next_out = reinterpret_cast<Bytef*>(plain.data() + begin);
    stream.avail_out = 65536;
    state = ::inflate(&stream, Z_SYNC_FLUSH);
    plain.resize(begin + 65536 - stream.avail_out);
  }
  if (is_whole != nullptr) *is_whole = state == Z_STREAM_END && stream.avail_in == 0;
  ::inflateEnd(&stream);
  return plain;
}

// Words that are not alike; the same every time.
std::string noise(std::size_t bytes) {
  std::string text;
  std::uint64_t state = 1;
  while (text.size() < bytes) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    text += static_cast<char>(state >> 33);
  }
  return text;
}

TEST(Compression, an_answer_that_is_there_as_a_whole_has_a_length) {
  World world;
  const std::string plain(200, 'a');
  const std::string got = world.ask(answer_of(plain, "ETag: \"t\"\r\nContent-MD5: m\r\n"));
  EXPECT_THAT(got, AllOf(HasSubstr("\r\nETag: \"t-gzip\"\r\nVary: Accept-Encoding\r\n"
                                   "Content-Encoding: gzip\r\nContent-Length: 24\r\n\r\n"),
                         Not(HasSubstr("MD5"))));
  bool is_whole = false;
  EXPECT_EQ(inflated(body_of(got), &is_whole), plain);
  EXPECT_TRUE(is_whole);
}

TEST(Compression, the_connections_serve_further_requests) {
  World world;
  const auto client = world.connect();
  for (int i = 0; i < 3; ++i) {
    world.say(*client, question);
    world.say(world.members[0].last(), answer_of(std::string(100, 'a')));
    EXPECT_THAT(client->take_all(), StartsWith("HTTP/1.1 200 OK\r\n"));
  }
  EXPECT_EQ(world.members[0].connections.size(), 1u);
}

TEST(Compression, what_came_is_passed_on_while_more_is_waited_for) {
  World world;
  const auto client = world.connect();
  world.say(*client, question);
  world.say(world.members[0].last(),
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nfirst,\r\n");
  std::string got = client->take_all();
  EXPECT_THAT(got, HasSubstr("\r\nTransfer-Encoding: chunked\r\n"));
  EXPECT_EQ(inflated(joined_chunks(body_of(got))), "first,");
  world.say(world.members[0].last(), "7\r\nsecond,\r\n");
  got += client->take_all();
  EXPECT_EQ(inflated(joined_chunks(body_of(got))), "first,second,");
  world.say(world.members[0].last(), "4\r\nlast\r\n0\r\n\r\n");
  got += client->take_all();
  bool is_whole = false;
  EXPECT_EQ(inflated(joined_chunks(body_of(got)), &is_whole), "first,second,last");
  EXPECT_TRUE(is_whole);
  EXPECT_THAT(got, EndsWith("0\r\n\r\n"));
}

TEST(Compression, large_bodies_pass_whole_whatever_they_are_made_of) {
  for (const std::string& plain : {std::string(3'000'000, 'a'), noise(700'000)}) {
    World world;
    const auto client = world.connect({.window_bytes = 3000});
    world.say(*client, question);
    world.say(world.members[0].last(), answer_of(plain));
    std::string got;
    // It takes 3000 bytes at a time.
    for (std::string more = client->take_all(); !more.empty(); more = client->take_all()) {
      got += more;
      world.loop.settle();
    }
    bool is_whole = false;
    EXPECT_TRUE(inflated(joined_chunks(body_of(got)), &is_whole) == plain);
    EXPECT_TRUE(is_whole);
  }
}

TEST(Compression, the_members_connection_is_free_before_the_client_has_taken_all) {
  World world;
  const auto slow = world.connect({.window_bytes = 3000});
  world.say(*slow, question);
  const std::string plain = noise(10'000);
  world.say(world.members[0].last(), answer_of(plain));
  const auto other = world.connect();
  world.say(*other, question);
  world.say(world.members[0].last(), answer_of(std::string(100, 'b')));
  EXPECT_THAT(other->take_all(), StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(world.members[0].connections.size(), 1u);
  std::string got;
  for (std::string more = slow->take_all(); !more.empty(); more = slow->take_all()) {
    got += more;
    world.loop.settle();
  }
  EXPECT_TRUE(inflated(body_of(got)) == plain);
}

TEST(Compression, an_early_answer_ends_what_is_sent_to_the_member) {
  World world;
  const auto slow = world.connect({.window_bytes = 3000});
  const std::string head =
      "POST /a HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\nContent-Length: 90000\r\n\r\n";
  world.say(*slow, head + std::string(20'000, 'x'));
  const std::string plain = noise(10'000);
  world.say(world.members[0].last(), answer_of(plain));
  world.say(*slow, std::string(10'000, 'x'));
  EXPECT_TRUE(world.members[0].last().ended());
  std::string got;
  for (std::string more = slow->take_all(); !more.empty(); more = slow->take_all()) {
    got += more;
    world.loop.settle();
  }
  EXPECT_TRUE(inflated(body_of(got)) == plain);
}

TEST(Compression, clients_that_read_slowly_do_not_take_all_memory) {
  World world;
  std::vector<std::unique_ptr<io::SimStream>> clients;
  const std::string large = answer_of(noise(40'000));
  const auto ask = [&] {
    clients.push_back(world.connect({.window_bytes = 1000}));
    world.say(*clients.back(), question);
    world.say(world.members[0].last(), large);
    return clients.back()->take_all();
  };
  for (std::size_t i = 0; i < deflaters_max; ++i) ASSERT_THAT(ask(), HasSubstr("gzip")) << i;
  EXPECT_THAT(ask(), AllOf(HasSubstr("Vary: Accept-Encoding"), Not(HasSubstr("gzip"))));
  clients.front().reset();
  world.loop.settle();
  EXPECT_THAT(ask(), HasSubstr("gzip"));
}

TEST(Compression, others_have_their_turn_after_so_many_bytes) {
  World world;
  const auto first = world.connect();
  const auto second = world.connect();
  world.say(*first, question);
  world.say(*second, question);
  ASSERT_EQ(world.members[0].connections.size(), 2u);
  world.members[0].connections[0]->say(answer_of(std::string(100 * compressed_bytes_a_turn, 'a')));
  world.members[0].connections[1]->say(answer_of(std::string(100, 'b')));
  std::size_t turns = 0;
  while (second->take_all().empty() && turns < 1000) {
    world.loop.turn();
    ++turns;
  }
  ASSERT_LT(turns, 1000u);
  EXPECT_THAT(first->take_all(), Not(EndsWith("0\r\n\r\n")));
}

TEST(Compression, a_member_that_breaks_off_makes_no_answer_that_looks_whole) {
  World world;
  const auto client = world.connect();
  world.say(*client, question);
  world.say(world.members[0].last(), "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc");
  world.members[0].last().end_writing();
  world.loop.settle();
  const std::string got = client->take_all();
  EXPECT_THAT(got, AllOf(HasSubstr("chunked"), Not(EndsWith("0\r\n\r\n"))));
  EXPECT_TRUE(client->ended());
}

TEST(Compression, clients_of_http_1_0_get_it_until_the_connection_ends) {
  World world;
  const auto client = world.connect();
  world.say(*client, "GET /a HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n");
  world.say(world.members[0].last(),
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
  world.say(world.members[0].last(), "0\r\n\r\n");
  const std::string got = client->take_all();
  EXPECT_THAT(got, AllOf(HasSubstr("Connection: close\r\n"), Not(HasSubstr("chunked")),
                         Not(HasSubstr("Content-Length"))));
  bool is_whole = false;
  EXPECT_EQ(inflated(body_of(got), &is_whole), "a");
  EXPECT_TRUE(is_whole);
}

TEST(Compression, frames_of_http_2_carry_it) {
  World world;
  Http2TestClient client(world);
  const auto id = client.ask(Http2TestClient::get("/a", {{"accept-encoding", "gzip"}}));
  const std::string plain = noise(100'000);
  world.say(world.members[0].last(), answer_of(plain));
  client.talk();
  EXPECT_EQ(client[id].value("content-encoding"), "gzip");
  bool is_whole = false;
  EXPECT_TRUE(inflated(client[id].body, &is_whole) == plain);
  EXPECT_TRUE(is_whole && client[id].ended);
}

TEST(Compression, logs_are_told_how_much_it_made_of_how_much) {
  config::DeflateSettings deflate;
  deflate.input_note = "in";
  deflate.output_note = "out";
  deflate.ratio_note = "ratio";
  World world(deflate);
  (void)world.ask(answer_of(std::string(200, 'a')));
  EXPECT_THAT(world.log_.access_lines, ElementsAre("200 6 3 24"));
}

config::DeflateSettings tags(config::DeflateSettings::EntityTag how) {
  config::DeflateSettings deflate;
  deflate.entity_tag = how;
  return deflate;
}

TEST(Compression, tags_are_marked_kept_or_removed) {
  using EntityTag = config::DeflateSettings::EntityTag;
  const std::pair<EntityTag, std::string_view> cases[] = {
      {EntityTag::suffix, "ETag: W/\"t-gzip\"\r\n"}, {EntityTag::kept, "ETag: W/\"t\"\r\n"}};
  for (const auto& [how, expected] : cases) {
    World world(tags(how));
    EXPECT_THAT(world.ask(answer_of(std::string(100, 'a'), "ETag: W/\"t\"\r\n")),
                HasSubstr(expected));
  }
  World world(tags(EntityTag::removed));
  EXPECT_THAT(world.ask(answer_of(std::string(100, 'a'), "ETag: \"t\"\r\n")),
              Not(HasSubstr("ETag")));
}

}  // namespace
}  // namespace steelyard::proxy
