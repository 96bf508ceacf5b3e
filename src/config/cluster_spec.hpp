// The store through which instances share what operators change: SteelyardCluster.
#pragma once

#include <string>
#include <vector>

namespace steelyard::config {

struct ClusterSpec {
  std::string url;                     // as written
  std::vector<std::string> addresses;  // "host:port", in the order of the URL; at least one
  std::string prefix;  // "/steelyard": begins with a slash and does not end with one
  std::string name;    // of this instance; empty: the host's
  bool tls = false;
  std::string ca_file;                     // empty: the system's
  std::string certificate_file, key_file;  // both or none
  std::string user, password_file;         // both or none

  friend bool operator==(const ClusterSpec&, const ClusterSpec&) = default;
};

}  // namespace steelyard::config
