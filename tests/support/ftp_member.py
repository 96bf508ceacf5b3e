"""A scripted FTP server, one thread a control connection.

    with FtpMember(files={"/a.txt": b"hello"}) as member:
        ... requests ...
        member.sessions      # [["USER anonymous", "PASS apache-proxy@", "EPSV", ...]] as they came

Directories follow from the names of the files. Honest unless told otherwise by options:

    replies    {"SIZE": "500 no", "CWD /b": ..., "greeting": ..., "end": ...}: by the whole command
               or its verb; "end" is what follows the data. str: a line; bytes: as they are; None:
               silence; CLOSE: the connection ends.
    listings   {"/": b"..."} sent for LIST instead of what the files say
    pasv_host  the address that a PASV reply names
    refuses    no data connection can be made
    cut        the data connection is reset after so many bytes
    short      it ends (properly) after so many bytes
    hold       data bytes after which the member waits for let_go()
    drip_s     replies come byte by byte with so long a pause
"""

import socket
import struct
import threading

from .ports import HeldPort

CLOSE = object()
STAMP = "20240229123456"
HONEST = {
    "replies": {}, "listings": {}, "pasv_host": None, "refuses": False, "cut": None, "short": None,
    "hold": None, "drip_s": None,
}


class FtpMember:
    def __init__(self, files=None, **options):
        self.files = files if files is not None else {"/a.txt": b"hello\n"}
        self.behave(**options)
        self.sessions = []
        self.data_peers = []
        self.held = HeldPort()
        self.changed = threading.Condition()
        self._let_go = threading.Event()
        self.closing = threading.Event()
        self._streams = []
        self._threads = []
        self._listener = self.held.listening_socket()
        # A reply in pieces is one in pieces on the wire.
        self._listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._begin(self._accept)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def behave(self, **options):
        """From the next session on."""
        self.options = {**HONEST, **options}

    @property
    def address(self):
        return str(self.held)

    @property
    def commands(self):
        return [command for session in self.sessions for command in session]

    def take(self):
        """The sessions so far; forgets them."""
        with self.changed:
            seen, self.sessions = self.sessions, []
            return seen

    def await_command(self, wanted, wait_s=10.0):
        with self.changed:
            heard = self.changed.wait_for(lambda: wanted in self.commands, wait_s)
            assert heard, f"never heard {wanted!r}: {self.sessions}"

    def await_end(self, wait_s=10.0):
        """Until no control connection is open."""
        with self.changed:
            assert self.changed.wait_for(lambda: not self._streams, wait_s), "a session is open"

    def let_go(self):
        self._let_go.set()

    def close(self):
        self._let_go.set()
        self.closing.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self.changed:
            for stream in self._streams:
                try:
                    stream.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        for thread in self._threads:
            thread.join(10)
        self.held.close()

    def _begin(self, work, *arguments):
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self):
        while True:
            try:
                stream, _ = self._listener.accept()
            except OSError:
                return
            with self.changed:
                self._streams.append(stream)
                log = []
                self.sessions.append(log)
            self._begin(self._serve, stream, log)

    def _serve(self, stream, log):
        session = Session(self, stream, log)
        try:
            session.run()
        except OSError:
            pass
        finally:
            session.drop_data()
            stream.close()
            with self.changed:
                self._streams.remove(stream)
                self.changed.notify_all()


