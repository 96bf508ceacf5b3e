// What the journal has of operators' changes, as the API, the live page and the control socket tell
// it.
//
// Threads: the control thread's.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "manage/api_objects.hpp"
#include "manage/changes_book.hpp"

namespace steelyard::manage {

// As many as a look back needs.
inline constexpr std::size_t history_rows = 100;

[[nodiscard]] ApiJson change_object(const balance::Change& change);
[[nodiscard]] ApiJson kept_object(const journal::Kept& kept);

// The latest first, those with ids below `before`; of these balancers alone. The error says why
// there are none.
[[nodiscard]] std::expected<std::vector<journal::Kept>, std::string> kept_changes(
    const ChangesBook& book, const std::vector<NamedBalancer>& balancers,
    std::optional<std::int64_t> before = std::nullopt);
// The number of the last change of all; 0: there is none.
[[nodiscard]] std::int64_t last_change(const ChangesBook& book);

// Whether a member of that name or host:port was in the balancer and is no longer, as far as the
// journal reaches back: taking it away again changes nothing.
[[nodiscard]] bool was_member(const ChangesBook& book, const NamedBalancer& balancer,
                              std::string_view wanted);

// "2026-11-29T14:03:10Z", as Moment::text_of() tells it.
[[nodiscard]] std::optional<WallTime> parse_moment(std::string_view text);

// What operators changed, over what the configuration says now, as its text. `at`: empty for what
// counts now; else the number of the change after which it counted, or a moment for parse_moment().
// What has not come by `now` is refused: nobody knows what will count then.
[[nodiscard]] std::expected<std::string, ControlFault> export_text(
    const ChangesBook& book, const std::vector<NamedBalancer>& balancers, std::string_view at,
    WallTime now);

}  // namespace steelyard::manage
