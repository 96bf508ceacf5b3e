#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// What stands in a block that httpd and this program treat differently, because its <IfModule>
// asks for a module that the file loads and this program does not have: httpd executes
// <IfModule mod_x.c> and skips <IfModule !mod_x.c>, here it is the other way about. Nobody may get
// another meaning unawares: the block is a fault when it decides who may do what, which requests
// go where or which ports are served, a warning when it does anything else, a note when it would
// be without effect here anyway.

namespace steelyard::apacheconf {

class ContestedLines {
 public:
  enum class Weight : std::uint8_t { nothing, without_effect, noticeable, decisive };

  // One line of the block; `argument` is what stands behind the name.
  void add(std::string_view name, std::string_view argument);

  Weight weight() const { return weight_; }
  // The names of the heaviest lines, each once: "Listen 443, SSLEngine".
  std::string names() const;

 private:
  Weight weight_ = Weight::nothing;
  std::vector<std::string> names_;
};

}  // namespace steelyard::apacheconf
