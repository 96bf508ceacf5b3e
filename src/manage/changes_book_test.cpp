#include "manage/changes_book.hpp"

#include <gmock/gmock.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "balance/drains.hpp"
#include "manage/test_desk.hpp"

namespace steelyard::manage {
namespace {

using balance::Edits;
using balance::Overlay;
using journal::Journal;
using journal::Kept;
using journal::Kind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const std::string m1 = "http://m1:8080";
const journal::Author anna{.who = "anna", .from = "192.0.2.7", .reason = "too slow"};

class ChangesBookTest : public DeskWorld {
 protected:
  ChangesBookTest() { open(); }
  ~ChangesBookTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }

  static std::string make_folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "steelyard-XXXXXX").string();
    return ::mkdtemp(pattern.data());
  }
  void open() {
    book.reset();
    auto journal = Journal::open(folder + "/journal", loop.wall_now());
    ASSERT_TRUE(journal) << journal.error().text;
    book = std::make_unique<ChangesBook>(
        std::move(*journal),
        [this](config::LogLevel /*level*/, const std::string& text) { lines.push_back(text); },
        [](const NamedBalancer& /*balancer*/, std::string_view name) { return name != "nowhere"; });
  }
  // Another process with this configuration.
  void restart(std::unique_ptr<config::Config> config) {
    registry = proxy::StateRegistry();
    reload(std::move(config));
    open();
    book->bring_back(balancers(), persistent_balancers(*generation), moment());
  }
  void reload(std::unique_ptr<config::Config> config) {
    generation = registry.bind(std::move(config), loop.now());
  }
  static std::unique_ptr<config::Config> persistent(int members = 2) {
    auto config = one_balancer(members);
    config->servers[0]->persists_changes = true;
    return config;
  }
  static std::unique_ptr<config::Config> with_factor(const std::string& factor) {
    auto config = persistent();
    auto spec = std::make_shared<balance::BalancerSpec>(*config->servers[0]->balancers[0]);
    CHECK(balance::set_member_parameter(spec->members[0], "loadfactor", factor));
    config->servers[0]->balancers[0] = spec;
    return config;
  }

  std::vector<NamedBalancer> balancers() { return name_balancers(*generation); }
  Moment moment() { return {.now = loop.now(), .wall = loop.wall_now()}; }
  ChangesBook::Changed set(const std::string& field, const std::string& value) {
    return book->change(balancers()[0], {.fields = {{m1, field, value}}}, anna, moment());
  }
  std::vector<Kept> history() {
    return book->journal()->history({}, 100).value_or(std::vector<Kept>());
  }
  std::vector<Kind> kinds() {
    std::vector<Kind> found;
    for (const Kept& row : history()) found.push_back(row.record.kind);
    return found;
  }

  const std::string folder = make_folder();
  std::unique_ptr<ChangesBook> book;
};

// How S came to a member that is drained is in the history.
TEST_F(ChangesBookTest, after_a_restart_undrain_takes_back_what_a_drain_stopped) {
  reload(persistent(4));
  const auto wish = [&](std::size_t at, balance::Status status) {
    const auto kept = book->keep_wish(balancers()[0], view(at), status, anna, moment());
    ASSERT_TRUE(kept) << kept.error();
    ASSERT_TRUE(balancer().change_status(view(at).member, status, {}, loop.now()));
  };
  using balance::Flag;
  wish(0, Flag::draining | Flag::stopped);  // --kick
  wish(1, Flag::draining);
  wish(1, Flag::draining | Flag::stopped);  // the drain ended
  wish(2, Flag::stopped);
  wish(2, Flag::draining | Flag::stopped);
  restart(persistent(4));
  balance::Drains drains(balancer());
  for (std::size_t at = 0; at < 3; ++at) {
    EXPECT_EQ(status(at), "Init Drn Stop");
    EXPECT_TRUE(drains.undrain(view(at).member, loop.now()));
  }
  EXPECT_EQ(status(0), "Init Ok");
  EXPECT_EQ(status(1), "Init Ok");
  EXPECT_EQ(status(2), "Init Stop");  // by an operator, before it was drained
}

