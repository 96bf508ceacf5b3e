// What the process is: where it listens, as whom it runs, how it is sized.
#include <array>
#include <limits>

#include "apacheconf/addresses.hpp"
#include "apacheconf/tables.hpp"
#include "base/text.hpp"

namespace steelyard::apacheconf {

namespace {

constexpr std::uint64_t shards_max = 1024;
constexpr std::size_t name_servers_max = 8;
constexpr std::uint64_t body_memory_bytes_max = std::uint64_t{1} << 30;

void add_listen(Scope& scope, std::optional<IpAddress> ip, std::uint16_t port) {
  constexpr std::uint16_t https_port = 443;
  const Statement& statement = scope.statement();
  const bool says_https = statement.words.size() == 2
                              ? equals_ignoring_case(statement.words[1], "https")
                              : port == https_port;
  // httpd: the socket of [::] takes connections over IPv4, too.
  if (ip && ip->is_v6() && ip->is_any()) ip = std::nullopt;
  const config::Listen listen{ip, port, statement.place(), says_https};
  std::vector<config::Listen>& listens = scope.config.listens;
  if (std::find(listens.begin(), listens.end(), listen) != listens.end()) {
    scope.complain("Cannot define multiple Listeners on the same IP:port",
                   "One of the Listen lines for this address and port is enough.");
    return;
  }
  listens.push_back(listen);
}

void listen(Scope& scope, const Statement& statement) {
  if (statement.words.empty() || statement.words.size() > 2) {
    scope.complain("Listen requires 1 or 2 arguments.", "Write Listen [addr:]port [protocol].");
    return;
  }
  const std::optional<HostPort> parsed = parse_host_port(statement.words[0]);
  if (!parsed) {
    scope.complain("Invalid address or port", "A port is a number from 1 to 65535.");
    return;
  }
  if (!parsed->port) {
    const std::string& word = statement.words[0];
    const bool is_meant_as_port = is_digit(word[0]) && word.find_first_of(".:") == word.npos;
    scope.complain("Port must be specified",
                   is_meant_as_port
                       ? "\"" + word + "\" is none: a port is a number from 1 to 65535."
                       : "Write Listen " + word + ":80.");
    return;
  }
  if (parsed->host.empty() || parsed->host == "*") {
    add_listen(scope, std::nullopt, *parsed->port);
    return;
  }
  if (const std::optional<IpAddress> ip = IpAddress::parse(parsed->host)) {
    add_listen(scope, ip, *parsed->port);
    return;
  }
  const std::vector<IpAddress> found = scope.reading.resolve_host
                                           ? scope.reading.resolve_host(parsed->host)
                                           : std::vector<IpAddress>();
  if (found.empty()) {
    scope.complain("Listen setup failed", "The name " + parsed->host + " has no address.");
  }
  for (const IpAddress& ip : found) add_listen(scope, ip, *parsed->port);
}

void listen_backlog(Scope& scope, const Statement& statement) {
  const std::int64_t length = parse_lax(statement.words[0]);
  if (length <= 0) {
    scope.complain("ListenBacklog must be > 0");
    return;
  }
  scope.config.listen_backlog = static_cast<std::uint32_t>(
      std::min<std::int64_t>(length, std::numeric_limits<std::int32_t>::max()));
}

bool is_known(Scope& scope, const std::string& user, const std::string& group) {
  const auto& fault_of = scope.reading.machine.identity_fault;
  const std::string fault = fault_of ? fault_of(user, group) : std::string();
  if (!fault.empty())
    scope.complain(fault, "This machine knows no such name: write one that getent shows.");
  return fault.empty();
}

void user(Scope& scope, const Statement& statement) {
  if (is_known(scope, statement.words[0], "")) scope.config.user = statement.words[0];
}

void group(Scope& scope, const Statement& statement) {
  if (is_known(scope, "#0", statement.words[0])) scope.config.group = statement.words[0];
}

void pid_file(Scope& scope, const Statement& statement) {
  scope.config.pid_file = scope.reading.resolve_path(statement.words[0]);
  const std::string folder = scope.config.pid_file.substr(0, scope.config.pid_file.rfind('/'));
  const auto& is_folder = scope.reading.machine.is_folder;
  // No fault: what starts the program may make it before.
  if (is_folder && !folder.empty() && !is_folder(folder))
    scope.warn("PidFile: there is no directory " + folder,
               "Make it before the start, or write another path.");
}

void steelyard_control_socket(Scope& scope, const Statement& statement) {
  const std::string& path = statement.words[0];
  const bool off = equals_ignoring_case(path, "off");
  scope.config.control_socket = off ? std::string() : scope.reading.resolve_path(path);
}

void steelyard_journal(Scope& scope, const Statement& statement) {
  const std::string& path = statement.words[0];
  const bool off = equals_ignoring_case(path, "off");
  scope.config.journal_folder = off ? std::string() : scope.reading.resolve_path(path);
}

void default_runtime_dir(Scope& scope, const Statement& statement) {
  scope.config.runtime_dir = scope.reading.resolve_path(statement.words[0]);
}

void graceful_shutdown_timeout(Scope& scope, const Statement& statement) {
  scope.config.graceful_shutdown_seconds = static_cast<std::uint32_t>(std::clamp<std::int64_t>(
      parse_lax(statement.words[0]), 0, std::numeric_limits<std::uint32_t>::max()));
}

void server_tokens(Scope& scope, const Statement& statement) {
  using config::ServerTokens;
  constexpr std::array<std::pair<std::string_view, ServerTokens>, 8> words{
      {{"full", ServerTokens::full},
       {"os", ServerTokens::os},
       {"min", ServerTokens::minimal},
       {"minimal", ServerTokens::minimal},
       {"minor", ServerTokens::minor},
       {"major", ServerTokens::major},
       {"prod", ServerTokens::product},
       {"productonly", ServerTokens::product}}};
  for (const auto& [word, tokens] : words) {
    if (equals_ignoring_case(statement.words[0], word)) {
      scope.config.tokens = tokens;
      return;
    }
  }
  scope.complain(
      "ServerTokens takes 1 argument: 'Prod(uctOnly)', 'Major', 'Minor', 'Min(imal)', 'OS', or "
      "'Full'");
}

void steelyard_shards(Scope& scope, const Statement& statement) {
  const std::optional<std::uint64_t> count = parse_unsigned(statement.words[0]);
  if (!count || *count > shards_max) {
    scope.complain("SteelyardShards \"" + statement.words[0] + "\" is not a number from 0 to " +
                       std::to_string(shards_max),
                   "0 means one for each core.");
    return;
  }
  scope.config.shards = static_cast<std::uint32_t>(*count);
}

// ADDRESS[:PORT] ...; an IPv6 address with a port stands in brackets.
void steelyard_resolver(Scope& scope, const Statement& statement) {
  constexpr std::uint16_t dns_port = 53;
  scope.config.name_servers.clear();
  for (const std::string& word : statement.words) {
    std::optional<Endpoint> server;
    if (const auto ip = IpAddress::parse(word)) {
      server = Endpoint{*ip, dns_port};
    } else if (const std::size_t colon = word.rfind(':'); colon != std::string::npos) {
      std::string_view host = std::string_view(word).substr(0, colon);
      if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
      const auto port = parse_unsigned(std::string_view(word).substr(colon + 1));
      const auto with_port = IpAddress::parse(host);
      if (with_port && port && *port > 0 && *port <= UINT16_MAX)
        server = Endpoint{*with_port, static_cast<std::uint16_t>(*port)};
    }
    if (!server) {
      scope.complain("SteelyardResolver \"" + word + "\" is not the address of a name server",
                     "Write an IP address, with or without a port: 10.0.0.2, 127.0.0.1:5353, "
                     "[::1]:53.");
      return;
    }
    if (scope.config.name_servers.size() == name_servers_max) {
      scope.complain("SteelyardResolver takes at most " + std::to_string(name_servers_max) +
                     " name servers");
      return;
    }
    scope.config.name_servers.push_back(*server);
  }
}

// BYTES, or with K or M.
void steelyard_body_memory(Scope& scope, const Statement& statement) {
  std::string_view text = statement.words[0];
  std::uint64_t unit = 1;
  if (!text.empty() && (ascii_lower(text.back()) == 'k' || ascii_lower(text.back()) == 'm')) {
    unit = ascii_lower(text.back()) == 'k' ? 1024 : 1024 * 1024;
    text.remove_suffix(1);
  }
  const std::optional<std::uint64_t> count = parse_unsigned(text);
  if (!count || *count > body_memory_bytes_max / unit) {
    scope.complain("SteelyardBodyMemory \"" + statement.words[0] + "\" is not a size from 0 to " +
                       std::to_string(body_memory_bytes_max),
                   "Write bytes, or a number with K or M: 65536, 64K, 1M.");
    return;
  }
  scope.config.body_spool_memory_bytes = static_cast<std::size_t>(*count * unit);
}

void name_virtual_host(Scope& scope, const Statement&) {
  scope.warn("NameVirtualHost has no effect and will be removed in the next release",
             "Remove the line; <VirtualHost> sections with one address share it by themselves.");
}

void on_or_off(Scope& scope, const Statement& statement) {
  const std::string& word = statement.words[0];
  if (!equals_ignoring_case(word, "on") && !equals_ignoring_case(word, "off")) {
    scope.complain("parameter must be 'on' or 'off'");
  }
}

void max_request_workers(Scope& scope, const Statement& statement) {
  const std::int64_t count = parse_lax(statement.words[0]);
  if (count < 1) return;  // httpd warns and takes 1
  scope.config.heartbeat.capacity = static_cast<std::uint32_t>(
      std::min<std::int64_t>(count, std::numeric_limits<std::int32_t>::max()));
}

void mutex(Scope& scope, const Statement& statement) {
  if (statement.words.empty()) {
    scope.complain(
        "Mutex requires at least a mechanism argument (Mutex mechanisms are: 'none', 'default', "
        "'flock:/path/to/file', 'fcntl:/path/to/file', 'file:/path/to/file', 'pthread', "
        "'sysvsem', 'posixsem', 'sem')",
        "Nothing here needs it: remove the line.");
  }
}

void steelyard_kernel_tls(Scope& scope, const Statement& statement) {
  scope.config.tls.kernel_encrypts = is_on(statement);
  scope.config.tls.kernel_encrypts_place = scope.place();
}

constexpr std::string_view one_for_all = "one for the whole; the last one counts";
constexpr std::string_view sized_by_shards =
    "there are no child processes or worker threads to size; one event loop a core serves any "
    "number of connections (SteelyardShards)";
constexpr std::string_view told_as_capacity =
    "one event loop a core serves any number of connections; HeartbeatAddress, and %i and %b of "
    "Header, tell it as the number of requests that this server is meant to serve at a time";
constexpr std::string_view no_children = "there is one process, which lives until it is stopped";
constexpr std::string_view never_needed = "nothing here uses it";

constexpr Directive row(std::string_view name, Handler handler, std::string_view help,
                        std::string_view module = "core_module") {
  return {.name = name,
          .contexts = in_main,
          .arguments = Arguments::one,
          .handler = handler,
          .merge = one_for_all,
          .help = help,
          .module = module,
          .support = Support::implemented,
          .note = {}};
}

constexpr Directive noted(std::string_view name, std::string_view help, std::string_view note,
                          Contexts contexts = in_main) {
  Directive directive = row(name, nullptr, help);
  directive.contexts = contexts;
  directive.support = Support::accepted_with_note;
  directive.note = note;
  return directive;
}

constexpr Directive shaped(Directive directive, Arguments arguments) {
  directive.arguments = arguments;
  return directive;
}

constexpr Directive handled(Directive directive, Handler handler) {
  directive.handler = handler;
  return directive;
}

constexpr auto directives = std::to_array<Directive>({
    shaped(row("Listen", listen, "an address and port to take connections at: [addr:]port"),
           Arguments::raw),
    row("ListenBacklog", listen_backlog, "Maximum length of the queue of pending connections"),
    row("User", user, "Effective user id for this server", "unixd_module"),
    row("Group", group, "Effective group id for this server", "unixd_module"),
    row("PidFile", pid_file, "A file for logging the server process ID"),
    row("DefaultRuntimeDir", default_runtime_dir,
        "Common directory for run-time files (shared memory, locks, etc.)"),
    row("GracefulShutdownTimeout", graceful_shutdown_timeout,
        "Maximum time in seconds to wait for child processes to complete transactions during "
        "shutdown"),
    row("ServerTokens", server_tokens,
        "Determine tokens displayed in the Server: header - Min(imal), Major, Minor, "
        "Prod(uctOnly), OS, or Full"),
    row("SteelyardShards", steelyard_shards,
        "how many event loops share the work; 0, the default, is one a core", "steelyard_module"),
    shaped(
        row("SteelyardResolver", steelyard_resolver,
            "name servers to ask instead of the system's: ADDRESS[:PORT] ...", "steelyard_module"),
        Arguments::one_or_more),
    row("SteelyardControlSocket", steelyard_control_socket,
        "the socket of steelyard ctl: a path, or Off; by default the pid file's name and .ctl",
        "steelyard_module"),
    row("SteelyardJournal", steelyard_journal,
        "the directory of the journal of what operators change, or Off; by default, with "
        "BalancerPersist, the pid file's name and .journal",
        "steelyard_module"),
    row("SteelyardBodyMemory", steelyard_body_memory,
        "how much of a request body is kept in memory for another attempt (then in a file)",
        "steelyard_module"),
    shaped(row("SteelyardKernelTLS", steelyard_kernel_tls,
               "whether the kernel encrypts what TLS connections carry, where it can",
               "steelyard_module"),
           Arguments::flag),
    row("NameVirtualHost", name_virtual_host,
        "an address that virtual hosts share; without effect since httpd 2.4"),

    noted("StartServers", "Number of child processes launched at server startup", sized_by_shards),
    noted("ServerLimit", "Maximum value of MaxRequestWorkers for this run", sized_by_shards),
    noted("MinSpareServers", "idle child processes to keep at least", sized_by_shards),
    noted("MaxSpareServers", "idle child processes to keep at most", sized_by_shards),
    noted("MinSpareThreads", "Minimum number of idle threads", sized_by_shards),
    noted("MaxSpareThreads", "Maximum number of idle threads", sized_by_shards),
    noted("ThreadsPerChild", "Number of threads each child creates", sized_by_shards),
    noted("ThreadLimit", "Maximum number of worker threads per child process", sized_by_shards),
    handled(noted("MaxRequestWorkers", "Maximum number of threads alive at the same time",
                  told_as_capacity),
            max_request_workers),
    handled(noted("MaxClients", "older name of MaxRequestWorkers", told_as_capacity),
            max_request_workers),
    noted("AsyncRequestWorkerFactor", "further connections for each idle worker thread",
          sized_by_shards),
    noted("ListenCoresBucketsRatio", "Ratio between the number of CPU cores and listeners' buckets",
          "each event loop has its own listening sockets"),
    noted("MaxConnectionsPerChild", "connections after which a child process ends", no_children),
    noted("MaxRequestsPerChild", "older name of MaxConnectionsPerChild", no_children),
    noted("MaxMemFree", "free memory that a thread may keep, in KiB", sized_by_shards),
    noted("ThreadStackSize", "Size in bytes of the stack used by threads", sized_by_shards),
    noted("ScoreBoardFile", "A file for Apache to maintain runtime process management information",
          no_children),
    noted("CoreDumpDirectory", "where a crash leaves its memory image",
          "the service manager or kernel.core_pattern decides"),
    handled(
        shaped(noted("Mutex", "how processes lock each other out", never_needed), Arguments::raw),
        mutex),
    shaped(noted("ExtendedStatus", "whether each request is accounted in the status page",
                 "requests are always accounted; the page has no table of single requests"),
           Arguments::flag),
    noted("SeeRequestTail", "which end of a long request line the status page shows", never_needed),
    noted("WatchdogInterval", "how often background work looks around, in seconds", never_needed),
    noted("SendBufferSize", "Send buffer size in bytes",
          "the kernel sizes the buffers of clients' sockets"),
    noted("ReceiveBufferSize", "Receive buffer size in bytes",
          "the kernel sizes the buffers of clients' sockets"),
    shaped(noted("AcceptFilter", "what the kernel waits for before it hands a connection over",
                 "connections are taken at once and cost nothing while they are silent"),
           Arguments::two),
    handled(noted("EnableSendfile", "whether files are sent by the kernel",
                  "no files are served; bodies move by splice where that is faster", anywhere),
            on_or_off),
    handled(noted("EnableMMAP", "whether files are read through memory maps", "no files are served",
                  anywhere),
            on_or_off),
    noted("FlushMaxThreshold", "bytes of an answer to hold before waiting for the client",
          "what is held for a slow client is bounded by its window", in_servers),
    noted("FlushMaxPipelined", "answers to hold for a client that pipelines",
          "answers leave as soon as they are complete", in_servers),
    noted("ReadBufferSize", "Size (in bytes) of the memory buffers used to read data",
          "buffers are shared by all connections of an event loop", anywhere),
});

}  // namespace

std::span<const Directive> process_directives() { return directives; }

}  // namespace steelyard::apacheconf
