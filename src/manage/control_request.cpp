#include "manage/control_request.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "balance/parameters.hpp"
#include "base/text.hpp"

namespace steelyard::manage {

namespace {

using balance::Flag;
using balance::Status;
using nlohmann::json;
using Command = ControlRequest::Command;

struct CommandKeys {
  std::string_view name;
  Command command;
  std::vector<std::string_view> needed, allowed;
};

constexpr std::uint64_t id_max = UINT32_MAX;

const std::vector<CommandKeys>& commands() {
  static const std::vector<CommandKeys> all{
      {"members", Command::members, {}, {"balancer"}},
      {"top", Command::top, {}, {"balancer"}},
      {"drain",
       Command::drain,
       {"balancer", "member"},
       {"deadline", "sessions", "window", "kick", "reason"}},
      {"undrain", Command::undrain, {"balancer", "member"}, {"reason"}},
      {"wait", Command::wait, {"balancer", "member"}, {"timeout"}},
      {"set", Command::set, {"balancer"}, {"member", "status", "fields", "reason"}},
      {"add", Command::add, {"balancer", "member"}, {"fields", "reason"}},
      {"remove", Command::remove, {"balancer", "member"}, {"reason"}},
      {"history", Command::history, {"balancer", "member"}, {}},
      {"changes", Command::changes, {}, {"balancer", "before"}},
      {"undo", Command::undo, {"id"}, {"force", "reason"}},
      {"export", Command::export_text, {}, {"balancer", "at"}},
      {"generations", Command::generations, {}, {}},
      {"cluster", Command::cluster, {}, {}},
  };
  return all;
}

std::unexpected<ControlFault> fault(std::string text) {
  return std::unexpected(ControlFault{.text = std::move(text)});
}

// The configuration's reading of times is httpd's, which stops at what it does not know: there
// "soon" is no time at all, and "2h30min" is 2 hours. Here nothing may stand behind the number but
// one unit.
std::optional<Duration> exact_duration(std::string_view text, Duration most) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = parse_unsigned(text.substr(0, digits));
  if (!number) return std::nullopt;
  constexpr std::array<std::pair<std::string_view, Duration>, 5> units{
      {{"", std::chrono::seconds(1)},
       {"ms", std::chrono::milliseconds(1)},
       {"s", std::chrono::seconds(1)},
       {"min", std::chrono::minutes(1)},
       {"h", std::chrono::hours(1)}}};
  for (const auto& [name, unit] : units) {
    if (text.substr(digits) != name) continue;
    if (*number > static_cast<std::uint64_t>(most / unit)) return std::nullopt;
    return static_cast<std::int64_t>(*number) * unit;
  }
  return std::nullopt;
}

// Reads the values of one object and keeps the first fault.
class Reader {
 public:
  explicit Reader(const json& object) : object_(object) {}

  std::string text(const char* key) {
    const json* const value = find(key);
    if (value == nullptr) return {};
    if (value->is_string()) return value->get<std::string>();
    complain(key, "is not a text");
    return {};
  }

  bool flag(const char* key) {
    const json* const value = find(key);
    if (value == nullptr) return false;
    if (value->is_boolean()) return value->get<bool>();
    complain(key, "is not true or false");
    return false;
  }

  std::optional<std::uint32_t> number(const char* key, std::uint64_t most) {
    const json* const value = find(key);
    if (value == nullptr) return std::nullopt;
    if (value->is_number_unsigned() && value->get<std::uint64_t>() <= most)
      return static_cast<std::uint32_t>(value->get<std::uint64_t>());
    complain(key, "is not a number from 0 to " + std::to_string(most));
    return std::nullopt;
  }

  std::vector<FieldWish> fields(const char* key) {
    std::vector<FieldWish> wishes;
    const json* const value = find(key);
    if (value == nullptr) return wishes;
    if (!value->is_object()) complain(key, "is no object of fields and their texts");
    if (!value->is_object()) return wishes;
    for (const auto& [field, text] : value->items()) {
      if (!text.is_string()) complain(field, "is not a text");
      if (text.is_string()) wishes.push_back({field, text.get<std::string>()});
    }
    return wishes;
  }

  std::optional<Duration> time(const char* key, Duration least, Duration most) {
    const json* const value = find(key);
    if (value == nullptr) return std::nullopt;
    std::string written;
    if (value->is_number_unsigned()) written = std::to_string(value->get<std::uint64_t>());
    if (value->is_string()) written = value->get<std::string>();
    const auto parsed = exact_duration(written, most);
    if (parsed && *parsed >= least) return parsed;
    complain(key, "is not a time from " + balance::duration_text(least) + " to " +
                      balance::duration_text(most) + ", as in 30, 500ms, 10min or 2h");
    return std::nullopt;
  }

  [[nodiscard]] const std::string& complaint() const { return complaint_; }

 private:
  const json* find(const char* key) const {
    const auto found = object_.find(key);
    return found == object_.end() ? nullptr : &*found;
  }

