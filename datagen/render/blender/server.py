"""The inside of a Blender process: reads jobs from stdin, answers on the stdout it was born with."""

import argparse
import os
import resource
import sys
import traceback


def main() -> None:
    """Serve until stdin closes. Whatever Blender prints goes to stderr only if it matters."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=1)
    threads = parser.parse_args().threads
    answers = os.fdopen(os.dup(1), "wb")
    # Blender prints progress to stdout, which is our answer channel: point it at nothing.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)

    from datagen.core.errors import MissingDependency
    from datagen.render.blender.affinity import started_on_cores
    from datagen.render.blender.client import read_message, write_message

    with started_on_cores(threads):
        from datagen.render.blender.session import BlenderSession

    session = BlenderSession(threads)
    requests = sys.stdin.buffer
    while True:
        try:
            verb, argument = read_message(requests)
        except EOFError:
            return
        try:
            answer = ("ok", getattr(session, verb)(*([] if argument is None else [argument])))
        except MissingDependency as error:
            answer = ("missing", str(error.args[0]))
        except Exception as error:  # the worker boundary: the job fails, the process serves on
            traceback.print_exc()
            answer = ("error", f"{type(error).__name__}: {error}")
        usage = resource.getrusage(resource.RUSAGE_SELF)
        write_message(answers, (*answer, usage.ru_utime + usage.ru_stime))


if __name__ == "__main__":
    main()
