// One instance's talk with the store: what is asked next, what the answers mean, when to try again.
//
//   waiting ─▶ logging in ─▶ lease ─▶ present ─▶ reading, page by page ─▶ watching ─▶ in touch
//      ▲   (with a user)                           ▲ compacted, behind        │
//      └────────── no answer, or one that makes no sense ─────────────────────┘
//
// In touch, orders are shared one at a time, the lease is kept alive, and each time the store is
// asked for the latest change: a watch that fell silent is noticed, and everything read anew.
//
// Invariants: 1. at most one question of each kind is out.
//             2. after a hang-up, answers to earlier questions are no longer handed in.
//             3. what goes wrong waits before it is tried again, at the next address.
//
// Pure: no socket, no clock. Threads: one at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.hpp"
#include "cluster/etcd_words.hpp"
#include "cluster/field.hpp"
#include "cluster/ledger.hpp"
#include "cluster/limits.hpp"
#include "cluster/news.hpp"

namespace steelyard::cluster {

class Conversation {
 public:
  struct Login {
    std::string user, password;
  };
  struct Options {
    std::size_t addresses = 1;  // how many there are; at least 1
    std::string prefix;
    std::optional<Login> login{};
    Instance instance;
    std::uint64_t seed = 0;  // of the jitter, and of which address is first
  };
  using Kind = Question::Kind;

  explicit Conversation(Options options);

  void start(Instant now);
  void answered(Kind kind, int status, std::string_view body, Instant now);
  // A line of the watch.
  void streamed(std::string_view line, Instant now);
  // No answer came, or the watch ended.
  void failed(Kind kind, const std::string& why, Instant now);
  // An answer was longer than answer_bytes_max.
  void overflowed(Kind kind, Instant now);
  void tick(Instant now);
  // When tick() has something to do.
  [[nodiscard]] Instant due() const { return due_; }
  // One at a time, until its news. What an earlier epoch had is forgotten with it.
  void share(Order order, std::uint64_t epoch);

  // All questions are to be forgotten. Before take_questions().
  [[nodiscard]] bool take_hang_up() { return std::exchange(hang_up_, false); }
  [[nodiscard]] std::vector<Question> take_questions() { return std::exchange(questions_, {}); }
  [[nodiscard]] std::vector<News::Any> take_news() { return std::exchange(news_, {}); }

  // 0: none. To be given back at the end.
  [[nodiscard]] std::int64_t lease() const { return lease_; }
  [[nodiscard]] std::size_t address() const { return address_; }
  [[nodiscard]] const std::string& token() const { return token_; }

 private:
  enum class State : std::uint8_t {
    waiting,
    logging_in,
    granting,
    presenting,
    reading,
    begins_watching,
    in_touch,
  };

  void ask(Kind kind, std::string path, std::string body);
  void begin();
  void drop_all();
  void get_lease();
  void read_anew();
  void ask_page();
  void lose(const std::string& why, Instant now);
  void fault(const EtcdFault& fault, Instant now);

  void took_login(EtcdAnswer<std::string> answer, Instant now);
  void took_lease(EtcdAnswer<Lease> answer, Instant now);
  void took_presence(const EtcdAnswer<void>& answer, Instant now);
  void took_page(EtcdAnswer<Range> answer, Instant now);
  void took_life(EtcdAnswer<Lease> answer, Instant now);
  void took_latest(EtcdAnswer<Range> answer, Instant now);
  void took_order(EtcdAnswer<Written> answer, Instant now);
  void take_events(WatchLine line);
  void take_keys(std::vector<KeyValue> keys);
  void take_instance(KeyValue key);
  std::optional<Sight> sight_of(const KeyValue& key);
  void complain(const std::string& key, std::string why);
  void forget_complaint(const std::string& key);

  const Options options_;
  std::mt19937_64 random_;
  State state_ = State::waiting;
  Instant due_ = never;
  Duration backoff_ = backoff_first;
  std::size_t address_ = 0;
  std::string token_;
  bool login_is_fresh_ = false;  // a token was just given: one that is refused is no matter of age
  std::int64_t lease_ = 0;
  std::size_t page_keys_ = page_keys_max;
  std::string next_key_;
  News::Everything read_;
  std::size_t read_bytes_ = 0;       // of its fields
  std::int64_t revision_ = 0;        // until which everything is known
  std::int64_t latest_ = 0;          // change that the store has told of beside the watch
  std::set<Kind> out_;               // questions without an answer
  std::set<std::string> senseless_;  // keys that were complained of
  std::optional<Order> order_;
  std::uint64_t epoch_ = 0;
  bool hang_up_ = false;
  std::vector<Question> questions_;
  std::vector<News::Any> news_;
};

}  // namespace steelyard::cluster