TEST_F(ChangesBookTest, a_journal_that_was_deleted_refuses_until_it_is_begun_anew) {
  ASSERT_TRUE(set("lbset", "1"));
  std::filesystem::remove_all(folder + "/journal");
  // Who looks is told, also before anybody tries.
  EXPECT_TRUE(book->should_open_again());
  EXPECT_THAT(book->troubles(), ElementsAre(HasSubstr("deleted, moved or replaced")));
  for (int i = 0; i < 2; ++i) {
    const auto refused = set("lbset", "2");
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().text, HasSubstr("deleted, moved or replaced"));
  }
  EXPECT_EQ(view().spec->lbset, 1);
  EXPECT_THAT(lines, ElementsAre(HasSubstr("changes are refused: the journal could not be")));
  const auto open = [this] { return Journal::open(folder + "/journal", loop.wall_now()); };
  book->open_again(open, balancers(), moment());
  EXPECT_THAT(book->troubles(), IsEmpty());
  EXPECT_FALSE(book->should_open_again());
  EXPECT_TRUE(set("retry", "7"));
  // What counted before is in the new one.
  restart(persistent());
  EXPECT_EQ(view().spec->lbset, 1);
  EXPECT_EQ(view().spec->retry, std::chrono::seconds(7));
}

TEST_F(ChangesBookTest, ids_of_a_journal_that_was_deleted_are_not_given_out_again) {
  ASSERT_TRUE(set("lbset", "1"));
  ASSERT_TRUE(set("lbset", "0"));
  ASSERT_EQ(history().front().id, 2);
  std::filesystem::remove_all(folder + "/journal");
  const auto open = [this] { return Journal::open(folder + "/journal", loop.wall_now()); };
  const auto fail = [] { return journal::fail(journal::Fault::Kind::full, "no room"); };
  book->open_again([&]() -> std::expected<Journal, journal::Fault> { return fail(); }, balancers(),
                   moment());
  book->open_again(open, balancers(), moment());
  EXPECT_EQ(history().back().id, 3);
  EXPECT_EQ(history().back().record.author.reason, "the journal was begun anew");
  // Nothing else was to be kept, and the next run knows all the same.
  restart(persistent());
  ASSERT_TRUE(set("retry", "7"));
  EXPECT_GT(history().front().id, 3);
  const auto undone = book->undo(balancers(), {.id = 1}, anna, moment());
  ASSERT_FALSE(undone);
  EXPECT_EQ(undone.error().text, "there is no change 1");
  EXPECT_EQ(view().spec->retry, std::chrono::seconds(7));
}

TEST_F(ChangesBookTest, nor_are_those_of_one_that_rotted) {
  ASSERT_TRUE(set("retry", "7"));
  book.reset();
  std::fstream file(folder + "/journal/changes.db", std::ios::in | std::ios::out);
  const std::string bytes(std::istreambuf_iterator<char>(file), {});
  file.seekp(static_cast<std::streamoff>(bytes.find("too slow")));
  file << "too fast";
  file.close();
  restart(persistent());
  EXPECT_EQ(history().front().id, 2);
  EXPECT_FALSE(book->undo(balancers(), {.id = 1}, anna, moment()));
}

TEST_F(ChangesBookTest, what_is_refused_is_counted_by_what_stood_in_the_way) {
  const auto counts = [this] {
    const RefusedChanges& now = book->refused();
    return std::array{now.invalid, now.undo, now.not_kept};
  };
  const auto undo = [this](std::int64_t id) {
    return book->undo(balancers(), {.id = id}, anna, moment());
  };
  ASSERT_TRUE(set("lbset", "1"));
  ASSERT_TRUE(set("lbset", "2"));
  ASSERT_TRUE(set("lbset", "2"));
  EXPECT_THAT(counts(), ElementsAre(0, 0, 0));
  EXPECT_FALSE(set("lbset", "x"));
  EXPECT_FALSE(set("hcexpr", "nowhere"));
  EXPECT_FALSE(undo(1));
  EXPECT_FALSE(undo(9));
  EXPECT_THAT(counts(), ElementsAre(2, 2, 0));
  std::filesystem::remove_all(folder + "/journal");
  EXPECT_FALSE(set("lbset", "3"));
  EXPECT_FALSE(book->keep_wish(balancers()[0], view(), balance::Flag::stopped, anna, moment()));
  EXPECT_FALSE(undo(2));
  EXPECT_THAT(counts(), ElementsAre(2, 2, 3));
}

