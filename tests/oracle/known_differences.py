"""Differences from httpd that are known and not wanted: open work, each with what it is.

They run like all others. As long as they differ they count as expected failures, and the run prints
the reasons; docs/known_differences.md tells operators.
"""

QUERY = "the file name in the log (%f) has or lacks the query of a request that no member saw"
COUNT = "%k of an HTTP/1.0 request that closes its connection is one too low"

KNOWN = {
    "a_failing_errordocument": "the log of a failed ErrorDocument names the page's content type",
    "generated_pages_name_their_status": "the log of a refused CONNECT has no Host field",
    "an_unknown_expectation_is_refused": "417 closes the connection, httpd keeps it",
    "warning_headers_with_another_date_are_dropped": "Warning fields of another date are passed on",
    "encodings_in_paths_that_are_refused": "the logged path of a refused %00 is not cut there",
    "66": QUERY,
    "148": QUERY,
    "84": COUNT,
    "205": COUNT,
    "193": "the place of Transfer-Encoding beside fields that Header added",
    "260": "a request to a target with variables of the request may reuse a connection",
}


def reason_for(item_name: str) -> str | None:
    """By the last word of a test's parameter: a scenario's slug or a seed."""
    if not item_name.startswith("test_same["):
        return None
    parameter = item_name[len("test_same[") : -1]
    return KNOWN.get(parameter.split("-", 1)[-1])
