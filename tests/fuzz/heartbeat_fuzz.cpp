// Fuzz target: what strangers and disks say of heartbeats.
//
// Any text is taken as a datagram, as a POST and as a storage file. Numbers stay in their range,
// the number of servers is bounded, and what is written from what was read reads back the same.
#include <string>

#include "base/check.hpp"
#include "fuzz.hpp"
#include "heartbeat/storage_file.hpp"

namespace steelyard {

namespace {

using namespace heartbeat;

void check_message(std::string_view text) {
  const auto datagram = read_message(text, Origin::datagram);
  const auto post = read_message(text, Origin::post);
  if (datagram) CHECK(post && post->message == datagram->message);
  if (!post) return;
  CHECK(post->message.ready >= 0 && post->message.busy >= 0 && post->message.port != 0);
  CHECK(post->doubts.size() <= 3);
  const auto again =
      read_message(write_message(post->message.ready, post->message.busy), Origin::datagram);
  CHECK(again && again->message.ready == post->message.ready &&
        again->message.busy == post->message.busy);
}

bool reads_back(const Server& server) {
  // An address that is none: a line of it is a comment, or ends early.
  return !server.ip.starts_with('#') && server.ip.find('\0') == server.ip.npos;
}

void check_storage(std::string_view text) {
  const Instant now{};
  const Servers servers = read_storage(text);
  CHECK(servers.all().size() <= storage_servers_max);
  const Servers again = read_storage(write_storage(servers.all(), now));
  for (const Server& server : servers.all()) {
    CHECK(servers.find(server.ip) == &server);
    CHECK(server.weight() >= 0 && server.age_seconds(now) >= -1);
    if (!reads_back(server)) continue;
    const Server* const found = again.find(server.ip);
    CHECK(found != nullptr && found->message == server.message);
  }
  const Server added{.ip = "10.0.0.1", .message = {.ready = 7, .busy = 1}, .seen_at = now};
  const std::string with = with_server(text, added, now);
  const Servers three = read_storage(with);
  const Server* const found = three.find(added.ip);
  const bool fits = with.size() <= storage_bytes_max && servers.all().size() < storage_servers_max;
  if (fits) CHECK(found != nullptr && found->message == added.message);
}

}  // namespace

void fuzz_one(std::string_view input) {
  Pieces pieces(input);
  check_message(pieces.prefix(input.size()));
  check_storage(pieces.prefix(input.size()));
}

}  // namespace steelyard
