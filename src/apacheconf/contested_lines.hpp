#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// What stands in a block that httpd and this program treat differently, because its condition asks
// for what httpd has and this program does not: <IfModule> for a module that the file loads,
// <IfDirective> and <IfSection> for what such a module brings. httpd executes <IfModule mod_x.c>
// and skips <IfModule !mod_x.c>, here it is the other way about. Nobody may get another meaning
// unawares: the block is a fault when it decides who may do what, which requests go where or which
// ports are served, a warning when it does anything else, a note when it would be without effect
// here anyway, as all is that stands in <Directory> or <Files>.

namespace steelyard::apacheconf {

class ContestedLines {
 public:
  enum class Weight : std::uint8_t { nothing, without_effect, noticeable, decisive };

  enum class Place : std::uint8_t {
    anywhere,
    files,  // a section that covers_files(): only what holds beyond it counts
  };

  // One line of the block; `argument` is what stands behind the name.
  void add(std::string_view name, std::string_view argument, Place place = Place::anywhere);

  Weight weight() const { return weight_; }
  // The names of the heaviest lines, each once: "Listen 443, SSLEngine".
  std::string names() const;
  // What the lines define or undefine, shown alike; empty when they do not.
  std::string variables() const;

 private:
  Weight weight_ = Weight::nothing;
  std::vector<std::string> names_;
  std::vector<std::string> variables_;
};

// <Directory>, <Files> and their kin. No files are served: what stands there decides nothing.
bool covers_files(std::string_view tag);

}  // namespace steelyard::apacheconf
