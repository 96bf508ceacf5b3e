#include <fmt/format.h>

#include "ftp/reply.hpp"
#include "health/check.hpp"

// The exchange of a check with an FTP server: its greeting, which it only gives when it can serve
// (220; 120, 421 and 530 say that it cannot), and QUIT. Nobody logs in.

namespace steelyard::health {

namespace {

constexpr int ready = 220;

}  // namespace

io::Task<Check::Fault> Check::hear_greeting() {
  ftp::ReplyReader reader;
  while (true) {
    std::string_view data = buffer_.data();
    const auto progress = reader.read(data);
    buffer_.consume(buffer_.data().size() - data.size());
    if (progress == ftp::ReplyReader::Progress::complete) break;
    if (progress == ftp::ReplyReader::Progress::too_long)
      co_return Fault("the greeting has no end");
    if (Fault fault = co_await read_more(); !fault.empty()) co_return fault;
  }
  if (reader.code() == 0) co_return Fault("not a greeting of an FTP server");
  judged_.status_line = fmt::format("{} {}", reader.code(), reader.text());
  judged_.evidence.status = head_.status = reader.code();
  if (reader.code() != ready) co_return fmt::format("it greets with {}", reader.code());
  body_ = reader.text();
  // All was heard; whether QUIT arrives changes nothing.
  (void)co_await write("QUIT\r\n");
  (void)stream_->settle();
  co_return Fault();
}

}  // namespace steelyard::health
