#pragma once

#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <typeindex>
#include <vector>

#include "apacheconf/diagnostic.hpp"
#include "apacheconf/machine.hpp"
#include "apacheconf/statement.hpp"
#include "config/config.hpp"

// What a directive's handler sees while the second phase executes statements.
//
// Order: the main server's statements first, in file order; then each virtual host's. A virtual
// host begins as a copy of the main server's scalar fields, so a handler only writes what was said
// and inherits for free. Its lists, `defaults`, `balancers` and `backends` begin empty: joining
// them with the main server's is done at the end (finish_proxy).

namespace steelyard::apacheconf {

struct Directive;

enum class SectionKind : std::uint8_t {
  server,  // the main server's level
  virtual_host,
  location,  // also `<Location ~ ...>`
  location_match,
  proxy,
  proxy_match,
  directory,  // Directory, DirectoryMatch, Files, FilesMatch: checked, then forgotten
  condition,  // <If>, <ElseIf>, <Else>
  limit,      // <Limit>, <LimitExcept>: `argument` has the methods, the rest is the outer frame's
};

// Everything that one reading shares, alive until the Config is handed out.
class Reading {
 public:
  std::unique_ptr<config::Config> config;
  std::string server_root;
  std::vector<Diagnostic> diagnostics;
  std::function<std::optional<std::string>(std::string_view)> environment;  // process environment
  std::function<bool(const std::string&)> file_exists;
  // The error is the system's sentence.
  std::function<std::expected<std::string, std::string>(const std::string&)> read_file;
  std::function<std::vector<IpAddress>(const std::string&)> resolve_host;  // may be null
  std::function<std::string()> host_name;  // of this machine; may be null
  Machine machine;
  std::uint32_t order = 0;  // of the line or statement that is being looked at

  void complain_at(const config::Place& place, std::string text, std::string advice = {});
  void warn_at(const config::Place& place, std::string text, std::string advice = {});
  void note_at(const config::Place& place, std::string text);

  // So that complaints about it can tell which Include or Use led there.
  void add_source(std::shared_ptr<const Source> source);

  // By identifier ("proxy_module") or file name ("mod_proxy.c").
  bool has_module(std::string_view module) const;
  bool has_module_of(const Directive& directive) const;
  // Relative paths belong to ServerRoot.
  std::string resolve_path(std::string_view path) const;

  // One object of each type T for this reading, made at first use: what a table's handlers
  // remember until the end (drafts of balancers, nicknames of formats).
  template <class T>
  T& part() {
    std::shared_ptr<void>& slot = parts_[std::type_index(typeid(T))];
    if (!slot) slot = std::make_shared<T>();
    return *static_cast<T*>(slot.get());
  }

 private:
  void tell(Severity severity, const config::Place& place, std::string&& text,
            std::string&& advice);

  std::map<const std::string*, std::shared_ptr<const Source>> sources_;  // by &source->name
  std::map<std::type_index, std::shared_ptr<void>> parts_;
};

// The innermost section around the statement that is being executed.
struct Frame {
  SectionKind kind = SectionKind::server;
  std::string name;                          // "<Location>" as messages print it; server: empty
  std::string argument;                      // pattern or URL, quotes removed
  config::PathSettings* settings = nullptr;  // never null
  config::Section* section = nullptr;        // null at server level and in <Directory>
  bool is_inert = false;  // about files, which are not served: nothing in it acts on a request
};

class Scope {
 public:
  Reading& reading;
  config::Config& config;
  config::Server& server;  // main server or virtual host
  bool in_main_server;     // not inside any <VirtualHost>

  const Frame& frame() const { return *frame_; }
  config::PathSettings& settings() const { return *frame_->settings; }
  bool at_server_level() const { return frame_->kind <= SectionKind::virtual_host; }

  // These take the position from the statement that is being executed; reading goes on.
  void complain(std::string text, std::string advice = {});
  void warn(std::string text, std::string advice = {});
  void note(std::string text);
  // Of what the program does not do: a fault, and a note where it would act on nothing.
  void complain_unless_inert(std::string text, std::string advice);

  // Executes one line of a container that keeps its frame (<RequireAll>), or all of them: the
  // handler does its own bookkeeping before and after. `frame` is given by sections that open a
  // new one.
  void execute(const Statement& statement);
  void execute(const std::vector<Statement>& statements);
  void execute(const std::vector<Statement>& statements, Frame frame);

  // The lines of a <VirtualHost>; `begin` runs while its own line is the current statement.
  void execute_host(const Statement& host, const std::function<void()>& begin);

  config::Place place() const;
  const Statement& statement() const { return *statement_; }

  Scope(Reading& of, config::Server& about, const Frame& frame);

 private:
  void execute_one(const Statement& statement);
  void look_inside(const Directive& meant, const Statement& statement);
  void refuse(const Directive& directive, const std::string& name);
  void complain_about_module(const Directive& directive);

  const Frame* frame_;
  const Statement* statement_ = nullptr;
};

}  // namespace steelyard::apacheconf
