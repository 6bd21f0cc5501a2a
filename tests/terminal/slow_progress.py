"""Work of a given number of seconds with a progress bar."""

import sys
import time

from dateline.cli.results import progress_bar

with progress_bar() as tell:
    for done in range(1, 4):
        time.sleep(float(sys.argv[1]) / 2)
        tell("compile", done, 3)
    time.sleep(0.3)
