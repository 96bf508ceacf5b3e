#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "apacheconf/read.hpp"

// Reading texts instead of files, for tests and fuzzing. The main text is /c/t.conf.

namespace steelyard::apacheconf::testing {

struct Reader {
  MemoryFiles files;
  ReadOptions options;

  Reader() {
    options.file = "t.conf";
    options.server_root = "/c";
    files.contents["/c/keep"] = "";
  }

  std::expected<ReadResult, std::vector<Diagnostic>> read(std::string_view text) {
    files.contents["/c/t.conf"] = std::string(text);
    return read_configuration(options, files);
  }

  // Everything that is said about the text, faults, warnings and notes, one description each.
  std::vector<std::string> remarks(std::string_view text) {
    auto result = read(text);
    std::vector<std::string> said;
    for (const Diagnostic& each : result ? result->remarks : result.error()) {
      said.push_back(describe(each));
    }
    return said;
  }

  // The first lines of the faults, after their "Syntax error on line N of FILE:".
  std::vector<std::string> faults(std::string_view text) {
    std::vector<std::string> said;
    auto result = read(text);
    if (result) return said;
    for (const Diagnostic& each : result.error()) {
      if (each.severity == Severity::fault) {
        said.push_back(std::to_string(each.place.line) + ": " + each.text);
      }
    }
    return said;
  }
};

// What a small configuration needs so that nothing is warned about.
inline constexpr std::string_view preamble = "ServerName lb.test\nListen 127.0.0.1:8080\n";

}  // namespace steelyard::apacheconf::testing
