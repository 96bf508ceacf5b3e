#include "manage/ctl_words.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/text.hpp"

namespace steelyard::manage {

namespace {

using json = nlohmann::ordered_json;

struct LongOption {
  std::string_view name;  // without the hyphens; also the key of the request
  enum class Value { none, text, number } value;
};

struct Command {
  std::string_view name;
  std::vector<std::string_view> names;  // keys of the words that follow
  std::vector<LongOption> options;
  std::size_t needed = 0;     // so many of the names have to be there
  bool takes_fields = false;  // words like lbset=3 among them
};

const std::vector<Command>& commands() {
  using Value = LongOption::Value;
  static const LongOption json{"json", Value::none};
  static const LongOption reason{"reason", Value::text};
  static const std::vector<Command> all{
      {"members", {}, {{"balancer", Value::text}, json}},
      {"top", {}, {{"balancer", Value::text}, json}},
      {"drain",
       {"balancer", "member"},
       {{"deadline", Value::text},
        {"sessions", Value::number},
        {"window", Value::text},
        {"kick", Value::none},
        {"wait", Value::none},
        {"timeout", Value::text},
        reason,
        json},
       2},
      {"undrain", {"balancer", "member"}, {reason, json}, 2},
      {"wait", {"balancer", "member"}, {{"timeout", Value::text}, json}, 2},
      {"set", {"balancer", "member", "status"}, {reason, json}, 1, true},
      {"add", {"balancer", "member"}, {reason, json}, 2, true},
      {"remove", {"balancer", "member"}, {reason, json}, 2},
      {"history", {"balancer", "member"}, {json}, 2},
      {"changes", {}, {{"balancer", Value::text}, {"before", Value::number}, json}},
      {"undo", {"id"}, {{"force", Value::none}, reason, json}, 1},
      {"export", {}, {{"balancer", Value::text}, {"at", Value::text}}},
      {"generations", {}, {json}},
      {"cluster", {}, {json}},
  };
  return all;
}

// A parameter and its value. Addresses of members may hold an equals sign, too, but no such name in
// front of it.
bool is_field(std::string_view word) {
  const std::size_t name = word.find_first_not_of("abcdefghijklmnopqrstuvwxyz");
  return name != 0 && name != std::string_view::npos && word[name] == '=';
}

const Command* find_command(std::string_view name) {
  const auto found = std::ranges::find(commands(), name, &Command::name);
  return found == commands().end() ? nullptr : &*found;
}

class Words {
 public:
  Words(std::span<const char* const> words, std::string_view implied)
      : words_(words), implied_(implied) {}

  std::expected<CtlWords, std::string> read() {
    while (!rest_is_empty() && peek().starts_with('-') && !is_of_implied_command()) {
      if (!take_place()) return std::unexpected(complaint_);
      if (!result_.help.empty()) return result_;
    }
    if (rest_is_empty() && implied_.empty())
      return std::unexpected("what should be done? See steelyard ctl help");
    result_.command = implied_.empty() ? take() : std::string(implied_);
    if (result_.command == "help") return read_help();
    const Command* const command = find_command(result_.command);
    if (command == nullptr) {
      return std::unexpected("no command " + steelyard::quoted(result_.command) +
                             ". See steelyard ctl help");
    }
    while (!rest_is_empty() && complaint_.empty()) take_word(*command);
    if (!complaint_.empty()) return std::unexpected(complaint_);
    if (!result_.help.empty()) return result_;
    return finish(*command);
  }

 private:
  [[nodiscard]] bool rest_is_empty() const { return words_.empty(); }
  [[nodiscard]] std::string_view peek() const { return words_.front(); }
  std::string take() {
    std::string word = words_.front();
    words_ = words_.subspan(1);
    return word;
  }

  // Its options begin where those of the place end, without its name between them.
  [[nodiscard]] bool is_of_implied_command() const {
    return !implied_.empty() && peek().starts_with("--") && peek() != "--socket";
  }

  bool complain(std::string text) {
    if (complaint_.empty()) complaint_ = std::move(text);
    return false;
  }

  // The words before the command.
  bool take_place() {
    const std::string word = take();
    if (word == "-h" || word == "--help") {
      result_.help = ctl_help();
      return true;
    }
    const std::array<std::pair<std::string_view, std::string*>, 3> single{
        {{"-f", &result_.config_file},
         {"-d", &result_.server_root},
         {"--socket", &result_.socket}}};
    const std::array<std::pair<std::string_view, std::vector<std::string>*>, 3> lists{
        {{"-D", &result_.defines}, {"-C", &result_.before}, {"-c", &result_.after}}};
    for (const auto& [name, field] : single) {
      if (word == name) return take_value(word, *field);
    }
    for (const auto& [name, list] : lists) {
      if (word == name) return take_value(word, list->emplace_back());
    }
    return complain("no option " + word + " before the command. See steelyard ctl help");
  }

