// What the OpenAPI document says of each operation of the JSON API; the table of resources in
// api.cpp says which there are.
//
// Pure values.
#pragma once

#include "manage/api_document.hpp"

namespace steelyard::manage::api_facts {

inline constexpr ApiMethodFacts root{.name = "showRoot",
                                     .summary = "What this API has, and which configuration runs"};
inline constexpr ApiMethodFacts document{.name = "showDocument", .summary = "This document"};
inline constexpr ApiMethodFacts balancers{.name = "listBalancers",
                                          .summary = "All balancers of this virtual host"};
inline constexpr ApiMethodFacts show_balancer{
    .name = "showBalancer", .summary = "One balancer", .answer = ApiAnswer::tagged_object};
inline constexpr ApiMethodFacts change_balancer{.name = "changeBalancer",
                                                .summary = "Change parameters of a balancer",
                                                .body = ApiBody::balancer_fields,
                                                .answer = ApiAnswer::tagged_object,
                                                .fields = ApiFields::reason_and_match};
inline constexpr ApiMethodFacts members{.name = "listMembers",
                                        .summary = "The members of a balancer"};
inline constexpr ApiMethodFacts show_member{
    .name = "showMember", .summary = "One member", .answer = ApiAnswer::tagged_object};
inline constexpr ApiMethodFacts add_member{
    .name = "addMember",
    .summary = "Add the member, disabled unless the body says otherwise; one that is there stays",
    .body = ApiBody::member_fields,
    .answer = ApiAnswer::tagged_object,
    .fields = ApiFields::reason_and_matches};
inline constexpr ApiMethodFacts change_member{.name = "changeMember",
                                              .summary = "Change parameters of a member",
                                              .body = ApiBody::member_fields,
                                              .answer = ApiAnswer::tagged_object,
                                              .fields = ApiFields::reason_and_match};
inline constexpr ApiMethodFacts remove_member{
    .name = "removeMember",
    .summary = "Take the member away; what is under way ends in order",
    .fields = ApiFields::reason_and_match};
inline constexpr ApiMethodFacts show_drain{.name = "showDrain",
                                           .summary = "The last order to drain the member"};
inline constexpr ApiMethodFacts order_drain{.name = "orderDrain",
                                            .summary = "Drain the member, with or without an end",
                                            .body = ApiBody::drain_order,
                                            .fields = ApiFields::reason_and_match};
inline constexpr ApiMethodFacts undrain{.name = "undrain",
                                        .summary = "Back into service",
                                        .answer = ApiAnswer::tagged_object,
                                        .fields = ApiFields::reason_and_match};
inline constexpr ApiMethodFacts events{.name = "listEvents",
                                       .summary = "What happened to the member's health"};
inline constexpr ApiMethodFacts live{.name = "listen",
                                     .summary = "All members once a second, as server-sent events",
                                     .answer = ApiAnswer::events};
inline constexpr ApiMethodFacts cluster{.name = "showCluster",
                                        .summary = "How this instance does with the others"};
inline constexpr ApiMethodFacts changes{
    .name = "listChanges", .summary = "What operators changed, the latest first, at most 100"};
inline constexpr ApiMethodFacts undo{
    .name = "undo", .summary = "Take the change of that number back", .fields = ApiFields::reason};
inline constexpr ApiMethodFacts exported{
    .name = "export",
    .summary = "What is changed now, or was then, as text of the configuration",
    .answer = ApiAnswer::text};

}  // namespace steelyard::manage::api_facts
