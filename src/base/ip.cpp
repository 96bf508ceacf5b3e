#include "base/ip.hpp"

#include <algorithm>
#include <cstdio>

#include "base/text.hpp"

namespace steelyard {

namespace {

// The pieces between separators, as split() gives them, without a list: addresses of requests are
// read on the data path.
class Pieces {
 public:
  Pieces(std::string_view text, char separator) : rest_(text), separator_(separator) {}

  bool has_next() const { return rest_.has_value(); }
  std::string_view take() {
    const std::size_t end = rest_->find(separator_);
    const std::string_view piece = rest_->substr(0, end);
    if (end == std::string_view::npos) {
      rest_.reset();
    } else {
      rest_->remove_prefix(end + 1);
    }
    return piece;
  }

 private:
  std::optional<std::string_view> rest_;
  char separator_;
};

std::optional<std::uint32_t> parse_v4(std::string_view text) {
  std::uint32_t value = 0;
  int parts = 0;
  for (Pieces pieces(text, '.'); pieces.has_next();) {
    const std::string_view part = pieces.take();
    const auto number = parse_unsigned(part);
    if (++parts > 4 || part.size() > 3 || !number || *number > 255) return std::nullopt;
    value = value << 8 | static_cast<std::uint32_t>(*number);
  }
  if (parts != 4) return std::nullopt;
  return value;
}

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  const char lower = ascii_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Which part of the text: only the last group of all may be a dotted IPv4 address.
enum class Part : std::uint8_t { before_gap, last };

// One side of "::": groups of hex digits.
bool parse_groups(std::string_view text, Part part, std::array<std::uint8_t, 16>& out,
                  std::size_t& used) {
  used = 0;
  if (text.empty()) return true;
  for (Pieces groups(text, ':'); groups.has_next();) {
    const std::string_view group = groups.take();
    if (part == Part::last && !groups.has_next() && group.find('.') != std::string_view::npos) {
      const auto v4 = parse_v4(group);
      if (!v4 || used + 4 > 16) return false;
      for (int shift = 24; shift >= 0; shift -= 8)
        out[used++] = static_cast<std::uint8_t>(*v4 >> shift);
      return true;
    }
    if (group.empty() || group.size() > 4 || used + 2 > 16) return false;
    int value = 0;
    for (const char c : group) {
      if (hex_value(c) < 0) return false;
      value = value * 16 + hex_value(c);
    }
    out[used++] = static_cast<std::uint8_t>(value >> 8);
    out[used++] = static_cast<std::uint8_t>(value);
  }
  return true;
}

std::optional<IpAddress> parse_v6(std::string_view text) {
  std::array<std::uint8_t, 16> head{}, tail{};
  std::size_t head_used = 0, tail_used = 0;
  const std::size_t gap = text.find("::");
  if (gap == std::string_view::npos) {
    if (!parse_groups(text, Part::last, head, head_used) || head_used != 16) return std::nullopt;
    return IpAddress::v6(head);
  }
  if (!parse_groups(text.substr(0, gap), Part::before_gap, head, head_used)) return std::nullopt;
  if (!parse_groups(text.substr(gap + 2), Part::last, tail, tail_used)) return std::nullopt;
  if (head_used + tail_used > 14) return std::nullopt;
  std::copy_n(tail.begin(), tail_used, head.begin() + static_cast<std::ptrdiff_t>(16 - tail_used));
  return IpAddress::v6(head);
}

}  // namespace

IpAddress IpAddress::v4(std::uint32_t host_order) {
  IpAddress address;
  for (int i = 0; i < 4; ++i)
    address.bytes_[static_cast<std::size_t>(i)] =
        static_cast<std::uint8_t>(host_order >> (24 - 8 * i));
  return address;
}

IpAddress IpAddress::v6(const std::array<std::uint8_t, 16>& bytes) {
  static constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (std::equal(mapped.begin(), mapped.end(), bytes.begin())) {
    return v4(static_cast<std::uint32_t>(bytes[12]) << 24 |
              static_cast<std::uint32_t>(bytes[13]) << 16 |
              static_cast<std::uint32_t>(bytes[14]) << 8 | bytes[15]);
  }
  IpAddress address;
  address.v6_ = true;
  address.bytes_ = bytes;
  return address;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  if (text.find(':') != std::string_view::npos) return parse_v6(text);
  const auto value = parse_v4(text);
  if (!value) return std::nullopt;
  return v4(*value);
}

bool IpAddress::is_any() const {
  return std::ranges::all_of(bytes_, [](std::uint8_t b) { return b == 0; });
}

bool IpAddress::is_loopback() const {
  if (!v6_) return bytes_[0] == 127;
  return bytes_[15] == 1 &&
         std::all_of(bytes_.begin(), bytes_.end() - 1, [](std::uint8_t b) { return b == 0; });
}

std::uint32_t IpAddress::v4_host_order() const {
  return static_cast<std::uint32_t>(bytes_[0]) << 24 | static_cast<std::uint32_t>(bytes_[1]) << 16 |
         static_cast<std::uint32_t>(bytes_[2]) << 8 | bytes_[3];
}

namespace {

char* write_number(char* at, unsigned value) {
  if (value >= 100) *at++ = static_cast<char>('0' + value / 100);
  if (value >= 10) *at++ = static_cast<char>('0' + value / 10 % 10);
  *at++ = static_cast<char>('0' + value % 10);
  return at;
}

unsigned group_at(const std::array<std::uint8_t, 16>& bytes, std::size_t i) {
  return static_cast<unsigned>(bytes[2 * i]) << 8 | bytes[2 * i + 1];
}

struct Run {
  std::size_t begin = 8;
  std::size_t length = 0;
};

// RFC 5952: the longest run of two or more zero groups becomes "::".
Run longest_zero_run(const std::array<std::uint8_t, 16>& bytes) {
  Run best, current;
  for (std::size_t i = 0; i < 8; ++i) {
    if (group_at(bytes, i) != 0) {
      current = {};
      continue;
    }
    if (current.length == 0) current.begin = i;
    if (++current.length > best.length) best = current;
  }
  return best.length >= 2 ? best : Run{};
}

std::size_t write_v6(const std::array<std::uint8_t, 16>& bytes, char* out, std::size_t room) {
  const Run zeros = longest_zero_run(bytes);
  std::size_t used = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    if (i == zeros.begin) {
      used += static_cast<std::size_t>(std::snprintf(out + used, room - used, "::"));
      i += zeros.length - 1;
      continue;
    }
    const bool colon = i != 0 && i != zeros.begin + zeros.length;
    used += static_cast<std::size_t>(
        std::snprintf(out + used, room - used, colon ? ":%x" : "%x", group_at(bytes, i)));
  }
  return used;
}

}  // namespace

