#pragma once

#include <optional>

#include "ftp/login.hpp"
#include "ftp/path.hpp"
#include "proxy/backend/dialect.hpp"
#include "proxy/backend/ftp_answer.hpp"

// FTP with members, ftp:// (RFC 959, 2428, 3659; httpd's mod_proxy_ftp): GET and HEAD become a
// conversation that logs in, walks to the file and fetches it, or lists its directory.
//
//   greeting, USER, PASS ─▶ CWD ... ─▶ EPSV or PASV ─▶ SIZE, PWD, MDTM ─▶ RETR or LIST
//
// The data connection goes where the control connection goes, whatever address a reply names.
//
// Threads: the shard's.

namespace steelyard::proxy {

class FtpDialect final : public Dialect {
 public:
  explicit FtpDialect(const Matter& matter) : matter_(matter) {}

  // What the client sends is not read: no method that is spoken has use for it.
  bool streams_body() const override { return true; }
  Failure objection() override;
  int status_without_address() const override { return 502; }
  void begin() override;
  bool converses() const override { return true; }
  io::Task<Failure> converse(Shard::Core& core, io::Stream& member) override;
  MessageWriter::Result send(io::Stream&, std::string_view, bool) override { return {}; }
  bool may_hear() const override { return true; }
  bool in_debt() const override { return false; }
  bool sent_all() const override { return true; }
  std::uint64_t take_transferred() override;
  std::uint64_t bytes_sent() const override { return control_ ? control_->bytes_sent() : 0; }

  std::optional<Failure> read_head(io::Stream&) override { return std::nullopt; }
  bool head_is_here() const override { return head_is_here_; }
  std::uint64_t bytes_heard() const override { return control_ ? control_->bytes_heard() : 0; }
  ReplyBody& begin_answer(io::Stream& member) override;
  io::Stream& heard_stream(io::Stream& member) override;
  bool may_reuse() const override { return false; }

 private:
  io::Task<Failure> enter();
  io::Task<Failure> send_password();
  io::Task<Failure> walk();
  io::Task<Failure> go_to(std::string directory);
  io::Task<Failure> open_data(Shard::Core& core);
  io::Task<Failure> open_by_pasv(Shard::Core& core);
  io::Task<Failure> dial(Shard::Core& core, std::uint16_t port, std::string_view way);
  io::Task<Failure> look();
  io::Task<Failure> learn_directory();
  io::Task<Failure> fetch();
  io::Task<Failure> begin_transfer();
  io::Task<Failure> list_after_all();

  std::string argument(std::string_view verb, std::string_view name) const;
  std::string list_command() const;
  // The member's words become the answer's.
  Failure refused(int status) const;
  Failure unauthorised();
  void write_head();

  const Matter matter_;
  ftp::Path path_;
  ftp::Login login_;
  std::optional<FtpControl> control_;
  std::string welcome_, directory_;
  std::optional<std::chrono::sys_seconds> changed_;
  FtpTransfer transfer_;
  std::optional<FtpAnswer> answer_;
  std::uint64_t accounted_ = 0;
  bool head_is_here_ = false;
};

}  // namespace steelyard::proxy
