"""The same file for apache2 and for steelyard, and what each is found to do with it."""

from .server import APACHE, Scratch, Server, complete

PROGRAMS = ("httpd", "ours")


def by_both(binary, text, ports, ask):
    """{program: what `ask` finds out about it}."""
    found = {}
    for name, program in zip(PROGRAMS, (APACHE, binary)):
        scratch = Scratch("steelyard-both-")
        one = Server(program, scratch.path)
        try:
            one.start(complete(text), ports)
            found[name] = ask()
        finally:
            one.stop()
            scratch.close()
    return found
