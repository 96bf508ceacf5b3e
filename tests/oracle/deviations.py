"""Where steelyard deliberately differs from httpd: the list that docs/deviations.md shows.

Each names the scenario that proves it and what either program sees there (the summary of runner.py:
one word an answer).  A deviation that no longer differs fails its test too.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Deviation:
    id: str
    text: str
    scenario: str
    httpd: str
    steelyard: str


DEVIATIONS = [
    Deviation(
        "length-and-chunked",
        (
            "A request with both Content-Length and Transfer-Encoding is refused with 400; httpd"
            " drops the length and forwards it. Two readings of one message are how requests are"
            " smuggled."
        ),
        "content_length_beside_transfer_encoding",
        "1",
        "400",
    ),
    Deviation(
        "folded-header",
        "An obsolete folded header line is refused with 400; httpd joins it with a blank.",
        "an_obsolete_folded_header_line",
        "1",
        "400",
    ),
    Deviation(
        "http-0-9",
        (
            "A request line without a version (HTTP/0.9) is refused with 400; httpd serves it"
            " without a head."
        ),
        "a_request_of_http_0_9",
        "0.9",
        "400",
    ),
    Deviation(
        "coding-before-chunked",
        (
            "A request with a coding beside chunked is refused with 501 (RFC 9112 6.1) because the"
            " client sent what is not understood; httpd blames itself with a 500."
        ),
        "a_coding_before_chunked",
        "500",
        "501",
    ),
    Deviation(
        "chunk-size-overflow",
        (
            "A chunk size that no number holds is malformed (400); httpd takes it for a large one"
            " (413)."
        ),
        "a_chunk_size_of_seventeen_digits",
        "413",
        "400",
    ),
    Deviation(
        "empty-host",
        "An absolute target without a host is refused with 400 (RFC 9110 4.2.1); httpd serves it.",
        "an_absolute_target_without_a_host",
        "1",
        "400",
    ),
    Deviation(
        "chunked-in-1-0",
        (
            "Transfer-Encoding in an HTTP/1.0 request is refused with 400 (RFC 9112 6.1); httpd"
            " reads it as chunked."
        ),
        "transfer_encoding_in_http_1_0",
        "1",
        "400",
    ),
    Deviation(
        "early-answer",
        (
            "A member's answer reaches the client as soon as it is there, also in the middle of the"
            " request's body; httpd reads the whole body from the client first."
        ),
        "a_member_answers_while_the_client_still_has_body_to_send",
        "none",
        "1",
    ),
    Deviation(
        "lengths-differ",
        "An answer with two different Content-Length values is a 502; httpd believes the first.",
        "two_different_lengths_from_a_member",
        "200",
        "502",
    ),
    Deviation(
        "unknown-scheme",
        (
            "A target whose scheme no module handles is a fault of the configuration; httpd accepts"
            " it and answers 500 or 503 at run time."
        ),
        "an_unknown_scheme_is_accepted",
        "ok",
        "refused",
    ),
    Deviation(
        "rewrite-look-ahead",
        (
            "RewriteCond's -F and -U and the variables %{LA-U:...} and %{LA-F:...} are faults of the"
            " configuration: they ask what another request would get, and no such requests are made"
            " here. httpd makes sub-requests."
        ),
        "a_rule_that_looks_ahead",
        "ok",
        "refused",
    ),
    Deviation(
        "rewrite-map-kinds",
        (
            "RewriteMap knows txt, rnd and int; prg, dbm, dbd and fastdbd are faults of the"
            " configuration, which httpd accepts. Asking a program or a database would hold up all"
            " requests of a shard."
        ),
        "a_map_that_asks_a_program",
        "ok",
        "refused",
    ),
    Deviation(
        "left-out-block",
        (
            "A block in <IfModule> of a module that is loaded but not part of Steelyard, or in"
            " <IfDirective> or <IfSection> of what such a module brings, is a fault of the"
            " configuration when it restricts access, rewrites, routes, names hosts or listens;"
            " httpd has the module and executes it. In <Directory> and <Files> it is none."
        ),
        "a_block_of_a_module_that_is_loaded",
        "ok",
        "refused",
    ),
    Deviation(
        "executed-block",
        (
            "A block in <IfModule !...> of a module that is loaded but not part of Steelyard, or in"
            " <IfDirective !...> or <IfSection !...> of what such a module brings, is a fault of"
            " the configuration when its lines restrict access, rewrite, route, name hosts or"
            " listen; httpd has the module and skips it. In <Directory> and <Files> it is none."
        ),
        "a_block_for_the_absence_of_a_module_that_is_loaded",
        "ok",
        "refused",
    ),
    Deviation(
        "timeout-zero",
        "Timeout 0 is warned of and counts as 60; httpd answers each request that it proxies with 503 at"
        " once.",
        "a_timeout_of_zero",
        "503",
        "1",
    ),
    Deviation(
        "unset-length",
        (
            "RequestHeader unset Content-Length does not take the body from a request; httpd sends"
            " it without one."
        ),
        "a_request_whose_length_was_unset",
        "1",
        "1",
    ),
    Deviation(
        "header-and-length",
        (
            "Header rules can take Content-Length from an answer and nothing else: its length stays"
            " what it is. httpd announces what the rule says when it has not yet read the whole"
            " body, and to HEAD, and sends the body as it is."
        ),
        "a_length_that_header_changes_in_an_answer_that_comes_in_pieces",
        "1",
        "1",
    ),
    Deviation(
        "header-always-and-length",
        (
            "The same of Header always; httpd announces such a length beside the true one or"
            " instead of chunks."
        ),
        "a_length_that_header_always_changes",
        "1 1 1",
        "1 1 1",
    ),
    Deviation(
        "header-and-coding",
        (
            "Transfer-Encoding tells how this connection frames an answer, and Header rules do not"
            " change it; httpd answers 500 to a coding that it does not know."
        ),
        "a_coding_that_header_names",
        "500 500",
        "1 1",
    ),
    Deviation(
        "header-and-chunks",
        "The same of chunked; httpd announces chunks and sends the body without them.",
        "chunks_that_header_announces",
        "1",
        "1",
    ),
    Deviation(
        "request-header-and-length",
        (
            "RequestHeader does not change the length that a member is told; httpd sends that many"
            " bytes of the body, and what is left of it is the client's next request."
        ),
        "a_length_that_requestheader_changes",
        "1",
        "1",
    ),
    Deviation(
        "request-header-and-coding",
        (
            "RequestHeader does not change how a body goes to a member; httpd answers 500 to a"
            " coding that it does not know, and takes bytes that are none for chunks."
        ),
        "a_coding_that_requestheader_names",
        "500 500",
        "1 1",
    ),
    Deviation(
        "request-header-and-ajp",
        (
            "Nor towards a container; httpd then sends none of a body, and the container waits for"
            " it."
        ),
        "ajp_and_a_transfer_encoding_that_a_rule_made",
        "none",
        "1",
    ),
    Deviation(
        "query-without-path",
        (
            "The query of a URL that a client of the forward proxy gives neither path nor port"
            " belongs to the path / (RFC 9112 3.2.1); httpd asks the place for an empty target,"
            " and another proxy for the URL with a slash behind its query."
        ),
        "a_query_that_neither_path_nor_port_precede",
        "2 2",
        "2 2",
    ),
    Deviation(
        "scheme-of-target",
        (
            "An absolute target names the host whatever its scheme is (RFC 9112 3.2.2); httpd goes"
            " by Host when the scheme is not that of the connection, so that whoever looks at the"
            " target in front of it sees another host."
        ),
        "an_absolute_target_whose_scheme_is_not_the_connections",
        "2 1 1",
        "2 2 2",
    ),
    Deviation(
        "http-members-as-handler",
        (
            'SetHandler "proxy:balancer://..." is for members that run scripts. HTTP members are'
            " asked for DocumentRoot, if there is one, and the path; httpd looks in its file system"
            " how much of the path names a file, and asks for that."
        ),
        "a_balancer_of_http_members_as_a_handler",
        "1 1",
        "1 1",
    ),
    Deviation(
        "ranges",
        (
            "A range is the member's business: a whole answer stays whole. httpd cuts it for the"
            " client."
        ),
        "a_range_of_an_answer_that_the_member_gave_whole",
        "206",
        "1",
    ),
    Deviation(
        "stale-connection",
        (
            "A pooled connection that the member closes as a request arrives costs the client"
            " nothing when the method is idempotent (GET, HEAD, PUT, DELETE, OPTIONS, TRACE): the"
            " request is sent again on a fresh connection. Any other gets the 502 that httpd gives"
            " to all, and is never sent twice."
        ),
        "a_kept_connection_that_the_member_drops_with_a_request_on_it",
        "1 502 1 502 1",
        "1 1 1 502 1",
    ),
    Deviation(
        "dead-with-retry-0",
        (
            "A member with `retry=0` that a request found dead gets this request no second time while"
            " there is somebody else; later requests try it again. httpd looks at its clock: if that"
            " went on by a microsecond, the dead member may be chosen again at once, and the request"
            " fails beside members that serve."
        ),
        "a_session_whose_member_is_down_and_has_retry_0_byrequests",
        "1 2 503 503 2 2 2 1 2 503 1",
        "1 2 2 2 2 2 2 1 2 1 1",
    ),
    Deviation(
        "dead-with-retry-0-bytraffic",
        "The same with lbmethod=bytraffic, where httpd chooses the dead member, to which least went.",
        "a_session_whose_member_is_down_and_has_retry_0_bytraffic",
        "1 2 503 503 503 503 503 1 2 503 503",
        "1 2 2 2 2 2 2 1 1 1 1",
    ),
    Deviation(
        "folded-trailer",
        "A folded trailer line of a request is refused with 400 as in a head; httpd joins it.",
        "a_folded_trailer",
        "1",
        "400",
    ),
    Deviation(
        "chunk-extensions",
        (
            "More than 16 KiB of chunk extensions in a body (4 KiB in one chunk) are refused with"
            " 400: nobody uses them, and reading them for ever is an attack. httpd reads them."
        ),
        "chunk_extensions_of_20_kilobytes",
        "1",
        "400",
    ),
    Deviation(
        "http2-settings",
        (
            "HTTP2-Settings belongs to one hop (RFC 7540 3.2.1) and never reaches a member; httpd"
            " passes it on when Connection does not name it."
        ),
        "http2_settings_that_connection_does_not_name",
        "1",
        "1",
    ),
    Deviation(
        "odd-port",
        (
            "A port that is none (empty, 0, above 65535) in an absolute target is refused with 400"
            " as it is in Host; httpd serves it."
        ),
        "odd_ports_in_an_absolute_target",
        "1 1 1",
        "400 400 400",
    ),
    Deviation(
        "after-417",
        (
            "After a 417 the connection serves the next request, as the answer announces; httpd"
            " announces the same and then closes."
        ),
        "a_connection_after_an_unknown_expectation",
        "417 none",
        "417 1",
    ),
    Deviation(
        "member-coding",
        (
            "An answer whose Transfer-Encoding is not exactly one `chunked` (or `identity`) is a"
            " 502: what its body is cannot be told. httpd passes it on as if nothing were there."
        ),
        "codings_of_a_member_that_nobody_can_take_off",
        "200 200 200",
        "502 502 502",
    ),
    Deviation(
        "identity-to-head",
        "`Transfer-Encoding: identity` in an answer to HEAD means nothing; httpd answers 500.",
        "identity_in_an_answer_to_head",
        "500",
        "200",
    ),
    Deviation(
        "status-below-100",
        "An answer with a status below 100 is not HTTP and a 502; httpd passes it on.",
        "a_status_below_100",
        "099 000",
        "502 502",
    ),
    Deviation(
        "head-document",
        (
            "A HEAD whose ErrorDocument comes from a member asks it with HEAD; httpd asks with GET"
            " and closes the member's connection in the middle of the page."
        ),
        "a_head_whose_errordocument_comes_from_a_member",
        "1 1",
        "1 1",
    ),
    Deviation(
        "reachable-paths",
        (
            "-U, -A and -F in a condition are a fault of the configuration: nothing asks itself"
            " whether a path could be served. httpd makes a request of its own for each."
        ),
        "a_condition_about_what_can_be_reached",
        "ok",
        "refused",
    ),
    Deviation(
        "names-in-networks",
        (
            "-ipmatch compares addresses; httpd looks a name on its left side up in the DNS while"
            " the request waits."
        ),
        "a_name_where_an_address_is_compared",
        "1",
        "403",
    ),
    Deviation(
        "odd-addresses-in-networks",
        (
            "The left side of -ipmatch is an address of four decimal numbers, or of IPv6; httpd also"
            " takes what inet_aton(3) reads: fewer parts, octal and hexadecimal ones. Such text names"
            " one address to some programs and another, or none, to others."
        ),
        "addresses_in_the_forms_of_old",
        "1 1 1 1 1",
        "1 403 403 403 403",
    ),
    Deviation(
        "filename-in-request-header",
        (
            "In a RequestHeader line %{REQUEST_FILENAME} is the target as the mapping left it, its"
            " path decoded and without the query; httpd has encoded it by then. Here that is done"
            " when a member is asked. Header lines and logs see the same as in httpd."
        ),
        "the_name_of_a_target_in_requestheader",
        "1",
        "1",
    ),
    Deviation(
        "no-document-root",
        (
            "Without DocumentRoot there is none: %{DOCUMENT_ROOT} is empty, as nothing is served from"
            " files. httpd has the one that it was built with."
        ),
        "there_is_a_document_root_without_documentroot",
        "1",
        "403",
    ),
    Deviation(
        "deep-conditions",
        (
            "More than 200 parentheses or calls inside of one another are a fault of the"
            " configuration; httpd takes thousands of parentheses."
        ),
        "a_condition_in_300_parentheses",
        "ok",
        "refused",
    ),
    Deviation(
        "broken-hup",
        "A configuration that does not load leaves the one that runs in force; httpd ends.",
        "a_broken_configuration_at_hup",
        "1 none",
        "1 1",
    ),
    Deviation(
        "broken-usr1",
        "The same at a graceful reload.",
        "a_broken_configuration_at_usr1",
        "1 none",
        "1 1",
    ),
    Deviation(
        "no-such-name",
        (
            "A member whose name leads nowhere costs no request: another member gets it, and it is"
            " down with that reason until the name leads somewhere. httpd answers the request that"
            " picks it with 500, and again after each `retry=`."
        ),
        "an_unresolvable_member_is_a_500_and_then_in_error",
        "500 1 1",
        "1 1 1",
    ),
    Deviation(
        "state-survives",
        (
            "Member state (errors, counters) belongs to the balancer's name and the member's URL"
            " and survives reloads; httpd starts from zero."
        ),
        "member_state_across_a_graceful_reload",
        "500 2 2 1 2",
        "500 2 2 2 2",
    ),
    Deviation(
        "heartbeat-pieces",
        (
            "A posted heartbeat is read whole, however it arrives; httpd looks at its first piece"
            " alone and answers 400 when that does not name everything."
        ),
        "a_posted_heartbeat_in_two_chunks",
        "400 503",
        "200 1",
    ),
    Deviation(
        "heartbeat-last-line",
        (
            "The last line of a heartbeat storage file counts whole when no line end follows it;"
            " httpd cuts off its last character."
        ),
        "a_last_line_that_is_not_ended",
        "503",
        "1",
    ),
    Deviation(
        "edited-value",
        (
            "A field that Header edit or RequestHeader edit would make longer than 256 KiB, more"
            " than a member's whole head may be, ends the request with 500; httpd makes fields of"
            " any length."
        ),
        "an_edited_value_of_400_kilobytes",
        "1 1",
        "500 1",
    ),
    Deviation(
        "ajp-no-headers",
        (
            "An answer of a container that begins without SEND_HEADERS is no answer; httpd makes it"
            " a 200, and sends body bytes that came before the headers twice or from memory that is"
            " used anew."
        ),
        "an_ajp_container_that_sends_no_headers",
        "200 200 1 1",
        "500 500 500 1",
    ),
    Deviation(
        "ajp-exact-packets",
        (
            "A container's packet with surplus bytes behind its headers, or with the magic of the"
            " other direction, is a fault; httpd overlooks both."
        ),
        "an_ajp_container_that_sends_packets_with_too_much_in_them",
        "200 200 1",
        "500 500 1",
    ),
    Deviation(
        "ajp-exact-end",
        (
            "So is an END_RESPONSE with more or less than its one byte: the answer counts as cut"
            " short."
        ),
        "ajp_ends_that_say_too_little_or_too_much",
        "1 1 1",
        "1 1 1",
    ),
    Deviation(
        "ajp-status",
        (
            "An answer with a status below 200 is a fault; httpd sends a 100 that nothing follows"
            " and a 500 with the container's page."
        ),
        "ajp_statuses_that_no_answer_has",
        "500 0.9",
        "500 500",
    ),
    Deviation(
        "ajp-document",
        (
            "An ErrorDocument of a container keeps the status of the error under ProxyErrorOverride"
            " as that of an HTTP member does; httpd sends a page of its own behind the container's"
            " whole answer, where clients take it for the next one."
        ),
        "an_errordocument_of_an_ajp_container_under_proxyerroroverride",
        "404 1",
        "404 1",
    ),
    Deviation(
        "ajp-one-answer",
        (
            "What a container sends behind END_RESPONSE ends its connection; httpd gives it to the"
            " next client whose request goes there."
        ),
        "an_ajp_container_that_sends_more_than_one_answer",
        "1 200",
        "1 1",
    ),
    Deviation(
        "ajp-hop-by-hop",
        (
            "Connection, what it names, Keep-Alive, Proxy-Authenticate, TE, Trailer and Upgrade of a"
            " container's answer end here as those of an HTTP member do (RFC 9110 7.6.1); httpd"
            " passes them on."
        ),
        "ajp_answers_with_fields_that_belong_to_one_connection",
        "1 1",
        "1 1",
    ),
    Deviation(
        "ajp-stale-connection",
        (
            "A pooled connection that the container closes as a request arrives costs the client"
            " nothing, as with HTTP members (`stale-connection`); httpd answers 503 or 500."
        ),
        "a_kept_ajp_connection_that_the_container_drops_with_a_request_on_it",
        "1 503 1 500",
        "1 1 1 1",
    ),
    Deviation(
        "ajp-taken-body",
        (
            "A request whose body a container has taken is not sent to another one when that one"
            " fails: the client gets the 500. With a chunked body httpd sends it to the next one,"
            " without the body."
        ),
        "an_ajp_container_that_hangs_up_once_it_has_the_body",
        "2 2",
        "500 2",
    ),
    Deviation(
        "url-password",
        (
            "The password in a member's URL is no part of its name: BALANCER_WORKER_NAME, logs, the"
            " manager and its links have `http://joe@host` of `http://joe:secret@host`; the manager"
            " takes the longer form, too. Members that differ in nothing else are one. httpd shows"
            " it in all of them."
        ),
        "a_password_in_a_member_s_url",
        "1 1",
        "1 1",
    ),
    Deviation(
        "ajp-error-document",
        (
            "An ErrorDocument that a container serves is asked for once, and after a POST without a"
            " body, as from an HTTP member. httpd announces the body once more that it has sent"
            " already, or asks for the document ten times, and answers with a page of its own."
        ),
        "an_errordocument_after_a_post_to_an_ajp_container",
        "404 404 1",
        "404 404 1",
    ),
    Deviation(
        "ajp-length",
        (
            "What RequestHeader makes of Content-Length is not told to a container, which goes by"
            " it: the length of the body is. httpd tells it, sends so much of a longer body and"
            " lets the container wait for the rest of a shorter one."
        ),
        "ajp_and_a_content_length_that_a_rule_made",
        "1 1",
        "1 1",
    ),
    Deviation(
        "document-without-body",
        (
            "The GET for an ErrorDocument of a member carries no body. httpd sends along what it had"
            " read of the client's body for the member that failed: data for one application reaches"
            " another, as the body of a GET, which that one may leave lying on its connection."
        ),
        "an_errordocument_and_the_body_that_was_meant_for_another_member",
        "2",
        "1",
    ),
    Deviation(
        "document-query",
        (
            "A space that a variable brings into the query of an ErrorDocument is escaped, as in its"
            " path. httpd does not ask the member then, and shows a page of its own."
        ),
        "a_space_in_the_query_of_an_errordocument",
        "404",
        "1",
    ),
    Deviation(
        "proxy-header-fields",
        (
            "A PROXY header of version 1 has all six fields of its specification, else the"
            " connection is closed; httpd does without the last."
        ),
        "a_line_without_dport_in_the_proxy_protocol",
        "1",
        "none",
    ),
    Deviation(
        "proxy-header-numbers",
        (
            "Addresses and ports in a PROXY header of version 1 are whole ones, in their fields"
            " one blank apart and without a zero in front; httpd reads 99999 as 34463, 1.2.3 as"
            " 1.2.0.3 and 010.8.7.6 as 8.8.7.6."
        ),
        "numbers_in_the_proxy_protocol_that_are_none",
        "1 1 1 1",
        "none none none none",
    ),
    Deviation(
        "proxy-header-mapped",
        (
            "A client that a PROXY header names by an IPv4 address in the form of IPv6"
            " (::ffff:9.8.7.6) is 9.8.7.6 for access rules, logs and X-Forwarded-For; httpd keeps"
            " the longer form, which no rule about 9.8.7.6 sees."
        ),
        "an_ipv4_address_in_the_form_of_ipv6_in_the_proxy_protocol",
        "1",
        "1",
    ),
    Deviation(
        "proxy-header-unknown",
        (
            "PROXY UNKNOWN without more is a header that says nothing, as its specification has"
            " it; httpd loses its place behind it and closes the connection (AH03513)."
        ),
        "the_shortest_header_of_the_proxy_protocol",
        "none",
        "1",
    ),
    Deviation(
        "empty-element",
        (
            "The client's address is the whole X-Forwarded-For where the client's own is empty;"
            " httpd sends an empty element in front of it."
        ),
        "an_empty_element_of_x_forwarded_for",
        "1 1 1",
        "1 1 1",
    ),
    Deviation(
        "remote-ip-hops",
        (
            "RemoteIPHeader is followed over a hundred addresses; what stands before them stays in"
            " the field. httpd follows it to its begin."
        ),
        "a_client_behind_more_than_a_hundred_proxies",
        "1",
        "1",
    ),
    Deviation(
        "remote-ip-half-address",
        (
            "RemoteIPHeader takes whole addresses; httpd hands the word to the system's resolver,"
            " which makes 9.9.0.9 of 9.9.9 and may ask the DNS for names that clients send."
        ),
        "half_an_address_in_remoteipheader",
        "1 1",
        "1 1",
    ),
    Deviation(
        "upgrade-in-1-0",
        (
            "Upgrade in a request of HTTP/1.0 is ignored (RFC 9110 7.8): the member gets a plain"
            " one. httpd asks the member for the other protocol, and sends the client nothing when"
            " that one changes to it."
        ),
        "an_upgrade_that_a_client_of_http_1_0_asks_for",
        "1 2 3",
        "1 2 3",
    ),
    Deviation(
        "upgrade-without-option",
        (
            "A request with Upgrade that Connection does not name asks for no upgrade (RFC 9110"
            " 7.8): whoever stands in front of us may have passed the field on without knowing it,"
            " and would read what follows as requests. httpd changes the protocol."
        ),
        "an_upgrade_without_the_option_that_belongs_to_it",
        "1 3",
        "1 3",
    ),
    Deviation(
        "websocket-fallback",
        (
            "ProxyWebsocketFallbackToProxyHttp Off is a fault of the configuration; httpd then skips"
            " a ws:// mapping for requests without Upgrade."
        ),
        "proxywebsocketfallbacktoproxyhttp_off",
        "ok",
        "refused",
    ),
    Deviation(
        "open-forward-proxy",
        (
            'ProxyRequests On is a fault of the configuration unless <Proxy "*">, or sections'
            " that cover as much, let in somebody and not everybody, for all methods and for"
            " CONNECT; httpd starts as an open proxy."
        ),
        "a_forward_proxy_that_is_open_to_everybody",
        "ok",
        "refused",
    ),
    Deviation(
        "forward-url-case",
        (
            "Of what a client asks a forward proxy for, <Proxy> sections see scheme and host in"
            " lower case and without the usual port, as it is connected to; httpd compares what"
            " the client wrote, so that capitals lead past a section."
        ),
        "a_section_about_a_place_that_the_client_writes_in_capitals",
        "403 1",
        "403 403",
    ),
    Deviation(
        "forward-to-itself",
        (
            "A forward proxy connects to no port that it listens on at an address of this machine"
            " (403), its loopback or another one, by number or name: pages that are for clients on"
            " this machine would take whoever asks through it for one of them. httpd does."
        ),
        "a_forward_proxy_that_is_asked_for_itself",
        "1 1",
        "403 403",
    ),
    Deviation(
        "connect-in-reverse",
        (
            "CONNECT to a server that is no forward proxy is a 405; httpd hands it to the member"
            " whose mapping takes /, as a method like any other, and its answer to the client."
        ),
        "connect_to_a_reverse_proxy",
        "1",
        "405",
    ),
    Deviation(
        "options-without-path",
        (
            "OPTIONS of a whole URL without a path (`OPTIONS http://lb.test`) is about `/`, and the"
            " member has its say; httpd takes it for `OPTIONS *` and answers itself."
        ),
        "options_about_a_whole_url_without_a_path",
        "200 1",
        "1 1",
    ),
    Deviation(
        "forward-schemes",
        (
            "A forward proxy takes http, https and ftp; any other scheme is refused with 400."
            " httpd hands a client's ajp:// and fcgi:// to servers that trust whoever asks them,"
            " and answers 500 for schemes that it does not know."
        ),
        "schemes_that_a_forward_proxy_has_no_business_with",
        "500 500 500",
        "400 400 400",
    ),
    Deviation(
        "connect-port-first",
        (
            "CONNECT to a port that AllowCONNECT does not have is a 403 before the name is looked"
            " up; httpd looks it up first, for whoever asks."
        ),
        "connect_to_a_name_that_nobody_knows_on_a_port_that_is_not_allowed",
        "502",
        "403",
    ),
    Deviation(
        "connect-odd-port",
        (
            "CONNECT to a port that is none (0, above 65535) is refused with 400; httpd takes the"
            " remainder of 65536."
        ),
        "connect_to_ports_that_are_none",
        "403 503",
        "400 400",
    ),
    Deviation(
        "remote-over-tls",
        (
            "ProxyRemote takes http:// servers alone; httpd accepts any scheme and speaks plain"
            " HTTP whatever it says."
        ),
        "a_remote_proxy_that_tls_would_be_spoken_with",
        "ok",
        "refused",
    ),
    Deviation(
        "remote-circle",
        (
            "A ProxyRemote that leads back to the server that has it is a fault of the"
            " configuration; httpd goes round until it has no connections left."
        ),
        "a_remote_proxy_that_is_the_server_itself",
        "ok",
        "refused",
    ),
    Deviation(
        "remote-connections",
        (
            "A connection through another proxy (ProxyRemote) serves one request; httpd keeps it."
        ),
        "members_through_another_proxy",
        "2 2",
        "2 2",
    ),
    Deviation(
        "remote-tunnel-credentials",
        (
            "CONNECT goes through another proxy with the user and password of its ProxyRemote"
            " line; httpd leaves them out, and a proxy that wants them refuses."
        ),
        "a_tunnel_through_another_proxy_that_wants_to_know_who_asks",
        "2",
        "2",
    ),
    Deviation(
        "tls-satisfy-any",
        (
            "SSLRequireSSL holds under Satisfy Any as under All, as if SSLOptions +StrictRequire"
            " stood there everywhere: a request without TLS gets 403. httpd lets in whom any other"
            " line lets in, with StrictRequire too where no password is asked for; without it a"
            " password may cross the network unencrypted."
        ),
        "a_path_for_tls_alone_under_satisfy_any",
        "1 1 401 1",
        "403 403 403 403",
    ),
    Deviation(
        "no-listen",
        (
            "A configuration without Listen is faulty: -t says so, and a reload leaves the one that"
            " runs in force. httpd finds -t's syntax in order, refuses to start and ends at a"
            " reload."
        ),
        "a_configuration_without_listen",
        "ok",
        "refused",
    ),
    Deviation(
        "macro-sections",
        (
            "A macro closes the sections that it opens; httpd warns (AH02793, AH02795) and takes"
            " one macro that opens a section and another one that closes it."
        ),
        "a_macro_that_opens_a_section_and_one_that_closes_it",
        "ok",
        "refused",
    ),
    Deviation(
        "types-by-name",
        (
            "What mod_mime's lines and ForceType say of names changes no answer of a member: its"
            " fields pass as they are. httpd reads the path of a proxied request as the name of a"
            " file and adds Content-Type where there is none, Content-Language and"
            " Content-Encoding, also to bodies that are not compressed."
        ),
        "answers_to_paths_that_look_like_names_of_files",
        "1 1 1",
        "1 1 1",
    ),
    Deviation(
        "own-pages-uncompressed",
        (
            "The filter DEFLATE compresses answers of members alone; httpd also compresses"
            " what its own pages (server-status, balancer-manager) say."
        ),
        "a_page_of_the_server_s_own_where_answers_are_compressed",
        "200",
        "200",
    ),
    Deviation(
        "unnamed-host",
        (
            "A <VirtualHost> at an address that has no ServerName has the main server's; httpd asks"
            " the DNS for the name of the address. No server waits for the DNS to load, or is"
            " called otherwise when that answers otherwise."
        ),
        "a_virtual_host_at_an_address_without_a_name",
        "302",
        "302",
    ),
    Deviation(
        "slashes-and-idle-lines",
        (
            "AllowEncodedSlashes NoDecode also counts where <Limit>, or a line of httpd's core that"
            " does nothing here (Options, HostnameLookups), stands in the <Proxy> section; httpd"
            " then sends a %2F to members as %252F."
        ),
        "idle_lines_of_the_core_in_a_proxy_section_beside_allowencodedslashes",
        "1 1 1",
        "1 1 1",
    ),
]


def by_scenario():
    return {one.scenario: one for one in DEVIATIONS}
