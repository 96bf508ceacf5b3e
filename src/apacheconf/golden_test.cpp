// Every tests/golden/NAME.conf against NAME.txt: what is said about it, then the Config as text.
// A main file may name further ones below tests/golden/parts/. STEELYARD_UPDATE_GOLDEN=1 writes the
// expectations anew.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "apacheconf/read.hpp"
#include "apacheconf/summary.hpp"
#include "config/dump.hpp"

namespace steelyard::apacheconf {
namespace {

const std::filesystem::path source_dir = STEELYARD_SOURCE_DIR;

std::string contents(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

bool updating() {
  const char* const asked = std::getenv("STEELYARD_UPDATE_GOLDEN");
  return asked && *asked == '1';
}

void expect_file(const std::filesystem::path& path, const std::string& text) {
  if (updating()) {
    std::ofstream(path, std::ios::binary) << text;
    return;
  }
  EXPECT_EQ(contents(path), text) << path << ": STEELYARD_UPDATE_GOLDEN=1 writes it anew";
}

// The folder as /golden, so that messages do not depend on where the checkout is.
MemoryFiles golden_files(const std::filesystem::path& folder) {
  MemoryFiles files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    const std::string name = std::filesystem::relative(entry.path(), folder).string();
    files.contents["/golden/" + name] = contents(entry.path());
  }
  return files;
}

std::string read_as_text(const std::string& file, const MemoryFiles& files) {
  ReadOptions options;
  options.file = file;
  options.server_root = "/golden";
  options.defines = {"FROM_COMMAND_LINE"};
  options.environment = [](std::string_view name) -> std::optional<std::string> {
    if (name.starts_with("APACHE_")) return "/env/" + std::string(name);
    return std::nullopt;
  };
  auto result = read_configuration(options, files);
  std::string text;
  for (const Diagnostic& each : result ? result->remarks : result.error()) {
    text += describe(each) + '\n';
  }
  if (!result) return text;
  text += "---- hosts\n" + describe_hosts(*result->config) + describe_run(*result->config);
  return text + "---- configuration\n" + config::dump(*result->config);
}

TEST(Golden, every_configuration_means_what_is_written_beside_it) {
  const std::filesystem::path folder = source_dir / "tests/golden";
  const MemoryFiles files = golden_files(folder);
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".conf") continue;
    ++count;
    std::filesystem::path expected = entry.path();
    expected.replace_extension(".txt");
    expect_file(expected, read_as_text(entry.path().filename().string(), files));
  }
  EXPECT_GE(count, 10u);
}

TEST(Golden, the_page_of_directives_is_current) {
  expect_file(source_dir / "docs/directives.md", directives_page());
}

}  // namespace
}  // namespace steelyard::apacheconf
