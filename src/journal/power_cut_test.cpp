// The journal on a disk that stops. SQLite writes through a file system of ours, which notes each
// step; then the disk is made anew as it was after each of them, and in the middle of each write.
//
//   in order     every step up to the cut is there, the last write by a part of its bytes
//   cached       of what was not synced any part may be missing, in blocks of 512 bytes
//
// Whatever was acknowledged before the cut must be there, and nothing may be set aside.
#include <gmock/gmock.h>
#include <sqlite3.h>

#include <cstring>
#include <map>
#include <random>

#include "journal/folder.hpp"
#include "journal/test_folder.hpp"

namespace steelyard::journal {
namespace {

using balance::Overlay;

struct Step {
  enum class Kind { write, truncate, sync, acknowledge };
  Kind kind;
  std::string file;  // its name without the folder
  std::int64_t at = 0;
  std::string bytes{};
};

// What was noted since the recorder was there. Tests run one after the other.
std::vector<Step>* noted = nullptr;

struct RecordedFile {
  sqlite3_file base;
  const sqlite3_io_methods* inner;
  sqlite3_io_methods methods;
  char name[64];
};

// SQLite's own files begin where ours do: the inner one lies behind.
sqlite3_file* inner_of(sqlite3_file* file) {
  return reinterpret_cast<sqlite3_file*>(reinterpret_cast<RecordedFile*>(file) + 1);
}
std::string name_of(sqlite3_file* file) { return reinterpret_cast<RecordedFile*>(file)->name; }
const sqlite3_io_methods& methods_of(sqlite3_file* file) { return *inner_of(file)->pMethods; }

int write_and_note(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 at) {
  noted->push_back({Step::Kind::write,
                    name_of(file),
                    at,
                    {static_cast<const char*>(bytes), static_cast<std::size_t>(size)}});
  return methods_of(file).xWrite(inner_of(file), bytes, size, at);
}
int truncate_and_note(sqlite3_file* file, sqlite3_int64 size) {
  noted->push_back({Step::Kind::truncate, name_of(file), size});
  return methods_of(file).xTruncate(inner_of(file), size);
}
int sync_and_note(sqlite3_file* file, int flags) {
  noted->push_back({Step::Kind::sync, name_of(file)});
  return methods_of(file).xSync(inner_of(file), flags);
}

sqlite3_vfs* plain() {
  static sqlite3_vfs* const found = sqlite3_vfs_find("unix");
  return found;
}

// All else goes to the inner file as it is.
sqlite3_io_methods recording_methods() {
  sqlite3_io_methods methods{};
  methods.iVersion = 1;
  methods.xClose = [](sqlite3_file* file) { return methods_of(file).xClose(inner_of(file)); };
  methods.xRead = [](sqlite3_file* file, void* bytes, int size, sqlite3_int64 at) {
    return methods_of(file).xRead(inner_of(file), bytes, size, at);
  };
  methods.xWrite = write_and_note;
  methods.xTruncate = truncate_and_note;
  methods.xSync = sync_and_note;
  methods.xFileSize = [](sqlite3_file* file, sqlite3_int64* size) {
    return methods_of(file).xFileSize(inner_of(file), size);
  };
  methods.xLock = [](sqlite3_file* file, int level) {
    return methods_of(file).xLock(inner_of(file), level);
  };
  methods.xUnlock = [](sqlite3_file* file, int level) {
    return methods_of(file).xUnlock(inner_of(file), level);
  };
  methods.xCheckReservedLock = [](sqlite3_file* file, int* is_held) {
    return methods_of(file).xCheckReservedLock(inner_of(file), is_held);
  };
  methods.xFileControl = [](sqlite3_file* file, int question, void* answer) {
    return methods_of(file).xFileControl(inner_of(file), question, answer);
  };
  methods.xSectorSize = [](sqlite3_file* file) {
    return methods_of(file).xSectorSize(inner_of(file));
  };
  methods.xDeviceCharacteristics = [](sqlite3_file* file) {
    return methods_of(file).xDeviceCharacteristics(inner_of(file));
  };
  return methods;
}

int open_recorded(sqlite3_vfs* /*vfs*/, const char* path, sqlite3_file* file, int flags,
                  int* flags_out) {
  auto& recorded = *reinterpret_cast<RecordedFile*>(file);
  std::memset(&recorded, 0, sizeof recorded);
  const int result = plain()->xOpen(plain(), path, inner_of(file), flags, flags_out);
  if (result != SQLITE_OK) return result;
  const std::string name = std::filesystem::path(path == nullptr ? "" : path).filename();
  name.copy(recorded.name, sizeof recorded.name - 1);
  recorded.methods = recording_methods();
  recorded.base.pMethods = &recorded.methods;
  return SQLITE_OK;
}

// The file system that notes is everybody's while the object lives.
class Recorder {
 public:
  Recorder() : vfs_(*plain()) {
    vfs_.zName = "recorder";
    vfs_.szOsFile += static_cast<int>(sizeof(RecordedFile));
    vfs_.xOpen = open_recorded;
    vfs_.pNext = nullptr;
    noted = &steps_;
    EXPECT_EQ(sqlite3_vfs_register(&vfs_, 1), SQLITE_OK);
  }
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;
  ~Recorder() {
    sqlite3_vfs_unregister(&vfs_);
    sqlite3_vfs_register(plain(), 1);
  }
  void acknowledge() { steps_.push_back({Step::Kind::acknowledge, {}}); }
  [[nodiscard]] const std::vector<Step>& steps() const { return steps_; }

