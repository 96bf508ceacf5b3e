#include "cluster/field.hpp"

#include <array>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/text.hpp"
#include "cluster/limits.hpp"

namespace steelyard::cluster {

namespace {

using json = nlohmann::ordered_json;

// Always encoded in names, so it never begins one.
constexpr std::string_view balancer_itself = "=";

bool is_plain(char c) {
  return is_alnum(c) || c == '.' || c == '-' || c == '_' || c == '~' || c == ':';
}

std::string encoded(std::string_view name) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string text;
  for (const char c : name) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (is_plain(c)) {
      text += c;
    } else {
      text += '%';
      text += digits[byte >> 4];
      text += digits[byte & 0xf];
    }
  }
  return text;
}

std::optional<unsigned> hex_value(char c) {
  if (is_digit(c)) return static_cast<unsigned>(c - '0');
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  return std::nullopt;
}

// Each name has one text: what need not be encoded must not be.
std::optional<std::string> decoded(std::string_view text) {
  std::string name;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      if (!is_plain(text[i])) return std::nullopt;
      name += text[i];
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    const auto high = hex_value(text[i + 1]);
    const auto low = hex_value(text[i + 2]);
    if (!high || !low) return std::nullopt;
    const char c = static_cast<char>(*high << 4 | *low);
    if (is_plain(c)) return std::nullopt;
    name += c;
    i += 2;
  }
  return name;
}

// Names and reasons may hold any bytes, JSON may not.
std::string dumped(const json& object) {
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

// Texts and numbers of an object that somebody else wrote.
class Members {
 public:
  explicit Members(std::string_view text) : object_(json::parse(text, nullptr, false)) {
    if (!object_.is_object()) fault_ = "is no JSON object";
  }

  std::string text(const char* name, std::size_t bytes_max) {
    const json* const found = find(name);
    if (found == nullptr) return {};
    if (!found->is_string()) return complain(name, "is not a text");
    std::string value = found->get<std::string>();
    if (value.size() > bytes_max) return complain(name, "is too long");
    return value;
  }

  std::string needed(const char* name, std::size_t bytes_max) {
    if (fault_.empty() && find(name) == nullptr) complain(name, "is missing");
    return text(name, bytes_max);
  }

  std::int64_t number(const char* name) {
    const json* const found = find(name);
    if (found == nullptr) return 0;
    if (found->is_number_integer()) {
      if (!found->is_number_unsigned()) return found->get<std::int64_t>();
      const auto value = found->get<std::uint64_t>();
      if (value <= INT64_MAX) return static_cast<std::int64_t>(value);
    }
    complain(name, "is not a number");
    return 0;
  }

  [[nodiscard]] const std::string& fault() const { return fault_; }

 private:
  const json* find(const char* name) const {
    if (!object_.is_object()) return nullptr;
    const auto found = object_.find(name);
    return found == object_.end() ? nullptr : &*found;
  }

  std::string complain(std::string_view name, std::string_view what) {
    if (fault_.empty()) fault_ = '"' + std::string(name) + "\" " + std::string(what);
    return {};
  }

  json object_;
  std::string fault_;
};

}  // namespace

std::string root_of(std::string_view prefix) { return std::string(prefix) + "/v1/"; }
std::string changes_folder(std::string_view prefix) { return root_of(prefix) + "changes/"; }
std::string instances_folder(std::string_view prefix) { return root_of(prefix) + "instances/"; }

std::string end_of(std::string folder) {
  folder.back() = '/' + 1;
  return folder;
}

std::string key_text(std::string_view prefix, const FieldKey& key) {
  const std::string member =
      key.member.empty() ? std::string(balancer_itself) : encoded(key.member);
  return changes_folder(prefix) + encoded(key.scope) + '/' + encoded(key.balancer) + '/' + member +
         '/' + encoded(key.field);
}

std::string instance_key(std::string_view prefix, std::string_view id) {
  return instances_folder(prefix) + encoded(id);
}

std::expected<FieldKey, std::string> read_key(std::string_view text) {
  constexpr std::size_t parts_count = 4;
  if (text.size() > parts_count * (3 * name_bytes_max + 1))
    return std::unexpected("the key is too long");
  const auto parts = split(text, '/');
  if (parts.size() != parts_count)
    return std::unexpected("the key is not SCOPE/BALANCER/MEMBER/FIELD");
  std::array<std::string, parts_count> names;
  for (std::size_t i = 0; i < parts_count; ++i) {
    if (i == 2 && parts[i] == balancer_itself) continue;
    auto name = decoded(parts[i]);
    if (!name || name->empty() || name->size() > name_bytes_max)
      return std::unexpected("the key has a name that is not encoded as it should be");
    names[i] = std::move(*name);
  }
  return FieldKey{std::move(names[0]), std::move(names[1]), std::move(names[2]),
                  std::move(names[3])};
}

std::string value_text(const FieldValue& value) {
  return dumped({{"value", value.value},
                 {"configured", value.configured},
                 {"who", value.who},
                 {"from", value.from},
                 {"reason", value.reason},
                 {"at", value.at_us},
                 {"instance", value.instance},
                 {"order", value.order}});
}

std::expected<FieldValue, std::string> read_value(std::string_view text) {
  Members members(text);
  FieldValue value{.value = members.needed("value", text_bytes_max),
                   .configured = members.needed("configured", text_bytes_max),
                   // Bytes that are no text become longer on their way through JSON.
                   .who = members.text("who", 3 * author_bytes_max),
                   .from = members.text("from", 3 * author_bytes_max),
                   .reason = members.text("reason", 3 * author_bytes_max),
                   .at_us = members.number("at"),
                   .instance = members.text("instance", name_bytes_max),
                   .order = members.text("order", name_bytes_max)};
  if (!members.fault().empty()) return std::unexpected(members.fault());
  return value;
}

std::string instance_text(const Instance& instance) {
  return dumped(
      {{"name", instance.name}, {"version", instance.version}, {"since", instance.since_us}});
}

std::expected<Instance, std::string> read_instance(std::string_view id, std::string_view text) {
  const auto name = decoded(id);
  if (!name || name->empty() || name->size() > name_bytes_max)
    return std::unexpected("the key has a name that is not encoded as it should be");
  Members members(text);
  Instance instance{.id = *name,
                    .name = members.needed("name", name_bytes_max),
                    .version = members.text("version", name_bytes_max),
                    .since_us = members.number("since")};
  if (!members.fault().empty()) return std::unexpected(members.fault());
  return instance;
}

}  // namespace steelyard::cluster
