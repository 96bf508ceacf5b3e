// The operators' journal: what was changed while the program ran, by whom, when, from where and
// why, and what of it counts now. One file, SQLite, in a folder of its own (folder.hpp).
//
// Invariants: 1. what append() returned for is on the disk, and there after a crash at any byte.
//             2. what load() returns was written, or the file is set aside: never a rotten value.
//             3. one process has the file, from open() to the end of the object.
//             4. nothing is acknowledged that went to a file which its path leads to no longer.
//             5. history is bounded (rows_max): the oldest rows go. What counts now never does.
// docs/decisions/0012-the-journal.md
//
// Threads: one at a time; every call may wait for the disk, so never a shard.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "journal/fault.hpp"
#include "journal/folder.hpp"
#include "journal/record.hpp"

namespace steelyard::journal {

class Database;

// What history() leaves out; what is empty leaves out nothing.
struct HistoryFilter {
  std::optional<BalancerKey> balancer{};
  std::optional<std::string> member{};  // "" has the balancer's own fields
  std::optional<Kind> kind{};
  std::optional<WallTime> from{}, until{};  // both included
};

struct UndoOrder {
  BalancerKey balancer;
  balance::ChangeOrder order;  // added_max is the caller's
};

class Journal {
 public:
  static constexpr std::int64_t rows_max_default = 100'000;
  static constexpr std::size_t history_rows_max = 1000;  // of one history()

  struct Options {
    std::int64_t rows_max = rows_max_default;  // at least 1
    // How long to wait for another process that is about to end.
    std::chrono::milliseconds wait = std::chrono::seconds(2);
  };

  // Makes folder and file if need be. `now` names a file that is set aside.
  static std::expected<Journal, Fault> open(const std::string& folder, WallTime now,
                                            const Options& options);
  static std::expected<Journal, Fault> open(const std::string& folder, WallTime now) {
    return open(folder, now, Options());
  }
  // One that ends with the process and touches no disk; `rows_max` as in Options.
  static std::expected<Journal, Fault> in_memory(std::int64_t rows_max);
  Journal(Journal&&) noexcept;
  Journal& operator=(Journal&&) noexcept;
  ~Journal();

  // Ids go on after this one: the file is a fresh one in the place of one that had it.
  void begin_above(std::int64_t id);
  // That was given out, here or there; 0: none.
  [[nodiscard]] std::int64_t last_id() const { return last_id_; }
  // No row of it says yet that its ids go on after another one's.
  [[nodiscard]] bool owes_its_first_row() const;

  // For the log, if the opening was unusual: a file was set aside, or can only be read. Else empty.
  [[nodiscard]] const std::string& remark() const { return remark_; }
  // The disk lets nobody write: load() and history() work, append() does not.
  [[nodiscard]] bool is_read_only() const { return is_read_only_; }

  [[nodiscard]] bool is_on_disk() const { return file_.has_value(); }
  // The path leads to the file that is open: else what is written is gone with this process, and
  // nothing is written any more.
  [[nodiscard]] bool is_in_place() const;

  // On disk when it returns the id of the last record; after a fault nothing of it counts, but what
  // was written last may be there after a restart all the same. `after` is all that counts of the
  // balancer now, whatever counted before. `records` must not be empty.
  std::expected<std::int64_t, Fault> append(const BalancerKey& balancer,
                                            std::span<const Record> records,
                                            const balance::Overlay& after, WallTime now);

  // What counts now. Balancers without changes are not in it.
  [[nodiscard]] std::expected<Overlays, Fault> load() const;
  // What counted after the change `id` (0: before the first), or at that time.
  [[nodiscard]] std::expected<Overlays, Fault> as_of(std::int64_t id) const;
  [[nodiscard]] std::expected<Overlays, Fault> as_of(WallTime when) const;

  // The latest first, at most `limit` and history_rows_max; those with ids below `before`.
  [[nodiscard]] std::expected<std::vector<Kept>, Fault> history(
      const HistoryFilter& filter, std::size_t limit,
      std::optional<std::int64_t> before = std::nullopt) const;

  // What takes the change back, for balance::Edits: an empty order when its own undo is the last
  // thing that happened to the field. `Later::matters`: refused when the field was changed again
  // since.
  enum class Later : std::uint8_t { matters, is_overridden };
  [[nodiscard]] std::expected<UndoOrder, Fault> undo(std::int64_t id,
                                                     Later later = Later::matters) const;

 private:
  Journal();
  static std::expected<Journal, Fault> open_once(const std::string& path, const Options& options);
  static std::int64_t last_id_in(const std::string& path);
  [[nodiscard]] std::expected<void, Fault> stay_in_place() const;
  std::expected<void, Fault> take_hold(const Options& options);
  std::expected<void, Fault> write(const BalancerKey& balancer, std::span<const Record> records,
                                   const balance::Overlay& after, WallTime now, std::int64_t first);
  [[nodiscard]] std::expected<Kept, Fault> find(std::int64_t id) const;
  // The last change of the same field, or of all of the member, that was made later.
  [[nodiscard]] std::expected<std::optional<Kept>, Fault> last_since(const Kept& change) const;

  std::unique_ptr<Database> database_;
  std::optional<FileIdentity> file_;  // none: in memory
  std::int64_t rows_max_ = rows_max_default;
  std::int64_t last_id_ = 0;
  bool is_read_only_ = false;
  std::string remark_;
};

}  // namespace steelyard::journal
