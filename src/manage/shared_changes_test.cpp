#include "manage/shared_changes.hpp"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "balance/drains.hpp"
#include "manage/test_desk.hpp"

namespace steelyard::manage {
namespace {

using cluster::FieldKey;
using cluster::FieldValue;
using cluster::News;
using cluster::Sight;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

FieldKey key(std::string member, std::string field) {
  return {"main", "balancer://app", std::move(member), std::move(field)};
}
const std::string m1 = "http://m1:8080";
const std::string m2 = "http://m2:8080";

Sight sight(FieldKey of, std::string configured, std::string value, std::int64_t revision) {
  return {{std::move(of), FieldValue{.value = std::move(value),
                                     .configured = std::move(configured),
                                     .who = "anna",
                                     .instance = "web2"}},
          revision};
}

class SharedChangesTest : public DeskWorld {
 protected:
  SharedChangesTest() { book.share_with(&shared); }
  ~SharedChangesTest() override { book.share_with(nullptr); }

  void begin() {
    shared.begin(std::nullopt, name_balancers(*generation), {}, {loop.now(), loop.wall_now()});
  }
  void join(std::vector<Sight> fields = {}) {
    begin();
    hear(News::Everything{.fields = std::move(fields), .revision = 10, .epoch = 1});
  }
  void hear(News::Any news) {
    std::vector<News::Any> all;
    all.push_back(std::move(news));
    shared.hear(std::move(all));
  }

