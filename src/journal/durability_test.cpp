// The journal on a disk that fails, in a process that ends, and in bad company.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <linux/magic.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <csignal>
#include <random>

#include "journal/folder.hpp"
#include "journal/test_folder.hpp"

namespace steelyard::journal {
namespace {

using balance::Overlay;
using testing::HasSubstr;
using testing::StartsWith;

constexpr uid_t nobody = 65534;

// Root may write anywhere, so what is about rights is tried as somebody else.
void give_up_root() {
  if (::geteuid() == 0 && (::setgid(nobody) != 0 || ::setuid(nobody) != 0)) std::abort();
}
void hand_over(const TestFolder& folder) {
  ASSERT_EQ(::chmod(folder.path().c_str(), 0755), 0);
  if (::geteuid() != 0) return;
  ASSERT_EQ(::chown(folder.journal().c_str(), nobody, nobody), 0);
  for (const auto& entry : std::filesystem::directory_iterator(folder.journal()))
    ASSERT_EQ(::chown(entry.path().c_str(), nobody, nobody), 0);
}

std::expected<std::int64_t, Fault> count_up(Journal& journal, Overlay& overlay, std::int64_t n) {
  return change(journal, overlay, "http://a", "lbset", std::to_string(n), std::to_string(n + 1));
}

// Everything that a journal says.
struct Contents {
  Overlays overlays;
  std::vector<Kept> history;
  friend bool operator==(const Contents&, const Contents&) = default;
};
Contents contents_of(const Journal& journal) {
  return {.overlays = journal.load().value_or(Overlays()),
          .history = journal.history({}, 1000).value_or(std::vector<Kept>())};
}

Fault::Kind kind_of_opening(const TestFolder& folder) {
  const auto opened = Journal::open(folder.journal(), at_second(0), {.wait = {}});
  EXPECT_FALSE(opened);
  return opened ? Fault::Kind::unavailable : opened.error().kind;
}

// Appends until it is killed, and tells of each change only once the journal has it.
pid_t start_writer(const TestFolder& folder, int told, std::int64_t next) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  Journal journal = opened(folder);
  Overlay overlay = journal.load().value_or(Overlays())[app];
  while (true) {
    const auto id = count_up(journal, overlay, next++);
    if (!id || ::write(told, &*id, sizeof *id) != sizeof *id) ::_exit(1);
  }
}

TEST(Durability, what_was_acknowledged_survives_being_killed_at_any_moment) {
  const TestFolder folder;
  std::mt19937 random(20'261'129);
  std::int64_t acknowledged = 0;
  for (int round = 0; round < 40; ++round) {
    int line[2];
    ASSERT_EQ(::pipe2(line, O_CLOEXEC), 0);
    const pid_t writer = start_writer(folder, line[1], acknowledged);
    ::close(line[1]);
    // Killed after some changes, at whatever it does a moment later.
    std::int64_t id = 0;
    for (unsigned i = random() % 8; i > 0; --i) {
      ASSERT_EQ(::read(line[0], &id, sizeof id), sizeof id);
      acknowledged = id;
    }
    for (unsigned i = random() % 20'000; i > 0; --i) ::getppid();
    ::kill(writer, SIGKILL);
    while (::read(line[0], &id, sizeof id) == sizeof id) acknowledged = id;
    ::close(line[0]);
    ASSERT_EQ(::waitpid(writer, nullptr, 0), writer);
    const Journal journal = opened(folder);
    ASSERT_EQ(journal.remark(), "");
    const Contents contents = contents_of(journal);
    const auto kept = std::ssize(contents.history);
    // The one that was under way may be there.
    ASSERT_GE(kept, std::min<std::int64_t>(acknowledged, 1000));
    ASSERT_LE(kept, acknowledged + 1);
    if (kept == 0) continue;
    acknowledged = contents.history.front().id;
    ASSERT_EQ(contents.overlays.at(app).members[0].edits[0].value,
              contents.history.front().record.change.after);
  }
  EXPECT_GT(acknowledged, 40);
}

TEST(Durability, a_file_that_was_cut_off_is_set_aside_or_says_what_it_said) {
  const TestFolder folder;
  Overlay overlay;
  {
    Journal journal = opened(folder);
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(count_up(journal, overlay, i));
  }
  const std::string whole = read_file(folder.file());
  for (std::size_t size = 2; size < whole.size(); size += size < 128 ? 9 : 509) {
    const TestFolder other;
    ASSERT_TRUE(provide_folder(other.journal()));
    write_file(other.file(), whole.substr(0, size));
    const auto journal = Journal::open(other.journal(), at_second(0));
    ASSERT_TRUE(journal) << size << ": " << journal.error().text;
    EXPECT_THAT(journal->remark(), HasSubstr("was set aside as")) << size;
    EXPECT_EQ(contents_of(*journal), Contents()) << size;
    EXPECT_EQ(read_file(other.file() + ".corrupt-20261129T000000Z").size(), size);
  }
}

// One flipped bit at a time, all over the file. What is believed afterwards was written.
TEST(Durability, a_file_that_rotted_is_set_aside_or_says_what_it_said) {
  const TestFolder folder;
  Overlay overlay;
  Contents written;
  {
    Journal journal = opened(folder);
    for (int i = 0; i < 12; ++i) ASSERT_TRUE(count_up(journal, overlay, i));
    written = contents_of(journal);
  }
  const std::string whole = read_file(folder.file());
  std::mt19937 random(20'261'129);
  int unharmed = 0, set_aside = 0, left_alone = 0;
  for (int round = 0; round < 600; ++round) {
    // The head of the file and those of pages more often than the middle of nowhere.
    const std::size_t at = round < 100 ? round : random() % whole.size();
    std::string rotten = whole;
    rotten[at] = static_cast<char>(rotten[at] ^ (1 << random() % 8));
    const TestFolder other;
    ASSERT_TRUE(provide_folder(other.journal()));
    write_file(other.file(), rotten);
    const auto journal = Journal::open(other.journal(), at_second(0));
    if (!journal) {
      // Another program's, or a later version's, by all that its head says.
      EXPECT_TRUE(at >= 60 && at < 72) << at << ": " << journal.error().text;
      EXPECT_EQ(read_file(other.file()), rotten);
      ++left_alone;
    } else if (journal->remark().empty()) {
      EXPECT_EQ(contents_of(*journal), written) << at;
      ++unharmed;
    } else {
      EXPECT_EQ(contents_of(*journal), Contents()) << at;
      ++set_aside;
    }
  }
  EXPECT_GT(unharmed, 0);
  EXPECT_GT(set_aside, 100);
  EXPECT_GT(left_alone, 0);
}

TEST(Durability, files_that_were_set_aside_are_all_kept) {
  const TestFolder folder;
  for (int i = 0; i < 3; ++i) {
    {
      const Journal fresh = opened(folder);
    }
    write_file(folder.file(), read_file(folder.file()).substr(0, 1000 + i));
    EXPECT_THAT(opened(folder).remark(), HasSubstr("corrupt-20261129T000000Z"));
  }
  EXPECT_EQ(read_file(folder.file() + ".corrupt-20261129T000000Z").size(), 1000U);
  EXPECT_EQ(read_file(folder.file() + ".corrupt-20261129T000000Z-3").size(), 1002U);
  // SQLite's file beside it would be applied to the fresh one.
  EXPECT_TRUE(std::filesystem::exists(folder.file() + ".corrupt-20261129T000000Z-journal"));
}

TEST(Durability, what_another_program_or_a_later_version_wrote_is_left_alone) {
  const TestFolder folder;
  {
    const Journal fresh = opened(folder);
  }
  std::string bytes = read_file(folder.file());
  bytes[63] = 2;
  write_file(folder.file(), bytes);
  EXPECT_EQ(kind_of_opening(folder), Fault::Kind::newer);
  EXPECT_EQ(read_file(folder.file()), bytes);
  bytes[68] = 0;
  write_file(folder.file(), bytes);
  EXPECT_EQ(kind_of_opening(folder), Fault::Kind::not_ours);
  EXPECT_EQ(read_file(folder.file()), bytes);
  write_file(folder.file(), "precious");
  EXPECT_EQ(kind_of_opening(folder), Fault::Kind::not_ours);
  EXPECT_EQ(read_file(folder.file()), "precious");
}

TEST(Durability, of_two_processes_the_second_is_refused) {
  const TestFolder folder;
  Journal journal = opened(folder);
  EXPECT_EQ(status_of_process([&] { return kind_of_opening(folder) == Fault::Kind::in_use; }), 1);
  // And within one, without harm to the first.
  EXPECT_EQ(kind_of_opening(folder), Fault::Kind::in_use);
  EXPECT_EQ(status_of_process([&] { return kind_of_opening(folder) == Fault::Kind::in_use; }), 1);
  Overlay overlay;
  EXPECT_TRUE(count_up(journal, overlay, 0));
}

TEST(Durability, who_ends_soon_is_waited_for) {
  const TestFolder folder;
  int line[2];
  ASSERT_EQ(::pipe2(line, O_CLOEXEC), 0);
  const pid_t holder = ::fork();
  if (holder == 0) {
    const Journal journal = opened(folder);
    (void)!::write(line[1], "x", 1);
    ::usleep(100'000);
    ::_exit(0);
  }
  char byte = 0;
  ASSERT_EQ(::read(line[0], &byte, 1), 1);
  EXPECT_EQ(opened(folder).remark(), "");
  EXPECT_EQ(::waitpid(holder, nullptr, 0), holder);
}

// Limits on the size of files stand for a disk without room.
TEST(Durability, on_a_full_disk_changes_are_refused_and_those_before_stay) {
  const TestFolder folder;
  const int status = status_of_process([&folder] {
    ::signal(SIGXFSZ, SIG_IGN);
    Journal journal = opened(folder);
    Overlay overlay;
    if (!count_up(journal, overlay, 0)) return 1;
    const Overlay before = overlay;
    const rlimit none{.rlim_cur = 512, .rlim_max = RLIM_INFINITY};
    if (::setrlimit(RLIMIT_FSIZE, &none) != 0) return 2;
    const auto refused = count_up(journal, overlay, 1);
    if (refused || refused.error().kind != Fault::Kind::full) return 3;
    if (journal.load().value_or(Overlays())[app] != before) return 4;
    const rlimit enough{.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
    if (::setrlimit(RLIMIT_FSIZE, &enough) != 0) return 5;
    return count_up(journal, overlay, 1) ? 0 : 6;
  });
  EXPECT_EQ(status, 0);
  const Contents contents = contents_of(opened(folder));
  EXPECT_EQ(contents.history.size(), 2U);
  EXPECT_EQ(contents.overlays.at(app).members[0].edits[0].value, "2");
}

TEST(Durability, on_a_disk_that_is_full_from_the_start_it_is_not_opened) {
  const TestFolder folder;
  const int status = status_of_process([&folder] {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit none{.rlim_cur = 512, .rlim_max = 512};
    if (::setrlimit(RLIMIT_FSIZE, &none) != 0) return 1;
    return Journal::open(folder.journal(), at_second(0)) ? 2 : 0;
  });
  EXPECT_EQ(status, 0);
  EXPECT_EQ(opened(folder).remark(), "");
}

TEST(Durability, what_can_only_be_read_is_read) {
  const TestFolder folder;
  Overlay overlay;
  {
    Journal journal = opened(folder);
    ASSERT_TRUE(count_up(journal, overlay, 0));
  }
  ASSERT_EQ(::chmod(folder.file().c_str(), 0400), 0);
  ASSERT_EQ(::chmod(folder.journal().c_str(), 0500), 0);
  hand_over(folder);
  const int status = status_of_process([&] {
    give_up_root();
    auto journal = Journal::open(folder.journal(), at_second(0));
    if (!journal || !journal->is_read_only()) return 1;
    if (journal->remark().find("cannot be written to") == std::string::npos) return 2;
    if (journal->load().value_or(Overlays())[app] != overlay) return 3;
    const auto refused = count_up(*journal, overlay, 1);
    return !refused && refused.error().kind == Fault::Kind::read_only ? 0 : 4;
  });
  EXPECT_EQ(status, 0);
}

TEST(Durability, in_a_folder_that_cannot_be_written_to_changes_are_refused) {
  const TestFolder folder;
  {
    const Journal fresh = opened(folder);
  }
  std::filesystem::remove(folder.file() + "-journal");
  hand_over(folder);
  ASSERT_EQ(::chmod(folder.journal().c_str(), 0500), 0);
  const int status = status_of_process([&] {
    give_up_root();
    auto journal = Journal::open(folder.journal(), at_second(0));
    if (!journal) return 1;
    Overlay overlay;
    const auto refused = count_up(*journal, overlay, 0);
    if (refused || refused.error().kind != Fault::Kind::read_only) return 2;
    return journal->load().value_or(Overlays()).empty() ? 0 : 3;
  });
  EXPECT_EQ(status, 0);
}

TEST(Durability, a_place_that_others_may_change_is_not_trusted) {
  const TestFolder folder;
  ASSERT_TRUE(provide_folder(folder.journal()));
  ASSERT_EQ(::chmod(folder.journal().c_str(), 0770), 0);
  EXPECT_EQ(kind_of_opening(folder), Fault::Kind::untrusted);
  ASSERT_EQ(::chmod(folder.journal().c_str(), 0700), 0);
  // A link is not followed, not even to an empty file of our own, which stays as it was.
  const std::string target = folder.path() + "/target";
  write_file(target, "");
  ASSERT_EQ(::chmod(target.c_str(), 0644), 0);
  std::filesystem::create_symlink(target, folder.file());
  EXPECT_EQ(kind_of_opening(folder), Fault::Kind::not_ours);
  EXPECT_EQ(read_file(target), "");
  struct stat kept{};
  ASSERT_EQ(::stat(target.c_str(), &kept), 0);
  EXPECT_EQ(kept.st_mode & 0777, 0644U);
  std::filesystem::remove(folder.file());
  write_file(folder.file(), "");
  ASSERT_EQ(::chmod(folder.file().c_str(), 0644), 0);
  {
    const Journal journal = opened(folder);
  }
  struct stat found{};
  ASSERT_EQ(::stat(folder.file().c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600U);
}

TEST(Durability, a_missing_place_is_told_by_its_name) {
  const TestFolder folder;
  const auto opened = Journal::open(folder.path() + "/missing/journal", at_second(0));
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().text, StartsWith("could not make " + folder.path() + "/missing"));
}

// Root makes the folder for the user that the server becomes, where nobody else has a say.
TEST(Durability, what_lies_in_memory_is_known_before_it_is_made) {
  struct statfs found{};
  const bool has_memory = ::statfs("/dev/shm", &found) == 0 && found.f_type == TMPFS_MAGIC;
  if (!has_memory) GTEST_SKIP() << "/dev/shm is no tmpfs";
  EXPECT_TRUE(is_in_memory("/dev/shm"));
  EXPECT_TRUE(is_in_memory("/dev/shm/steelyard-not-made"));
  EXPECT_TRUE(is_in_memory("/dev/shm/steelyard-not-made/"));
  EXPECT_FALSE(is_in_memory("/dev/shm/steelyard-not-made/journal"));  // nobody knows
  EXPECT_FALSE(is_in_memory("/proc"));
}

TEST(Durability, a_folder_is_made_for_who_the_server_becomes) {
  const TestFolder folder;
  const bool is_root = ::geteuid() == 0;
  ASSERT_EQ(::chmod(folder.path().c_str(), 0755), 0);
  ASSERT_TRUE(provide_folder_for(folder.journal(), is_root ? nobody : ::geteuid(),
                                 is_root ? nobody : ::getegid()));
  EXPECT_EQ(std::filesystem::exists(folder.journal()), is_root);
  EXPECT_EQ(status_of_process([&] {
              give_up_root();
              return Journal::open(folder.journal(), at_second(0)) ? 0 : 1;
            }),
            0);
  // Where others may write, they make it themselves.
  ASSERT_EQ(::chmod(folder.path().c_str(), 0777), 0);
  ASSERT_TRUE(provide_folder_for(folder.path() + "/other", nobody, nobody));
  EXPECT_FALSE(std::filesystem::exists(folder.path() + "/other"));
}

}  // namespace
}  // namespace steelyard::journal
