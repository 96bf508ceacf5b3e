#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/ip.hpp"
#include "base/regex.hpp"
#include "expr/evaluation.hpp"
#include "expr/local_files.hpp"
#include "expr/word.hpp"

// One operator of a condition with what it works on. Threads: immutable once built.

namespace steelyard::expr {

enum class Order : std::uint8_t {
  equal,
  not_equal,
  less,
  less_or_equal,
  greater,
  greater_or_equal
};

struct ConditionNode {
  enum class Kind : std::uint8_t {
    always,
    never,
    negation,        // of the one child
    all,             // children, in order, until one does not hold
    any,             // children, in order, until one holds
    text,            // left `order` right, byte by byte
    integer,         // the same as numbers
    measured,        // the same as texts, the longer one being greater
    pattern,         // left =~ regex
    list,            // left -in words
    peer_extension,  // left -in PeerExtList(right)
    network,         // left -ipmatch network
    client_network,  // -R network
    glob,            // left -strmatch right
    any_case_glob,   // left -strcmatch right
    path_glob,       // left -fnmatch right
    not_empty,       // -n left
    empty,           // -z left
    switched_on,     // -T left
    file,            // -d and its relatives: left has `trait`
  };

  Kind kind = Kind::never;
  Order order = Order::equal;
  FileTrait trait = FileTrait::exists;
  Word left{}, right{};
  std::vector<Word> words{};
  std::optional<Regex> regex{};
  std::optional<IpNetwork> network{};
  std::vector<ConditionNode> children{};

  bool holds(Evaluation& evaluation) const;

 private:
  bool matches(Evaluation& evaluation) const;
  bool is_listed(Evaluation& evaluation) const;
  bool is_peer_extension(Evaluation& evaluation) const;
  bool is_in_network(Evaluation& evaluation) const;
  bool file_holds(Evaluation& evaluation) const;
};

}  // namespace steelyard::expr
