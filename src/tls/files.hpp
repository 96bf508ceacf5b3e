#pragma once

#include <expected>
#include <functional>
#include <string>
#include <vector>

#include "config/place.hpp"

// The files that a configuration names for TLS, behind functions: who may read them is another's
// business (keys are root's), and so are who tells pass phrases and what the system's kernel can.
// And what is wrong with them.
//
// Threads: the loader's.

namespace steelyard::tls {

// A key that cannot be read without its pass phrase.
struct LockedKey {
  std::string path;
  std::string server;     // "name:port"
  std::size_t index = 0;  // among the server's keys
};

// Who knows pass phrases (SSLPassPhraseDialog).
class PassPhrases {
 public:
  virtual ~PassPhrases() = default;
  // Those that opened a key before: they are tried first (httpd).
  virtual std::vector<std::string> known() const = 0;
  // `wrong`: how many answers about this key were. The error: nobody tells, and why.
  virtual std::expected<std::string, std::string> ask(const LockedKey& key, unsigned wrong) = 0;
  virtual void keep(std::string phrase) = 0;
};

struct FileAccess {
  // Its bytes; the error is the system's sentence.
  std::function<std::expected<std::string, std::string>(const std::string& path)> read;
  // Names of the files in a directory, of those that perhaps are files, too.
  std::function<std::expected<std::vector<std::string>, std::string>(const std::string& path)> list;
  // Null: nobody is asked, and keys with pass phrases stay unread (-t).
  PassPhrases* pass_phrases = nullptr;
  // Asked where a line wants the kernel to encrypt.
  bool kernel_has_tls = false;
};

// Ready for a diagnostic.
struct Fault {
  config::Place place;
  std::string text, advice;
};
using Faults = std::vector<Fault>;

}  // namespace steelyard::tls
