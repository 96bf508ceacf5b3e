// A store that went back: it came back empty, or was restored from a backup.
#include "cluster/ledger.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace steelyard::cluster {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

FieldKey key(std::string field) {
  return {"main", "balancer://app", "http://m1:8080", std::move(field)};
}
Wish wish(std::string field, std::string value, std::int64_t at_us) {
  return {key(std::move(field)),
          FieldValue{.value = std::move(value), .who = "anna", .at_us = at_us}};
}

class WentBack : public ::testing::Test {
 protected:
  // What the store has forgotten by now is shared anew.
  void connect(std::vector<Sight> sights, std::int64_t revision) {
    for (Wish& each : ledger.take_all(std::move(sights), revision))
      ledger.share_anew({Order{.id = "anew-" + each.key.field, .fields = {{std::move(each), 0}}}});
  }
  std::string value(const std::string& field) {
    const FieldValue* const found = ledger.value(key(field));
    return found != nullptr ? found->value : "as configured";
  }

  Ledger ledger;
};

TEST_F(WentBack, what_an_empty_store_forgot_counts_on_and_is_shared_anew) {
  connect({{wish("status", "D", 7), 30}, {wish("lbset", "2", 8), 39}}, 40);
  ledger.cut_off();
  connect({}, 3);
  EXPECT_EQ(value("status"), "D");
  EXPECT_EQ(value("lbset"), "2");
  ASSERT_NE(ledger.next(), nullptr);
  EXPECT_THAT(ledger.unshared(), SizeIs(2));
  const FieldValue& first = *ledger.next()->fields.front().wish.value;
  EXPECT_EQ(first.who, "anna");  // and not this instance
  EXPECT_EQ(first.at_us, 7);
  EXPECT_EQ(ledger.next()->fields.front().over, 0);
  for (std::int64_t revision = 4; ledger.next() != nullptr; ++revision)
    ledger.shared(std::string(ledger.next()->id), revision);
  EXPECT_THAT(ledger.known(), SizeIs(2));
  EXPECT_THAT(ledger.take_superseded(), IsEmpty());
}

TEST_F(WentBack, what_is_known_from_before_a_restart_counts_on_too) {
  ledger.remember({{wish("status", "D", 7), 30}});
  connect({}, 3);
  EXPECT_EQ(value("status"), "D");
  EXPECT_NE(ledger.next(), nullptr);
}

TEST_F(WentBack, a_store_that_went_on_is_believed) {
  connect({{wish("status", "D", 7), 30}}, 40);
  ledger.cut_off();
  connect({}, 40);
  EXPECT_EQ(value("status"), "as configured");
  EXPECT_EQ(ledger.next(), nullptr);
}

TEST_F(WentBack, a_backup_under_a_higher_revision_is_told_by_its_fields) {
  connect({{wish("status", "D", 7), 30}, {wish("lbset", "2", 8), 39}}, 40);
  ledger.cut_off();
  connect({{wish("status", "N", 5), 20}}, 1'000'000);
  EXPECT_EQ(value("status"), "D");
  EXPECT_EQ(value("lbset"), "2");
  EXPECT_THAT(ledger.unshared(), SizeIs(2));
}

TEST_F(WentBack, of_two_values_the_later_one_counts) {
  connect({{wish("status", "D", 7), 30}, {wish("lbset", "2", 7), 31}}, 40);
  ledger.cut_off();
  connect({{wish("status", "N", 6), 2}, {wish("lbset", "3", 9), 3}}, 4);
  EXPECT_EQ(value("status"), "D");
  EXPECT_EQ(value("lbset"), "3");
  EXPECT_THAT(ledger.unshared(), SizeIs(1));
}

TEST_F(WentBack, who_shares_the_same_anew_yields_to_a_later_value) {
  connect({{wish("status", "D", 7), 30}, {wish("lbset", "2", 7), 31}}, 40);
  ledger.cut_off();
  connect({}, 1);
  const std::string lbset = "anew-lbset";
  ledger.in_the_way("anew-status", {{wish("status", "S", 9), 2}, {wish("lbset", "1", 3), 2}});
  EXPECT_EQ(value("status"), "S");
  EXPECT_EQ(value("lbset"), "2");
  ASSERT_NE(ledger.next(), nullptr);
  EXPECT_EQ(ledger.next()->id, lbset);
  EXPECT_EQ(ledger.next()->fields.front().over, 2);
  EXPECT_THAT(ledger.take_superseded(), IsEmpty());
}

TEST_F(WentBack, what_was_ordered_meanwhile_comes_after_it_and_is_not_lost) {
  connect({{wish("status", "D", 7), 30}}, 40);
  ledger.cut_off();
  ledger.order("mine", {wish("status", "S", 8)});
  connect({}, 3);
  EXPECT_EQ(value("status"), "S");
  ASSERT_THAT(ledger.unshared(), SizeIs(2));
  EXPECT_EQ(ledger.unshared().back().id, "mine");
  EXPECT_THAT(ledger.take_superseded(), IsEmpty());
}

TEST(TakenBack, fields_of_long_ago_are_told_with_their_revisions) {
  Ledger ledger;
  Wish old = wish("status", "", 5);
  Wish fresh = wish("lbset", "0", 9);
  fresh.value->configured = "0";
  Wish changed = wish("retry", "7", 5);
  Wish mine = wish("timeout", "", 5);
  ledger.take_all({{old, 10}, {fresh, 11}, {changed, 12}, {mine, 13}}, 13);
  ledger.order("one", {wish("timeout", "3", 8)});
  const auto fields = ledger.taken_back_before(9, 100);
  ASSERT_THAT(fields, SizeIs(1));
  EXPECT_EQ(fields[0].wish.key, key("status"));
  EXPECT_FALSE(fields[0].wish.value);
  EXPECT_EQ(fields[0].over, 10);
  EXPECT_THAT(ledger.taken_back_before(10, 1), SizeIs(1));
}

// An instance shared it and got no answer. Meanwhile it was taken back, and that was removed.
TEST(TakenBack, an_old_order_does_not_bring_back_what_is_no_longer_told_of) {
  for (const std::int64_t trusted_from : {8, 9}) {
    Ledger ledger;
    ledger.take_all({}, 10);
    ledger.order("one", {wish("status", "D", 8)});
    ledger.sent();
    ledger.cut_off();
    ledger.distrust_before(trusted_from);
    ledger.take_all({}, 90);
    const bool is_too_old = trusted_from > 8;
    EXPECT_EQ(ledger.value(key("status")) == nullptr, is_too_old);
    const auto lost = ledger.take_superseded();
    ASSERT_THAT(lost, SizeIs(is_too_old ? 1 : 0));
    if (is_too_old) {
      EXPECT_THAT(lost[0].why, testing::HasSubstr("too old"));
    }
  }
}

}  // namespace
}  // namespace steelyard::cluster
