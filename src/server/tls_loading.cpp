#include "server/tls_loading.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "apacheconf/files.hpp"
#include "io/linux/kernel_tls.hpp"

namespace steelyard::server {

namespace {

// A bundle of all authorities that the world believes has less than a megabyte.
constexpr std::size_t file_bytes_max = std::size_t{16} << 20;

std::unexpected<std::string> system_says(int error) {
  return std::unexpected(std::string(strerror(error)));
}

std::expected<std::string, std::string> read_all(const Descriptor& file) {
  std::string text;
  char room[16384];
  while (text.size() <= file_bytes_max) {
    const ssize_t got = ::read(file.number(), room, sizeof room);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_says(errno);
    if (got == 0) return text;
    text.append(room, static_cast<std::size_t>(got));
  }
  return std::unexpected("it is too large");
}

std::expected<std::string, std::string> read_file(const std::string& path, Keeper* keeper) {
  const Descriptor own(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (own.is_open()) return read_all(own);
  const int error = errno;
  if (error != EACCES || keeper == nullptr) return system_says(error);
  const auto asked = keeper->ask_for_secret(path);
  return asked ? read_all(*asked) : system_says(asked.error());
}

apacheconf::Diagnostic to_diagnostic(tls::Fault& fault) {
  apacheconf::Diagnostic diagnostic;
  diagnostic.place = std::move(fault.place);
  diagnostic.text = std::move(fault.text);
  diagnostic.advice = std::move(fault.advice);
  return diagnostic;
}

}  // namespace

// Links that lead nowhere and directories are no files; what cannot be looked at may be one, and
// whoever reads it then is told so.
std::expected<std::vector<std::string>, std::string> list_files(const std::string& directory) {
  auto names = apacheconf::DiskFiles().list(directory);
  if (!names) return names;
  std::erase_if(*names, [&](const std::string& name) {
    struct stat about{};
    if (::stat((directory + '/' + name).c_str(), &about) != 0) return errno == ENOENT;
    return !S_ISREG(about.st_mode);
  });
  return names;
}

std::expected<void, std::vector<apacheconf::Diagnostic>> load_tls(Configuration& configuration,
                                                                  PassPhrases* phrases,
                                                                  Keeper* keeper) {
  const tls::FileAccess files{[keeper](const std::string& path) { return read_file(path, keeper); },
                              list_files, phrases,
                              configuration.config->tls.kernel_encrypts && io::kernel_has_tls()};
  auto loaded = tls::Hosts::load(*configuration.config, files);
  if (phrases != nullptr) phrases->end();
  if (loaded) {
    configuration.tls = std::move(*loaded);
    for (tls::Fault remark : configuration.tls->remarks()) {
      configuration.remarks.push_back(to_diagnostic(remark));
      configuration.remarks.back().severity = apacheconf::Severity::warning;
    }
    return {};
  }
  std::vector<apacheconf::Diagnostic> said = std::move(configuration.remarks);
  std::ranges::transform(loaded.error(), std::back_inserter(said), to_diagnostic);
  return std::unexpected(std::move(said));
}

}  // namespace steelyard::server
