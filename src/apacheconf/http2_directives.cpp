// Which protocols are spoken with clients, and how HTTP/2 is (mod_http2).
#include <algorithm>
#include <array>
#include <limits>
#include <map>

#include "apacheconf/idle_protocols.hpp"
#include "apacheconf/tables.hpp"
#include "balance/parameters.hpp"
#include "base/text.hpp"

namespace steelyard::apacheconf {

namespace {

using config::ClientProtocol;

// Servers that said it themselves: a virtual host begins with what the main server says.
struct HttpSaid {
  std::map<const config::Server*, config::Place> protocols, websockets;
};

std::optional<ClientProtocol> protocol_named(std::string_view word) {
  if (equals_ignoring_case(word, "http/1.1")) return ClientProtocol::http1;
  if (equals_ignoring_case(word, "h2")) return ClientProtocol::h2;
  if (equals_ignoring_case(word, "h2c")) return ClientProtocol::h2c;
  return std::nullopt;
}

void protocols(Scope& scope, const Statement& statement) {
  config::ClientProtocols& spoken = scope.server.client.protocols;
  if (scope.reading.part<HttpSaid>()
          .protocols.insert_or_assign(&scope.server, statement.place())
          .second)
    spoken.count = 0;
  for (const std::string& word : statement.words) {
    const auto protocol = protocol_named(word);
    if (!protocol) {
      scope.warn("Protocols lists " + word + ", which is not spoken with clients",
                 "http/1.1, h2 and h2c are.");
    } else if (*protocol != ClientProtocol::http1 && !scope.reading.has_module("http2_module")) {
      // httpd: without the module the word means nothing.
      scope.warn("Protocols lists " + word + ", which http2_module speaks, and it is not loaded",
                 "LoadModule http2_module modules/mod_http2.so");
    } else {
      spoken.add(*protocol);
    }
  }
}

void protocols_honor_order(Scope& scope, const Statement& statement) {
  scope.server.client.protocols.honors_order = is_on(statement);
}

// httpd reads numbers laxly here and says no more of them than where they end.
void set_number(Scope& scope, const Statement& statement, std::uint32_t& place, std::int64_t least,
                std::int64_t most, std::string_view complaint) {
  const std::int64_t number = parse_lax(statement.words[0]);
  if (number < least) return scope.complain(statement.name + ' ' + std::string(complaint));
  place = static_cast<std::uint32_t>(std::min(number, most));
}

constexpr std::int64_t number_max = std::numeric_limits<std::int32_t>::max();

void max_session_streams(Scope& scope, const Statement& statement) {
  set_number(scope, statement, scope.server.client.http2.streams_max, 1, number_max,
             "value must be > 0");
}

void window_size(Scope& scope, const Statement& statement) {
  set_number(scope, statement, scope.server.client.http2.window_bytes, 1024, number_max,
             "value must be >= 1024");
}

void stream_max_mem_size(Scope& scope, const Statement& statement) {
  set_number(scope, statement, scope.server.client.http2.stream_buffer_bytes, 1024, number_max,
             "value must be >= 1024");
}

void max_data_frame_len(Scope& scope, const Statement& statement) {
  set_number(scope, statement, scope.server.client.http2.data_frame_bytes_max, 0, number_max,
             "value must be 0 or larger");
}

void max_header_block_len(Scope& scope, const Statement& statement) {
  set_number(scope, statement, scope.server.client.http2.head_bytes_max, 0, number_max,
             "value must be 0 or larger");
}

void max_stream_errors(Scope& scope, const Statement& statement) {
  set_number(scope, statement, scope.server.client.http2.stream_errors_max, 0, number_max,
             "value must be 0 or larger");
}

void direct(Scope& scope, const Statement& statement) {
  scope.server.client.http2.direct = is_on(statement);
}

void upgrade(Scope& scope, const Statement& statement) {
  scope.server.client.http2.upgrade = is_on(statement);
}

void modern_tls_only(Scope& scope, const Statement& statement) {
  scope.server.client.http2.needs_modern_tls = is_on(statement);
}

void early_hints(Scope& scope, const Statement& statement) {
  scope.server.client.http2.passes_early_hints = is_on(statement);
}

void stream_timeout(Scope& scope, const Statement& statement) {
  constexpr auto most = std::chrono::hours(24 * 3660);
  const auto time = balance::parse_duration(statement.words[0], std::chrono::seconds(1));
  if (!time || time->count() < 0) {
    scope.complain("H2StreamTimeout: invalid timeout value",
                   "Write a number of seconds, or one with ms, s, mi or h: 5, 500ms.");
    return;
  }
  scope.server.client.http2.stream_timeout = std::min<Duration>(*time, most);
}

void websockets(Scope& scope, const Statement& statement) {
  scope.server.client.http2.takes_websockets = is_on(statement);
  scope.reading.part<HttpSaid>().websockets.insert_or_assign(&scope.server, statement.place());
}

constexpr std::string_view vhost_wins = "the virtual host's counts, else the main server's";
constexpr std::string_view module = "http2_module";

constexpr Directive row(std::string_view name, Arguments arguments, Handler handler,
                        std::string_view help) {
  return {.name = name,
          .contexts = in_servers,
          .arguments = arguments,
          .handler = handler,
          .merge = vhost_wins,
          .help = help,
          .module = module,
          .support = Support::implemented,
          .note = {},
          .other_module = {}};
}

constexpr Directive silent(std::string_view name, Contexts contexts, Arguments arguments,
                           std::string_view help, std::string_view note) {
  return {.name = name,
          .contexts = contexts,
          .arguments = arguments,
          .handler = nullptr,
          .merge = "nothing to combine",
          .help = help,
          .module = module,
          .support = Support::accepted_with_note,
          .note = note,
          .other_module = {}};
}

constexpr std::string_view no_workers = "streams run on the shards, without threads of their own";
constexpr std::string_view no_push = "nothing is pushed: browsers have given that up";

// Longer than a screen because it is a table.
constexpr auto directives = std::to_array<Directive>({
    {.name = "Protocols",
     .contexts = in_servers,
     .arguments = Arguments::one_or_more,
     .handler = protocols,
     .merge = vhost_wins,
     .help = "the protocols spoken to clients: http/1.1, h2, h2c",
     .module = "core_module"},
    {.name = "ProtocolsHonorOrder",
     .contexts = in_servers,
     .arguments = Arguments::flag,
     .handler = protocols_honor_order,
     .merge = vhost_wins,
     .help = "whether the order of Protocols counts, or the client's",
     .module = "core_module"},
    row("H2MaxSessionStreams", Arguments::one, max_session_streams,
        "how many requests a client may have under way on a connection"),
    row("H2WindowSize", Arguments::one, window_size,
        "how many bytes of a request's body a client may send before they are taken"),
    row("H2StreamMaxMemSize", Arguments::one, stream_max_mem_size,
        "how many bytes of an answer wait for a client that is slower than the member"),
    row("H2MaxDataFrameLen", Arguments::one, max_data_frame_len,
        "how long a frame of an answer's body may be; 0: as long as the protocol allows"),
    row("H2MaxHeaderBlockLen", Arguments::one, max_header_block_len,
        "how long the head of an answer may be; 0: 64 KiB"),
    row("H2MaxStreamErrors", Arguments::one, max_stream_errors,
        "how many streams a client may break before its connection is closed; 0: no limit"),
    row("H2Direct", Arguments::flag, direct,
        "whether a client may begin with HTTP/2 without a word; on without TLS, off with it"),
    row("H2Upgrade", Arguments::flag, upgrade,
        "whether an HTTP/1.1 request may ask to go on in HTTP/2; only without TLS"),
    row("H2ModernTLSOnly", Arguments::flag, modern_tls_only,
        "whether HTTP/2 needs TLS 1.2 and a cipher that the standard does not forbid"),
    row("H2EarlyHints", Arguments::flag, early_hints,
        "whether 103 (Early Hints) of members are passed on"),
    row("H2StreamTimeout", Arguments::one, stream_timeout,
        "how long a stream waits for its client; without it Timeout"),
    row("H2WebSockets", Arguments::flag, websockets,
        "whether clients may open WebSockets in streams of HTTP/2; off, as in httpd"),
    silent("H2MinWorkers", in_main, Arguments::one, "threads", no_workers),
    silent("H2MaxWorkers", in_main, Arguments::one, "threads", no_workers),
    silent("H2MaxWorkerIdleSeconds", in_main, Arguments::one, "threads", no_workers),
    silent("H2SessionExtraFiles", in_servers, Arguments::one, "files kept open",
           "no files are served"),
    silent("H2SerializeHeaders", in_servers, Arguments::flag, "how requests are handed on inside",
           "requests of both protocols take one way inside"),
    silent("H2CopyFiles", anywhere, Arguments::flag, "how files are handed on inside",
           "no files are served"),
    silent("H2TLSWarmUpSize", in_servers, Arguments::one, "bytes sent in small TLS records",
           "records are as long as what there is to send"),
    silent("H2TLSCoolDownSecs", in_servers, Arguments::one, "when TLS records become small again",
           "records are as long as what there is to send"),
    silent("H2OutputBuffering", in_servers, Arguments::flag, "whether output is collected",
           "what a member says goes to the client at the end of the same turn"),
    silent("H2Padding", in_servers, Arguments::one, "bits of random padding of frames",
           "frames are not padded"),
    silent("H2Push", anywhere, Arguments::flag, "server push", no_push),
    silent("H2PushPriority", in_servers, Arguments::one_two_or_three, "server push", no_push),
    silent("H2PushDiarySize", in_servers, Arguments::one, "server push", no_push),
    silent("H2PushResource", anywhere, Arguments::one_two_or_three, "server push", no_push),
    silent("H2EarlyHint", anywhere, Arguments::two, "a field of a 103 made here",
           "103 comes from members only"),
    silent("H2ProxyRequests", in_servers, Arguments::flag, "forward proxying over HTTP/2",
           "forward requests are taken over HTTP/1 only"),
});

bool may_speak_http2(const config::Server& server) {
  const config::ClientProtocols& spoken = server.client.protocols;
  return spoken.has(ClientProtocol::h2c) || (spoken.has(ClientProtocol::h2) && server.tls.is_on());
}

// What the main server says is meant for its virtual hosts, too.
bool is_idle(const Reading& reading, const config::Server& server) {
  const auto& servers = reading.config->servers;
  if (&server != servers.front().get()) return !may_speak_http2(server);
  return std::ranges::none_of(servers, [](const auto& each) { return may_speak_http2(*each); });
}

}  // namespace

void warn_of_idle_protocols(Reading& reading) {
  HttpSaid& said = reading.part<HttpSaid>();
  for (const auto& server : reading.config->servers) {
    const auto protocols = said.protocols.find(server.get());
    const auto websockets = said.websockets.find(server.get());
    const bool has_h2 = server->client.protocols.has(ClientProtocol::h2);
    if (protocols != said.protocols.end() && has_h2 && is_idle(reading, *server)) {
      reading.warn_at(protocols->second,
                      "Protocols lists h2, which is spoken within TLS, and SSLEngine is not on",
                      "HTTP/2 without TLS is h2c.");
    }
    const bool takes = server->client.http2.takes_websockets;
    if (websockets == said.websockets.end() || !takes || !is_idle(reading, *server)) continue;
    reading.warn_at(websockets->second,
                    "H2WebSockets On has no effect: no client is spoken to in HTTP/2",
                    "Add h2 (within TLS) or h2c to Protocols.");
  }
}

std::span<const Directive> http2_directives() { return directives; }

}  // namespace steelyard::apacheconf
