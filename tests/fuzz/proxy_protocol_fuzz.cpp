// Fuzz target: the header of the PROXY protocol, which anybody may send who reaches the port.
//
// The input is a connection's stream. However it is cut, the reader ends with the same words after
// the same bytes, never asks for more than a header may have, and reads what it writes.
#include <algorithm>
#include <array>
#include <string>

#include "base/check.hpp"
#include "fuzz.hpp"
#include "http/proxy_protocol.hpp"

namespace steelyard {

namespace {

struct Outcome {
  std::size_t read = 0;
  std::string told;
  http::ProxyHeader header;
};

Outcome read_by(std::string_view stream, std::size_t step) {
  Outcome outcome;
  while (true) {
    const auto header = http::read_proxy_header(stream.substr(0, outcome.read));
    if (!header) {
      outcome.told = "fault: " + header.error();
      return outcome;
    }
    outcome.header = *header;
    if (header->needed == 0) {
      outcome.told = header->names_client ? header->client.text() : "nobody";
      return outcome;
    }
    CHECK(outcome.read + header->needed <= http::proxy_header_bytes_max);
    if (outcome.read == stream.size()) {
      outcome.told = "cut";
      return outcome;
    }
    outcome.read = std::min(outcome.read + std::min(header->needed, step), stream.size());
  }
}

}  // namespace

void fuzz_one(std::string_view input) {
  Pieces pieces(input);
  const std::string_view stream = pieces.prefix(input.size());
  const Outcome whole = read_by(stream, stream.size() + 1);
  const Outcome bytes = read_by(stream, 1);
  const bool is_fault = whole.told.starts_with("fault: ");
  CHECK(is_fault == bytes.told.starts_with("fault: "));
  if (is_fault || whole.told == "cut") return;
  CHECK(whole.told == bytes.told && whole.read == bytes.read);
  if (!whole.header.names_client) return;
  const Endpoint& client = whole.header.client;
  for (const auto version : {http::ProxyVersion::v1, http::ProxyVersion::v2}) {
    std::array<char, http::proxy_line_bytes_max> room;
    const std::size_t size = http::write_proxy_header(version, client, client, room);
    const auto again = http::read_proxy_header({room.data(), size});
    CHECK(again && again->needed == 0 && again->client == client);
  }
}

}  // namespace steelyard