  void complain(std::string_view key, const std::string& what) {
    if (complaint_.empty()) complaint_ = '"' + std::string(key) + "\" " + what;
  }

  const json& object_;
  std::string complaint_;
};

const CommandKeys* find_command(const std::string& name) {
  const auto found = std::ranges::find(commands(), name, &CommandKeys::name);
  return found == commands().end() ? nullptr : &*found;
}

// Empty: the keys are those of the command.
std::string complaint_about_keys(const json& object, const CommandKeys& keys) {
  const auto is_of = [](const std::vector<std::string_view>& list, const std::string& key) {
    return std::ranges::find(list, key) != list.end();
  };
  for (const auto& [key, value] : object.items()) {
    if (key == "command" || is_of(keys.needed, key) || is_of(keys.allowed, key)) continue;
    return std::string(keys.name) + " has no \"" + key + '"';
  }
  for (const std::string_view needed : keys.needed) {
    const auto found = object.find(needed);
    if (found == object.end() ||
        (found->is_string() && found->get_ref<const std::string&>().empty())) {
      return std::string(keys.name) + " needs \"" + std::string(needed) + '"';
    }
  }
  return {};
}

DrainWish read_drain(Reader& reader) {
  DrainWish drain;
  drain.deadline = reader.time("deadline", Duration{}, balance::drain_deadline_max);
  drain.sessions_max = reader.number("sessions", balance::Census::tokens_max);
  drain.window = reader.time("window", balance::drain_window_min, balance::Census::window_max);
  drain.kick = reader.flag("kick");
  return drain;
}

}  // namespace

balance::DrainOrder DrainWish::order(Instant now) const {
  using Pace = balance::DrainOrder::Pace;
  balance::DrainOrder order{.sessions_max = sessions_max,
                            .pace = kick ? Pace::sessions_leave : Pace::sessions_stay};
  if (deadline) order.deadline = now + *deadline;
  if (window) order.window = *window;
  return order;
}

std::expected<ControlRequest, ControlFault> parse_request(std::string_view line) {
  const json object = json::parse(line, nullptr, false);
  if (object.is_discarded() || !object.is_object()) return fault("a line is one JSON object");
  Reader reader(object);
  const std::string name = reader.text("command");
  const CommandKeys* const keys = find_command(name);
  if (keys == nullptr) {
    ControlFault unknown{.text = name.empty() ? "no \"command\"" : "no command \"" + name + '"'};
    for (const CommandKeys& known : commands()) unknown.choices.emplace_back(known.name);
    return std::unexpected(std::move(unknown));
  }
  if (std::string wrong = complaint_about_keys(object, *keys); !wrong.empty())
    return fault(std::move(wrong));
  ControlRequest request{.command = keys->command,
                         .balancer = reader.text("balancer"),
                         .member = reader.text("member")};
  if (request.command == Command::drain) request.drain = read_drain(reader);
  request.timeout = reader.time("timeout", Duration{}, wait_timeout_max);
  request.fields = reader.fields("fields");
  request.at = reader.text("at");
  request.reason = reader.text("reason");
  request.force = reader.flag("force");
  request.id = reader.number("id", id_max).value_or(0);
  request.before = reader.number("before", id_max);
  if (request.command == Command::set) {
    const bool has_status = object.contains("status");
    if (!has_status && request.fields.empty()) return fault("set needs \"status\" or \"fields\"");
    if (has_status && request.member.empty()) return fault("set needs \"member\" with \"status\"");
    if (has_status) {
      const auto change = parse_status_wish(reader.text("status"));
      if (!change) return fault(change.error());
      request.change = *change;
    }
  }
  if (!reader.complaint().empty()) return fault(reader.complaint());
  if (request.drain.window && !request.drain.sessions_max && !request.drain.deadline)
    return fault("\"window\" says when sessions count: give \"sessions\" or \"deadline\" as well");
  return request;
}

std::expected<StatusWish, std::string> parse_status_wish(std::string_view text) {
  constexpr Status settable = Flag::disabled | Flag::stopped | Flag::draining | Flag::standby |
                              Flag::spare | Flag::ignore_errors | Flag::health_failed;
  constexpr Status clearable = settable | Flag::in_error;
  // On nothing it shows what is set, on everything what is cleared.
  Status from_nothing;
  Status from_all(0xffff);
  const bool understood = !text.empty() && balance::apply_status_text(from_nothing, text) &&
                          balance::apply_status_text(from_all, text);
  const StatusWish wish{.set = from_nothing, .clear = Status(0xffff).without(from_all)};
  if (!understood || wish.set.without(settable) != Status{} ||
      wish.clear.without(clearable) != Status{}) {
    return std::unexpected(
        "a status is letters behind + or -: D disabled, S stopped, N draining, H hot standby, "
        "R hot spare, I ignore errors, C failed its checks; E, an error, can only be cleared");
  }
  return wish;
}

}  // namespace steelyard::manage
