#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ajp/packet.hpp"
#include "proxy/http2_test_client.hpp"
#include "proxy/test_messages.hpp"
#include "proxy/test_world.hpp"

// AJP members on a simulated network: what a container hears and what clients get of its packets,
// however they arrive.

namespace steelyard::proxy {
namespace {

using namespace std::string_literals;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string packet(const std::string& payload) {
  return "AB"s + static_cast<char>(payload.size() >> 8) + static_cast<char>(payload.size() & 0xff) +
         payload;
}
std::string chunk(const std::string& data) {
  return packet("\x03"s + static_cast<char>(data.size() >> 8) +
                static_cast<char>(data.size() & 0xff) + data + '\0');
}
const std::string headers = packet("\x04\0\xc8\0\2OK\0\0\1\0\3X-A\0\0\1b\0"s);
const std::string end = packet("\x05\x01");
const std::string want = packet("\x06\x1f\xfa");
const std::string pong(ajp::pong_packet);

std::string text(std::string_view value) {
  return std::string{'\0', static_cast<char>(value.size())} + std::string(value) + '\0';
}
// A request's Content-Length, as it stands in the packet.
std::string told_length(std::string_view digits) { return "\xa0\x08" + text(digits); }

class AjpPath : public testing::Test {
 protected:
  void serve(TestWorld& world, const TestWorld::Words& parameters = {},
             const config::PathSettings& settings = {}, int members = 1) {
    auto config = TestWorld::make_config(members, parameters);
    config::Section section;
    section.pattern = "/";
    section.settings = settings;
    config->servers[0]->locations.push_back(std::move(section));
    auto spec = std::make_shared<balance::BalancerSpec>(*config->servers[0]->balancers[0]);
    for (balance::MemberSpec& member : spec->members) member.scheme = "ajp";
    config->servers[0]->client.protocols.add(config::ClientProtocol::h2c);
    config->servers[0]->balancers[0] = spec;
    world.adopt(std::move(config));
  }
  // What a client gets when the container says this to its request.
  std::string answer(const std::string& said, std::size_t split, bool byte_by_byte = false) {
    TestWorld world;
    serve(world);
    const auto client = world.connect();
    world.say(*client, simple_get);
    io::SimStream& container = world.members[0].last();
    world.say(container, std::string_view(said).substr(0, split), byte_by_byte);
    if (split < said.size())
      world.say(container, std::string_view(said).substr(split), byte_by_byte);
    EXPECT_EQ(world.busy(), 0);
    std::string got = client->take_all();
    world.say(*client, simple_get);
    EXPECT_EQ(world.members[0].connections.size(), 1u) << split;  // it was kept
    const std::size_t date = got.find("Date: ");
    got.erase(date, got.find("\r\n", date) + 2 - date);
    return got;
  }
  // The first one.
  static bool is_in_error(TestWorld& world) {
    const auto members = world.generation->groups()[0].balancers[0].state->members();
    return members[0].status.has(balance::Flag::in_error);
  }
  static std::string body_of(const std::string& got) {
    return got.substr(got.find("\r\n\r\n") + 4);
  }
};

TEST_F(AjpPath, an_answer_is_the_same_however_it_arrives) {
  const std::string said = headers + chunk("hello") + chunk("") + chunk("there") + end;
  const std::string whole = answer(said, said.size());
  EXPECT_THAT(whole, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(whole, HasSubstr("X-A: b\r\n"));
  EXPECT_EQ(body_of(whole), "5\r\nhello\r\n5\r\nthere\r\n0\r\n\r\n");
  EXPECT_EQ(answer(said, said.size(), true), whole);
  for (std::size_t split = 1; split < said.size(); ++split)
    EXPECT_EQ(answer(said, split), whole) << split;
}

TEST_F(AjpPath, an_answer_without_a_body_has_a_length_however_it_arrives) {
  const std::string said = headers + end;
  const std::string whole = answer(said, said.size());
  EXPECT_THAT(whole, HasSubstr("Content-Length: 0\r\n"));
  for (std::size_t split = 1; split < said.size(); ++split)
    EXPECT_EQ(answer(said, split), whole) << split;
}

TEST_F(AjpPath, a_body_goes_out_as_it_is_asked_for) {
  TestWorld world;
  serve(world);
  const auto client = world.connect();
  const std::string body(9000, 'x');
  world.say(*client, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\n" + body);
  const std::string first = world.members[0].heard();
  EXPECT_THAT(first, StartsWith("\x12\x34"));
  EXPECT_THAT(first, EndsWith("\x12\x34\x1f\xfc\x1f\xfa"s + std::string(8186, 'x')));
  world.say(world.members[0].last(), want, true);
  EXPECT_EQ(world.members[0].heard(), "\x12\x34\x03\x30\x03\x2e"s + std::string(814, 'x'));
  for (int i = 0; i < 3; ++i) {
    world.say(world.members[0].last(), want);
    EXPECT_EQ(world.members[0].heard(), "\x12\x34\0\2\0\0"s);
  }
  world.say(world.members[0].last(), headers + end);
  EXPECT_THAT(client->take_all(), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(AjpPath, a_chunked_body_waits_until_it_is_asked_for) {
  TestWorld world;
  serve(world);
  const auto client = world.connect();
  world.say(*client,
            "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
  world.say(*client, "0\r\n\r\n");
  EXPECT_THAT(world.members[0].heard(), Not(HasSubstr("hello")));
  // Two wishes at once, the second within the answer.
  world.say(world.members[0].last(), want + headers + chunk("a") + want);
  EXPECT_EQ(world.members[0].heard(), "\x12\x34\0\7\0\5hello\x12\x34\0\2\0\0"s);
  world.say(world.members[0].last(), end);
  EXPECT_THAT(client->take_all(), EndsWith("1\r\na\r\n0\r\n\r\n"));
}

// Containers wait for a body only where the fields announce one.
TEST_F(AjpPath, a_body_without_a_length_is_chunked_to_it_whatever_the_client_speaks) {
  TestWorld world;
  serve(world);
  Http2TestClient client(world);
  const std::int32_t id = client.ask(Http2TestClient::post("/"), true);
  client.say(id, "hello", true);
  EXPECT_THAT(world.members[0].heard(), HasSubstr("Transfer-Encoding\0\0\7chunked\0"s));
  world.say(world.members[0].last(), want);
  EXPECT_EQ(world.members[0].heard(), "\x12\x34\0\7\0\5hello"s);
}

TEST_F(AjpPath, a_field_that_cannot_be_passed_on_is_no_fault_of_the_container) {
  for (const std::string& field : {"\0\3X-A\0\0\3a\1b\0"s, "\0\3X A\0\0\1b\0"s}) {
    TestWorld world(2);
    serve(world, {}, {}, 2);
    const auto client = world.connect();
    world.say(*client, simple_get);
    world.say(world.members[0].last(), packet("\x04\0\xc8\0\2OK\0\0\1"s + field) + end);
    EXPECT_THAT(client->take_all(), StartsWith("HTTP/1.1 500 Internal Server Error\r\n"));
    EXPECT_TRUE(world.members[1].connections.empty());
    EXPECT_FALSE(is_in_error(world));
    EXPECT_THAT(world.log_.error_lines.front(), HasSubstr(": '" + field.substr(2, 3) + "'"));
  }
}

TEST_F(AjpPath, who_breaks_off_is_told_of_with_the_reason) {
  for (const bool began : {false, true}) {
    TestWorld world;
    serve(world);
    const auto client = world.connect();
    world.say(*client, simple_get);
    if (began) world.say(world.members[0].last(), headers + packet("\x03\0\4half\0"s));
    world.members[0].last().reset();
    world.members[0].connections.clear();
    world.loop.settle();
    EXPECT_THAT(world.log_.error_lines.front(),
                HasSubstr(began ? ": (104)Connection reset by peer: the answer broke off returned "
                                  "by /"
                                : ": (104)Connection reset by peer: Error reading from remote "
                                  "server returned by /"));
  }
}

// Where the packets themselves are wrong, another member answers.
TEST_F(AjpPath, a_packet_that_cannot_be_read_puts_the_container_in_error) {
  TestWorld world(2);
  serve(world, {}, {}, 2);
  const auto client = world.connect();
  world.say(*client, simple_get);
  world.say(world.members[0].last(), packet("\x04\0\xc8\0\2OK\0\0\1\0\3X-A\0\0\3a\1b\0more"s));
  world.say(world.members[1].last(), headers + end);
  EXPECT_THAT(client->take_all(), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_TRUE(is_in_error(world));
  // LogLevel proxy_ajp:... is about it.
  EXPECT_EQ(world.log_.error_modules.front(), "proxy_ajp");
}

TEST_F(AjpPath, a_ping_goes_ahead_of_every_request) {
  TestWorld world;
  serve(world, {"ping=1"});
  const auto client = world.connect();
  for (int i = 0; i < 2; ++i) {
    world.say(*client, simple_get);
    EXPECT_EQ(world.members[0].heard(), ajp::ping_packet);
    world.say(world.members[0].last(), pong, true);
    EXPECT_THAT(world.members[0].heard(), StartsWith("\x12\x34"));
    world.say(world.members[0].last(), headers + end);
    EXPECT_THAT(client->take_all(), StartsWith("HTTP/1.1 200 OK\r\n"));
  }
  EXPECT_EQ(world.members[0].connections.size(), 1u);
}

TEST_F(AjpPath, what_lies_behind_the_end_costs_the_connection) {
  for (const std::string& surplus : {headers + end, want, "A"s}) {
    TestWorld world;
    serve(world);
    const auto client = world.connect();
    world.say(*client, simple_get);
    world.say(world.members[0].last(), headers + chunk("own") + end + surplus);
    EXPECT_THAT(client->take_all(), EndsWith("3\r\nown\r\n0\r\n\r\n"));
    world.say(*client, simple_get);
    EXPECT_EQ(world.members[0].connections.size(), 2u);
  }
}

// The redirect's body is empty: a container that waited for it would take the next packet for it.
TEST_F(AjpPath, an_error_document_after_a_post_announces_no_body) {
  for (const std::string_view body :
       {"Content-Length: 5\r\n\r\nhello",
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"}) {
    TestWorld world;
    config::PathSettings settings;
    settings.error_override = config::ErrorOverride{.on = true, .statuses = {404}};
    settings.error_documents[404] = {.kind = config::ErrorDocument::Kind::local_path,
                                     .target = "/doc"};
    serve(world, {}, settings);
    const auto client = world.connect();
    world.say(*client, "POST /a HTTP/1.1\r\nHost: x\r\n" + std::string(body));
    (void)world.members[0].heard();
    world.say(world.members[0].last(), packet("\x04\x01\x94\0\2No\0\0\0"s) + end);
    const std::string asked = world.members[0].heard();
    constexpr std::string_view get_it{"\x02\x02\0\x08HTTP/1.1\0\0\4/doc\0", 20};
    ASSERT_GE(asked.size(), get_it.size() + 4);
    EXPECT_EQ(asked.substr(4, get_it.size()), get_it);
    EXPECT_THAT(asked, HasSubstr(told_length("0")));
    EXPECT_THAT(asked, Not(HasSubstr("chunked")));
    EXPECT_THAT(asked, EndsWith("\xff")) << "no packet of a body behind it";
    // One that asks all the same is told that there is none.
    world.say(world.members[0].last(), want);
    EXPECT_EQ(world.members[0].heard(), "\x12\x34\0\2\0\0"s);
    world.say(world.members[0].last(), headers + chunk("doc") + end);
    EXPECT_THAT(client->take_all(), EndsWith("3\r\ndoc\r\n0\r\n\r\n"));
    world.say(*client, simple_get);
    EXPECT_EQ(world.members[0].connections.size(), 2U) << "the document's is kept";
  }
}

// A container reads as many bytes as the field says, whatever is sent.
TEST_F(AjpPath, the_length_told_is_the_bodys_whatever_rules_made_of_it) {
  const std::vector<std::vector<std::string>> rules{{"set", "Content-Length", "3"},
                                                    {"set", "Content-Length", "99"},
                                                    {"add", "Content-Length", "6"},
                                                    {"unset", "Content-Length"},
                                                    {"edit", "Content-Length", "5", "-1"}};
  for (const std::vector<std::string>& words : rules) {
    TestWorld world;
    config::PathSettings settings;
    settings.request_rules.push_back(*expr::HeaderRule::parse_request(words));
    serve(world, {}, settings);
    const auto client = world.connect();
    world.say(*client, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
    const std::string asked = world.members[0].heard();
    const std::size_t told = asked.find("\xa0\x08");
    ASSERT_NE(told, asked.npos);
    EXPECT_EQ(asked.substr(told, 6), told_length("5")) << testing::PrintToString(words);
    EXPECT_EQ(asked.find("\xa0\x08", told + 1), asked.npos) << testing::PrintToString(words);
    EXPECT_THAT(asked, EndsWith("\x12\x34\0\7\0\5hello"s));
    // Nor is one told where there is none.
    world.say(world.members[0].last(), headers + end);
    (void)client->take_all();
    world.say(*client, simple_get);
    EXPECT_THAT(world.members[0].heard(), Not(HasSubstr("\xa0\x08")))
        << testing::PrintToString(words);
  }
}

TEST_F(AjpPath, an_answer_that_breaks_off_has_no_end) {
  const std::string said = headers + chunk("hello") + end;
  for (std::size_t bytes = 0; bytes < said.size(); ++bytes) {
    TestWorld world;
    serve(world);
    const auto client = world.connect();
    world.say(*client, simple_get);
    world.say(world.members[0].last(), std::string_view(said).substr(0, bytes));
    world.members[0].last().end_writing();
    world.loop.settle();
    const std::string got = client->take_all();
    EXPECT_THAT(got, Not(EndsWith("\r\n0\r\n\r\n"))) << bytes;
    EXPECT_EQ(world.busy(), 0);
  }
}

}  // namespace
}  // namespace steelyard::proxy