TEST_F(ChangesBookTest, a_change_that_could_not_be_kept_is_shown_until_one_is) {
  ASSERT_TRUE(set("lbset", "1"));
  std::filesystem::rename(folder + "/journal", folder + "/aside");
  EXPECT_FALSE(set("lbset", "2"));
  std::filesystem::rename(folder + "/aside", folder + "/journal");
  EXPECT_THAT(book->troubles(), ElementsAre(HasSubstr("The last change was refused: ")));
  EXPECT_FALSE(set("route", std::string(20'000, 'x')));  // nothing is wrong with the file
  EXPECT_TRUE(set("lbset", "2"));
  EXPECT_THAT(book->troubles(), IsEmpty());
}

TEST_F(ChangesBookTest, a_status_of_an_earlier_run_is_an_operators_in_the_members_log) {
  ASSERT_TRUE(set("status", "D"));
  restart(persistent());
  ASSERT_EQ(status(), "Init Dis");
  const auto events = view().member->health_log().events();
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].cause, balance::HealthCause::administrator);
}

TEST_F(ChangesBookTest, what_a_reload_drops_is_told_as_it_is) {
  reload(persistent(3));
  const std::string m2 = "http://m2:8080", m3 = "http://m3:8080";
  const auto order = [this](const balance::ChangeOrder& wanted) {
    ASSERT_TRUE(book->change(balancers()[0], wanted, anna, moment()));
  };
  order({.fields = {{m2, "lbset", "7"}}});
  order({.removed = {m3}});
  reload(persistent(1));
  book->catch_up(balancers(), moment());
  // Removed by the operator, and dropped from the file: as wished.
  ASSERT_EQ(history()[0].record.change, (balance::Change{m3, "member", "removed", "removed"}));
  EXPECT_EQ(history()[0].record.kind, Kind::superseded);
  EXPECT_EQ(history()[0].record.author.reason, "the configuration says the same now");
  EXPECT_EQ(history()[1].record.change, (balance::Change{m2, "lbset", "7", ""}));
  EXPECT_EQ(history()[1].record.author.reason, "the configuration no longer has the member");
  EXPECT_THAT(lines.back(),
              HasSubstr("lbset from \"0\" to \"7\"; the configuration no longer has"));
  // A balancer that goes takes its changes along.
  ASSERT_TRUE(set("lbset", "1"));
  auto other = persistent();
  other->servers[0]->balancers[0] = sticky_spec("other", 1);
  reload(std::move(other));
  book->catch_up(balancers(), moment());
  EXPECT_EQ(lines.back(),
            "balancer://app of main: 1 changes are forgotten: the configuration has no such "
            "balancer");
}

TEST_F(ChangesBookTest, who_wants_changes_kept_that_are_not_is_told) {
  ChangesBook memory(Journal::in_memory(10), log_line);
  EXPECT_THAT(memory.troubles(), IsEmpty());
  memory.expect_to_keep(true);
  EXPECT_THAT(memory.troubles(), ElementsAre(HasSubstr("not kept over a restart")));
  book->expect_to_keep(true);
  EXPECT_THAT(book->troubles(), IsEmpty());
}

TEST_F(ChangesBookTest, a_change_is_kept_with_its_author) {
  ASSERT_TRUE(set("loadfactor", "3"));
  EXPECT_EQ(view().spec->load_factor, 300);
  ASSERT_THAT(history(), SizeIs(1));
  const Kept row = history()[0];
  EXPECT_EQ(row.balancer, (journal::BalancerKey{"main", "balancer://app"}));
  EXPECT_EQ(row.record.author, anna);
  EXPECT_EQ(row.record.change, (balance::Change{m1, "loadfactor", "1.00", "3.00"}));
  EXPECT_EQ(book->journal()->load()->begin()->second, Edits(balancer()).overlay());
}

TEST_F(ChangesBookTest, what_cannot_be_kept_is_not_done) {
  const auto refused = set("route", std::string(20, 'r'));
  ASSERT_TRUE(refused);
  // Longer than any journal takes: the balancer itself would.
  const auto done = book->change(
      balancers()[0], {.fields = {{m1, "hcexpr", std::string(journal::value_bytes_max + 1, 'x')}}},
      anna, moment());
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, balance::ChangeFault::Kind::refused);
  EXPECT_THAT(done.error().text, HasSubstr("the journal could not be written"));
  EXPECT_EQ(view().spec->check.expression, "");
  EXPECT_THAT(history(), SizeIs(1));
}

TEST_F(ChangesBookTest, changes_come_back_after_a_restart_with_persistence) {
  ASSERT_TRUE(set("loadfactor", "3"));
  ASSERT_TRUE(set("status", "D"));
  const Overlay before = Edits(balancer()).overlay();
  restart(persistent());
  EXPECT_EQ(Edits(balancer()).overlay(), before);
  EXPECT_EQ(view().spec->load_factor, 300);
  EXPECT_EQ(status(), "Init Dis");
  EXPECT_THAT(kinds(), ElementsAre(Kind::brought_back, Kind::change, Kind::change));
  EXPECT_THAT(lines, ElementsAre(HasSubstr("2 changes of an earlier run are brought back")));
}

