// How the balancer-manager looks: HTML for people, with httpd's tables, forms and field names; XML
// for scripts, element by element as httpd's.
//
// Pure.
#pragma once

#include <string>
#include <string_view>

#include "manage/manager_view.hpp"
#include "manage/markup.hpp"

namespace steelyard::manage {

inline constexpr std::string_view manager_page_type = "text/html; charset=ISO-8859-1";
inline constexpr std::string_view manager_xml_type = "text/xml";

// What the page may do in a browser: nothing but its own style and its own form.
inline constexpr std::string_view manager_page_policy =
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'";

[[nodiscard]] std::string manager_page(const ManagerView& view);
[[nodiscard]] std::string manager_xml(const ManagerView& view);

// The path of the page as a link: one slash leads, or a browser would take what follows for a host.
void write_own_path(Markup& out, const ManagerView& view);
// With the socket in front, if there is one.
void write_name(Markup& out, const balance::MemberSpec& spec);
// manager_forms.cpp: the form of the selected member or balancer, if any.
void write_manager_form(Markup& out, const ManagerView& view);

}  // namespace steelyard::manage
