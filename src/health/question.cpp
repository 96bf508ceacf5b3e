#include "health/question.hpp"

#include <functional>

#include "balance/check_fit.hpp"
#include "balance/scheme.hpp"
#include "proxy/backend/cgi_request.hpp"

namespace steelyard::health {

Question question_of(const CheckPlan& plan) {
  const balance::MemberSpec& member = plan.member;
  Question question{.check = member.check,
                    .condition = plan.condition != nullptr ? plan.condition->text() : "",
                    .scheme = member.scheme,
                    .host = member.host,
                    .path = member.path_prefix,
                    .unix_path = {},
                    .port = member.port,
                    .address = member.address,
                    .address_ttl = member.address_ttl,
                    .source = plan.server.proxy.source_address,
                    .proxy_protocol = member.proxy_protocol,
                    .tls = {},
                    .connect_timeout = plan.connect_timeout,
                    .read_timeout = plan.read_timeout,
                    .document_root = {},
                    .admin = {},
                    .fcgi_backend = {}};
  question.check.expression.clear();
  question.check.is_shared = false;
  if (balance::is_checked_on_its_socket(member)) question.unix_path = member.unix_socket_path;
  if (balance::is_tls_scheme(member.scheme) && plan.tls != nullptr)
    question.tls = plan.tls->identity();
  if (proxy::cgi_protocol(member.scheme)) {
    question.document_root = plan.server.document_root;
    question.admin = plan.server.admin;
    question.fcgi_backend = plan.fcgi_backend;
  }
  return question;
}

// Of what differs between most members; the rest is for the comparison.
std::size_t QuestionHash::operator()(const Question& question) const {
  const std::hash<std::string_view> hash;
  std::size_t mixed = question.port;
  for (const std::string* text : {&question.host, &question.path, &question.check.uri})
    mixed = mixed * 31 + hash(*text);
  return mixed;
}

}  // namespace steelyard::health
