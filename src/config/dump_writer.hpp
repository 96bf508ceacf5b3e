#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "balance/spec.hpp"
#include "base/text.hpp"
#include "config/path_settings.hpp"
#include "config/route.hpp"

// The pieces that dump() is made of.

namespace steelyard::config {

// Lines of "key value", indented by how deep the thing lies.
class DumpWriter {
 public:
  void line(std::string_view key, std::string_view value = {});
  void number(std::string_view key, std::int64_t value) { line(key, std::to_string(value)); }
  // Only when it differs from what counts without being written.
  void number_unless(std::string_view key, std::int64_t value, std::int64_t usual) {
    if (value != usual) number(key, value);
  }
  void text_unless_empty(std::string_view key, std::string_view value) {
    if (!value.empty()) line(key, quoted(value));
  }
  void flag(std::string_view key, const std::optional<bool>& value) {
    if (value) line(key, *value ? "on" : "off");
  }
  void milliseconds(std::string_view key, std::chrono::nanoseconds value);
  template <class T>
  void milliseconds(std::string_view key, const std::optional<T>& value) {
    if (value) milliseconds(key, std::chrono::nanoseconds(*value));
  }
  template <class T>
  void number(std::string_view key, const std::optional<T>& value) {
    if (value) number(key, static_cast<std::int64_t>(*value));
  }

  void indent() { depth_ += 2; }
  void unindent() { depth_ -= 2; }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
  std::size_t depth_ = 0;
};

void dump_rules(DumpWriter& out, std::string_view key, const std::vector<expr::HeaderRule>& rules);
void dump_env_rules(DumpWriter& out, const std::vector<expr::EnvRule>& rules);
void dump_fcgi_variables(DumpWriter& out, const PathSettings& settings);
// `general`: the level of the modules that are not named.
void dump_log_levels(DumpWriter& out, std::string_view general, const LogLevels& levels);
void dump_settings(DumpWriter& out, const PathSettings& settings);
void dump_conditional(DumpWriter& out, const Conditional& conditional);
void dump_section(DumpWriter& out, std::string_view key, const Section& section);
void dump_route(DumpWriter& out, const Route& route);
void dump_redirect(DumpWriter& out, const Redirect& redirect);
void dump_rewriting(DumpWriter& out, const rewrite::RuleSet& rules);
void dump_rewrite_maps(DumpWriter& out, const rewrite::Maps& maps);
void dump_balancer(DumpWriter& out, const balance::BalancerSpec& spec);
void dump_tls(DumpWriter& out, const TlsServerSettings& tls);
void dump_compression(DumpWriter& out, const Compression& compression);
void dump_deflate(DumpWriter& out, const DeflateSettings& deflate);
void dump_path_tls(DumpWriter& out, const PathTls& tls);
void dump_tls_backend(DumpWriter& out, const TlsBackendSettings& tls);
void dump_member(DumpWriter& out, std::string_view key, const balance::MemberSpec& spec);

}  // namespace steelyard::config
