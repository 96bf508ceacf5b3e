#pragma once

#include <string>
#include <vector>

#include "config/path_settings.hpp"

// What reading a configuration has to say about one place in it. Reading collects all of them.

namespace steelyard::apacheconf {

enum class Severity : std::uint8_t {
  fault,    // the configuration is refused
  warning,  // printed always: probably not what was meant
  note,     // printed by -t -v: accepted, but means little or something else here
};

struct Diagnostic {
  Severity severity = Severity::fault;
  config::Place place;               // file may be null: no place (the command line, the whole)
  std::vector<config::Place> trail;  // the Include and Use lines that led there, innermost first
  std::string text;                  // httpd's sentence where it has one
  std::string advice;                // what to write instead; may be empty
  std::uint32_t order = 0;           // position in reading order
};

// "Syntax error on line 3 of httpd.conf:\nReason\n  advice\n  included from ..."; no newline at the
// end. Warnings and notes begin with "Warning on line ..." and "Note on line ...".
std::string describe(const Diagnostic& diagnostic);

}  // namespace steelyard::apacheconf
