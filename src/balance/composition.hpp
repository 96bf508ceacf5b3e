// What a balancer is made of - the configuration, what the names in it lead to, and what operators
// changed - and what that makes.
//
// Pure.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "balance/expansion.hpp"
#include "balance/overlay.hpp"
#include "balance/spec.hpp"

namespace steelyard::balance {

struct Composition {
  std::shared_ptr<const BalancerSpec> configured;
  NameAnswers answers;
  Overlay overlay;
  std::vector<Superseded> superseded;  // of the overlay, since somebody asked

  // A new configuration: forgets answers that nobody asks for any more, and changes that it makes
  // void.
  void configure(std::shared_ptr<const BalancerSpec> spec);
  void take(NameMeaning meaning, const std::string& name, NameAnswer answer);

  // Whether members may come and go without a reload.
  [[nodiscard]] bool names_vary() const;
  // Names expanded into members.
  [[nodiscard]] std::shared_ptr<const BalancerSpec> expanded() const;
  // And changes laid over: what the balancer acts on.
  [[nodiscard]] std::shared_ptr<const BalancerSpec> result() const;
};

}  // namespace steelyard::balance
