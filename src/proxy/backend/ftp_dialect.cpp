#include "proxy/backend/ftp_dialect.hpp"

#include <fmt/format.h>

#include <utility>

#include "ftp/answers.hpp"
#include "http/date.hpp"
#include "http/error_page.hpp"
#include "proxy/local_answer.hpp"

namespace steelyard::proxy {

namespace {

using http::FieldId;

// Replies that are looked at (RFC 959 4.2, RFC 2428).
constexpr int delayed = 120, opening_soon = 125, opening = 150, superfluous = 202,
              file_status = 213, ready = 220, passive = 227, extended_passive = 229,
              closing_data = 226, inside = 230, done = 250, path_is = 257, password_wanted = 331,
              account_wanted = 332, not_known = 500, bad_argument = 501, not_there = 502,
              not_inside = 530, no_file = 550;

Failure clients_fault(int status, std::string text = {}) {
  return {Party::client, Cause::bad_message, false, std::move(text), status};
}

Failure no_data_connection(std::string text) {
  return {Party::backend, Cause::bad_message, true, std::move(text)};
}

bool is_head(const Exchange& x) { return x.request.method_id == http::Method::head; }

}  // namespace

// httpd finds out about a %2f only on its way; here the member is not bothered.
Failure FtpDialect::objection() {
  const Exchange& x = matter_.x;
  if (x.request.method_id != http::Method::get && !is_head(x)) return clients_fault(501);
  const std::string_view target = matter_.plan.target.path;
  // httpd encodes what nocanon leaves alone, so that percent signs stand for themselves there.
  auto path =
      ftp::read_path(target, {.lists_on_wildcard = x.settings->ftp_lists_on_wildcard.value_or(true),
                              .is_encoded = !x.route.canonical || x.route.is_forward});
  if (!path) {
    switch (path.error()) {
      case ftp::PathFault::bad_byte:
        return clients_fault(400);
      case ftp::PathFault::bad_type:
        return clients_fault(
            400, fmt::format("ftp proxy supports only types 'a', 'i', or 'e': \"{}\" is invalid.",
                             ftp::type_words(target)));
      case ftp::PathFault::slash:
        return clients_fault(400, "Use of /%2f is only allowed at the base directory");
    }
  }
  auto login =
      ftp::choose_login(x.request.fields.value(FieldId::authorization).value_or(std::string_view()),
                        matter_.plan.lease.spec().userinfo);
  if (!login) return clients_fault(400, "user credentials contained invalid character");
  path_ = std::move(*path);
  login_ = std::move(*login);
  return {};
}

void FtpDialect::begin() {
  answer_.reset();
  control_.reset();
  transfer_ = {};
  changed_.reset();
  accounted_ = 0;
  head_is_here_ = false;
  matter_.x.response.clear();
}

io::Task<Failure> FtpDialect::converse(Shard::Core& core, io::Stream& member) {
  control_.emplace(core, matter_.client, member, matter_.plan.times.backend);
  if (Failure failure = co_await enter()) co_return failure;
  if (Failure failure = co_await walk()) co_return failure;
  if (Failure failure = co_await open_data(core)) co_return failure;
  if (Failure failure = co_await look()) co_return failure;
  if (Failure failure = co_await fetch()) co_return failure;
  write_head();
  co_return Failure{};
}

io::Task<Failure> FtpDialect::enter() {
  if (!co_await control_->ask({})) co_return control_->failure();
  // httpd: a member that will be ready in some minutes is as good as none.
  if (control_->code() == delayed) co_return refused(503);
  if (control_->code() != ready) co_return refused(502);
  if (!co_await control_->ask("USER " + login_.user)) co_return control_->failure();
  if (control_->code() == not_inside) co_return unauthorised();
  if (control_->code() == password_wanted) {
    if (Failure failure = co_await send_password()) co_return failure;
  } else if (control_->code() != inside) {
    co_return refused(502);
  }
  welcome_ = control_->text();
  co_return Failure{};
}

io::Task<Failure> FtpDialect::send_password() {
  if (!login_.has_password) co_return unauthorised();
  if (!co_await control_->ask("PASS " + login_.password)) co_return control_->failure();
  switch (control_->code()) {
    case inside:
    case superfluous:
      co_return Failure{};
    case not_inside:
      co_return unauthorised();
    case account_wanted:
      co_return clients_fault(401, "Need account for login: " + control_->text());
    default:
      co_return refused(502);
  }
}

// httpd: a refused way to the root does not matter.
io::Task<Failure> FtpDialect::walk() {
  if (path_.from_root && !co_await control_->ask("CWD /")) co_return control_->failure();
  for (const std::string& directory : path_.directories) {
    if (Failure failure = co_await go_to(directory)) co_return failure;
  }
  co_return Failure{};
}

io::Task<Failure> FtpDialect::go_to(std::string directory) {
  if (!co_await control_->ask(argument("CWD", directory))) co_return control_->failure();
  if (control_->code() == no_file) co_return refused(404);
  if (control_->code() != done) co_return refused(502);
  co_return Failure{};
}

io::Task<Failure> FtpDialect::open_data(Shard::Core& core) {
  if (!co_await control_->ask("EPSV")) co_return control_->failure();
  switch (control_->code()) {
    case extended_passive:
      if (const auto port = ftp::read_extended_passive(control_->text()))
        co_return co_await dial(core, *port, "EPSV");
      break;
    case not_known:
    case bad_argument:
    case not_there:
      break;
    default:
      co_return refused(502);
  }
  co_return co_await open_by_pasv(core);
}

// httpd: an address that is not the member's own is one that it must not have us connect to.
io::Task<Failure> FtpDialect::open_by_pasv(Shard::Core& core) {
  if (!co_await control_->ask("PASV")) co_return control_->failure();
  const int code = control_->code();
  if (code != passive && code != not_there) co_return refused(502);
  const auto offered = code == passive ? ftp::read_passive(control_->text()) : std::nullopt;
  if (!offered) co_return no_data_connection("the server offers no passive data connection");
  if (offered->ip != control_->stream().dialed().ip)
    co_return Failure{Party::backend, Cause::bad_message, true,
                      "PASV address does not match FTP server", 403};
  co_return co_await dial(core, offered->port, "PASV");
}

io::Task<Failure> FtpDialect::dial(Shard::Core& core, std::uint16_t port, std::string_view way) {
  const Endpoint peer{control_->stream().dialed().ip, port};
  if (control_->stream().dialed() == Endpoint())
    co_return no_data_connection("a Unix socket has no port for the data connection");
  const std::string host = peer.ip.text();
  const config::ProxySettings& proxy = matter_.x.server->proxy;
  io::DialTarget target;
  target.host = host;
  target.port = port;
  target.addresses = std::make_shared<const std::vector<IpAddress>>(1, peer.ip);
  target.addresses_are_all = true;
  target.source = proxy.source_address;
  target.receive_buffer_bytes = static_cast<std::uint32_t>(proxy.receive_buffer_bytes);
  io::Dialed dialed = co_await core.parts.dialer.dial(target, matter_.plan.times.connect);
  if (!dialed) {
    if (dialed.error().cause == io::DialFailure::Cause::exhausted)
      co_return Failure{Party::none, Cause::exhausted, true, std::move(dialed.error().text)};
    co_return no_data_connection(
        fmt::format("{} attempt to connect to {} failed - firewall/NAT?", way, peer.text()));
  }
  transfer_.data = std::move(*dialed);
  co_return Failure{};
}

// Is it a file? Whose size is told is one; of 550 a directory is made (httpd).
io::Task<Failure> FtpDialect::look() {
  if (!path_.is_listable) {
    if (!co_await control_->ask(fmt::format("TYPE {}", path_.type))) co_return control_->failure();
    if (!co_await control_->ask(argument("SIZE", path_.name))) co_return control_->failure();
    if (control_->code() == file_status) {
      transfer_.size = ftp::read_size(control_->text());
    } else if (control_->code() == no_file) {
      if (Failure failure = co_await go_to(path_.name)) co_return failure;
      path_.name.clear();
      path_.wants_list = true;
    }
  }
  co_return co_await learn_directory();
}

io::Task<Failure> FtpDialect::learn_directory() {
  if (!co_await control_->ask("PWD")) co_return control_->failure();
  directory_.clear();
  if (control_->code() == path_is) directory_ = ftp::read_directory(control_->text());
  co_return Failure{};
}

io::Task<Failure> FtpDialect::fetch() {
  const char type = path_.wants_list ? 'A' : path_.type;
  if (!co_await control_->ask(fmt::format("TYPE {}", type))) co_return control_->failure();
  if (!path_.wants_list) {
    if (!co_await control_->ask(argument("MDTM", path_.name))) co_return control_->failure();
    if (control_->code() == file_status) changed_ = ftp::read_time(control_->text());
  }
  // Nothing is fetched that nobody gets; that it is there was said.
  if (is_head(matter_.x) && (path_.wants_list || transfer_.size)) co_return Failure{};
  co_return co_await begin_transfer();
}

io::Task<Failure> FtpDialect::begin_transfer() {
  const std::string command = path_.wants_list ? list_command() : argument("RETR", path_.name);
  if (!co_await control_->ask(command)) co_return control_->failure();
  if (control_->code() == no_file) {
    if (Failure failure = co_await list_after_all()) co_return failure;
  }
  switch (control_->code()) {
    case opening_soon:
    case opening:
      co_return Failure{};
    case closing_data:
    case done:
      transfer_.has_ended = true;
      co_return Failure{};
    default:
      co_return refused(502);
  }
}

// httpd: what cannot be fetched may be a directory.
io::Task<Failure> FtpDialect::list_after_all() {
  if (!co_await control_->ask("TYPE A")) co_return control_->failure();
  if (Failure failure = co_await go_to(path_.name)) co_return failure;
  path_.name.clear();
  path_.wants_list = true;
  if (Failure failure = co_await learn_directory()) co_return failure;
  if (!co_await control_->ask(list_command())) co_return control_->failure();
  co_return Failure{};
}

std::string FtpDialect::argument(std::string_view verb, std::string_view name) const {
  const bool escapes = matter_.x.settings->ftp_escapes_wildcards.value_or(true);
  return fmt::format("{} {}", verb, escapes ? ftp::escape_wildcards(name) : std::string(name));
}

// httpd: where paths have no slashes, ls has no options.
std::string FtpDialect::list_command() const {
  if (!path_.name.empty()) return "LIST " + path_.name;
  const bool is_unix = directory_.empty() || directory_.find('/') != std::string::npos;
  return is_unix ? "LIST -lag" : "LIST";
}

Failure FtpDialect::refused(int status) const {
  const bool is_answer = status == 404;
  return {is_answer ? Party::none : Party::backend, Cause::bad_message, true, control_->text(),
          status};
}

// httpd's realm: the name that was tried, if the client sent one.
Failure FtpDialect::unauthorised() {
  Exchange& x = matter_.x;
  std::string realm;
  if (login_.is_clients) {
    for (const char c : login_.user) {
      if (c == '"' || c == '\\') realm += '\\';
      realm += c;
    }
    realm += '@';
  }
  x.response.fields.add("WWW-Authenticate", x.arena.join("Basic realm=\"", realm, "\""));
  return clients_fault(401);
}

void FtpDialect::write_head() {
  Exchange& x = matter_.x;
  http::ResponseHead& response = x.response;
  response.status = 200;
  response.reason = "OK";
  if (path_.wants_list || path_.type == 'A') transfer_.size.reset();
  using Kind = http::BodyFraming::Kind;
  response.body.kind = is_head(x) ? Kind::none : transfer_.size ? Kind::length : Kind::chunked;
  response.body.length = is_head(x) ? 0 : transfer_.size.value_or(0);
  if (path_.wants_list) {
    const auto& charset = x.settings->ftp_charset;
    response.fields.add("Content-Type",
                        x.arena.join("text/html;charset=", charset ? *charset : "ISO-8859-1"));
  }
  if (transfer_.size) response.fields.add("Content-Length", x.arena.decimal(*transfer_.size));
  if (changed_ && !path_.wants_list) {
    std::array<char, http::date_bytes> date;
    http::write_date(*changed_, date);
    response.fields.add("Last-Modified", x.arena.copy({date.data(), date.size()}));
  }
  head_is_here_ = true;
}

ReplyBody& FtpDialect::begin_answer(io::Stream& /*member*/) {
  Exchange& x = matter_.x;
  if (is_head(x)) {
    control_->say("QUIT");
    transfer_.data.reset();
  } else if (path_.wants_list) {
    std::string signature;
    http::write_signature(page_server(x), signature);
    transfer_.page = std::make_unique<ftp::ListingPage>(std::move(signature));
    ftp::ListingPage::write_title(
        {.site = x.origin(),
         .path = x.request.target.path,
         .lists_on_wildcard = x.settings->ftp_lists_on_wildcard.value_or(true),
         .directory = directory_,
         .welcome = welcome_},
        transfer_.title);
  }
  control_->next_reply();
  return answer_.emplace(*control_, std::move(transfer_));
}

io::Stream& FtpDialect::heard_stream(io::Stream& member) {
  return answer_ ? answer_->stream() : member;
}

std::uint64_t FtpDialect::take_transferred() {
  return bytes_sent() - std::exchange(accounted_, bytes_sent());
}

}  // namespace steelyard::proxy
