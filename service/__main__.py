"""``python -m service`` is the ``abscope`` command."""

from service.cli import main

main()