  bool take_value(const std::string& option, std::string& field) {
    if (rest_is_empty()) return complain(option + " needs a value");
    field = take();
    return field.empty() ? complain(option + " needs a value") : true;
  }

  std::expected<CtlWords, std::string> read_help() {
    const std::string command = rest_is_empty() ? std::string() : take();
    result_.help = ctl_help(command);
    if (result_.help.empty()) return std::unexpected("no command " + steelyard::quoted(command));
    return result_;
  }

  void take_word(const Command& command) {
    const std::string word = take();
    if (word == "--help") {
      result_.help = ctl_help(command.name);
      return;
    }
    if (word.starts_with("--")) {
      take_option(command, word);
      return;
    }
    if (command.takes_fields && is_field(word)) {
      const std::size_t equals = word.find('=');
      request_["fields"][word.substr(0, equals)] = word.substr(equals + 1);
      return;
    }
    const std::size_t at = names_++;
    if (at >= command.names.size()) {
      complain("unexpected word " + steelyard::quoted(word));
      return;
    }
    if (command.name != "undo") {
      request_[command.names[at]] = word;
    } else if (const auto number = parse_unsigned(word)) {
      request_[command.names[at]] = *number;
    } else {
      complain("a change is undone by its number (steelyard ctl changes), not by " +
               steelyard::quoted(word));
    }
  }

  void take_option(const Command& command, const std::string& word) {
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(2, equals - 2);
    const auto option = std::ranges::find(command.options, name, &LongOption::name);
    if (option == command.options.end()) {
      complain(std::string(command.name) + " has no option " + word);
      return;
    }
    if (option->value == LongOption::Value::none) {
      if (equals != std::string::npos) {
        complain("--" + name + " takes no value");
      } else {
        switches_.push_back(name);
      }
      return;
    }
    std::string value;
    if (equals != std::string::npos) {
      value = word.substr(equals + 1);
    } else if (!take_value(word, value)) {
      return;
    }
    store(*option, value);
  }

  void store(const LongOption& option, const std::string& value) {
    if (option.value == LongOption::Value::text) {
      request_[option.name] = value;
    } else if (const auto number = parse_unsigned(value)) {
      request_[option.name] = *number;
    } else {
      complain("--" + std::string(option.name) + " takes a number, not " +
               steelyard::quoted(value));
    }
  }

  [[nodiscard]] bool has(std::string_view name) const {
    return std::ranges::find(switches_, name) != switches_.end();
  }

  std::expected<CtlWords, std::string> finish(const Command& command) {
    if (names_ < command.needed) {
      const std::string_view name = command.names[names_];
      const bool has_vowel = std::string_view("aeiou").contains(name.front());
      return std::unexpected(std::string(command.name) + (has_vowel ? " needs an " : " needs a ") +
                             std::string(name) + ". See steelyard ctl help " +
                             std::string(command.name));
    }
    result_.as_json = has("json");
    if (command.name == "drain") return finish_drain();
    if (command.name == "set" && names_ < command.names.size() && !request_.contains("fields"))
      return std::unexpected(
          "set needs a status, or fields as in lbset=3. See steelyard ctl help set");
    if (has("force")) request_["force"] = true;
    add_request(command.name, request_);
    return result_;
  }

  std::expected<CtlWords, std::string> finish_drain() {
    json wait{{"balancer", request_["balancer"]}, {"member", request_["member"]}};
    if (request_.contains("timeout")) {
      if (!has("wait")) return std::unexpected("--timeout says how long to --wait");
      wait["timeout"] = request_["timeout"];
      request_.erase("timeout");
    }
    const bool has_end =
        request_.contains("deadline") || request_.contains("sessions") || has("kick");
    if (has("wait") && !has_end)
      return std::unexpected(
          "a drain without --deadline, --sessions or --kick has no end to --wait for");
    if (has("kick")) request_["kick"] = true;
    add_request("drain", request_);
    if (has("wait")) add_request("wait", wait);
    return result_;
  }

  void add_request(std::string_view command, const json& keys) {
    json request{{"command", command}};
    for (const auto& [key, value] : keys.items()) request[key] = value;
    result_.requests.push_back(request.dump(-1, ' ', false, json::error_handler_t::replace));
  }

  std::span<const char* const> words_;
  const std::string_view implied_;
  CtlWords result_;
  json request_ = json::object();
  std::vector<std::string> switches_;
  std::size_t names_ = 0;
  std::string complaint_;
};

}  // namespace

std::vector<std::string> ctl_commands() {
  std::vector<std::string> names;
  for (const Command& command : commands()) names.emplace_back(command.name);
  return names;
}

// The command comes first there.
bool is_answered_late(std::string_view request) {
  return request.starts_with(R"({"command":"wait")");
}

std::expected<CtlWords, std::string> parse_ctl_words(std::span<const char* const> words,
                                                     std::string_view implied) {
  return Words(words, implied).read();
}

}  // namespace steelyard::manage
