#include "journal/journal.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>

#include "journal/test_folder.hpp"

namespace steelyard::journal {
namespace {

using balance::Overlay;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

class JournalTest : public ::testing::Test {
 protected:
  std::int64_t set(const std::string& member, const std::string& field, const std::string& before,
                   const std::string& after) {
    const auto id = change(journal, overlay, member, field, before, after, ++second);
    EXPECT_TRUE(id) << id.error().text;
    return id.value_or(-1);
  }
  std::int64_t keep(const BalancerKey& balancer, std::vector<Record> records) {
    const auto id = journal.append(balancer, records, overlay, at_second(++second));
    EXPECT_TRUE(id) << id.error().text;
    return id.value_or(-1);
  }
  Overlays load() {
    auto loaded = journal.load();
    EXPECT_TRUE(loaded) << loaded.error().text;
    return loaded.value_or(Overlays());
  }
  std::vector<std::int64_t> ids(const HistoryFilter& filter, std::size_t limit = 100,
                                std::optional<std::int64_t> before = {}) {
    std::vector<std::int64_t> found;
    for (const Kept& row : journal.history(filter, limit, before).value_or(std::vector<Kept>()))
      found.push_back(row.id);
    return found;
  }
  std::string why_no_undo(std::int64_t id) {
    const auto undo = journal.undo(id);
    return undo ? "it can be undone" : undo.error().text;
  }

