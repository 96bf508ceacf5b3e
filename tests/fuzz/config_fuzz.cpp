// Reading a configuration ends for every text, says at least one fault or gives a Config, and says
// the same when it is read again. A line "%%% NAME" begins a further file, which may be included.
#include <string>

#include "apacheconf/read.hpp"
#include "apacheconf/summary.hpp"
#include "base/check.hpp"
#include "config/dump.hpp"
#include "fuzz.hpp"

namespace steelyard {
namespace {

using namespace apacheconf;

constexpr std::string_view file_mark = "%%% ";

MemoryFiles files_in(std::string_view input) {
  MemoryFiles files;
  files.contents["/c/other/x.conf"] = "KeepAlive Off\n";
  std::string name = "main.conf";
  std::string text;
  while (!input.empty()) {
    const std::size_t end = std::min(input.find('\n'), input.size() - 1);
    const std::string_view line = input.substr(0, end + 1);
    input.remove_prefix(end + 1);
    if (!line.starts_with(file_mark)) {
      text += line;
      continue;
    }
    files.contents[join_path("/c", name)] = std::move(text);
    text.clear();
    name = std::string(line.substr(file_mark.size()));
    while (name.ends_with('\n') || name.ends_with('\r')) name.pop_back();
  }
  files.contents[join_path("/c", name)] = std::move(text);
  return files;
}

ReadOptions options() {
  ReadOptions result;
  result.file = "main.conf";
  result.server_root = "/c";
  result.defines = {"GIVEN"};
  // Else most texts were faulty and nothing of them described.
  result.before = {"Listen 127.0.0.1:65535"};
  result.environment = [](std::string_view name) -> std::optional<std::string> {
    if (name == "HOME") return "/home/someone";
    return std::nullopt;
  };
  result.limits.include_depth_max = 16;
  result.limits.lines_max = 5000;
  result.limits.expanded_bytes_max = std::size_t{1} << 20;
  return result;
}

std::string meaning(const MemoryFiles& files) {
  const auto result = read_configuration(options(), files);
  bool has_fault = false;
  std::string text;
  for (const Diagnostic& each : result ? result->remarks : result.error()) {
    has_fault = has_fault || each.severity == Severity::fault;
    text += describe(each) + '\n';
  }
  CHECK(has_fault != result.has_value());
  if (!result) return text;
  CHECK(!result->config->servers.empty());
  return text + describe_hosts(*result->config) + describe_run(*result->config) +
         describe_modules(*result->config) + config::dump(*result->config);
}

}  // namespace

void fuzz_one(std::string_view input) {
  const MemoryFiles files = files_in(input);
  CHECK(meaning(files) == meaning(files));
}

}  // namespace steelyard
