"""The `chainlab` command: its list of commands, and one place where errors become words and exit codes.

0 ok; 1 a run failed (diff: the runs differ; keep: something cannot be patched; backtest: a run is broken or still
failing); 2 wrong use, a wrong chain, configuration or database; 130 interrupted.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence

import typer

from chainlab.cli import (
    backtest,
    check,
    demo,
    diff,
    doctor,
    inspect,
    keep,
    models,
    new,
    noise,
    replay,
    rm,
    run,
    runs,
    show,
)
from chainlab.errors import ChainlabError

app = typer.Typer(
    name="chainlab",
    help="Run typed chains of prompts, read every step, open their traces.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


UNWRITTEN = 74  # the output could not be written: not a run that failed


def _version(wanted: bool) -> None:
    if wanted:
        from chainlab import __version__

        print(f"chainlab {__version__}")
        raise typer.Exit


@app.callback()
def top(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Show the version."),
) -> None:
    """Run typed chains of prompts, read every step, open their traces."""


app.command("run")(run.command)
app.command("check")(check.command)
app.command("runs")(runs.command)
app.command("show")(show.command)
app.command("replay")(replay.command)
app.command("backtest")(backtest.command)
app.command("noise")(noise.command)
app.command("diff")(diff.command)
app.command("keep")(keep.command)
app.command("rm")(rm.command)
app.add_typer(models.app, name="models")
app.command("inspect")(inspect.command)
app.command("demo")(demo.command)
app.command("doctor")(doctor.command)
app.command("new")(new.command)


def main(arguments: Sequence[str] | None = None) -> None:
    """The entry point. Ends the process."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:  # a terminal that cannot show a character shows its number
            reconfigure(errors="backslashreplace")
    sys.exit(_exit_code(arguments))


def _exit_code(arguments: Sequence[str] | None) -> int:
    stdout = sys.stdout
    try:
        app(None if arguments is None else list(arguments), prog_name="chainlab")
    except SystemExit as leaving:
        if leaving.code == 1 and sys.stdout is not stdout:  # how typer ends when nobody reads the output any more
            from chainlab.cli.output import UNHEARD

            return UNHEARD
        return leaving.code if isinstance(leaving.code, int) else 0
    except OSError as problem:
        if problem.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
            raise
        from chainlab.cli.output import say_error

        say_error(f"the output cannot be written: {problem.strerror}")
        return UNWRITTEN
    except ChainlabError as error:
        if os.environ.get("CHAINLAB_TRACEBACK") == "full":
            raise
        from chainlab.cli.output import say_error

        say_error(str(error))
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    main()
