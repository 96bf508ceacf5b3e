#include "journal/database.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cerrno>
#include <cstring>

namespace steelyard::journal {

namespace {

Fault::Kind kind_of(int result, int system_error) {
  if (system_error == EFBIG || system_error == EDQUOT || system_error == ENOSPC)
    return Fault::Kind::full;
  switch (result & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Fault::Kind::in_use;
    case SQLITE_READONLY:
      return Fault::Kind::read_only;
    case SQLITE_FULL:
      return Fault::Kind::full;
    case SQLITE_ERROR:  // our statements are right, so what they meet is not
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
    case SQLITE_SCHEMA:
      return Fault::Kind::corrupt;
    default:
      return Fault::Kind::unavailable;
  }
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

void Database::Close::operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }

Statement& Statement::with(std::int64_t value) {
  if (statement_) sqlite3_bind_int64(statement_.get(), ++parameters_, value);
  return *this;
}

Statement& Statement::with(std::string_view text) {
  if (!statement_) return *this;
  const char* const bytes = text.empty() ? "" : text.data();
  sqlite3_bind_text64(statement_.get(), ++parameters_, bytes, text.size(), SQLITE_TRANSIENT,
                      SQLITE_UTF8);
  return *this;
}

Statement& Statement::with_nothing() {
  if (statement_) sqlite3_bind_null(statement_.get(), ++parameters_);
  return *this;
}

std::expected<bool, Fault> Statement::step() {
  if (!statement_) return std::unexpected(fault_);
  const int result = sqlite3_step(statement_.get());
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) return false;
  return std::unexpected(database_->fault_of(result));
}

std::expected<void, Fault> Statement::run() {
  while (true) {
    auto row = step();
    if (!row) return std::unexpected(std::move(row.error()));
    if (!*row) return {};
  }
}

std::int64_t Statement::number(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string Statement::text(int column) const {
  const unsigned char* const bytes = sqlite3_column_text(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  if (bytes == nullptr) return {};
  return {reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size)};
}

bool Statement::is_nothing(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

std::expected<Database, Fault> Database::open(const std::string& path) {
  Database database;
  database.path_ = path;
  sqlite3* handle = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int result = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
  database.handle_.reset(handle);
  if (result != SQLITE_OK) return std::unexpected(database.fault_of(result));
  // What a file that was tampered with could make of a query.
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  return database;
}

std::expected<void, Fault> Database::execute(const std::string& sql) {
  const int result = sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (result != SQLITE_OK) return std::unexpected(fault_of(result));
  return {};
}

Statement Database::prepare(std::string_view sql) const {
  Statement statement;
  statement.database_ = this;
  sqlite3_stmt* prepared = nullptr;
  const int result = sqlite3_prepare_v2(handle_.get(), sql.data(), static_cast<int>(sql.size()),
                                        &prepared, nullptr);
  statement.statement_.reset(prepared);
  if (result != SQLITE_OK) {
    statement.statement_.reset();
    statement.fault_ = fault_of(result);
  }
  return statement;
}

std::string Database::head(std::size_t bytes) const {
  // By the database's own descriptor: closing another one would give its locks away (POSIX).
  sqlite3_file* file = nullptr;
  sqlite3_int64 size = 0;
  if (sqlite3_file_control(handle_.get(), "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK ||
      file == nullptr || file->pMethods == nullptr ||
      file->pMethods->xFileSize(file, &size) != SQLITE_OK) {
    return {};
  }
  std::string text(std::min<std::size_t>(bytes, static_cast<std::size_t>(size)), '\0');
  const int length = static_cast<int>(text.size());
  if (file->pMethods->xRead(file, text.data(), length, 0) != SQLITE_OK) return {};
  return text;
}

bool Database::is_in_transaction() const { return sqlite3_get_autocommit(handle_.get()) == 0; }

bool Database::is_read_only() const { return sqlite3_db_readonly(handle_.get(), "main") == 1; }

Fault Database::fault_of(int result) const {
  const bool of_system = (result & 0xff) == SQLITE_IOERR || (result & 0xff) == SQLITE_CANTOPEN ||
                         (result & 0xff) == SQLITE_FULL;
  const int error = of_system && handle_ ? sqlite3_system_errno(handle_.get()) : 0;
  std::string text = fmt::format("{}: {}", path_, sqlite3_errstr(result));
  if (error != 0) text += fmt::format(" ({}){}", error, std::strerror(error));
  return {kind_of(result, error), std::move(text)};
}

Transaction::~Transaction() {
  if (database_.is_in_transaction()) (void)database_.execute("ROLLBACK");
}

std::expected<void, Fault> Transaction::begin() {
  if (database_.is_in_transaction()) (void)database_.execute("ROLLBACK");
  return database_.execute("BEGIN IMMEDIATE");
}

std::expected<void, Fault> Transaction::commit() { return database_.execute("COMMIT"); }

}  // namespace steelyard::journal
