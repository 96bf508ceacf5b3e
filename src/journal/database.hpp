// SQLite, as little of it as the journal needs, with failures as values.
//
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "journal/fault.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace steelyard::journal {

class Database;

class Statement {
 public:
  // Parameters are set one after the other.
  Statement& with(std::int64_t value);
  Statement& with(std::string_view text);
  Statement& with_nothing();

  // True: there is a row, which is read by its columns, counted from 0.
  std::expected<bool, Fault> step();
  // For statements without rows.
  std::expected<void, Fault> run();
  [[nodiscard]] std::int64_t number(int column) const;
  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] bool is_nothing(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };

  const Database* database_ = nullptr;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;  // null: `fault_` says why
  Fault fault_;
  int parameters_ = 0;
};

class Database {
 public:
  // The file must exist. It is not read yet.
  static std::expected<Database, Fault> open(const std::string& path);

  // Of one or more statements.
  std::expected<void, Fault> execute(const std::string& sql);
  // Faults come out at the first step.
  [[nodiscard]] Statement prepare(std::string_view sql) const;

  // The beginning of the file as it is, without a lock or a look at what it means; shorter if the
  // file is.
  [[nodiscard]] std::string head(std::size_t bytes) const;
  [[nodiscard]] bool is_in_transaction() const;
  // The system lets nobody of ours write to the file.
  [[nodiscard]] bool is_read_only() const;
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] Fault fault_of(int result) const;

 private:
  struct Close {
    void operator()(sqlite3* handle) const;
  };

  std::string path_;
  std::unique_ptr<sqlite3, Close> handle_;
};

// Rolled back unless it was committed. While one fails, so do the statements in it.
class Transaction {
 public:
  explicit Transaction(Database& database) : database_(database) {}
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();

  // What an earlier one left behind because it could not be rolled back is, first.
  std::expected<void, Fault> begin();
  std::expected<void, Fault> commit();

 private:
  Database& database_;
};

}  // namespace steelyard::journal
