#include "expr/method_limit.hpp"

#include <algorithm>

namespace steelyard::expr {

std::string_view head_as_get(std::string_view method) { return method == "HEAD" ? "GET" : method; }

bool MethodLimit::covers(std::string_view method) const {
  const std::string_view wanted = head_as_get(method);
  const bool is_listed = std::ranges::any_of(
      methods_, [wanted](const std::string& name) { return head_as_get(name) == wanted; });
  return is_listed != except_;
}

std::string MethodLimit::describe() const {
  if (methods_.empty() && except_) return {};
  std::string text = except_ ? "<LimitExcept" : "<Limit";
  for (const std::string& method : methods_) text += ' ' + method;
  return text + "> ";
}

}  // namespace steelyard::expr
