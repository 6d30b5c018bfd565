"""`build-site` and `python -m site_builder`: the command line, which may be interrupted at once."""

import sys


def run() -> None:
    """Run the command line; whoever interrupts it while it loads is told as later on."""
    try:
        from site_builder.commands.main import main

        main()
    except KeyboardInterrupt:
        sys.stderr.write("stopped before anything was done\n")
        sys.exit(130)


if __name__ == "__main__":
    run()
