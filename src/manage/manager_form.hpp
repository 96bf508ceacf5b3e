// The parameters of a request to the balancer-manager, as httpd reads them.
//
//   GET    of the query: w, b, nonce and xml, nothing else
//   POST   of the first 1024 bytes of the body: all
//
// "&" parts them and "=" a name from its value; names are percent-decoded once, values twice, and a
// '+' is a '+'. Names are looked up in any case, and the last of one name counts.
//
// Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/text.hpp"
#include "proxy/desk.hpp"

namespace steelyard::manage {

class ManagerForm {
 public:
  static ManagerForm read(const proxy::DeskQuestion& question);

  // nullptr: it was not sent.
  [[nodiscard]] const std::string* find(std::string_view name) const;
  [[nodiscard]] bool empty() const { return values_.empty(); }

 private:
  struct IgnoringCase {
    using is_transparent = void;
    bool operator()(std::string_view a, std::string_view b) const {
      return to_lower(a) < to_lower(b);
    }
  };
  enum class Kept : std::uint8_t { what_selects, all };
  void take(std::string_view text, Kept kept);

  std::map<std::string, std::string, IgnoringCase> values_;
};

// The host of an absolute URL without brackets; empty: there is none.
[[nodiscard]] std::string_view host_of(std::string_view url);

// Escapes that are none stay as they are; what follows a NUL is dropped.
[[nodiscard]] std::string percent_decoded(std::string_view text);

// Why this request may carry no parameters; empty: it may. Browsers tell where a form came from:
// the Referer must name the host that was asked (httpd: the same), and neither Origin nor
// Sec-Fetch-Site may say otherwise.
[[nodiscard]] std::string foreign_source(const proxy::DeskQuestion& question);

}  // namespace steelyard::manage
