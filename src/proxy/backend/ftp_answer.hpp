#pragma once

#include <memory>
#include <optional>

#include "ftp/listing.hpp"
#include "proxy/backend/ftp_control.hpp"
#include "proxy/read_buffer.hpp"
#include "proxy/reply_body.hpp"

// What an FTP member sends on a data connection: a file as it is, or a list that becomes a page.
//
//   data ... end of the data connection ─▶ 226 on the control connection ─▶ finished
//
// Invariants: 1. without a good final reply the answer is cut short; so it is when the member had
//                told another size. httpd takes any end for a good one.
//             2. of a file whose size is known the last byte waits for that reply: no client holds
//                a whole file that is none.
// Threads: the shard's.

namespace steelyard::proxy {

struct FtpTransfer {
  std::unique_ptr<io::Stream> data;        // null: there is no body (HEAD)
  std::optional<std::uint64_t> size;       // of a file, when the member told it
  std::unique_ptr<ftp::ListingPage> page;  // null: a file
  std::string title;                       // of the page
  bool has_ended = false;                  // the final reply was the first one already
};

class FtpAnswer final : public ReplyBody {
 public:
  FtpAnswer(FtpControl& control, FtpTransfer transfer);

  Progress pull() override;
  void take(std::size_t bytes) override;
  // Where the next thing that happens will come from.
  io::Stream& stream() const { return transfer_.data ? *transfer_.data : control_.stream(); }

 private:
  Progress read_data();
  Progress read_end();
  void offer();

  FtpControl& control_;
  FtpTransfer transfer_;
  ReadBuffer buffer_;
  std::uint64_t came_ = 0;  // bytes on the data connection
  bool is_broken_ = false;
};

}  // namespace steelyard::proxy
