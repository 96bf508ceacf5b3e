#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ip.hpp"
#include "expr/complaint.hpp"
#include "expr/env_rule.hpp"
#include "expr/facts.hpp"
#include "expr/method_limit.hpp"

// Order, Allow, Deny and Satisfy of one section (mod_access_compat).
//
// Threads: immutable once read.

namespace steelyard::expr {

// One word behind `from`.
struct AccessSource {
  enum class Kind : std::uint8_t { all, environment, network, host } kind = Kind::all;
  EnvCondition condition;
  IpNetwork network;
  std::string host;
  MethodLimit limit;

  static std::expected<AccessSource, Complaint> parse(const std::string& word);
  bool covers(const Facts& facts) const;
  std::string describe() const;  // the word
};

class AccessOrder {
 public:
  using Result = std::expected<void, Complaint>;

  Result set_order(std::span<const std::string> words, const MethodLimit& limit);
  Result set_satisfy(std::span<const std::string> words, const MethodLimit& limit);
  Result allow(std::span<const std::string> words, const MethodLimit& limit);
  Result deny(std::span<const std::string> words, const MethodLimit& limit);

  bool grants(const Facts& facts) const;
  bool grants_strangers(std::string_view method) const;  // whom no line but `from all` covers
  bool satisfies_any(std::string_view method) const;     // Satisfy Any: Require may grant instead
  bool needs_client_host() const;
  void describe(std::vector<std::string>& lines) const;

 private:
  enum class Sequence : std::uint8_t { deny_allow, allow_deny, mutual_failure };
  static constexpr std::pair<std::string_view, Sequence> sequence_names[] = {
      {"allow,deny", Sequence::allow_deny},
      {"deny,allow", Sequence::deny_allow},
      {"mutual-failure", Sequence::mutual_failure},
  };
  template <class Value>
  struct Limited {
    MethodLimit limit;
    Value value;
  };
  using Sources = std::vector<AccessSource>;

  static Result add(std::span<const std::string> words, const MethodLimit& limit,
                    std::string_view directive, Sources& sources);
  Sequence sequence(std::string_view method) const;
  bool grants(std::string_view method, bool is_allowed, bool is_denied) const;

  std::vector<Limited<Sequence>> sequences_;  // the last one that covers a method counts
  std::vector<Limited<bool>> any_;            // Satisfy: true for Any
  Sources allowed_, denied_;
};

}  // namespace steelyard::expr
