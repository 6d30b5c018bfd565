"""`python -m site_builder` is `build-site`."""

from site_builder.commands.main import main

main()