class Session:
    """One control connection."""

    def __init__(self, member, stream, log):
        self.member = member
        self.options = member.options
        self.stream = stream
        self.log = log
        self.directory = "/"
        self.listener = None

    def run(self):
        if not self.say("greeting", "220 scripted"):
            return
        rest = b""
        while True:
            while b"\r\n" not in rest:
                piece = self.stream.recv(4096)
                if not piece:
                    return
                rest += piece
            line, rest = rest.split(b"\r\n", 1)
            command = line.decode("latin1")
            with self.member.changed:
                self.log.append(command)
                self.member.changed.notify_all()
            if not self.obey(command) or command == "QUIT":
                return

    def obey(self, command):
        verb, _, argument = command.partition(" ")
        act = getattr(self, "do_" + verb.lower(), None)
        told = self.options["replies"]
        if command in told or verb in told:
            keeps = told.get(command, told.get(verb))
            # What is answered well is done, too.
            if act is not None and isinstance(keeps, str) and keeps[:1] in "123":
                return act(argument, keeps)
            return self.say(command if command in told else verb, "")
        if act is None:
            return self.say("?", "500 what")
        return act(argument, None)

    def say(self, key, otherwise):
        reply = self.options["replies"].get(key, otherwise)
        if reply is CLOSE:
            return False
        if reply is not None:
            self.reply(reply if isinstance(reply, bytes) else reply.encode() + b"\r\n")
        return True

    def line(self, text):
        self.reply(text.encode("latin1") + b"\r\n")
        return True

    def reply(self, data):
        pause_s = self.options["drip_s"]
        if pause_s is None:
            self.stream.sendall(data)
            return
        for at in range(len(data)):
            self.stream.sendall(data[at : at + 1])
            if self.member.closing.wait(pause_s):
                return

    def do_user(self, _, told):
        return self.line(told or "331 password please")

    def do_pass(self, _, told):
        return self.line(told or "230 welcome")

    def do_quit(self, _, told):
        return self.line(told or "221 bye")

    def do_type(self, _, told):
        return self.line(told or "200 type set")

    def do_pwd(self, _, told):
        return self.line(told or f'257 "{self.directory}" is current directory')

    def path(self, argument):
        argument = argument.replace("\\", "")
        if argument.startswith("/"):
            return argument
        return self.directory.rstrip("/") + "/" + argument

    def do_cwd(self, argument, told):
        wanted = self.path(argument).rstrip("/") + "/"
        if wanted != "/" and not any(name.startswith(wanted) for name in self.member.files):
            return self.line(told or "550 no such directory")
        self.directory = wanted.rstrip("/") or "/"
        return self.line(told or "250 changed")

    def do_size(self, argument, told):
        data = self.member.files.get(self.path(argument))
        return self.line(told or ("550 not a file" if data is None else f"213 {len(data)}"))

    def do_mdtm(self, argument, told):
        known = self.path(argument) in self.member.files
        return self.line(told or (f"213 {STAMP}" if known else "550 not a file"))

    def listen(self):
        self.drop_data()
        if self.options["refuses"]:
            spare = HeldPort()
            port = spare.port
            spare.close()
            return port
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(1)
        return self.listener.getsockname()[1]

    def do_epsv(self, _, told):
        return self.line(told or f"229 extended passive (|||{self.listen()}|)")

    def do_pasv(self, _, told):
        port = self.listen()
        host = (self.options["pasv_host"] or "127.0.0.1").replace(".", ",")
        return self.line(told or f"227 Entering Passive Mode ({host},{port >> 8},{port & 255})")

    def drop_data(self):
        if self.listener is not None:
            self.listener.close()
            self.listener = None

    def do_retr(self, argument, told):
        data = self.member.files.get(self.path(argument))
        return self.line("550 no such file") if data is None else self.send(data, told)

    def do_list(self, argument, told):
        data = self.options["listings"].get(self.directory)
        return self.send(self.listing(argument) if data is None else data, told)

    def listing(self, argument):
        prefix = self.directory.rstrip("/") + "/"
        rows, seen = [], set()
        for name, data in sorted(self.member.files.items()):
            if not name.startswith(prefix):
                continue
            first, slash, _ = name[len(prefix):].partition("/")
            if first in seen or (argument and not argument.startswith("-") and slash):
                continue
            seen.add(first)
            kind, size = ("drwxr-xr-x", 4096) if slash else ("-rw-r--r--", len(data))
            rows.append(f"{kind}    1 ftp      ftp      {size:8d} Feb 29  2024 {first}\r\n")
        return "".join(rows).encode("latin1")

    def send(self, data, told):
        self.line(told or "150 here it comes")
        if self.listener is None:
            return self.line("425 no data connection")
        self.listener.settimeout(10)
        stream, peer = self.listener.accept()
        self.member.data_peers.append(peer[0])
        with stream:
            if not self.send_data(stream, data):
                stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.drop_data()
        return self.say("end", "226 done")

    def send_data(self, stream, data):
        hold, cut, short = (self.options[name] for name in ("hold", "cut", "short"))
        try:
            if hold is not None:
                stream.sendall(data[:hold])
                self.member._let_go.wait(20)
                data = data[hold:]
            stream.sendall(data[: min(n for n in (cut, short, len(data)) if n is not None)])
        except OSError:
            pass
        return cut is None
