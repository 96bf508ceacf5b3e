// Input: a traceparent, a line end, a tracestate. What is read of the first can be written and read
// again; the second is believed only if it has the shape of the recommendation, looked at here once
// more in another way.
#include <algorithm>
#include <set>
#include <string>
#include <string_view>

#include "base/check.hpp"
#include "base/text.hpp"
#include "fuzz.hpp"
#include "trace/context.hpp"

namespace steelyard {
namespace {

void check_parent(std::string_view value) {
  const auto context = trace::read_traceparent(value);
  if (!context) return;
  CHECK(!context->trace.is_zero() && context->parent != 0);
  const auto text = trace::write_traceparent(*context);
  const std::string_view written = trace::view_of(text);
  CHECK(trace::read_traceparent(written) == *context);
  // Ids are passed on as they came, flags but for those that mean nothing.
  CHECK(written.substr(2, 51) == value.substr(2, 51));
  CHECK(value.size() == written.size() || value[written.size()] == '-');
}

void check_state(std::string_view value) {
  if (!trace::is_tracestate(value)) return;
  std::set<std::string, std::less<>> keys;
  std::size_t members = 0;
  for (const std::string_view member : split(value, ',')) {
    ++members;
    const std::size_t equals = member.find('=');
    if (equals == std::string_view::npos) {
      CHECK(trim(member).empty());
      continue;
    }
    const std::string key(trim(member.substr(0, equals)));
    CHECK(!key.empty() && keys.insert(key).second);
    CHECK(member.find('=', equals + 1) == std::string_view::npos);
  }
  CHECK(members <= 32);
  CHECK(std::ranges::all_of(value, [](char c) { return c == '\t' || (c >= ' ' && c <= '~'); }));
}

}  // namespace

void fuzz_one(std::string_view input) {
  const std::size_t end = std::min(input.find('\n'), input.size());
  check_parent(input.substr(0, end));
  check_state(input.substr(std::min(end + 1, input.size())));
}

}  // namespace steelyard
