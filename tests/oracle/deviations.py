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
        "A request with both Content-Length and Transfer-Encoding is refused with 400; httpd drops "
        "the length and forwards it. Two readings of one message are how requests are smuggled.",
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
        "A request line without a version (HTTP/0.9) is refused with 400; httpd serves it without "
        "a head.",
        "a_request_of_http_0_9",
        "0.9",
        "400",
    ),
    Deviation(
        "coding-before-chunked",
        "A request with a coding other than chunked alone is refused with 400 because the client "
        "sent it; httpd blames itself with a 500.",
        "a_coding_before_chunked",
        "500",
        "400",
    ),
    Deviation(
        "chunked-in-1-0",
        "Transfer-Encoding in an HTTP/1.0 request is refused with 400 (RFC 9112 6.1); httpd reads "
        "it as chunked.",
        "transfer_encoding_in_http_1_0",
        "1",
        "400",
    ),
    Deviation(
        "chunk-size-blank",
        "A blank after a chunk size is refused with 400; httpd skips it.",
        "bare_line_feeds_in_a_chunked_body",
        "400 1 400",
        "400 400 400",
    ),
]


def by_scenario():
    return {one.scenario: one for one in DEVIATIONS}