TEST_F(ChangesBookTest, without_persistence_they_are_forgotten) {
  ASSERT_TRUE(set("loadfactor", "3"));
  restart(one_balancer());
  EXPECT_EQ(view().spec->load_factor, 100);
  EXPECT_THAT(kinds(), ElementsAre(Kind::forgotten, Kind::change));
  restart(persistent());
  EXPECT_EQ(view().spec->load_factor, 100);
  EXPECT_THAT(lines, ElementsAre(HasSubstr("without BalancerPersist")));
}

TEST_F(ChangesBookTest, a_configuration_that_changed_there_wins_at_a_restart) {
  ASSERT_TRUE(set("loadfactor", "3"));
  ASSERT_TRUE(set("lbset", "2"));
  restart(with_factor("5"));
  EXPECT_EQ(view().spec->load_factor, 500);
  EXPECT_EQ(view().spec->lbset, 2);
  EXPECT_EQ(history()[0].record.kind, Kind::superseded);
  EXPECT_EQ(history()[0].record.change, (balance::Change{m1, "loadfactor", "3.00", "5.00"}));
  EXPECT_THAT(lines.back(),
              HasSubstr("loadfactor from \"1.00\" to \"3.00\"; the configuration says \"5.00\""));
}

TEST_F(ChangesBookTest, and_at_a_reload) {
  ASSERT_TRUE(set("loadfactor", "3"));
  reload(with_factor("5"));
  book->catch_up(balancers(), moment());
  EXPECT_THAT(kinds(), ElementsAre(Kind::superseded, Kind::change));
  EXPECT_THAT(*book->journal()->load(), IsEmpty());
  book->catch_up(balancers(), moment());
  EXPECT_THAT(history(), SizeIs(2));
}

// Who exports what was changed and puts it into the file.
TEST_F(ChangesBookTest, a_configuration_that_says_the_same_has_taken_the_change_over) {
  ASSERT_TRUE(set("loadfactor", "3"));
  reload(with_factor("3"));
  book->catch_up(balancers(), moment());
  EXPECT_EQ(view().spec->load_factor, 300);
  ASSERT_THAT(kinds(), ElementsAre(Kind::superseded, Kind::change));
  EXPECT_EQ(history()[0].record.change, (balance::Change{m1, "loadfactor", "3.00", "3.00"}));
  EXPECT_EQ(history()[0].record.author.reason, "the configuration says the same now");
  EXPECT_THAT(*book->journal()->load(), IsEmpty());
}

TEST_F(ChangesBookTest, after_a_restart_it_is_still_an_operator_who_stopped_the_member) {
  const auto reason = [this] { return reason_text(view(), Edits(balancer()).overlay().find(m1)); };
  restart(persistent());
  ASSERT_TRUE(set("status", "S"));
  EXPECT_EQ(reason(), "set by an operator");
  restart(persistent());
  EXPECT_EQ(reason(), "set by an operator");
  ASSERT_TRUE(set("lbset", "1"));
  restart(persistent());
  EXPECT_EQ(reason(), "set by an operator");
}

TEST_F(ChangesBookTest, changes_of_a_balancer_that_is_gone_are_forgotten) {
  ASSERT_TRUE(set("loadfactor", "3"));
  auto none = one_balancer();
  none->servers[0]->balancers.clear();
  reload(std::move(none));
  book->catch_up(balancers(), moment());
  EXPECT_THAT(kinds(), ElementsAre(Kind::forgotten, Kind::change));
  EXPECT_THAT(*book->journal()->load(), IsEmpty());
}

TEST_F(ChangesBookTest, what_was_changed_by_other_means_is_caught_up_with) {
  balancer().change_status(view().member, balance::Flag::stopped, {}, loop.now());
  book->catch_up(balancers(), moment());
  ASSERT_THAT(history(), SizeIs(1));
  EXPECT_EQ(history()[0].record.change, (balance::Change{m1, "status", "", "S"}));
  EXPECT_EQ(book->journal()->load()->begin()->second, Edits(balancer()).overlay());
}

TEST_F(ChangesBookTest, a_wish_is_kept_before_it_is_set) {
  ASSERT_TRUE(book->keep_wish(balancers()[0], view(), balance::Flag::draining, anna, moment()));
  balancer().change_status(view().member, balance::Flag::draining, {}, loop.now());
  book->catch_up(balancers(), moment());
  ASSERT_THAT(history(), SizeIs(1));
  EXPECT_EQ(history()[0].record.author, anna);
}

