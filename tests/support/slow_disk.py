"""A disk that takes its time: what a program syncs waits for as long as the test likes.

    disk = SlowDisk(directory)          # before the program starts, with disk.environment()
    with disk.stuck() as held:
        ...                             # somebody makes the program write
        assert until(held)              # now its sync waits
    ...                                 # and is over
"""

import contextlib
import errno
import os
import shutil
import subprocess

# fsync() and fdatasync() read the gate, a FIFO, to its end; without one they go on. To open a FIFO
# for reading waits for a writer.
SOURCE = """\
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
static void pass(void) {
  char byte;
  const int gate = open(getenv("SLOW_DISK_GATE"), O_RDONLY | O_CLOEXEC);
  if (gate < 0) return;
  while (read(gate, &byte, 1) > 0) {}
  close(gate);
}
int fsync(int file) { pass(); return (int)syscall(SYS_fsync, file); }
int fdatasync(int file) { pass(); return (int)syscall(SYS_fdatasync, file); }
"""


class SlowDisk:
    def __init__(self, directory):
        self.gate = directory / "gate"
        self.library = directory / "slow_disk.so"
        source = directory / "slow_disk.c"
        source.write_text(SOURCE)
        compiler = shutil.which("clang-19") or shutil.which("cc")
        subprocess.run([compiler, "-shared", "-fPIC", "-o", self.library, source],
                       check=True, timeout=60)

    def environment(self):
        return {**os.environ, "LD_PRELOAD": str(self.library), "SLOW_DISK_GATE": str(self.gate)}

    @contextlib.contextmanager
    def stuck(self):
        """Yields a function that tells whether somebody waits for the disk; it goes on at the end."""
        os.mkfifo(self.gate)
        writers = []

        def held():
            try:
                writers.append(os.open(self.gate, os.O_WRONLY | os.O_NONBLOCK))
            except OSError as nobody:
                if nobody.errno != errno.ENXIO:
                    raise
            return bool(writers)

        try:
            yield held
        finally:
            # Who waits for a writer must get one, and then an end; who comes later finds no gate.
            held()
            self.gate.unlink()
            for writer in writers:
                os.close(writer)
