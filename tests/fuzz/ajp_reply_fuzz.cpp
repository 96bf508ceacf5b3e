// Fuzz target: what a container sends (AJP13).
//
// The bytes are taken packet by packet, as they arrive in pieces and as a whole. No packet is
// larger than was agreed, every view lies within its packet, what passes as a field can be sent on,
// and how the bytes arrived makes no difference.
#include <algorithm>
#include <string>

#include "ajp/packet.hpp"
#include "ajp/reply.hpp"
#include "base/check.hpp"
#include "fuzz.hpp"
#include "http/syntax.hpp"

namespace steelyard {

namespace {

using namespace ajp;

bool lies_in(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void check_headers(const Packet& packet) {
  http::ResponseHead head;
  if (!read_headers(packet, head)) return;
  CHECK(head.status >= 200 && head.status <= 999);
  CHECK(http::first_control(head.reason) == head.reason.size());
  CHECK(head.fields.size() <= response_fields_max);
  for (const http::Field& field : head.fields) {
    CHECK(http::is_token(field.name));
    CHECK(http::first_control(field.value) == field.value.size());
    CHECK(lies_in(field.value, packet.payload));
  }
}

void check_packet(const Packet& packet) {
  check_headers(packet);
  if (const auto data = read_body_chunk(packet))
    CHECK(lies_in(*data, packet.payload) && data->size() + 3 == packet.payload.size());
  (void)read_end(packet);
  (void)read_want(packet);
  (void)read_pong(packet);
}

// Where the packets of `bytes` end, and -1 behind them for a fault.
std::vector<std::ptrdiff_t> ends_of(std::string_view bytes) {
  std::vector<std::ptrdiff_t> ends;
  std::size_t at = 0;
  while (true) {
    const auto found = next_packet(bytes.substr(at), packet_bytes_min);
    if (!found) ends.push_back(-1);
    if (!found || !*found) return ends;
    const Packet& packet = **found;
    CHECK(packet.bytes > packet_head_bytes && packet.bytes <= packet_bytes_min);
    CHECK(packet.bytes <= bytes.size() - at && lies_in(packet.payload, bytes.substr(at)));
    check_packet(packet);
    at += packet.bytes;
    ends.push_back(static_cast<std::ptrdiff_t>(at));
  }
}

}  // namespace

void fuzz_one(std::string_view input) {
  input = input.substr(0, 4096);
  Pieces pieces(input);
  const auto whole = ends_of(pieces.prefix(input.size()));
  const std::size_t step = std::max<std::size_t>(1, input.size() / 64);
  for (std::size_t size = 0; size < input.size(); size += step) {
    const auto part = ends_of(pieces.prefix(size));
    CHECK(part.size() <= whole.size());
    CHECK(std::equal(part.begin(), part.end(), whole.begin()));
  }
}

}  // namespace steelyard
