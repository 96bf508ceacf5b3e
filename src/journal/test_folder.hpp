// For tests: a directory that goes with the object, and a process that does something else.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "journal/journal.hpp"

namespace steelyard::journal {

class TestFolder {
 public:
  TestFolder() {
    // In memory where there is such a place: what a test waits for is not the disk.
    const std::filesystem::path memory = "/dev/shm";
    const bool has_memory = ::access(memory.c_str(), W_OK) == 0;
    std::string pattern =
        ((has_memory ? memory : std::filesystem::temp_directory_path()) / "steelyard-XXXXXX")
            .string();
    path_ = ::mkdtemp(pattern.data());
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string journal() const { return path_ + "/journal"; }
  [[nodiscard]] std::string file() const { return journal() + "/changes.db"; }

 private:
  std::string path_;
};

inline std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
inline void write_file(const std::string& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), std::ssize(bytes));
}

// The exit status of a process that runs `work`, which returns it; -1 if a signal ended it.
template <class Work>
int status_of_process(Work work) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(work());
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

inline const BalancerKey app{.scope = "main", .name = "balancer://app"};
inline const BalancerKey shop{.scope = "shop.example:443", .name = "balancer://app"};

inline WallTime at_second(int second) {
  return WallTime(std::chrono::sys_days(std::chrono::year(2026) / 11 / 29)) +
         std::chrono::seconds(second);
}

inline Record record_of(std::string member, std::string field, std::string before,
                        std::string after) {
  return {.kind = Kind::change,
          .author = {.who = "anna", .from = "192.0.2.7", .reason = "a test"},
          .change = {std::move(member), std::move(field), std::move(before), std::move(after)}};
}

// One change of a member's field, written as if by an operator.
inline std::expected<std::int64_t, Fault> change(Journal& journal, balance::Overlay& overlay,
                                                 const std::string& member,
                                                 const std::string& field,
                                                 const std::string& before,
                                                 const std::string& after, int second = 0) {
  overlay.put(member, field, before, after);
  const Record record = record_of(member, field, before, after);
  return journal.append(app, std::span(&record, 1), overlay, at_second(second));
}

inline Journal opened(const TestFolder& folder, Journal::Options options = {}) {
  auto journal = Journal::open(folder.journal(), at_second(0), options);
  EXPECT_TRUE(journal) << journal.error().text;
  if (!journal) std::abort();
  return std::move(*journal);
}

}  // namespace steelyard::journal