  TestFolder folder;
  Journal journal = opened(folder);
  Overlay overlay;
  int second = 0;
};

TEST_F(JournalTest, what_was_kept_is_there_when_it_is_opened_again) {
  set("http://a", "lbset", "0", "1");
  const Overlay of_app = overlay;
  overlay = {};
  overlay.put("", "timeout", "", "5");
  keep(shop, {record_of("", "timeout", "", "5")});
  {
    const Journal closed = std::move(journal);
  }
  journal = opened(folder);
  EXPECT_EQ(journal.remark(), "");
  EXPECT_THAT(load(), ElementsAre(Pair(app, of_app), Pair(shop, overlay)));
  const auto rows = journal.history({}, 10);
  ASSERT_TRUE(rows);
  EXPECT_THAT(*rows,
              ElementsAre(Kept{2, 2, at_second(2), shop, record_of("", "timeout", "", "5")},
                          Kept{1, 1, at_second(1), app, record_of("http://a", "lbset", "0", "1")}));
}

TEST_F(JournalTest, one_in_memory_does_the_same_without_a_file) {
  auto made = Journal::in_memory(3);
  ASSERT_TRUE(made) << made.error().text;
  journal = std::move(*made);
  for (int i = 0; i < 5; ++i) set("http://a", "lbset", std::to_string(i), std::to_string(i + 1));
  EXPECT_THAT(ids({}), ElementsAre(5, 4, 3));
  EXPECT_EQ(load().at(app), overlay);
  EXPECT_TRUE(journal.undo(5));
  EXPECT_FALSE(std::filesystem::exists(":memory:"));
  EXPECT_THAT(Journal::in_memory(3)->load().value_or(Overlays()), IsEmpty());  // each has its own
}

TEST_F(JournalTest, file_and_folder_are_for_their_owner_alone) {
  struct stat found{};
  ASSERT_EQ(::stat(folder.journal().c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0700U);
  for (const auto& entry : std::filesystem::directory_iterator(folder.journal())) {
    ASSERT_EQ(::stat(entry.path().c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777, 0600U) << entry.path();
  }
}

TEST_F(JournalTest, texts_of_any_bytes_come_back) {
  const std::string odd("a\0b'\"\n\xff;--", 10);
  overlay.put(odd, "route", odd, odd + "x");
  Record record = record_of(odd, "route", odd, odd + "x");
  record.author = {.who = odd, .from = odd, .reason = odd};
  keep(app, {record});
  EXPECT_EQ(load()[app], overlay);
  EXPECT_EQ(journal.history({}, 1)->at(0).record, record);
}

TEST_F(JournalTest, long_reasons_are_cut_between_characters_and_long_values_refused) {
  Record record = record_of("http://a", "lbset", "0", "1");
  record.author.reason = std::string(author_text_bytes_max - 1, 'r') + "\xc3\xa4";
  keep(app, {record});
  EXPECT_EQ(journal.history({}, 1)->at(0).record.author.reason,
            std::string(author_text_bytes_max - 1, 'r'));
  record.change.after = std::string(value_bytes_max + 1, 'v');
  const auto refused = journal.append(app, std::span(&record, 1), overlay, at_second(9));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Fault::Kind::refused);
  EXPECT_THAT(ids({}), ElementsAre(1));
}

TEST_F(JournalTest, history_is_filtered_and_told_in_pieces) {
  set("http://a", "lbset", "0", "1");
  set("http://b", "lbset", "0", "1");
  set("", "timeout", "", "5");
  Record undo = record_of("http://a", "lbset", "1", "0");
  undo.kind = Kind::undo;
  undo.undoes = 1;
  keep(shop, {undo});
  EXPECT_THAT(ids({}), ElementsAre(4, 3, 2, 1));
  EXPECT_THAT(ids({}, 2), ElementsAre(4, 3));
  EXPECT_THAT(ids({}, 2, 3), ElementsAre(2, 1));
  EXPECT_THAT(ids({.balancer = app}), ElementsAre(3, 2, 1));
  EXPECT_THAT(ids({.member = "http://a"}), ElementsAre(4, 1));
  EXPECT_THAT(ids({.member = ""}), ElementsAre(3));
  EXPECT_THAT(ids({.kind = Kind::undo}), ElementsAre(4));
  EXPECT_THAT(ids({.from = at_second(2), .until = at_second(3)}), ElementsAre(3, 2));
  EXPECT_EQ(journal.history({}, 1)->at(0).record.undoes, 1);
}

TEST_F(JournalTest, what_counted_at_any_time_is_known) {
  std::vector<Overlay> states{overlay};
  set("http://a", "lbset", "0", "1");
  states.push_back(overlay);
  set("http://a", "lbset", "1", "2");
  states.push_back(overlay);
  overlay.remove("http://a");
  keep(app, {record_of("http://a", "member", "configured", "removed")});
  states.push_back(overlay);
  overlay.bring_back("http://a");
  keep(app, {record_of("http://a", "member", "removed", "configured")});
  states.push_back(overlay);
  for (int id = 0; id < std::ssize(states); ++id) {
    EXPECT_EQ((*journal.as_of(id))[app], states[id]) << id;
    EXPECT_EQ((*journal.as_of(at_second(id)))[app], states[id]) << id;
  }
  EXPECT_EQ((*journal.as_of(at_second(3) - std::chrono::microseconds(1)))[app], states[2]);
  EXPECT_THAT(load(), IsEmpty());
}

TEST_F(JournalTest, what_was_changed_together_counts_together) {
  overlay.put("http://a", "lbset", "0", "1");
  overlay.put("http://a", "route", "", "r");
  const std::int64_t last = keep(
      app, {record_of("http://a", "lbset", "0", "1"), record_of("http://a", "route", "", "r")});
  EXPECT_EQ(last, 2);
  EXPECT_EQ((*journal.as_of(1))[app], overlay);
  EXPECT_THAT(*journal.as_of(0), IsEmpty());
  EXPECT_EQ(journal.history({}, 1)->at(0).request, 1);
}

// Whatever the caller could not tell before, as when a disk was full.
TEST_F(JournalTest, what_is_told_last_counts_whatever_was_told_before) {
  set("http://a", "lbset", "0", "1");
  Overlay other;
  other.put("http://b", "route", "", "r");
  overlay = other;
  keep(app, {record_of("http://b", "route", "", "r")});
  EXPECT_THAT(load(), ElementsAre(Pair(app, other)));
}

TEST_F(JournalTest, a_value_is_taken_back) {
  const std::int64_t id = set("http://a", "lbset", "0", "1");
  const auto undo = journal.undo(id);
  ASSERT_TRUE(undo) << undo.error().text;
  EXPECT_EQ(undo->balancer, app);
  ASSERT_THAT(undo->order.fields, SizeIs(1));
  EXPECT_EQ(undo->order.fields[0].member, "http://a");
  EXPECT_EQ(undo->order.fields[0].field, "lbset");
  EXPECT_EQ(undo->order.fields[0].value, "0");
}

TEST_F(JournalTest, what_was_changed_again_is_only_taken_back_by_force) {
  const std::int64_t first = set("http://a", "lbset", "0", "1");
  set("http://b", "lbset", "0", "7");
  set("http://a", "route", "", "r");
  EXPECT_EQ(why_no_undo(first), "it can be undone");
  const std::int64_t second_id = set("http://a", "lbset", "1", "2");
  EXPECT_EQ(why_no_undo(first), "lbset was changed again since, by change 4");
  EXPECT_EQ(why_no_undo(second_id), "it can be undone");
  EXPECT_TRUE(journal.undo(first, Journal::Later::is_overridden));
  overlay.remove("http://a");
  keep(app, {record_of("http://a", "member", "configured", "removed")});
  EXPECT_THAT(why_no_undo(second_id), HasSubstr("by change 5"));
  EXPECT_THAT(why_no_undo(99), HasSubstr("there is no change 99"));
}

TEST_F(JournalTest, after_a_start_that_forgot_it_nothing_is_left_to_take_back) {
  const std::int64_t id = set("http://a", "lbset", "0", "1");
  overlay = {};
  const std::int64_t forgotten = keep(app, {{.kind = Kind::forgotten}});
  EXPECT_THAT(why_no_undo(id), HasSubstr("by change 2"));
  EXPECT_THAT(why_no_undo(forgotten), HasSubstr("about the whole balancer"));
  EXPECT_THAT(load(), IsEmpty());
}

// Through a balancer: what was there is there again.
TEST_F(JournalTest, members_that_went_come_back_with_their_changes) {
  overlay.add("http://x");
  overlay.put("http://x", "status", "", "D");
  const std::int64_t added = keep(app, {record_of("http://x", "member", "", "added"),
                                        record_of("http://x", "status", "", "D")}) -
                             1;
  EXPECT_THAT(journal.undo(added)->order.removed, ElementsAre("http://x"));
  set("http://x", "status", "D", "");
  set("http://x", "lbset", "0", "3");
  overlay.remove("http://x");
  const std::int64_t removed = keep(app, {record_of("http://x", "member", "added", "")});
  const auto order = journal.undo(removed)->order;
  EXPECT_THAT(order.added, ElementsAre("http://x"));
  ASSERT_THAT(order.fields, SizeIs(2));
  EXPECT_EQ(order.fields[0].field + '=' + order.fields[0].value, "lbset=3");
  EXPECT_EQ(order.fields[1].field + '=' + order.fields[1].value, "status=");
}

TEST_F(JournalTest, history_is_bounded_and_what_counts_stays) {
  {
    const Journal closed = std::move(journal);
  }
  journal = opened(folder, {.rows_max = 10});
  set("http://first", "lbset", "0", "1");
  for (int i = 0; i < 30; ++i) set("http://a", "lbset", std::to_string(i), std::to_string(i + 1));
  EXPECT_THAT(ids({}), SizeIs(10));
  EXPECT_EQ(ids({}).front(), 31);
  EXPECT_EQ(load()[app], overlay);
  const auto oldest = journal.as_of(21);
  ASSERT_TRUE(oldest);
  EXPECT_EQ(oldest->at(app).find("http://a")->edits[0].value, "20");
  for (const auto& too_old : {journal.as_of(20), journal.as_of(at_second(1))}) {
    ASSERT_FALSE(too_old);
    EXPECT_THAT(too_old.error().text, HasSubstr("begins with change 22"));
  }
  {
    const Journal closed = std::move(journal);
  }
  journal = opened(folder, {.rows_max = 10});
  EXPECT_EQ(set("http://a", "lbset", "30", "31"), 32);
}

// What is written then is gone with the process.
TEST_F(JournalTest, nothing_is_acknowledged_into_a_file_that_is_not_in_its_place) {
  const std::filesystem::path file = folder.file();
  const std::filesystem::path aside = folder.path() + "/aside";
  const auto try_to_keep = [&] {
    const Record record = record_of("http://a", "lbset", "0", "1");
    return journal.append(app, std::span(&record, 1), overlay, at_second(1));
  };
  set("http://a", "lbset", "0", "1");
  EXPECT_TRUE(journal.is_in_place());
  std::filesystem::rename(file, aside);
  for (const std::string_view replaced_by : {"", "another file"}) {
    if (!replaced_by.empty()) write_file(file, replaced_by);
    EXPECT_FALSE(journal.is_in_place());
    const auto kept = try_to_keep();
    ASSERT_FALSE(kept);
    EXPECT_EQ(kept.error().kind, Fault::Kind::lost);
    EXPECT_THAT(kept.error().text, HasSubstr("deleted, moved or replaced"));
  }
  // It is the file that counts, and not what was done to it.
  std::filesystem::rename(aside, file);
  EXPECT_TRUE(try_to_keep());
  std::filesystem::remove_all(folder.journal());
  ASSERT_FALSE(try_to_keep());
  EXPECT_THAT(ids({}), SizeIs(2));
  auto fresh = Journal::open(folder.journal(), at_second(2));
  ASSERT_TRUE(fresh) << fresh.error().text;
  EXPECT_TRUE(fresh->is_in_place());
}

TEST_F(JournalTest, a_request_larger_than_the_bound_is_kept_whole) {
  {
    const Journal closed = std::move(journal);
  }
  journal = opened(folder, {.rows_max = 2});
  std::vector<Record> records;
  for (int i = 0; i < 5; ++i)
    records.push_back(record_of("m" + std::to_string(i), "lbset", "0", "1"));
  EXPECT_EQ(keep(app, records), 5);
  EXPECT_EQ(keep(app, records), 10);
  EXPECT_THAT(ids({}), ElementsAre(10, 9, 8, 7, 6));
}

}  // namespace
}  // namespace steelyard::journal
