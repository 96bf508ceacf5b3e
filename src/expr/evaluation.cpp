#include "expr/evaluation.hpp"

#include "base/arena.hpp"
#include "base/text.hpp"
#include "http/syntax.hpp"
#include "http/token_list.hpp"

namespace steelyard::expr {

void Evaluation::note_request_field(std::string_view name) {
  // A name may be computed from what the client sent; only one that a field can have is asked for.
  if (!http::is_token(name) || equals_ignoring_case(name, "Host")) return;
  if (http::has_token(vary, name)) return;
  vary = vary.empty() ? name : arena.join(vary, ", ", name);
}

void Evaluation::tell(Remarks& remarks) const {
  if (!fault.empty()) remarks.fault = fault;
  if (vary.empty()) return;
  remarks.vary = remarks.vary.empty() ? vary : arena.join(remarks.vary, ", ", vary);
}

void Evaluation::fail(std::string_view what, std::string_view about) {
  fault = arena.join(what, about);
}

}  // namespace steelyard::expr