std::size_t IpAddress::write(char* out, std::size_t room) const {
  if (room < 46) return 0;
  if (v6_) return write_v6(bytes_, out, room);
  char* at = out;
  for (std::size_t i = 0; i < 4; ++i) {
    if (i != 0) *at++ = '.';
    at = write_number(at, bytes_[i]);
  }
  return static_cast<std::size_t>(at - out);
}

std::string IpAddress::text() const {
  char buffer[64];
  return {buffer, write(buffer, sizeof buffer)};
}

namespace {

constexpr const char* bad_mask = "The specified network mask is invalid.";
constexpr const char* bad_address = "The specified IP address is invalid.";

void set_prefix(std::array<std::uint8_t, 16>& mask, std::size_t bits) {
  for (std::size_t i = 0; i < bits; ++i)
    mask[i / 8] = static_cast<std::uint8_t>(mask[i / 8] | 0x80 >> i % 8);
}

}  // namespace

std::expected<IpNetwork, std::string> IpNetwork::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  std::string_view address_text = text.substr(0, slash);
  std::size_t bits = 0;
  std::string padded(address_text);
  const bool dotted = padded.find_first_not_of("0123456789.") == std::string::npos;
  if (dotted) {
    if (!padded.empty() && padded.back() == '.') padded.pop_back();
    auto parts = static_cast<std::size_t>(std::ranges::count(padded, '.') + 1);
    if (parts < 4) bits = parts * 8;
    for (; parts < 4; ++parts) padded += ".0";
  }
  const auto address = IpAddress::parse(padded);
  if (!address) return std::unexpected(bad_address);
  const std::size_t most = address->is_v6() ? 128 : 32;
  if (bits == 0) bits = most;
  IpNetwork network;
  network.address_ = *address;
  if (slash == std::string_view::npos) {
    set_prefix(network.mask_, bits);
    return network;
  }
  const std::string_view mask_text = text.substr(slash + 1);
  if (const auto prefix = parse_unsigned(mask_text)) {
    if (*prefix > most) return std::unexpected(bad_mask);
    set_prefix(network.mask_, *prefix);
    return network;
  }
  const auto mask = IpAddress::parse(mask_text);
  if (!mask || mask->is_v6() != address->is_v6()) return std::unexpected(bad_mask);
  network.mask_ = mask->bytes();
  return network;
}

bool IpNetwork::contains(const IpAddress& address) const {
  if (address.is_v6() != address_.is_v6()) return false;
  for (std::size_t i = 0; i < mask_.size(); ++i)
    if ((address.bytes()[i] & mask_[i]) != (address_.bytes()[i] & mask_[i])) return false;
  return true;
}

std::string Endpoint::text() const {
  const std::string host = ip.is_v6() ? "[" + ip.text() + "]" : ip.text();
  return host + ":" + std::to_string(port);
}

}  // namespace steelyard
