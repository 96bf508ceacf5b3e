#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "expr/facts.hpp"

// The request that rules are asked about, and what they may change of it while they run: a later
// condition sees what an earlier rule did. The data path implements it; tests with a table.
//
// Views that are handed over live in the arena or the rules. Threads: the exchange's.

namespace steelyard::rewrite {

class Subject {
 public:
  virtual ~Subject() = default;

  virtual const expr::Facts& facts() const = 0;
  // "http://host[:port]" as the client addressed us.
  virtual std::string_view origin() = 0;
  // Whether http://host:port is the virtual host that serves the request.
  virtual bool is_own_address(std::string_view host, std::uint16_t port) const = 0;
  // nullopt: the map has no such key, or there is no such map.
  virtual std::optional<std::string_view> look_up(std::string_view map, std::string_view key) = 0;

  // What REQUEST_FILENAME is from now on.
  virtual void set_text(std::string_view text) = 0;
  virtual void set_query(std::optional<std::string_view> query) = 0;
  virtual std::optional<std::string_view> query() const = 0;
  virtual void set_variable(std::string_view name, std::string_view value) = 0;
  virtual void unset_variable(std::string_view name) = 0;
  // Once a name: false when there is one of that name already. `line`: the field's value.
  virtual bool add_cookie(std::string_view name, std::string_view line) = 0;
  // The answer depends on these request fields, as a Vary field lists them.
  virtual void vary_by(std::string_view names) = 0;

  // `LogLevel rewrite:traceN`, N from 1 to 8.
  virtual bool traces(int level) const = 0;
  virtual void trace(int level, std::string_view text) = 0;
  virtual void complain(std::string_view text) = 0;  // at level error
};

}  // namespace steelyard::rewrite
