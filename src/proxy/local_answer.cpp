#include "proxy/local_answer.hpp"

#include <algorithm>

#include "config/redirect.hpp"
#include "http/error_page.hpp"
#include "http/status.hpp"
#include "http/syntax.hpp"
#include "proxy/reply.hpp"

namespace steelyard::proxy {

namespace {

using config::ErrorDocument;

http::Signature signature_of(const Exchange& x) {
  switch (x.settings->signature.value_or(config::Signature::off)) {
    case config::Signature::off:
      return http::Signature::off;
    case config::Signature::on:
      return http::Signature::on;
    case config::Signature::email:
      return http::Signature::email;
  }
  return http::Signature::off;
}

void write_page(Exchange& x, Shard::Core& core, const LocalAnswer& answer) {
  http::ErrorPage page;
  page.status = x.status;
  page.reason = answer.reason;
  page.proxy_error = answer.proxy_error;
  page.note = answer.note;
  page.html_note = answer.html_note;
  page.method = x.request.method;
  page.location = answer.location;
  page.failed_document_status = answer.failed_document_status;
  if (const auto expect = x.request.fields.value(http::FieldId::expect)) page.expect = *expect;
  http::write_error_page(page, page_server(x), core.page);
}

std::string_view words_of(const LocalAnswer& answer) {
  http::ErrorPage page;
  page.status = answer.status;
  page.reason = answer.reason;
  page.proxy_error = answer.proxy_error;
  return http::page_reason(page);
}

// Of the request whose page it is: that before an ErrorDocument which failed.
std::string_view page_type(const Exchange& x, const LocalAnswer& answer) {
  const bool names_no_charset =
      x.environment.has(answer.failed_document_status != 0 ? "REDIRECT_suppress-error-charset"
                                                           : "suppress-error-charset");
  return names_no_charset ? "text/html" : http::error_page_type;
}

// A 401 is of no use without the backend's challenge.
void copy_challenge(Exchange& x) {
  for (const http::Field& field : x.response.fields) {
    if (field.id == http::FieldId::www_authenticate) x.normal.add(field.name, field.value);
  }
}

// httpd: what a handler served is no error and no page. A 200 that a directive orders is told as
// one, with what ErrorDocument and `Header always` say of it.
bool is_served(const LocalAnswer& answer) { return answer.status == 200 && !answer.by_directive; }

// httpd: its handler of files names its methods; where that was not asked, none are known but
// TRACE, which is the server's and refused before the rest.
std::string_view allowed_methods(const Exchange& x, const LocalAnswer& answer) {
  using config::Responder;
  const bool traces = x.server->trace != config::TraceMode::off;
  const bool is_here =
      x.responder != Responder::heartbeat && (!x.proxied || x.responder != Responder::none);
  const bool was_asked =
      is_here && !answer.by_directive && (traces || x.request.method_id != http::Method::trace);
  if (!was_asked) return traces ? "TRACE" : "";
  return traces ? "GET,HEAD,OPTIONS,POST,TRACE" : "GET,HEAD,OPTIONS,POST";
}

// TRACE: the client sees what arrived here.
void write_echo(const Exchange& x, std::string_view body, Shard::Core& core) {
  core.page.append(x.request_line).append("\r\n");
  for (const http::Field& field : x.request.fields)
    core.page.append(field.name).append(": ").append(field.value).append("\r\n");
  core.page.append("\r\n").append(body);
}

// httpd writes them behind what Header added.
void move_last(Exchange& x, http::FieldId id) {
  std::vector<http::Field> moved;
  for (const http::Field& field : x.always) {
    if (field.id == id) moved.push_back(field);
  }
  x.always.remove(id);
  for (const http::Field& field : moved) x.always.add(field.name, field.value, field.id);
}

void apply_page_rules(Exchange& x, Shard::Core& core, bool served) {
  const BodyWords words(x);
  x.ended_at = core.now();
  // What is served here without being an error is an answer like any other.
  expr::Remarks remarks;
  if (served && !x.settings->response_normal.empty())
    expr::apply(x.settings->response_normal, {x.normal, x.notes, x.arena, nullptr, &remarks}, x);
  add_own_fields(x);
  // httpd: pages of its own carry what `Header always` says, and nothing else of Header.
  if (x.settings != nullptr && !x.settings->response_always.empty())
    expr::apply(x.settings->response_always, {x.always, x.notes, x.arena, &x.normal, &remarks}, x);
  if (!x.guest->challenge.empty()) {
    move_last(x, http::FieldId::www_authenticate);
    move_last(x, http::FieldId::proxy_authenticate);
  }
  if (!x.rewritten->cookies.empty()) move_last(x, http::FieldId::set_cookie);
  core.heed(x, "headers", "a Header line", remarks);
  words.restore(x);
}

bool may_stand_in_target(char c) { return static_cast<unsigned char>(c) > ' ' && c != 0x7f; }

// A path worked out from a request may hold what would end a request line.
std::string_view escaped(std::string_view path, Arena& arena) {
  if (std::ranges::all_of(path, may_stand_in_target)) return path;
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string text;
  for (const char c : path) {
    if (may_stand_in_target(c)) {
      text += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      text.append({'%', digits[byte >> 4], digits[byte & 15]});
    }
  }
  return arena.copy(text);
}

std::string_view text_of(Exchange& x, Shard::Core& core, const ErrorDocument& document) {
  if (document.text == nullptr) return document.target;
  return core.text_of(x, *document.text, core.failed_documents, "core", "an ErrorDocument");
}

// True when the configuration has its own text or URL for the status.
bool use_error_document(Exchange& x, Shard::Core& core, LocalAnswer& answer) {
  // A page with a body of its own says more than a document could (httpd: a handler's answer).
  if (answer.has_text || is_served(answer)) return false;
  const ErrorDocument* document = config::find_error_document(*x.settings, answer.status);
  if (document == nullptr || x.redirected) return false;
  if (document->kind == ErrorDocument::Kind::text) {
    core.page.append(text_of(x, core, *document));
    return true;
  }
  if (document->kind == ErrorDocument::Kind::url && answer.status != 401) {
    answer.status = 302;
    answer.reason = {};
    answer.location = text_of(x, core, *document);
    answer.proxy_error = {};
  }
  return false;
}

}  // namespace

http::PageServer page_server(const Exchange& x) {
  return {signature_of(x), x.generation->banner(), x.public_name(), x.public_port(),
          x.server->admin};
}

std::string_view error_document_path(Exchange& x, Shard::Core& core, const LocalAnswer& answer) {
  if (x.redirected || answer.has_text || is_served(answer)) return {};
  const ErrorDocument* document = config::find_error_document(*x.settings, answer.status);
  if (document == nullptr || document->kind != ErrorDocument::Kind::local_path) return {};
  // httpd reads a URL: what it says of a fragment is nothing for a request, and a '?' or an escape
  // that comes of a variable counts as one that stands in the file.
  const std::string_view url = text_of(x, core, *document);
  const std::string_view path = url.substr(0, url.find('#'));
  return document->text == nullptr ? path : escaped(path, x.arena);
}

void prepare_local_answer(Exchange& x, Shard::Core& core, const LocalAnswer& wanted) {
  LocalAnswer answer = wanted;
  core.page.clear();
  x.own_answer = true;
  x.normal.clear();
  x.always.clear();
  const bool has_page = use_error_document(x, core, answer);
  // A Location made from the request's parts must not end its line.
  if (http::first_control(answer.location) != answer.location.size()) answer = {.status = 500};
  x.status = answer.status;
  x.reason = words_of(answer);
  const bool served = is_served(answer);
  if (served && !x.asked_fields.empty()) x.normal.add("Vary", x.asked_fields);
  if (!answer.location.empty()) x.normal.add("Location", answer.location);
  const bool lists_methods = x.status == 405 || x.status == 501 ||
                             (served && x.request.method_id == http::Method::options);
  const bool about_server = x.request.target.form == http::RequestTarget::Form::asterisk;
  if (x.status == 503) advise_wait(x);
  const bool lists_its_own =
      std::ranges::any_of(answer.fields, [](const auto& field) { return field.first == "Allow"; });
  if (lists_methods && !about_server && !lists_its_own)
    x.normal.add("Allow", allowed_methods(x, answer));
  if (x.status == 401) copy_challenge(x);
  const bool is_trace = x.request.method_id == http::Method::trace;
  const bool echoes = served && is_trace;
  if (echoes) write_echo(x, answer.text, core);
  const bool is_text = answer.has_text && !has_page && !http::has_no_body(x.status);
  if (is_text) core.page = answer.text;
  for (const auto& [name, value] : answer.fields) x.normal.add(name, value);
  const bool empty = (served && !echoes && !is_text) || http::has_no_body(x.status);
  if (!has_page && !empty && !echoes && !is_text) write_page(x, core, answer);
  // httpd counts a page only when it is sent, and no echo.
  const bool tells_length =
      !empty && !echoes && x.request.method_id != http::Method::head && answer.feed == nullptr;
  if (tells_length) x.normal.add("Content-Length", x.arena.decimal(core.page.size()));
  if (!empty) {
    x.normal.add("Content-Type", echoes    ? "message/http"
                                 : is_text ? answer.content_type
                                           : page_type(x, answer));
  }
  // httpd: nothing of Header reaches the answer to OPTIONS * or to a TRACE of what is not proxied.
  const bool is_bare = served && (about_server || (is_trace && !x.proxied));
  if (!is_bare) apply_page_rules(x, core, served);
  name_varying_fields(x);
  if (tells_length && !x.normal.has(http::FieldId::content_length))
    x.normal.add("Content-Length", x.arena.decimal(core.page.size()));
  if (empty && served) x.normal.add("Content-Length", "0");
}

void describe_fault(const http::RequestFault& fault, LocalAnswer& answer) {
  using Code = http::RequestFaultCode;
  switch (fault.code) {
    case Code::field_too_long:
      answer.note = http::note_field_too_long;
      break;
    case Code::too_many_fields:
      answer.note = http::note_too_many_fields;
      break;
    default:
      break;
  }
}

}  // namespace steelyard::proxy
