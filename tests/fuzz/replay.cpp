// Runs a fuzz target over its corpus. The last file name printed is the one that failed.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "fuzz.hpp"

namespace steelyard {
namespace {

TEST(Corpus, replays) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(STEELYARD_CORPUS)) {
    files.push_back(entry.path());
  }
  ASSERT_FALSE(files.empty());
  std::ranges::sort(files);
  for (const auto& file : files) {
    std::printf("%s\n", file.filename().c_str());
    std::fflush(stdout);
    std::ifstream in(file, std::ios::binary);
    const std::string input{std::istreambuf_iterator<char>(in), {}};
    // A copy of exactly the input's size: std::string keeps a readable NUL behind it.
    const std::vector<char> exact(input.begin(), input.end());
    fuzz_one({exact.data(), exact.size()});
  }
}

}  // namespace
}  // namespace steelyard
