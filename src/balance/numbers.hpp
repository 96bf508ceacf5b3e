// The numbers of `key=value` words: httpd reads some of them laxly and some strictly.
#pragma once

#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace steelyard::balance {

// "Leading decimal integer, the rest ignored": 5min is 5, abc is 0. Clamped to int's range.
int leading_integer(std::string_view text);

// On or Off, any case.
std::optional<bool> parse_switch(std::string_view text);

// A load factor of a configuration or of the balancer-manager's form, in hundredths; no value when
// it is outside 1..100. httpd cuts a double times 100, which makes 114 of 1.15: whoever reads its
// own text this way loses a hundredth each time.
std::optional<int> parse_load_factor(std::string_view text);
// The number as it stands there, cut behind the second decimal: of load_factor_text(), and of who
// asks for a change otherwise.
std::optional<int> parse_exact_load_factor(std::string_view text);

// Two decimals, "1.15".
[[nodiscard]] std::string load_factor_text(int hundredths);
// What parse_load_factor() and httpd read as just this number: "1.151" for 115.
[[nodiscard]] std::string load_factor_for_httpd(int hundredths);

// Digits and nothing else: for parameters that httpd does not have. None when it does not fit an
// int.
std::optional<int> parse_strictly(std::string_view text);

// A number with a point and digits behind it or without, in hundredths and cut there. At most 6
// digits stand before the point.
std::optional<int> parse_hundredths(std::string_view text);

// slowstart=, of members and balancers. A number without a unit is seconds, 0 turns it off.
std::expected<void, std::string> store_slow_start(std::optional<std::chrono::milliseconds>& field,
                                                  std::string_view value);

}  // namespace steelyard::balance
