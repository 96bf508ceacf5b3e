// Instances that share changes through one store, with everything that can come between them: any
// order of changes, answers, lines of watches, lost questions, lost answers, silence, compaction.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <deque>
#include <random>

#include "base/check.hpp"
#include "cluster/conversation.hpp"
#include "cluster/test_store.hpp"

namespace steelyard::cluster {
namespace {

constexpr std::string_view prefix = "/test";

FieldKey field(int balancer, int member, int name) {
  return {"main", fmt::format("balancer://{}", balancer), fmt::format("m{}", member),
          fmt::format("f{}", name)};
}

// One instance: what the server's threads do, without threads.
struct Peer {
  TestStore& store;
  Conversation talk;
  Ledger ledger{};
  bool is_sent = false;
  std::uint64_t epoch = 0;
  Instant now{std::chrono::hours(1)};
  std::deque<Question> out{};
  std::optional<std::int64_t> watched{};  // what the watch tells next
  int made = 0;
  std::string name;
  std::vector<Superseded> superseded{};
  std::map<std::string, Instance> instances{};

  Peer(TestStore& of, std::string called, std::uint64_t seed)
      : store(of),
        talk({.addresses = 2,
              .prefix = std::string(prefix),
              .login = of.token.empty() ? std::nullopt
                                        : std::optional(Conversation::Login{"user", "word"}),
              .instance = {.id = called, .name = called},
              .seed = seed}),
        name(std::move(called)) {
    talk.start(now);
    move();
  }

  // Hands on what each side has for the other.
  void move() {
    while (true) {
      if (talk.take_hang_up()) {
        out.clear();
        watched.reset();
      }
      for (Question& each : talk.take_questions()) out.push_back(std::move(each));
      const auto news = talk.take_news();
      for (const News::Any& each : news) std::visit([this](const auto& one) { take(one); }, each);
      for (Superseded& each : ledger.take_superseded()) superseded.push_back(std::move(each));
      const Order* const next = ledger.next();
      if (next != nullptr && !is_sent) {
        is_sent = true;
        ledger.sent();
        talk.share(*next, epoch);
        continue;
      }
      if (news.empty()) return;
    }
  }

  void take(const News::Everything& news) {
    is_sent = false;
    epoch = news.epoch;
    instances.clear();
    for (const Instance& each : news.instances) instances[each.id] = each;
    (void)ledger.take_all(news.fields, news.revision);
  }
  void take(const News::Changes& news) {
    for (const Instance& each : news.came) instances[each.id] = each;
    for (const std::string& each : news.gone) instances.erase(each);
    ledger.take_changes(news.fields, news.revision);
  }
  void take(const News::Shared& news) {
    is_sent = false;
    ledger.shared(news.order, news.revision);
  }
  void take(const News::InTheWay& news) {
    is_sent = false;
    ledger.in_the_way(news.order, news.fields);
  }
  void take(const News::Refused& news) {
    is_sent = false;
    ledger.refused(news.order, news.why);
  }
  void take(const News::Lost& /*news*/) {
    is_sent = false;
    ledger.cut_off();
  }
  void take(const News::Behind& /*news*/) {}
  void take(const News::Senseless& news) { ADD_FAILURE() << news.key << ": " << news.why; }

  void order(std::vector<Wish> wishes) {
    ledger.order(fmt::format("{}-{}", name, ++made), std::move(wishes));
    move();
  }
  void set(const FieldKey& key, std::string value) {
    order({{key, FieldValue{.value = std::move(value)}}});
  }

