#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/tls_settings.hpp"
#include "server/descriptor.hpp"
#include "tls/files.hpp"

// The pass phrases of keys, asked for as SSLPassPhraseDialog says and kept in memory for reloads
// (httpd keeps the keys).
//
//   builtin    the terminal that the program was started from; without one nobody is asked
//   exec:PATH  a program, once a key: it is given "name:port" and httpd's word for the key's
//              number, and prints the phrase
//   |COMMAND   one program for all keys, by the shell: it reads what httpd prints on a terminal
//
// Threads: the main thread.

namespace steelyard::server {

class PhraseProgram;  // one that runs

class PassPhrases final : public tls::PassPhrases {
 public:
  enum class Asker : std::uint8_t {
    start,   // somebody may sit there and think
    reload,  // nobody sits there, and signals wait meanwhile
  };

  PassPhrases();
  PassPhrases(PassPhrases&&) noexcept;
  ~PassPhrases() override;

  // Before keys are loaded.
  void begin(const config::PassPhraseDialog& dialog, Asker asker);
  // Afterwards: no program runs on.
  void end();

  std::vector<std::string> known() const override { return known_; }
  std::expected<std::string, std::string> ask(const tls::LockedKey& key, unsigned wrong) override;
  void keep(std::string phrase) override;

 private:
  std::expected<std::string, std::string> ask_program(const tls::LockedKey& key, unsigned wrong);
  std::expected<std::string, std::string> ask_dialog(const tls::LockedKey& key, unsigned wrong);
  std::expected<std::string, std::string> ask_terminal(const tls::LockedKey& key, unsigned wrong);
  std::string question(const tls::LockedKey& key, unsigned wrong);

  config::PassPhraseDialog dialog_;
  Asker asker_ = Asker::start;
  bool has_introduced_itself_ = false;
  std::unique_ptr<PhraseProgram> program_;  // |program
  std::vector<std::string> known_;
};

}  // namespace steelyard::server