  std::vector<cluster::Order> sent;
  std::vector<std::string> kept;
  std::string why_not_kept;
  std::optional<std::size_t> fails_after;  // so many were kept
  SharedChanges shared{SharedChanges::Parts{
      .loop = loop,
      .book = book,
      .log = log_line,
      .members_changed = [this] { ++told_of_members; },
      .knows_condition = [](std::string_view /*scope*/,
                            std::string_view name) { return name == "fine"; },
      .send = [this](const cluster::Order& order,
                     std::uint64_t /*epoch*/) { sent.push_back(order); },
      .keep = [this](const std::string& text) -> std::expected<void, std::string> {
        if (!why_not_kept.empty()) return std::unexpected(why_not_kept);
        if (fails_after && kept.size() >= *fails_after) return std::unexpected("the disk is full");
        kept.push_back(text);
        return {};
      },
      .store = "etcd://a/p",
      .addresses = {"a:2379", "b:2379"},
      .user = "lb",
      .self = {.id = "1", .name = "web1"}}};
};

TEST_F(SharedChangesTest, an_order_is_kept_made_and_sent_with_who_gave_it) {
  join();
  kept.clear();
  ask(R"({"command":"set","balancer":"app","member":"r1","fields":{"lbset":"1","retry":"7"}})");
  ASSERT_THAT(sent, SizeIs(1));
  ASSERT_THAT(sent[0].fields, SizeIs(2));
  const cluster::Wish& wish = sent[0].fields[0].wish;
  EXPECT_EQ(wish.key, key(m1, "lbset"));
  EXPECT_EQ(wish.value->value, "1");
  EXPECT_EQ(wish.value->configured, "0");
  EXPECT_EQ(wish.value->who, "a test");
  EXPECT_EQ(wish.value->instance, "web1");
  EXPECT_THAT(kept, SizeIs(1));
  // One at a time.
  ask(R"({"command":"set","balancer":"app","member":"r1","status":"+D"})");
  EXPECT_THAT(sent, SizeIs(1));
  hear(News::Shared{sent[0].id, 11});
  ASSERT_THAT(sent, SizeIs(2));
  EXPECT_EQ(sent[1].fields[0].wish.key, key(m1, "status"));
  // As the configuration has it again, and by whom.
  hear(News::Shared{sent[1].id, 12});
  ask(R"({"command":"set","balancer":"app","member":"r1","status":"-D","reason":"mended"})");
  ASSERT_THAT(sent, SizeIs(3));
  ASSERT_TRUE(sent[2].fields[0].wish.value.has_value());
  EXPECT_EQ(sent[2].fields[0].wish.value->value, "");
  EXPECT_EQ(sent[2].fields[0].wish.value->reason, "mended");
  EXPECT_EQ(sent[2].fields[0].over, 12);
}

TEST_F(SharedChangesTest, what_others_change_is_made_here_and_not_sent_back) {
  join({sight(key(m1, "status"), "", "D", 4)});
  EXPECT_EQ(status(0), "Init Dis");
  EXPECT_THAT(lines, Contains(HasSubstr("anna, web2")));
  hear(News::Changes{.fields = {sight(key(m2, "loadfactor"), "1.00", "2.00", 11),
                                sight(key("http://m9:8080", "member"), "", "added", 11)},
                     .revision = 11});
  EXPECT_EQ(view(1).spec->load_factor, 200);
  EXPECT_EQ(balancer().members().size(), 3U);
  EXPECT_GT(told_of_members, 0);
  hear(News::Changes{.fields = {{{key(m1, "status"), std::nullopt}, 12}}, .revision = 12});
  EXPECT_EQ(status(0), "Init Ok");
  EXPECT_THAT(sent, IsEmpty());
}

// 1.15 times 100 is no 115 in a double.
TEST_F(SharedChangesTest, a_factor_is_the_same_number_in_every_instance) {
  join();
  ask(R"({"command":"set","balancer":"app","member":"r1","fields":{"loadfactor":"1.15"}})");
  ASSERT_THAT(sent, SizeIs(1));
  EXPECT_EQ(sent[0].fields[0].wish.value->value, "1.15");
  hear(News::Shared{sent[0].id, 11});
  EXPECT_EQ(view(0).spec->load_factor, 115);
  hear(News::Changes{.fields = {sight(key(m2, "loadfactor"), "1.00", "2.03", 12)}, .revision = 12});
  EXPECT_EQ(view(1).spec->load_factor, 203);
  EXPECT_THAT(shared.view().left_out, IsEmpty());
}

TEST_F(SharedChangesTest, who_took_a_change_back_elsewhere_is_known_here) {
  join({sight(key(m1, "status"), "", "D", 4)});
  EXPECT_EQ(shared.view().fields, 1U);
  Sight back = sight(key(m1, "status"), "", "", 11);
  back.field.value->reason = "mended";
  hear(News::Changes{.fields = {back}, .revision = 11});
  EXPECT_EQ(status(0), "Init Ok");
  EXPECT_EQ(lines.back(),
            "http://m1:8080 in balancer://app: status from \"D\" to \"\" (by anna, web2, "
            "for \"mended\")");
  EXPECT_EQ(shared.view().fields, 0U);
  EXPECT_THAT(shared.view().left_out, IsEmpty());
}

TEST_F(SharedChangesTest, a_change_that_cannot_be_kept_for_sharing_is_not_made) {
  join();
  why_not_kept = "the disk is full";
  EXPECT_THAT(ask(R"({"command":"set","balancer":"app","member":"r1","status":"+D"})"),
              HasSubstr("the disk is full"));
  EXPECT_EQ(status(0), "Init Ok");
  why_not_kept.clear();
  hear(News::Changes{.revision = 11});
  EXPECT_THAT(sent, IsEmpty());
}

TEST_F(SharedChangesTest, what_was_taken_back_is_taken_out_of_the_file_as_soon_as_it_can_be) {
  join();
  loop.advance(std::chrono::seconds(2));
  ChangesBook closed(std::unexpected(journal::Fault{.text = "no disk"}), log_line);
  closed.share_with(&shared);
  fails_after = kept.size() + 1;  // the order is kept, and that it does not count is not
  EXPECT_FALSE(closed.change(name_balancers(*generation).front(), {.fields = {{m1, "lbset", "1"}}},
                             {}, {loop.now(), loop.wall_now()}));
  ASSERT_THAT(kept.back(), HasSubstr("lbset"));
  loop.advance(std::chrono::seconds(6));
  fails_after.reset();
  loop.advance(std::chrono::seconds(6));
  EXPECT_THAT(kept.back(), Not(HasSubstr("lbset")));
  EXPECT_EQ(std::ranges::count_if(
                lines, [](const std::string& line) { return line.contains("could not be kept"); }),
            1);
}

TEST_F(SharedChangesTest, a_successor_has_the_file_to_itself) {
  join();
  shared.leave();
  const std::size_t written = kept.size();
  hear(News::Changes{.fields = {sight(key(m1, "lbset"), "0", "1", 11)}, .revision = 11});
  loop.advance(std::chrono::seconds(10));
  EXPECT_THAT(ask(R"({"command":"set","balancer":"app","member":"r1","status":"+D"})"),
              HasSubstr("the server stops"));
  EXPECT_EQ(kept.size(), written);
  EXPECT_EQ(status(0), "Init Ok");
}

TEST_F(SharedChangesTest, a_drain_that_ended_here_stays_ended_over_a_restart) {
  balance::Overlay brought_back;
  brought_back.put(m1, "status", "", "SN");
  brought_back.put(m2, "status", "", "SN");
  (void)balance::Edits(balancer()).replace(brought_back, loop.now());
  ASSERT_EQ(status(0), "Init Drn Stop");
  ASSERT_EQ(status(1), "Init Drn Stop");
  // An operator has stopped the second one, everywhere.
  const std::vector<Sight> known{sight(key(m1, "status"), "", "N", 4),
                                 sight(key(m2, "status"), "", "SN", 4)};
  shared.begin(cluster::Kept{.store = "etcd://b,A:2379/p/", .known = known, .unshared = {}},
               name_balancers(*generation), {&balancer()}, {loop.now(), loop.wall_now()});
  hear(News::Everything{.fields = known, .revision = 10, .epoch = 1});
  EXPECT_EQ(status(0), "Init Drn Stop");
  EXPECT_EQ(status(1), "Init Drn Stop");
  hear(News::Changes{.fields = {sight(key(m2, "status"), "", "N", 11)}, .revision = 11});
  EXPECT_EQ(status(1), "Init Drn Ok");
  hear(News::Changes{.fields = {{{key(m1, "status"), std::nullopt}, 12}}, .revision = 12});
  EXPECT_EQ(status(0), "Init Ok");
  EXPECT_THAT(sent, IsEmpty());
}

TEST_F(SharedChangesTest, more_than_there_is_room_for_is_left_out) {
  join();
  const std::string much(15'000, 'x');
  std::vector<Sight> fields;
  for (std::size_t i = 0; i * much.size() < cluster::fields_bytes_max; ++i) {
    Sight each = sight(key("http://x" + std::to_string(i) + ":8080", "route"), "", much, 11);
    fields.push_back(std::move(each));
  }
  hear(News::Changes{.fields = std::move(fields), .revision = 11});
  EXPECT_THAT(lines, Contains(HasSubstr("64 MiB")));
  EXPECT_LT(shared.view().fields, 10U);
}

TEST_F(SharedChangesTest, while_cut_off_changes_are_made_and_wait) {
  join();
  hear(News::Lost{"no route"});
  hear(News::Lost{"no route", 1});
  ask(R"({"command":"set","balancer":"app","member":"r1","status":"+D"})");
  EXPECT_EQ(status(0), "Init Dis");
  EXPECT_THAT(sent, IsEmpty());
  const ClusterView view = shared.view();
  EXPECT_FALSE(view.is_connected);
  EXPECT_EQ(view.why, "b:2379 as user \"lb\": no route");
  // Who looks at members sees it, too.
  const std::string trouble =
      "Not connected to etcd://a/p since " + Moment::text_of(*view.since) +
      ": b:2379 as user \"lb\": no route; what is changed here reaches the other instances later";
  EXPECT_THAT(std::string(nlohmann::json::parse(ask(R"({"command":"members"})"))["troubles"][0]),
              testing::StartsWith(trouble));
  EXPECT_THAT(view.unshared, SizeIs(1));
  EXPECT_EQ(std::ranges::count_if(lines,
                                  [](const std::string& line) { return line.contains("cut off"); }),
            1);
  hear(News::Everything{.revision = 11, .epoch = 2});
  EXPECT_THAT(sent, SizeIs(1));
  EXPECT_EQ(status(0), "Init Dis");
}

TEST_F(SharedChangesTest, what_was_taken_back_long_ago_is_removed_from_the_store) {
  const auto taken_back = [this](std::string field, std::chrono::days ago, std::int64_t revision) {
    Sight each = sight(key(m1, std::move(field)), "", "", revision);
    each.field.value->at_us = std::chrono::duration_cast<std::chrono::microseconds>(
                                  (loop.wall_now() - ago).time_since_epoch())
                                  .count();
    return each;
  };
  using std::chrono::days;
  join({taken_back("status", days(31), 4), taken_back("route", days(29), 5),
        sight(key(m1, "lbset"), "0", "1", 6)});
  ASSERT_THAT(sent, SizeIs(1));
  ASSERT_THAT(sent[0].fields, SizeIs(1));
  EXPECT_EQ(sent[0].fields[0].wish, (cluster::Wish{key(m1, "status"), std::nullopt}));
  EXPECT_EQ(sent[0].fields[0].over, 4);
  EXPECT_THAT(shared.view().unshared, IsEmpty());
  // Nor is an order of an operator held up for longer than it takes, or what is newer removed.
  ask(R"({"command":"set","balancer":"app","member":"r1","fields":{"status":"D"}})");
  EXPECT_THAT(sent, SizeIs(1));
  hear(News::InTheWay{.order = sent[0].id, .fields = {sight(key(m1, "status"), "", "S", 11)}});
  ASSERT_THAT(sent, SizeIs(2));
  EXPECT_EQ(sent[1].fields[0].wish.value->value, "D");
  hear(News::Shared{sent[1].id, 12});
  EXPECT_THAT(sent, SizeIs(2));
  loop.advance(std::chrono::hours(20));
  hear(News::Behind{12});
  EXPECT_THAT(sent, SizeIs(2));
  loop.advance(std::chrono::hours(20));
  hear(News::Behind{12});
  ASSERT_THAT(sent, SizeIs(3));
  EXPECT_EQ(sent[2].fields[0].wish.key, key(m1, "route"));
}

TEST_F(SharedChangesTest, of_much_that_was_taken_back_a_part_is_removed_at_a_time) {
  std::vector<Sight> fields;
  for (int i = 0; i < 150; ++i) {
    fields.push_back(sight(key("http://x" + std::to_string(i) + ":8080", "route"), "", "", 5));
    fields.back().field.value->at_us = INT64_MIN / 2;
  }
  join(fields);
  ASSERT_THAT(sent, SizeIs(1));
  EXPECT_THAT(sent[0].fields, SizeIs(100));
  // Nor in a loop when etcd does not do it.
  hear(News::Refused{sent[0].id, "no"});
  EXPECT_THAT(sent, SizeIs(1));
  loop.advance(cluster::keep_alive_interval);
  hear(News::Behind{10});
  ASSERT_THAT(sent, SizeIs(2));
  News::Changes gone{.revision = 11};
  for (const auto& field : sent[1].fields) gone.fields.push_back({field.wish, 11});
  hear(std::move(gone));
  hear(News::Shared{sent[1].id, 11});
  loop.advance(cluster::keep_alive_interval);
  hear(News::Behind{11});
  ASSERT_THAT(sent, SizeIs(3));
  EXPECT_THAT(sent[2].fields, SizeIs(50));
}

TEST_F(SharedChangesTest, an_order_that_lost_is_taken_back_and_told) {
  join();
  hear(News::Lost{"no route"});
  ask(R"({"command":"set","balancer":"app","member":"r1","fields":{"lbset":"1","retry":"7"}})");
  hear(News::Everything{
      .fields = {sight(key(m1, "lbset"), "0", "2", 11)}, .revision = 11, .epoch = 2});
  EXPECT_EQ(view(0).spec->lbset, 2);
  EXPECT_EQ(view(0).spec->retry, std::chrono::seconds(60));
  EXPECT_THAT(sent, IsEmpty());
  EXPECT_THAT(shared.view().superseded, SizeIs(1));
  EXPECT_THAT(lines, Contains(HasSubstr("lbset was changed here to \"1\"")));
}

TEST_F(SharedChangesTest, a_drain_that_ended_here_keeps_the_member_stopped_here_alone) {
  join();
  balance::Drains drains(balancer());
  ASSERT_TRUE(drains.order(view(0).member, {.deadline = loop.now()}, loop.now()));
  (void)drains.watch(loop.now());
  ASSERT_EQ(status(0), "Init Drn Stop");
  hear(News::Changes{
      .fields = {sight(key(m1, "status"), "", "N", 11), sight(key(m1, "lbset"), "0", "1", 11)},
      .revision = 11});
  EXPECT_EQ(status(0), "Init Drn Stop");
  EXPECT_EQ(view(0).spec->lbset, 1);
  EXPECT_THAT(sent, IsEmpty());
  hear(News::Changes{.fields = {{{key(m1, "status"), std::nullopt}, 12}}, .revision = 12});
  EXPECT_EQ(status(0), "Init Ok");
}

TEST_F(SharedChangesTest, what_a_store_that_went_back_forgot_counts_on) {
  join({sight(key(m1, "status"), "", "D", 9)});
  hear(News::Lost{"no route"});
  hear(News::Everything{.fields = {}, .revision = 3, .epoch = 2});
  EXPECT_EQ(status(0), "Init Dis");
  ASSERT_THAT(sent, SizeIs(1));
  EXPECT_EQ(sent[0].fields[0].wish.value->who, "anna");
  EXPECT_THAT(lines, Contains(HasSubstr("went back from revision 10 to 3")));
  EXPECT_THAT(shared.view().went_back, HasSubstr("1 fields are shared anew"));
}

TEST_F(SharedChangesTest, what_another_configurations_value_cancels_is_not_told_as_its_change) {
  join({sight(key(m1, "loadfactor"), "1.00", "2.00", 9)});
  ASSERT_EQ(view(0).spec->load_factor, 200);
  hear(News::Changes{.fields = {sight(key(m1, "loadfactor"), "4.00", "9.00", 11)}, .revision = 11});
  EXPECT_EQ(view(0).spec->load_factor, 100);
  EXPECT_THAT(lines,
              Contains(HasSubstr("from \"2.00\" to \"1.00\" (by the server, for \"web2 says")));
  EXPECT_THAT(lines, Not(Contains(HasSubstr("by anna, web2, for"))));
}

TEST_F(SharedChangesTest, what_another_instance_drained_at_once_is_undrained_here) {
  join();
  hear(News::Changes{.fields = {sight(key(m1, "status"), "", "SN", 11)}, .revision = 11});
  ASSERT_EQ(status(0), "Init Drn Stop");
  EXPECT_THAT(ask(R"({"command":"undrain","balancer":"app","member":"r1"})"), HasSubstr("Init Ok"));
  EXPECT_EQ(status(0), "Init Ok");
  ASSERT_THAT(sent, SizeIs(1));
  EXPECT_EQ(sent[0].fields[0].wish.value->value, "");
}

// S of an order is shared, so whoever takes it away takes it away here.
TEST_F(SharedChangesTest, the_stop_of_a_drain_at_once_is_not_kept_against_the_cluster) {
  join();
  ask(R"({"command":"drain","balancer":"app","member":"r1","kick":true})");
  ASSERT_EQ(status(0), "Init Drn Stop");
  ASSERT_THAT(sent, SizeIs(1));
  hear(News::Shared{sent[0].id, 11});
  hear(News::Changes{.fields = {sight(key(m1, "status"), "", "N", 12)}, .revision = 12});
  EXPECT_EQ(status(0), "Init Drn Ok");
}

TEST_F(SharedChangesTest, values_that_an_operator_could_not_give_are_left_out) {
  join({sight(key(m1, "lbset"), "0", "-1", 1), sight(key(m1, "retry"), "60", "07", 2),
        sight(key(m1, "status"), "", "E", 3), sight(key(m1, "colour"), "", "red", 4),
        sight(key(m1, "route"), "r1", "a\nb", 5), sight(key(m1, "hcexpr"), "", "unknown", 6),
        sight(key(m2, "member"), "", "gone", 7), sight(key("gopher://x", "member"), "", "added", 8),
        sight(key("", "member"), "", "removed", 9), sight(key(m2, "retry"), "60", "8", 9)});
  EXPECT_THAT(shared.view().left_out, SizeIs(9));
  EXPECT_EQ(view(1).spec->retry, std::chrono::seconds(8));
  EXPECT_EQ(status(0), "Init Ok");
  EXPECT_EQ(balancer().members().size(), 2U);
}

TEST_F(SharedChangesTest, no_more_members_are_added_than_an_operator_could) {
  std::vector<Sight> fields;
  for (int i = 0; i < balance::added_members_max + 5; ++i)
    fields.push_back(
        sight(key("http://x" + std::to_string(i) + ":8080", "member"), "", "added", 1));
  join(std::move(fields));
  EXPECT_EQ(balancer().members().size(), 2U + balance::added_members_max);
  EXPECT_THAT(shared.view().left_out, SizeIs(5));
}

TEST_F(SharedChangesTest, a_member_that_goes_takes_its_fields_along) {
  join({sight(key(m1, "lbset"), "0", "1", 1), sight(key(m1, "status"), "", "D", 2)});
  ask(R"({"command":"remove","balancer":"app","member":"r1"})");
  ASSERT_THAT(sent, SizeIs(1));
  ASSERT_THAT(sent[0].fields, SizeIs(3));
  for (const auto& field : sent[0].fields)
    EXPECT_EQ(field.wish.value.has_value(), field.wish.key.field == "member");
}

TEST_F(SharedChangesTest, what_the_journal_refuses_is_not_shared) {
  join();
  ChangesBook closed(std::unexpected(journal::Fault{.text = "no disk"}), log_line);
  closed.share_with(&shared);
  const auto changed =
      closed.change(name_balancers(*generation).front(), {.fields = {{m1, "lbset", "1"}}}, {},
                    {loop.now(), loop.wall_now()});
  EXPECT_FALSE(changed);
  EXPECT_THAT(sent, IsEmpty());
  EXPECT_THAT(shared.view().unshared, IsEmpty());
}

}  // namespace
}  // namespace steelyard::manage