TEST_F(ChangesBookTest, a_change_is_taken_back) {
  ASSERT_TRUE(set("loadfactor", "3"));
  ASSERT_TRUE(set("loadfactor", "4"));
  const auto refused = book->undo(balancers(), {.id = 1}, anna, moment());
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().text, HasSubstr("changed again since"));
  ASSERT_TRUE(book->undo(balancers(), {.id = 2}, anna, moment()));
  EXPECT_EQ(view().spec->load_factor, 300);
  EXPECT_EQ(history()[0].record.kind, Kind::undo);
  EXPECT_EQ(history()[0].record.undoes, 2);
  ASSERT_TRUE(
      book->undo(balancers(), {.id = 1, .later = Journal::Later::is_overridden}, anna, moment()));
  EXPECT_TRUE(Edits(balancer()).overlay().empty());
}

// With what had been changed about it.
TEST_F(ChangesBookTest, a_member_that_was_removed_is_there_again) {
  ASSERT_TRUE(set("loadfactor", "3"));
  ASSERT_TRUE(
      book->change(balancers()[0], {.added = {"http://m9"}, .added_max = 1}, anna, moment()));
  ASSERT_TRUE(
      book->change(balancers()[0], {.fields = {{"http://m9", "status", ""}}}, anna, moment()));
  ASSERT_TRUE(book->change(balancers()[0], {.removed = {m1, "http://m9"}}, anna, moment()));
  ASSERT_EQ(balancer().members().size(), 1U);
  const std::int64_t last = history()[0].id;
  ASSERT_TRUE(book->undo(balancers(), {.id = last, .added_max = 1}, anna, moment()));
  ASSERT_TRUE(book->undo(balancers(), {.id = last - 1, .added_max = 1}, anna, moment()));
  ASSERT_EQ(balancer().members().size(), 3U);
  EXPECT_EQ(view(0).spec->load_factor, 300);
  EXPECT_EQ(view(2).spec->name, "http://m9");
  EXPECT_EQ(status(2), "Init Ok");
}

TEST_F(ChangesBookTest, without_a_journal_changes_are_made_all_the_same) {
  ChangesBook none(std::nullopt, [](config::LogLevel, const std::string&) {});
  ASSERT_TRUE(none.change(balancers()[0], {.fields = {{m1, "lbset", "2"}}}, anna, moment()));
  EXPECT_EQ(view().spec->lbset, 2);
  none.catch_up(balancers(), moment());
  EXPECT_THAT(none.undo(balancers(), {.id = 1}, anna, moment()).error().text,
              HasSubstr("there is no journal"));
}

TEST_F(ChangesBookTest, without_the_journal_that_was_asked_for_they_are_refused) {
  ChangesBook closed(journal::fail(journal::Fault::Kind::untrusted, "others may write there"),
                     [](config::LogLevel, const std::string&) {});
  const auto refused =
      closed.change(balancers()[0], {.fields = {{m1, "lbset", "2"}}}, anna, moment());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().text, "the journal is not open: others may write there");
  EXPECT_EQ(view().spec->lbset, 0);
}

TEST(Differences, are_told_as_edits_would_tell_them) {
  Overlay before, after;
  before.put("a", "lbset", "0", "1");
  before.remove("b");
  before.put("", "timeout", "", "5");
  after.add("http://x");
  after.put("http://x", "status", "", "D");
  after.put("a", "lbset", "0", "2");
  EXPECT_THAT(
      differences(before, after),
      ElementsAre(balance::Change{"", "timeout", "5", ""}, balance::Change{"a", "lbset", "1", "2"},
                  balance::Change{"b", "member", "removed", "configured"},
                  balance::Change{"http://x", "member", "", "added"},
                  balance::Change{"http://x", "status", "", "D"}));
}

TEST(PersistentBalancers, are_those_of_servers_that_say_so_themselves) {
  proxy::StateRegistry registry;
  auto config = std::make_unique<config::Config>();
  for (const bool persists : {false, true}) {
    config->servers.push_back(std::make_unique<config::Server>());
    config->servers.back()->persists_changes = persists;
  }
  const auto shared = sticky_spec("shared", 1);
  config->servers[0]->balancers = {shared};
  config->servers[1]->balancers = {shared, sticky_spec("own", 1)};
  const auto generation = registry.bind(std::move(config));
  EXPECT_THAT(persistent_balancers(*generation),
              ElementsAre(generation->groups()[1].balancers[1].state.get()));
}

}  // namespace
}  // namespace steelyard::manage
