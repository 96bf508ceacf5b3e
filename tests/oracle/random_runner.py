"""Plays many random worlds in one server each, first apache2 and then the other program."""

from concurrent.futures import ThreadPoolExecutor

import runner
from generate import MEMBERS
from support.server import Scratch, Server, StartFailed, complete


AT_ONCE = 4


def play(worlds, stages, binary, directory):
    """Outcomes, one a world.  If the server does not start with all of them, each is tried alone."""
    own = ""
    for stage, world in zip(stages, worlds):
        own += f"Listen 127.0.0.1:{stage.port.port}\n" + stage.fill(world.conf)
    server = Server(binary, directory)
    try:
        server.start(complete(own), [stage.port.port for stage in stages])
        with ThreadPoolExecutor(AT_ONCE) as pool:
            runs = list(
                pool.map(lambda world, stage: play_one(world, stage, server), worlds, stages)
            )
        lines = runner.settle(runs, server)
    except StartFailed as failed:
        if len(worlds) > 1:
            return [play([w], [s], binary, directory)[0] for w, s in zip(worlds, stages)]
        told = ["(did not start)", *str(failed).splitlines()]
        return [runner.Outcome(told, "did not start", 0.0)]
    finally:
        server.stop()
    error_log = server.read("error.log")
    return [
        runner.Outcome(
            runner.transcript(run, lines, world.ignore), runner.summary(run), 0.0, error_log
        )
        for run, world in zip(runs, worlds)
    ]


def play_one(world, stage, server):
    stage.reset()
    run = runner.Run(stage, server)
    run.play(world.steps)
    return run


def compare(worlds, farm, binaries=None):
    """[(httpd's Outcome, the other's)] for the worlds, which share one start of each program."""
    binaries = binaries or runner.programs()
    scratch = Scratch()
    stages = [runner.Stage.build(farm, scratch, MEMBERS) for _ in worlds]
    try:
        first = play(worlds, stages, binaries[0], scratch.path / "httpd")
        second = play(worlds, stages, binaries[1], scratch.path / "steelyard")
    finally:
        for stage in stages:
            stage.close()
        scratch.close()
    return list(zip(first, second))
