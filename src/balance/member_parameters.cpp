// Table: the parameters of a member (httpd: worker), each with the code that reads it.

#include <algorithm>
#include <array>
#include <limits>

#include "balance/numbers.hpp"
#include "balance/parameters.hpp"
#include "base/text.hpp"

namespace steelyard::balance {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Result = std::expected<void, std::string>;

constexpr std::size_t tag_length_max = 63;
constexpr std::size_t secret_length_max = 63;
constexpr std::size_t short_word_length_max = 15;  // flusher, upgrade
constexpr int buffer_bytes_min = 512;
constexpr int response_field_bytes_default = 8192;
constexpr milliseconds flush_wait_default{10};
constexpr milliseconds flush_wait_max{1000};
constexpr std::chrono::days tunnel_idle_max{7};

std::unexpected<std::string> complaint(std::string_view text) {
  return std::unexpected(std::string(text));
}

template <class Field>
Result store_number(Field& field, std::string_view value, int lowest, std::string_view complain) {
  const int number = leading_integer(value);
  if (number < lowest) return complaint(complain);
  field = typename Field::value_type(number);
  return {};
}

Result store_word(std::string& field, std::string_view value, std::size_t length_max,
                  std::string_view complain) {
  if (value.size() > length_max) return complaint(complain);
  field = value;
  return {};
}

Result store_buffer_bytes(std::optional<int>& field, std::string_view value,
                          std::string_view complain) {
  const int bytes = leading_integer(value);
  if (bytes != 0 && bytes < buffer_bytes_min) return complaint(complain);
  field = bytes;
  return {};
}

struct DurationText {
  milliseconds unit_when_bare;
  std::string_view wrong_format;
  std::string_view too_short;
};

Result store_duration(std::optional<milliseconds>& field, std::string_view value,
                      const DurationText& text) {
  const auto duration = parse_duration(value, text.unit_when_bare);
  if (!duration) return complaint(text.wrong_format);
  if (*duration < milliseconds(1)) return complaint(text.too_short);
  field = *duration;
  return {};
}

Result set_load_factor(MemberSpec& spec, std::string_view value) {
  const auto factor = parse_load_factor(value);
  if (!factor) return complaint("LoadFactor must be a number between 1..100");
  spec.load_factor = *factor;
  return {};
}

Result set_retry(MemberSpec& spec, std::string_view value) {
  const int number = leading_integer(value);
  if (number < 0) return complaint("Retry must be a positive value");
  spec.retry = seconds(number);
  return {};
}

Result set_slow_start(MemberSpec& spec, std::string_view value) {
  return store_slow_start(spec.slow_start, value);
}

Result set_tag(MemberSpec& spec, std::string_view value) {
  return store_word(spec.tag, value, tag_length_max, "Route length must be < 64 characters");
}

Result set_redirect(MemberSpec& spec, std::string_view value) {
  return store_word(spec.redirect_tag, value, tag_length_max,
                    "Redirect length must be < 64 characters");
}

Result set_status(MemberSpec& spec, std::string_view value) {
  return apply_status_text(spec.status, value);
}

Result set_lbset(MemberSpec& spec, std::string_view value) {
  const int number = leading_integer(value);
  if (number < 0 || number > lbset_max) return complaint("lbset must be between 0 and 99");
  spec.lbset = number;
  return {};
}

Result set_min(MemberSpec& spec, std::string_view value) {
  const int number = leading_integer(value);
  if (number < 0) return complaint("Min must be a positive number");
  spec.pool.connections_min = number;
  return {};
}

Result set_max(MemberSpec& spec, std::string_view value) {
  return store_number(spec.pool.connections_max, value, 0, "Max must be a positive number");
}

Result set_smax(MemberSpec& spec, std::string_view value) {
  return store_number(spec.pool.connections_soft_max, value, 0, "Smax must be a positive number");
}

Result set_ttl(MemberSpec& spec, std::string_view value) {
  return store_number(spec.pool.idle_max, value, 1, "TTL must be at least one second");
}

Result set_acquire(MemberSpec& spec, std::string_view value) {
  return store_duration(spec.pool.acquire_wait, value,
                        {.unit_when_bare = milliseconds(1),
                         .wrong_format = "Acquire timeout has wrong format",
                         .too_short = "Acquire must be at least one millisecond"});
}

Result set_timeout(MemberSpec& spec, std::string_view value) {
  return store_number(spec.timeout, value, 1, "Timeout must be at least one second");
}

Result set_connection_timeout(MemberSpec& spec, std::string_view value) {
  return store_duration(spec.connection_timeout, value,
                        {.unit_when_bare = seconds(1),
                         .wrong_format = "Connectiontimeout has wrong format",
                         .too_short = "Connectiontimeout must be at least one millisecond."});
}

Result set_ping(MemberSpec& spec, std::string_view value) {
  return store_duration(spec.ping, value,
                        {.unit_when_bare = seconds(1),
                         .wrong_format = "Ping/Pong timeout has wrong format",
                         .too_short = "Ping/Pong timeout must be at least one millisecond"});
}

Result set_tunnel_idle(MemberSpec& spec, std::string_view value) {
  const auto duration = parse_duration(value, seconds(1));
  const bool is_whole = duration && *duration % seconds(1) == milliseconds(0);
  if (!is_whole || value.empty() || *duration < seconds(1) || *duration > tunnel_idle_max)
    return complaint("tunneltimeout must be a time of 1s to 7 days, as in 3600, 90s or 12h");
  spec.tunnel_idle = std::chrono::duration_cast<seconds>(*duration);
  return {};
}

Result set_keepalive(MemberSpec& spec, std::string_view value) {
  const auto on = parse_switch(value);
  if (!on) return complaint("KeepAlive must be On|Off");
  spec.tcp_keepalive = *on;
  return {};
}

Result set_disable_reuse(MemberSpec& spec, std::string_view value) {
  const auto on = parse_switch(value);
  if (!on) return complaint("DisableReuse must be On|Off");
  spec.disable_reuse = on;
  return {};
}

Result set_enable_reuse(MemberSpec& spec, std::string_view value) {
  const auto on = parse_switch(value);
  if (!on) return complaint("EnableReuse must be On|Off");
  spec.disable_reuse = !*on;
  return {};
}

Result set_address_ttl(MemberSpec& spec, std::string_view value) {
  if (value == "-1") {
    spec.address_ttl = address_ttl_for_ever;
    return {};
  }
  const auto duration = parse_duration(value, seconds(1));
  if (!duration || *duration % seconds(1) != milliseconds(0) ||
      *duration > seconds(std::numeric_limits<int>::max())) {
    return complaint("AddressTTL must be -1 or a number of seconds not exceeding (2147483647)");
  }
  spec.address_ttl = std::chrono::duration_cast<seconds>(*duration);
  return {};
}

Result set_io_buffer(MemberSpec& spec, std::string_view value) {
  return store_buffer_bytes(spec.io_buffer_bytes, value,
                            "IOBufferSize must be >= 512 bytes, or 0 for system default.");
}

Result set_receive_buffer(MemberSpec& spec, std::string_view value) {
  return store_buffer_bytes(spec.receive_buffer_bytes, value,
                            "ReceiveBufferSize must be >= 512 bytes, or 0 for system default.");
}

Result set_response_field(MemberSpec& spec, std::string_view value) {
  const int bytes = leading_integer(value);
  if (bytes < 0) {
    return complaint("ResponseFieldSize must be greater than 0 bytes, or 0 for system default.");
  }
  spec.response_field_bytes = bytes == 0 ? response_field_bytes_default : bytes;
  return {};
}

Result set_flush_packets(MemberSpec& spec, std::string_view value) {
  const auto on = parse_switch(value);
  if (on) {
    spec.flush_packets = *on ? FlushPackets::on : FlushPackets::off;
  } else if (equals_ignoring_case(value, "auto")) {
    spec.flush_packets = FlushPackets::automatic;
  } else {
    return complaint("flushpackets must be on|off|auto");
  }
  return {};
}

Result set_flush_wait(MemberSpec& spec, std::string_view value) {
  const milliseconds wait(leading_integer(value));
  if (wait < milliseconds(0) || wait > flush_wait_max) {
    return complaint("flushwait must be <= 1000, or 0 for system default of 10 millseconds.");
  }
  spec.flush_wait = wait == milliseconds(0) ? flush_wait_default : wait;
  return {};
}

Result set_flusher(MemberSpec& spec, std::string_view value) {
  return store_word(spec.flusher, value, short_word_length_max,
                    "flusher name length must be < 16 characters");
}

Result set_upgrade(MemberSpec& spec, std::string_view value) {
  return store_word(spec.upgrade, equals_ignoring_case(value, "ANY") ? "*" : value,
                    short_word_length_max, "upgrade protocol length must be < 16 characters");
}

Result set_secret(MemberSpec& spec, std::string_view value) {
  return store_word(spec.secret, value, secret_length_max, "Secret length must be < 64 characters");
}

Result set_meaning(MemberSpec& spec, std::string_view value) {
  for (const auto meaning :
       {NameMeaning::one_member, NameMeaning::addresses, NameMeaning::services}) {
    if (!equals_ignoring_case(meaning_name(meaning), value)) continue;
    spec.meaning = meaning;
    return {};
  }
  return complaint("resolve must be one|each|srv");
}

Result set_proxy_protocol(MemberSpec& spec, std::string_view value) {
  if (equals_ignoring_case(value, "v1")) {
    spec.proxy_protocol = ProxyProtocol::v1;
  } else if (equals_ignoring_case(value, "v2")) {
    spec.proxy_protocol = ProxyProtocol::v2;
  } else if (equals_ignoring_case(value, "off")) {
    spec.proxy_protocol = ProxyProtocol::none;
  } else {
    return complaint("proxyprotocol must be v1|v2|Off");
  }
  return {};
}

struct Setter {
  std::string_view key;
  Result (*set)(MemberSpec&, std::string_view);
};

constexpr std::array setters{
    Setter{"acquire", set_acquire},
    Setter{"addressttl", set_address_ttl},
    Setter{"connectiontimeout", set_connection_timeout},
    Setter{"disablereuse", set_disable_reuse},
    Setter{"enablereuse", set_enable_reuse},
    Setter{"flusher", set_flusher},
    Setter{"flushpackets", set_flush_packets},
    Setter{"flushwait", set_flush_wait},
    Setter{"iobuffersize", set_io_buffer},
    Setter{"keepalive", set_keepalive},
    Setter{"lbset", set_lbset},
    Setter{"loadfactor", set_load_factor},
    Setter{"max", set_max},
    Setter{"min", set_min},
    Setter{"ping", set_ping},
    Setter{"proxyprotocol", set_proxy_protocol},
    Setter{"receivebuffersize", set_receive_buffer},
    Setter{"redirect", set_redirect},
    Setter{"resolve", set_meaning},
    Setter{"responsefieldsize", set_response_field},
    Setter{"retry", set_retry},
    Setter{"route", set_tag},
    Setter{"secret", set_secret},
    Setter{"slowstart", set_slow_start},
    Setter{"smax", set_smax},
    Setter{"status", set_status},
    Setter{"timeout", set_timeout},
    Setter{"ttl", set_ttl},
    Setter{"tunneltimeout", set_tunnel_idle},
    Setter{"upgrade", set_upgrade},
};

constexpr auto keys = [] {
  std::array<std::string_view, setters.size()> all;
  std::ranges::transform(setters, all.begin(), &Setter::key);
  return all;
}();

}  // namespace

Result set_member_parameter(MemberSpec& spec, std::string_view key, std::string_view value) {
  for (const Setter& setter : setters) {
    if (equals_ignoring_case(setter.key, key)) return setter.set(spec, value);
  }
  if (is_check_parameter(key)) return set_check_parameter(spec.check, key, value);
  return complaint(unknown_member_parameter);
}

std::span<const std::string_view> member_parameter_keys() { return keys; }

}  // namespace steelyard::balance
