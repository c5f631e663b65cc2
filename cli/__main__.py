"""The command line: a table of commands, each in a module that is loaded when it is called.

`cli/commands/<name>.py` has either `app`, a Typer, or `run`, a function that Typer makes one of.
A command whose module is not there is not listed.
"""

import difflib
import sys
from importlib import import_module
from pathlib import Path

COMMANDS = {
    "demo": "play four months of an operator's life and show the invoices",
    "up": "start servers and services; does nothing to what runs already",
    "down": "stop all that `up` started; data stays",
    "status": "show what runs, where, and whether it is well",
    "logs": "print the log of a process, or of all; -f follows",
    "play": "play scenario files, offline or through the running system",
    "parked": "show streams that readers could not take; `show`, `retry` and `skip` them",
    "reconcile": "compare logs, views, topics and other contexts' effects, and tell drift in words",
    "rebuild": "make a view, a topic or a reader's rows again from the logs",
    "backup": "write a service's database into a file",
    "restore": "restore a service's database from a backup; `--from-topic`, `--new-epoch`",
    "forget": "destroy the keys of a customer's personal data, for good",
    "token": "print an access token for the running system",
    "clauses": "show which clauses are carried out and tested; `where ID` finds one",
    "terms": "check, show, compare and explain the terms; write their schema",
    "vocabulary": "print events, problems and topics as they are in the code",
    "samples": "write the stored samples of events that have none yet",
    "test": "run the tests, or one suite: unit contract integration acceptance architecture",
    "check": "check format, lint, types, imports, unit and architecture tests; before a commit",
    "fmt": "format the code and repair what can be repaired",
    "migrate": "bring the databases of the running system to the newest schema",
    "schema": "write each service's schema.sql from its migrations",
    "images": "make the images that tests run in, where no container registry can be reached",
    "bench": "run the benchmarks",
    "chaos": "strike a loaded system of its own by a seed, and count whether anything was lost",
}
_FOLDER = Path(__file__).with_name("commands")
_MISUSED = 2
_INTERRUPTED = 130


def main(arguments: list[str]) -> int:
    """Run the command named by the first argument; the exit status."""
    commands = _present()
    if not arguments or arguments[0] in {"--help", "-h", "help"}:
        _print_commands(commands)
        return 0
    name, *rest = arguments
    if name not in commands:
        near = difflib.get_close_matches(name, commands, n=1)
        hint = f" (did you mean `{near[0]}`?)" if near else ""
        print(f"yk: there is no command `{name}`{hint}; `./yk` lists them.", file=sys.stderr)
        return _MISUSED
    return _run(name, rest)


def _present() -> dict[str, str]:
    return {name: line for name, line in COMMANDS.items() if (_FOLDER / f"{name}.py").is_file()}


def _print_commands(commands: dict[str, str]) -> None:
    print("Usage: ./yk COMMAND …   (./yk COMMAND --help says more)\n")
    for name, line in commands.items():
        print(f"  {name:<11} {line}")


def _run(name: str, arguments: list[str]) -> int:
    import asyncpg
    import typer

    from cli.processes import CannotStart

    try:
        module = import_module(f"cli.commands.{name}")
        app = getattr(module, "app", None)
        if app is None:
            app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
            app.command()(module.run)
        app(args=arguments, prog_name=f"./yk {name}")
    except CannotStart as refused:
        print(f"yk: {refused}", file=sys.stderr)
        return 1
    except asyncpg.InvalidCatalogNameError as missing:
        print(
            f"yk: {missing}. `./yk up` makes it; what `demo` and `play` made is looked at with"
            " --rehearsal.",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