 private:
  sqlite3_vfs vfs_;
  std::vector<Step> steps_;
};

using Disk = std::map<std::string, std::string>;  // files by name

void carry_out(Disk& disk, const Step& step, std::size_t bytes_max = std::string::npos) {
  if (step.kind == Step::Kind::truncate) disk[step.file].resize(step.at);
  if (step.kind != Step::Kind::write) return;
  std::string& file = disk[step.file];
  const std::string bytes = step.bytes.substr(0, bytes_max);
  if (file.size() < step.at + bytes.size()) file.resize(step.at + bytes.size());
  file.replace(step.at, bytes.size(), bytes);
}

// The journal as it is found on that disk; `acknowledged` changes were.
void expect_found(const Disk& disk, std::int64_t acknowledged, const std::string& where) {
  const TestFolder folder;
  ASSERT_TRUE(provide_folder(folder.journal()));
  for (const auto& [name, bytes] : disk) write_file(folder.journal() + '/' + name, bytes);
  const auto journal = Journal::open(folder.journal(), at_second(0));
  ASSERT_TRUE(journal) << where << ": " << journal.error().text;
  ASSERT_EQ(journal->remark(), "") << where;
  const auto history = journal->history({}, 1000);
  ASSERT_TRUE(history) << where;
  const auto count = std::ssize(*history);
  ASSERT_TRUE(count == acknowledged || count == acknowledged + 1)
      << where << ": " << count << " of " << acknowledged;
  if (count == 0) return;
  const auto overlays = journal->load();
  ASSERT_TRUE(overlays) << where;
  ASSERT_EQ(overlays->at(app).members[0].edits[0].value, std::to_string(count)) << where;
}

class PowerCut : public ::testing::Test {
 protected:
  // Changes from the making of the file on, recorded step by step.
  static std::vector<Step> record(int changes) {
    const TestFolder folder;
    Recorder recorder;
    Journal journal = opened(folder);
    Overlay overlay;
    for (int i = 0; i < changes; ++i) {
      EXPECT_TRUE(
          change(journal, overlay, "http://a", "lbset", std::to_string(i), std::to_string(i + 1)));
      recorder.acknowledge();
    }
    return recorder.steps();
  }
  static bool writes(const std::vector<Step>& steps, Step::Kind kind) {
    return std::ranges::find(steps, kind, &Step::kind) != steps.end();
  }

  std::mt19937 random{20'261'129};
};

TEST_F(PowerCut, at_any_byte_loses_nothing_that_was_acknowledged) {
  const std::vector<Step> steps = record(6);
  for (const auto kind : {Step::Kind::write, Step::Kind::truncate, Step::Kind::sync})
    ASSERT_TRUE(writes(steps, kind));
  Disk disk;
  std::int64_t acknowledged = 0;
  for (std::size_t i = 0; i < steps.size() && !HasFatalFailure(); ++i) {
    const Step& step = steps[i];
    if (step.kind == Step::Kind::write) {
      // A short one after each byte, a page at some.
      const std::size_t stride = step.bytes.size() <= 64 ? 1 : 1 + random() % 600;
      for (std::size_t size = 1; size < step.bytes.size(); size += stride) {
        Disk cut = disk;
        carry_out(cut, step, size);
        expect_found(cut, acknowledged,
                     "step " + std::to_string(i) + " byte " + std::to_string(size));
      }
    }
    if (step.kind == Step::Kind::acknowledge) ++acknowledged;
    carry_out(disk, step);
    expect_found(disk, acknowledged, "step " + std::to_string(i));
  }
  EXPECT_EQ(acknowledged, 6);
}

// Steps of one file since it was synced, of which a disk may keep any part.
class Cache {
 public:
  void add(const Step& step) {
    if (step.kind == Step::Kind::sync) {
      for (const Step& one : unsynced_[step.file]) carry_out(synced_, one);
      unsynced_[step.file].clear();
    } else if (step.kind != Step::Kind::acknowledge) {
      unsynced_[step.file].push_back(step);
    }
  }
  // Sizes reach the disk before contents do: what is missing is zero.
  Disk after_a_cut(std::mt19937& random) const {
    constexpr std::size_t block = 512;
    Disk disk = synced_;
    for (const auto& [file, steps] : unsynced_) {
      for (const Step& step : steps) {
        if (step.kind == Step::Kind::truncate && random() % 2 == 0) carry_out(disk, step);
        for (std::size_t at = 0; at < step.bytes.size(); at += block) {
          Step part{step.kind, file, step.at + static_cast<std::int64_t>(at),
                    step.bytes.substr(at, block)};
          if (random() % 2 == 0) carry_out(disk, part);
        }
      }
    }
    return disk;
  }

 private:
  Disk synced_;
  std::map<std::string, std::vector<Step>> unsynced_;
};

TEST_F(PowerCut, with_any_part_of_what_was_not_synced_loses_nothing_either) {
  const std::vector<Step> steps = record(6);
  Cache cache;
  std::int64_t acknowledged = 0;
  for (std::size_t i = 0; i < steps.size() && !HasFatalFailure(); ++i) {
    cache.add(steps[i]);
    if (steps[i].kind == Step::Kind::acknowledge) ++acknowledged;
    for (int round = 0; round < 5; ++round)
      expect_found(cache.after_a_cut(random), acknowledged, "step " + std::to_string(i));
  }
  EXPECT_EQ(acknowledged, 6);
}

}  // namespace
}  // namespace steelyard::journal