  void answer_one() {
    if (out.empty()) return;
    const Question question = std::move(out.front());
    out.pop_front();
    if (question.kind == Question::Kind::watch) {
      watched = TestStore::first_of_watch(question);
      talk.streamed(store.created(), now);
    } else {
      const auto answer = store.answer(question);
      talk.answered(question.kind, answer.status, answer.body, now);
    }
    move();
  }
  void hear_one() {
    if (!watched) return;
    if (const auto line = store.watch(*watched)) talk.streamed(*line, now);
    move();
  }
  // Before or after the store did it.
  void lose_one(bool is_done) {
    if (out.empty()) {
      if (watched) talk.failed(Question::Kind::watch, "the line is cut", now);
      return move();
    }
    // What matters most, if it is there.
    const auto share = std::ranges::find(out, Question::Kind::share, &Question::kind);
    const auto at = share != out.end() ? share : out.begin();
    const Question question = std::move(*at);
    out.erase(at);
    if (is_done && question.kind != Question::Kind::watch) store.answer(question);
    talk.failed(question.kind, "no answer", now);
    move();
  }
  // The order that is on its way: it arrives, and its answer is still to come.
  TestStore::Answer let_order_arrive() {
    const auto share = std::ranges::find(out, Question::Kind::share, &Question::kind);
    CHECK(share != out.end());
    const Question question = std::move(*share);
    out.erase(share);
    return store.answer(question);
  }
  void wait(Duration time) {
    now += time;
    talk.tick(now);
    move();
  }
  // Until nothing happens any more.
  void settle() {
    for (int quiet = 0; quiet < 3;) {
      const bool is_busy = std::ranges::any_of(out, [](const Question& each) {
        return each.kind != Question::Kind::keep_alive && each.kind != Question::Kind::latest;
      });
      const std::int64_t heard = watched.value_or(-1);
      answer_one();
      hear_one();
      const bool happened = is_busy || watched.value_or(-1) != heard;
      quiet = happened || !ledger.in_touch() || !ledger.unshared().empty() ? 0 : quiet + 1;
      if (out.empty()) wait(backoff_most);
    }
  }
};

std::map<FieldKey, std::string> fields_in(const TestStore& store) {
  std::map<FieldKey, std::string> all;
  const std::string folder = changes_folder(prefix);
  for (const auto& [key, value] : store.values) {
    if (!key.starts_with(folder)) continue;
    all[read_key(key.substr(folder.size())).value()] = read_value(value.text).value().value;
  }
  return all;
}

std::map<FieldKey, std::string> fields_known_to(const Peer& peer) {
  std::map<FieldKey, std::string> all;
  for (const FieldKey& balancer : peer.ledger.balancers()) {
    for (const auto& [key, value] : peer.ledger.values(balancer)) all[key] = value.value;
  }
  return all;
}

void settle_all(std::deque<Peer>& peers) {
  for (int round = 0; round < 3; ++round) {
    for (Peer& peer : peers) peer.settle();
  }
}

TEST(Agreement, a_change_of_one_instance_reaches_the_other) {
  TestStore store;
  Peer one(store, "one", 1);
  Peer two(store, "two", 2);
  one.settle();
  two.settle();
  one.set(field(1, 1, 1), "D");
  one.settle();
  two.settle();
  ASSERT_NE(two.ledger.value(field(1, 1, 1)), nullptr);
  EXPECT_EQ(two.ledger.value(field(1, 1, 1))->value, "D");
  EXPECT_EQ(two.instances.size(), 2U);
  two.order({{field(1, 1, 1), std::nullopt}});
  two.settle();
  one.settle();
  EXPECT_EQ(one.ledger.value(field(1, 1, 1)), nullptr);
  EXPECT_TRUE(fields_in(store).empty());
}

TEST(Agreement, of_changes_made_in_touch_the_last_one_counts) {
  TestStore store;
  Peer one(store, "one", 1);
  Peer two(store, "two", 2);
  one.settle();
  two.settle();
  one.set(field(1, 1, 1), "first");
  two.set(field(1, 1, 1), "second");  // without having heard of the first
  one.settle();
  two.settle();
  one.settle();
  EXPECT_EQ(fields_in(store).at(field(1, 1, 1)), "second");
  EXPECT_EQ(fields_known_to(one), fields_in(store));
  EXPECT_TRUE(two.superseded.empty());
}

TEST(Agreement, what_was_changed_while_cut_off_goes_up_unless_somebody_else_changed_it) {
  TestStore store;
  Peer one(store, "one", 1);
  Peer two(store, "two", 2);
  one.settle();
  two.settle();
  two.lose_one(false);
  ASSERT_FALSE(two.ledger.in_touch());
  two.set(field(1, 1, 1), "two's");
  two.set(field(1, 2, 1), "two's alone");
  two.set(field(1, 3, 1), "the same");
  EXPECT_EQ(two.ledger.value(field(1, 1, 1))->value, "two's");
  EXPECT_EQ(two.ledger.unshared().size(), 3U);
  one.set(field(1, 1, 1), "one's");
  one.set(field(1, 3, 1), "the same");
  one.settle();
  two.settle();
  one.settle();
  const std::map<FieldKey, std::string> wanted{
      {field(1, 1, 1), "one's"}, {field(1, 2, 1), "two's alone"}, {field(1, 3, 1), "the same"}};
  EXPECT_EQ(fields_in(store), wanted);
  EXPECT_EQ(fields_known_to(one), wanted);
  EXPECT_EQ(fields_known_to(two), wanted);
  ASSERT_EQ(two.superseded.size(), 1U);
  EXPECT_EQ(two.superseded[0].fields[0].ours->value, "two's");
  EXPECT_EQ(two.superseded[0].fields[0].theirs->value, "one's");
}

TEST(Agreement, an_order_of_several_fields_goes_up_whole_or_not_at_all) {
  TestStore store;
  Peer one(store, "one", 1);
  Peer two(store, "two", 2);
  one.settle();
  two.settle();
  two.lose_one(false);
  two.order({{field(1, 1, 1), FieldValue{.value = "half"}},
             {field(1, 1, 2), FieldValue{.value = "other half"}}});
  one.set(field(1, 1, 1), "one's");
  one.settle();
  two.settle();
  const std::map<FieldKey, std::string> wanted{{field(1, 1, 1), "one's"}};
  EXPECT_EQ(fields_in(store), wanted);
  EXPECT_EQ(fields_known_to(two), wanted);
}

TEST(Agreement, a_change_over_an_own_one_that_lost_loses_too) {
  TestStore store;
  Peer one(store, "one", 1);
  Peer two(store, "two", 2);
  one.settle();
  two.settle();
  two.lose_one(false);
  two.set(field(1, 1, 1), "a");
  two.set(field(1, 1, 1), "b");
  one.set(field(1, 1, 1), "one's");
  one.settle();
  two.settle();
  EXPECT_EQ(fields_known_to(two).at(field(1, 1, 1)), "one's");
  EXPECT_EQ(two.superseded.size(), 2U);
}

TEST(Agreement, an_answer_that_was_lost_does_not_make_a_change_lose_against_itself) {
  TestStore store;
  Peer one(store, "one", 1);
  one.settle();
  one.set(field(1, 1, 1), "a");
  one.set(field(1, 1, 1), "b");
  one.lose_one(true);  // the store has the first
  ASSERT_EQ(fields_in(store).at(field(1, 1, 1)), "a");
  one.settle();
  EXPECT_EQ(fields_in(store).at(field(1, 1, 1)), "b");
  EXPECT_TRUE(one.superseded.empty());
}

// As after a token, a lease or a compaction: nothing was lost but what was asked.
TEST(Agreement, an_order_whose_answer_got_lost_is_not_sent_again_over_a_later_one) {
  TestStore store;
  Peer one(store, "one", 1);
  Peer two(store, "two", 2);
  one.settle();
  two.settle();
  one.set(field(1, 1, 1), "earlier");
  one.let_order_arrive();
  store.end_all_leases();
  one.wait(keep_alive_interval);
  one.answer_one();  // the lease is over: all is asked anew
  two.settle();
  two.set(field(1, 1, 1), "later");
  two.settle();
  one.settle();
  EXPECT_EQ(fields_in(store).at(field(1, 1, 1)), "later");
  EXPECT_EQ(fields_known_to(one), fields_in(store));
  EXPECT_EQ(one.superseded.size(), 1U);
}

TEST(Agreement, a_late_answer_does_not_bring_back_what_was_deleted_meanwhile) {
  TestStore store;
  Peer one(store, "one", 1);
  Peer two(store, "two", 2);
  one.settle();
  two.settle();
  one.set(field(1, 1, 1), "a");
  const TestStore::Answer late = one.let_order_arrive();
  two.settle();
  two.order({{field(1, 1, 1), std::nullopt}});
  two.settle();
  for (int i = 0; i < 5; ++i) one.hear_one();
  one.talk.answered(Question::Kind::share, late.status, late.body, one.now);
  one.move();
  EXPECT_EQ(one.ledger.value(field(1, 1, 1)), nullptr);
  EXPECT_TRUE(one.ledger.unshared().empty());
  EXPECT_TRUE(fields_in(store).empty());
}

TEST(Agreement, what_is_no_longer_told_is_read_anew) {
  TestStore store;
  Peer one(store, "one", 1);
  Peer two(store, "two", 2);
  one.settle();
  two.settle();
  one.set(field(1, 1, 1), "a");
  one.answer_one();
  one.settle();
  store.put("/elsewhere", "x");
  store.compact();
  two.settle();
  EXPECT_EQ(fields_known_to(two), fields_in(store));
}

TEST(Agreement, a_watch_that_fell_silent_is_noticed) {
  TestStore store;
  Peer one(store, "one", 1);
  Peer two(store, "two", 2);
  one.settle();
  two.settle();
  one.set(field(1, 1, 1), "a");
  one.settle();
  for (int i = 0; i < 12; ++i) {
    two.wait(keep_alive_interval);
    while (!two.out.empty()) two.answer_one();
  }
  EXPECT_EQ(fields_known_to(two), fields_in(store));
}

TEST(Agreement, who_is_silent_is_gone_and_comes_back_with_a_lease_of_its_own) {
  TestStore store;
  Peer one(store, "one", 1);
  Peer two(store, "two", 2);
  one.settle();
  two.settle();
  store.end_all_leases();
  for (int i = 0; i < 4; ++i) one.hear_one();
  EXPECT_TRUE(one.instances.empty());
  one.settle();
  two.settle();
  one.settle();
  EXPECT_EQ(one.instances.size(), 2U);
  EXPECT_EQ(two.instances.size(), 2U);
}

TEST(Agreement, a_token_that_is_over_is_replaced_without_losing_touch) {
  TestStore store;
  store.token = "first";
  Peer one(store, "one", 1);
  one.settle();
  store.token = "second";
  one.set(field(1, 1, 1), "a");
  one.answer_one();
  EXPECT_TRUE(one.ledger.in_touch());
  one.settle();
  EXPECT_EQ(fields_in(store).size(), 1U);
}

TEST(Agreement, what_was_not_shared_before_the_end_goes_up_after_a_restart) {
  TestStore store;
  Peer one(store, "one", 1);
  one.settle();
  one.lose_one(false);
  one.set(field(1, 1, 1), "a");
  Peer again(store, "again", 3);
  again.ledger.restore({one.ledger.unshared().begin(), one.ledger.unshared().end()});
  EXPECT_EQ(again.ledger.value(field(1, 1, 1))->value, "a");
  again.settle();
  EXPECT_EQ(fields_in(store).at(field(1, 1, 1)), "a");
}

TEST(Agreement, more_fields_than_a_page_holds_are_read_page_by_page) {
  TestStore store;
  for (int i = 0; i < 1000; ++i)
    store.put(key_text(prefix, field(i % 7, i, 1)), value_text({.value = std::to_string(i)}));
  Peer one(store, "one", 1);
  one.settle();
  EXPECT_EQ(fields_known_to(one), fields_in(store));
  EXPECT_EQ(fields_known_to(one).size(), 1000U);
}

TEST(Agreement, whatever_comes_between_all_know_in_the_end_what_the_store_has) {
  for (std::uint64_t seed = 1; seed <= 120; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    std::mt19937_64 random(seed);
    const auto draw = [&random](int below) {
      return static_cast<int>(random() % static_cast<std::uint64_t>(below));
    };
    TestStore store;
    std::deque<Peer> peers;
    for (int i = 0; i < 3; ++i) peers.emplace_back(store, fmt::format("p{}", i), seed * 10 + i);
    for (int step = 0; step < 250; ++step) {
      Peer& peer = peers[static_cast<std::size_t>(draw(3))];
      const int what = draw(100);
      if (what < 20) {
        std::vector<Wish> wishes;
        const int balancer = draw(2);
        const int member = draw(2);
        for (int name = draw(2); name < 3; name += 1 + draw(2)) {
          std::optional<FieldValue> value;
          if (draw(4) != 0) value = FieldValue{.value = std::to_string(draw(5))};
          wishes.push_back({field(balancer, member, name), std::move(value)});
        }
        peer.order(std::move(wishes));
      } else if (what < 60) {
        peer.answer_one();
      } else if (what < 80) {
        peer.hear_one();
      } else if (what < 85) {
        peer.lose_one(draw(2) == 0);
      } else if (what < 97) {
        peer.wait(std::chrono::milliseconds(draw(4000)));
      } else if (what < 98) {
        store.compact();
      } else if (what < 99) {
        store.end_all_leases();
      } else {
        store.put("/elsewhere", "x");
      }
    }
    settle_all(peers);
    for (const Peer& peer : peers) {
      ASSERT_TRUE(peer.ledger.in_touch());
      ASSERT_TRUE(peer.ledger.unshared().empty());
      ASSERT_EQ(fields_known_to(peer), fields_in(store));
      ASSERT_EQ(peer.instances.size(), peers.size());
    }
  }
}

TEST(Agreement, who_could_not_be_spoken_to_is_told) {
  Conversation talk({.addresses = 3, .prefix = "/p", .instance = {.id = "1"}, .seed = 5});
  Instant now{};
  talk.start(now);
  for (int i = 0; i < 4; ++i) {
    const auto questions = talk.take_questions();
    ASSERT_EQ(questions.size(), 1U);
    talk.failed(questions[0].kind, "refused", now);
    const auto news = talk.take_news();
    ASSERT_EQ(news.size(), 1U);
    EXPECT_EQ(std::get<News::Lost>(news[0]).address, questions[0].address);
    EXPECT_NE(talk.address(), questions[0].address);
    now = talk.due();
    talk.tick(now);
  }
}

}  // namespace
}  // namespace steelyard::cluster
