#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "http/head_text.hpp"
#include "proxy/core.hpp"
#include "proxy/deflater.hpp"
#include "proxy/message_writer.hpp"
#include "proxy/reply_body.hpp"

// The head of what the client gets: field mapping, Header rules, framing, connection handling.

namespace steelyard::proxy {

// Turns the backend's head into the client's: hop-by-hop fields go, ProxyPassReverse maps, dates
// are normalised, the filter DEFLATE looks at it, Header rules run. Fills x.normal and x.always.
struct Adoption {
  bool is_http;     // and what mod_proxy_http does beyond that, to dates, warnings, cookies and Via
  int kept_status;  // what the client is told instead of the backend's; 0: nothing
  const ReplyBody& beginning;  // of which the first piece was pulled
};
struct Adopted {
  bool is_clean;                       // else a rule made what no field can hold (httpd: 500)
  std::unique_ptr<Deflater> deflater;  // the body is to be compressed; null: it is not
};
[[nodiscard]] Adopted adopt_backend_head(Exchange& x, Shard::Core& core, const Adoption& adoption);

// One Vary field that names each request field once (httpd: what all answers carry).
void name_varying_fields(Exchange& x);

// Retry-After of a request that waited for a member in vain; an ErrorDocument carries it, too.
void advise_wait(Exchange& x);

// Those that RewriteRules set ([CO=]), into x.always.
void add_own_fields(Exchange& x);

// HTTP/2: its frames tell where a body ends, and nothing in the head speaks of the connection.
inline bool speaks_http2(const Exchange& x) { return x.client->http2_stream != 0; }
// Of an answer whose head tells where it ends, if the protocol needs that.
inline Framing whole_framing(const Exchange& x) {
  return speaks_http2(x) ? Framing::stream : Framing::plain;
}

struct ReplyFraming {
  Framing framing = Framing::plain;
  bool has_body = false;
  bool ends_by_closing = false;  // neither a length nor chunks tell where the body ends
};

// How the body, which is framed like that, reaches this client. Its beginning was pulled.
ReplyFraming frame_reply(Exchange& x, const ReplyBody& beginning, const http::BodyFraming& body);

// What an answer says of where its body ends: nothing that Header rules make of it counts, but that
// they may take the length away (httpd counts the body anew, where it has it whole, and announces
// what rules say where it has not).
class BodyWords {
 public:
  explicit BodyWords(const Exchange& x);  // before the rules
  void restore(Exchange& x) const;        // behind them

 private:
  std::optional<std::string_view> length_;
  bool has_chunks_;
};

// Decides x.keep_client and writes the status line and all fields into `out`.
void write_reply_head(Exchange& x, Shard::Core& core, const ReplyFraming& framing,
                      http::HeadText& out);

// An interim head (1xx) as the backend sent it; fields of x.response.
void write_interim_head(Exchange& x, http::HeadText& out);

// Whether the Via field goes out, and its text: "1.1 name:port (Apache...)".
std::string_view via_text(Exchange& x);

}  // namespace steelyard::proxy
