"""`build-site` and `python -m site_builder`: the command line, which may be interrupted at once."""

import signal
import sys


def run() -> None:
    """Run the command line; whoever interrupts it while it loads is told as later on."""
    # Python drops an exception that is raised while a module's lock is let go, as in every import.
    came: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _frame: came.append(number))
    from site_builder.commands.main import main

    signal.signal(signal.SIGINT, before)
    try:
        if came:
            raise KeyboardInterrupt
        main()
    except KeyboardInterrupt:
        sys.stderr.write("stopped before anything was done\n")
        sys.exit(130)


if __name__ == "__main__":
    run()
