#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "auth/files.hpp"
#include "auth/login.hpp"
#include "auth/verified.hpp"
#include "base/time.hpp"

// Tells who is who they say they are.
//
//   known()  at once, when the files were looked at within `fresh_time` and the password is known
//            to be right, or there is nothing to check
//   check()  looks at the files and computes: for threads that may wait
//   refresh() looks at the files again that were asked about of late: called every half fresh_time
//            by a thread that computes nothing, it keeps those at once who were found right
//
// Invariants: 1. a file that changed counts from the next check() `fresh_time` later on.
//             2. a user who is none costs what a user costs.
// Threads: any; short locks, none held while files are read or passwords computed.

namespace steelyard::auth {

// Where files come from.
class Files {
 public:
  virtual ~Files() = default;
  // Differs when the file is another one or was written to; the error says why there is none.
  virtual std::expected<std::uint64_t, std::string> stamp_of(const std::string& path) = 0;
  virtual std::expected<std::string, std::string> read(const std::string& path) = 0;
};

class Checker {
 public:
  static constexpr Duration fresh_time = std::chrono::seconds(1);
  static constexpr Duration use_time = std::chrono::seconds(30);  // so long refresh() cares
  static constexpr std::size_t files_max = 1024;  // kept at a time; beyond, all are read anew

  explicit Checker(Files& files) : files_(files) {}

  std::optional<Finding> known(const Login& login, Instant now) const;
  Finding check(const Login& login, Instant now);
  void refresh(Instant now);

 private:
  template <class File>
  struct Looked {
    std::shared_ptr<const File> file;  // null: `fault`
    std::string fault;
    std::optional<std::uint64_t> stamp;
    Instant at;
    mutable Instant used;  // asked about
  };
  template <class File>
  using Shelf = std::unordered_map<std::string, Looked<File>>;

  std::optional<Finding> known_password(const Login& login, Instant now) const;
  Finding check_password(const Login& login, Instant now);
  template <class File>
  std::optional<Looked<File>> find_fresh(const Shelf<File>& shelf, std::string_view path,
                                         Instant now) const;
  template <class File>
  Looked<File> look(Shelf<File>& shelf, std::string_view path, Instant now);
  template <class File>
  Looked<File> look_again(Shelf<File>& shelf, const std::string& path, Instant now);
  template <class File>
  void refresh(Shelf<File>& shelf, Instant now);

  Files& files_;
  Verified verified_;
  mutable std::mutex lock_;  // of the shelves
  Shelf<UserFile> users_;
  Shelf<GroupFile> groups_;
};

}  // namespace steelyard::auth
