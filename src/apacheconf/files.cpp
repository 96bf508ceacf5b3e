#include "apacheconf/files.hpp"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "base/text.hpp"

namespace steelyard::apacheconf {

namespace {

constexpr std::uintmax_t file_bytes_max = std::uintmax_t{64} << 20;
constexpr const char* no_such_file = "No such file or directory";

std::string with_slash(const std::string& directory) {
  return directory.ends_with('/') ? directory : directory + '/';
}

}  // namespace

std::expected<std::string, std::string> DiskFiles::read(const std::string& path) const {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return std::unexpected("Is a directory");
  // A device or a pipe could go on for ever (httpd refuses them too).
  if (std::filesystem::exists(path, error) && !std::filesystem::is_regular_file(path, error) &&
      path != "/dev/null") {
    return std::unexpected("Not a regular file");
  }
  if (std::filesystem::is_regular_file(path, error) &&
      std::filesystem::file_size(path, error) > file_bytes_max) {
    return std::unexpected("It has more than 64 MiB, which is no configuration");
  }
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::unexpected(std::generic_category().message(errno ? errno : ENOENT));
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (file.bad()) return std::unexpected(std::generic_category().message(EIO));
  return text;
}

bool DiskFiles::exists(const std::string& path) const {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

bool DiskFiles::is_directory(const std::string& path) const {
  std::error_code error;
  return std::filesystem::is_directory(path, error);
}

std::expected<std::vector<std::string>, std::string> DiskFiles::list(
    const std::string& directory) const {
  std::error_code error;
  std::vector<std::string> names;
  std::filesystem::directory_iterator at(directory, error);
  if (error) return std::unexpected(error.message());
  for (; at != std::filesystem::directory_iterator(); at.increment(error)) {
    if (error) return std::unexpected(error.message());
    names.push_back(at->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::expected<std::string, std::string> MemoryFiles::read(const std::string& path) const {
  const auto found = contents.find(path);
  if (found != contents.end()) return found->second;
  return std::unexpected(is_directory(path) ? "Is a directory" : no_such_file);
}

bool MemoryFiles::exists(const std::string& path) const {
  return contents.contains(path) || is_directory(path);
}

bool MemoryFiles::is_directory(const std::string& path) const {
  const std::string prefix = with_slash(path);
  const auto after = contents.lower_bound(prefix);
  return after != contents.end() && after->first.starts_with(prefix);
}

std::expected<std::vector<std::string>, std::string> MemoryFiles::list(
    const std::string& directory) const {
  if (!is_directory(directory)) return std::unexpected(no_such_file);
  const std::string prefix = with_slash(directory);
  std::vector<std::string> names;
  for (auto at = contents.lower_bound(prefix); at != contents.end(); ++at) {
    if (!at->first.starts_with(prefix)) break;
    std::string name = at->first.substr(prefix.size());
    name.resize(std::min(name.size(), name.find('/')));
    if (names.empty() || names.back() != name) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::string join_path(std::string_view root, std::string_view path) {
  std::string whole =
      path.starts_with('/') ? std::string(path) : std::string(root) + '/' + std::string(path);
  const bool absolute = whole.starts_with('/');
  const bool directory = whole.ends_with('/');
  std::vector<std::string_view> kept;
  for (std::string_view part : split(whole, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == ".." && !kept.empty() && kept.back() != "..") {
      kept.pop_back();
    } else if (part != ".." || !absolute) {
      kept.push_back(part);
    }
  }
  std::string result;
  for (std::string_view part : kept) {
    if (absolute || !result.empty()) result += '/';
    result += part;
  }
  if (result.empty()) return absolute ? "/" : ".";
  if (directory) result += '/';
  return result;
}

}  // namespace steelyard::apacheconf
