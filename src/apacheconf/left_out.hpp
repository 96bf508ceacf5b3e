#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// What stands in a block that is left out because its <IfModule> names a module that the file loads
// but this program does not have. httpd would execute those lines, so nobody may lose them
// unawares: the block is a fault when it decides who may do what, which requests go where or which
// ports are served, a warning when it does anything else, a note when it would be without effect
// here anyway.

namespace steelyard::apacheconf {

class LeftOut {
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
