// How a journal is opened: alone, sound, or not at all.
//
//   head of the file ─▶ alone? ─▶ recovered by SQLite ─▶ every row as it was written? ─▶ open
//        │ another program's, or newer: left alone            │ no: set aside, once more
#include <fmt/format.h>

#include <algorithm>

#include "base/check.hpp"
#include "journal/database.hpp"
#include "journal/folder.hpp"
#include "journal/journal.hpp"
#include "journal/tables.hpp"

namespace steelyard::journal {

namespace {

constexpr std::string_view file_name = "/changes.db";

// SQLite's file format, 1.3: the database header.
constexpr std::string_view magic{"SQLite format 3\0", 16};
constexpr std::size_t head_bytes = 100;
constexpr std::size_t write_version_at = 18;
constexpr std::size_t schema_version_at = 60;
constexpr std::size_t application_id_at = 68;

std::uint32_t big_endian(std::string_view text, std::size_t at) {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i)
    number = number << 8 | static_cast<std::uint8_t>(text[at + i]);
  return number;
}

bool is_all_zero(std::string_view text) { return text.find_first_not_of('\0') == text.npos; }

// More than can be given out in a lifetime: a number that rotted.
constexpr std::int64_t plausible_id_max = 1'000'000'000'000;

// Whether a crash could have left the file like this, which SQLite will find out and put right.
bool may_be_half_made(std::string_view head) {
  return head.size() < head_bytes ? magic.starts_with(head.substr(0, magic.size()))
                                  : is_all_zero(head);
}

// Without a lock and without writing, so that what is not ours stays as it is.
std::expected<void, Fault> look_at_head(const Database& database) {
  const std::string head = database.head(head_bytes);
  const std::string& path = database.path();
  const auto corrupt = [&path](std::string_view why) {
    return fail(Fault::Kind::corrupt, fmt::format("{}: {}", path, why));
  };
  if (may_be_half_made(head)) return {};
  const bool has_id =
      head.size() >= head_bytes && big_endian(head, application_id_at) == application_id;
  if (!has_id) return fail(Fault::Kind::not_ours, path + " is no journal, and is left alone");
  if (!head.starts_with(magic)) return corrupt("the head of the file is damaged");
  if (const auto version = big_endian(head, schema_version_at); version > schema_version) {
    return fail(Fault::Kind::newer,
                fmt::format("{} was written by a later version (format {}, this one knows {}), and "
                            "is left alone",
                            path, version, schema_version));
  }
  // 1: a rollback journal, which is the only way we write.
  if (head[write_version_at] != 1 || head[write_version_at + 1] != 1)
    return corrupt("the head of the file is damaged");
  return {};
}

bool has_tables(const Database& database) { return !database.head(head_bytes).empty(); }

Fault told_as_in_use(Fault fault) {
  if (fault.kind == Fault::Kind::in_use) fault.text += ": another process has this journal open";
  return fault;
}

}  // namespace

Journal::Journal() = default;
Journal::Journal(Journal&&) noexcept = default;
Journal& Journal::operator=(Journal&&) noexcept = default;
Journal::~Journal() = default;

std::expected<Journal, Fault> Journal::open(const std::string& folder, WallTime now,
                                            const Options& options) {
  CHECK(options.rows_max >= 1);
  if (auto there = provide_folder(folder); !there) return std::unexpected(std::move(there.error()));
  const std::string path = folder + std::string(file_name);
  auto opened = open_once(path, options);
  if (opened || opened.error().kind != Fault::Kind::corrupt) return opened;
  const std::int64_t last_id = last_id_in(path);
  const auto name = set_aside(path, now);
  if (!name) {
    return fail(opened.error().kind, opened.error().text + "; and " + name.error().text);
  }
  const std::string why = opened.error().text;
  opened = open_once(path, options);
  if (opened) {
    opened->begin_above(last_id);
    opened->remark_ = fmt::format(
        "{}: the journal was set aside as {}, and a fresh one begun; the changes in it are not "
        "brought back",
        why, *name);
  }
  return opened;
}

std::expected<Journal, Fault> Journal::in_memory(std::int64_t rows_max) {
  return open_once(":memory:", {.rows_max = rows_max});
}

std::expected<Journal, Fault> Journal::open_once(const std::string& path, const Options& options) {
  if (path != ":memory:") {
    if (auto there = provide_file(path); !there) return std::unexpected(std::move(there.error()));
  }
  auto database = Database::open(path);
  if (!database) return std::unexpected(std::move(database.error()));
  Journal journal;
  journal.database_ = std::make_unique<Database>(std::move(*database));
  journal.rows_max_ = options.rows_max;
  if (auto held = journal.take_hold(options); !held)
    return std::unexpected(told_as_in_use(std::move(held.error())));
  if (path != ":memory:") journal.file_ = identity_of(path);
  const auto extent = extent_of(*journal.database_);
  if (!extent) return std::unexpected(extent.error());
  journal.last_id_ = extent->last;
  if (journal.is_read_only_) {
    journal.remark_ = fmt::format(
        "{} cannot be written to: changes that it has are known, and new ones are refused", path);
  }
  return journal;
}

// Of a file that is about to be set aside, as far as it can be read. Operators know ids of it.
std::int64_t Journal::last_id_in(const std::string& path) {
  const auto database = Database::open(path);
  if (!database) return 0;
  const auto extent = extent_of(*database);
  return extent && extent->last <= plausible_id_max ? extent->last : 0;
}

// From here on the file is ours: locks are kept until it is closed.
std::expected<void, Fault> Journal::take_hold(const Options& options) {
  if (auto known = look_at_head(*database_); !known) return known;
  const auto set = database_->execute(fmt::format(
      "PRAGMA busy_timeout = {}; PRAGMA locking_mode = EXCLUSIVE; PRAGMA cell_size_check = ON; "
      "PRAGMA synchronous = FULL; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY",
      options.wait.count()));
  if (!set) return set;
  Transaction transaction(*database_);
  // Of a file that can only be read this only reads, and shares it with others who do.
  if (auto begun = database_->execute("BEGIN EXCLUSIVE"); !begun) return begun;
  is_read_only_ = database_->is_read_only();
  if (!has_tables(*database_)) {
    if (auto made = create_tables(*database_); !made) return made;
  } else if (auto sound = verify_tables(*database_); !sound) {
    return sound;
  }
  if (auto done = transaction.commit(); !done) return done;
  return database_->execute("PRAGMA journal_mode = TRUNCATE");
}

}  // namespace steelyard::journal
