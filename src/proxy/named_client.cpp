#include "proxy/named_client.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace steelyard::proxy {

namespace {

using config::RemoteIpSettings;

std::string_view without_blanks(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// httpd: only a proxy of the same network may speak for addresses that nobody has on the internet.
bool is_private(const IpAddress& ip) {
  const auto& byte = ip.bytes();
  if (ip.is_v6()) return (byte[0] & 0xe0) != 0x20;  // RFC 4291: global unicast is 2000::/3
  return byte[0] == 10 || byte[0] == 127 || (byte[0] == 169 && byte[1] == 254) ||
         (byte[0] == 172 && (byte[1] & 0xf0) == 16) || (byte[0] == 192 && byte[1] == 168);
}

std::string_view text_of(const IpAddress& ip, Arena& arena) {
  char text[48];
  return arena.copy({text, ip.write(text, sizeof text)});
}

// Nobody stands behind more proxies; each word is looked up among those that are trusted. httpd
// knows no bound.
constexpr std::size_t hops_max = 100;

std::string_view joined(std::span<const std::string_view> texts, Arena& arena) {
  constexpr std::string_view between = ", ";
  if (texts.empty()) return {};
  std::size_t bytes = between.size() * (texts.size() - 1);
  for (const std::string_view text : texts) bytes += text.size();
  char* const begin = arena.take(bytes);
  char* at = begin;
  for (const std::string_view text : texts) {
    if (at != begin) at = std::ranges::copy(between, at).out;
    at = std::ranges::copy(text, at).out;
  }
  return {begin, bytes};
}

// Reads the field from its end: each proxy appended the address it was asked from.
class Chain {
 public:
  Chain(Exchange& x, Shard::Core& core, std::string_view value)
      : x_(x), core_(core), settings_(x.server->client.remote_ip), left_(value) {}

  void follow() {
    while (has_left_ && trusts_current() && take_last()) {
    }
  }
  bool has_left() const { return has_left_; }
  std::string_view left() const { return left_; }  // what nobody vouches for
  // Those that were believed, the nearest one first.
  std::span<const std::string_view> proxies() const { return {proxies_.data(), proxy_count_}; }

 private:
  bool trusts_current() {
    if (settings_.proxies.empty()) return true;
    const auto known = std::ranges::find_if(settings_.proxies, [&](const auto& proxy) {
      return proxy.network.contains(x_.client_address());
    });
    if (known == settings_.proxies.end()) return false;
    is_internal_ = known->is_internal;
    return true;
  }

  bool take_last() {
    if (hops_ == hops_max) return false;
    ++hops_;
    const std::size_t comma = left_.rfind(',');
    const std::size_t begin = comma == left_.npos ? 0 : comma + 1;
    const std::string_view word = without_blanks(left_.substr(begin));
    if (word.empty()) {
      if (comma == left_.npos) left_ = word;
      return false;
    }
    const auto ip = IpAddress::parse(word);
    if (!ip) {
      tell("AH01568", word, " cannot be parsed as a client IP");
      leave(begin, word);
      return false;
    }
    if (!is_internal_ && is_private(*ip)) {
      tell("AH01569", word, " appears to be a private IP or nonsensical.  Ignored");
      leave(begin, word);
      return false;
    }
    if (!is_internal_) proxies_[proxy_count_++] = x_.client_ip();
    // httpd: nothing is known of its port.
    x_.named_client.endpoint = Endpoint{*ip, 0};
    x_.named_client.ip = text_of(*ip, x_.arena);
    has_left_ = comma != left_.npos;
    left_ = left_.substr(0, has_left_ ? comma : 0);
    return true;
  }

  // httpd: the word that stays has lost the blanks behind it, and those in front if it is alone.
  void leave(std::size_t begin, std::string_view word) {
    left_ =
        begin == 0 ? word : left_.substr(0, static_cast<std::size_t>(word.end() - left_.begin()));
  }

  void tell(std::string_view id, std::string_view word, std::string_view what) {
    if (!core_.wants(x_, config::LogLevel::debug, "remoteip")) return;
    core_.log(x_, config::LogLevel::debug, "remoteip",
              x_.arena.join(id, ": RemoteIP: Header ",
                            x_.arena.join(settings_.header, " value of ", word, what)));
  }

  Exchange& x_;
  Shard::Core& core_;
  const RemoteIpSettings& settings_;
  std::size_t hops_ = 0, proxy_count_ = 0;
  std::string_view left_;
  std::array<std::string_view, hops_max> proxies_;
  bool has_left_ = true, is_internal_ = false;
};

void follow_field(Exchange& x, Shard::Core& core) {
  const RemoteIpSettings& settings = x.server->client.remote_ip;
  const auto value = x.request.fields.value(settings.header);
  if (!value) return;
  Chain chain(x, core, *value);
  chain.follow();
  if (!x.named_client.endpoint) return;
  if (chain.has_left()) {
    x.request.fields.set(settings.header, chain.left());
  } else {
    x.request.fields.remove(settings.header);
  }
  const std::string_view proxies = joined(chain.proxies(), x.arena);
  if (proxies.empty()) return;
  x.notes.set("remoteip-proxy-ip-list", proxies);
  if (!settings.proxies_header.empty()) x.request.fields.set(settings.proxies_header, proxies);
}

}  // namespace

void name_client(Exchange& x, Shard::Core& core) {
  if (std::exchange(x.named_client.is_decided, true)) return;
  if (x.client->announced) {
    x.named_client.endpoint = x.client->announced;
    x.named_client.ip = text_of(x.client->announced->ip, x.arena);
  } else if (!x.server->client.remote_ip.header.empty()) {
    follow_field(x, core);
  }
}

}  // namespace steelyard::proxy
