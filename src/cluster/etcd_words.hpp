// What etcd 3.4 is asked through its JSON gateway (POST /v3/...), and what it answers. Numbers of
// 64 bits are texts in its JSON, keys and values base64.
//
// Pure.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/ledger.hpp"

namespace steelyard::cluster {

// What is asked, as a body.
namespace ask {

[[nodiscard]] std::string login(std::string_view user, std::string_view password);
[[nodiscard]] std::string grant(std::int64_t lifetime_seconds);
[[nodiscard]] std::string keep_alive(std::int64_t lease);
[[nodiscard]] std::string revoke(std::int64_t lease);
[[nodiscard]] std::string put(std::string_view key, std::string_view value, std::int64_t lease);
struct Page {
  std::string from, end;  // keys from <= key < end
  std::size_t keys_max = 0;
  std::int64_t revision = 0;  // 0: the latest
};
[[nodiscard]] std::string range(const Page& page);
// The key with the latest change among them, without its value.
[[nodiscard]] std::string latest(std::string_view from, std::string_view end);
[[nodiscard]] std::string watch(std::string_view from, std::string_view end,
                                std::int64_t first_revision);
// All of the order or nothing; then what is in the way.
[[nodiscard]] std::string transaction(std::string_view prefix, const Order& order);

}  // namespace ask

// Why etcd did not do it.
struct EtcdFault {
  // gRPC's codes.
  static constexpr int invalid_argument = 3;
  static constexpr int failed_precondition = 9;
  static constexpr int out_of_range = 11;  // the revision is compacted
  static constexpr int unauthenticated = 16;
  int code = 0;  // 0: what came is no answer of etcd's
  std::string text;
  // The token is over, or was of another run of etcd.
  [[nodiscard]] bool asks_for_login() const;
};

template <class T>
using EtcdAnswer = std::expected<T, EtcdFault>;

struct KeyValue {
  std::string key, value;
  std::int64_t revision = 0;  // of its last change
  bool is_gone = false;
};

struct Range {
  std::int64_t revision = 0;  // of the store
  std::vector<KeyValue> keys;
  bool has_more = false;
};

struct Written {
  std::int64_t revision = 0;
  bool done = false;
  std::vector<KeyValue> in_the_way{};
};

struct Lease {
  std::int64_t id = 0;
  std::int64_t lifetime_seconds = 0;  // 0: it is over
  std::int64_t revision = 0;          // of the store
};

struct WatchLine {
  std::int64_t revision = 0;  // until which everything is told; 0: nothing new
  std::vector<KeyValue> events{};
  bool is_created = false;
  bool is_compacted = false;  // what should be told from is no longer there
  std::string cancelled{};    // why it ends
};

namespace answer {

EtcdAnswer<std::string> login(int status, std::string_view body);  // the token
EtcdAnswer<Lease> grant(int status, std::string_view body);
EtcdAnswer<Lease> keep_alive(int status, std::string_view body);
EtcdAnswer<void> put(int status, std::string_view body);
EtcdAnswer<Range> range(int status, std::string_view body);
EtcdAnswer<Written> transaction(int status, std::string_view body);
EtcdAnswer<WatchLine> watch(std::string_view line);
// Of a stream that was refused, or of anything that is no 200.
EtcdFault fault(int status, std::string_view body);

}  // namespace answer

}  // namespace steelyard::cluster
