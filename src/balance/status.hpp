// The status bits of a member and what they mean together.
//
// The values, letters and display words are httpd's (they appear in status= parameters and on the
// balancer-manager page), so the order of the display text is fixed here and nowhere else.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace steelyard::balance {

enum class Flag : std::uint16_t {
  initialised = 0x001,    // O
  ignore_errors = 0x002,  // I: failures never put the member in error
  draining = 0x004,       // N: only sessions that already carry its tag
  generic = 0x008,        // G
  shutting_down = 0x010,  // U
  disabled = 0x020,       // D
  stopped = 0x040,        // S: as disabled, and never retried or probed
  in_error = 0x080,       // E
  standby = 0x100,        // H: only when its set has nobody else
  free_slot = 0x200,      // F
  health_failed = 0x400,  // C: only a passing health check clears it
  spare = 0x800,          // R: takes the place of an unusable member of its set
  nameless = 0x1000,      // ours: its name leads nowhere yet; only an answer clears it
};

class Status {
 public:
  constexpr Status() = default;
  constexpr explicit Status(std::uint16_t bits) : bits_(bits) {}
  constexpr Status(Flag flag) : bits_(static_cast<std::uint16_t>(flag)) {}  // NOLINT: a set of one

  [[nodiscard]] constexpr std::uint16_t bits() const { return bits_; }
  [[nodiscard]] constexpr bool has(Flag flag) const { return any(Status(flag)); }
  [[nodiscard]] constexpr bool any(Status of) const { return (bits_ & of.bits_) != 0; }
  [[nodiscard]] constexpr Status with(Status added) const {
    return Status(join(bits_, added.bits_));
  }
  [[nodiscard]] constexpr Status without(Status gone) const {
    return Status(static_cast<std::uint16_t>(bits_ & ~gone.bits_));
  }

  [[nodiscard]] constexpr Status only(Status kept) const {
    return Status(static_cast<std::uint16_t>(bits_ & kept.bits_));
  }

  // May take requests: initialised and not shut down, disabled, stopped, in error, health-failed or
  // nameless.
  // Draining, standby and spare members are usable; the selector treats them apart.
  [[nodiscard]] constexpr bool usable() const {
    return (bits_ & (initialised_bit | hindering_bits)) == initialised_bit;
  }

  // Nothing but an error keeps it from being usable.
  [[nodiscard]] constexpr bool awaits_retry() const {
    return has(Flag::in_error) && without(Flag::in_error).usable();
  }

  friend constexpr bool operator==(Status, Status) = default;

 private:
  static constexpr std::uint16_t initialised_bit = 0x001;
  static constexpr std::uint16_t hindering_bits = 0x010 | 0x020 | 0x040 | 0x080 | 0x400 | 0x1000;
  static constexpr std::uint16_t join(std::uint16_t a, std::uint16_t b) {
    return static_cast<std::uint16_t>(a | b);
  }

  std::uint16_t bits_ = 0;
};

constexpr Status operator|(Flag a, Flag b) { return Status(a).with(b); }
constexpr Status operator|(Status a, Flag b) { return a.with(b); }

// As the manager page shows it: "Init Dis Stby ", "Init Ok ", or "??? " for no bit at all.
std::string display_text(Status status);

// Applies a status= value ("D", "+D-H", any case) to `status`. The letters walk left to right; a
// sign switches between setting (the start) and clearing. httpd's complaint on an unknown letter or
// a trailing sign; `status` is then unchanged.
std::expected<void, std::string> apply_status_text(Status& status, std::string_view text);

}  // namespace steelyard::balance
