"""What all tests share: one thread a process, and long files first."""

import os

from analyses.lab.lab import prepare_process

# Two test processes on two cores are faster than any number of threads that wait for each other,
# and sums of one thread are the same on every machine. Set before anything imports torch.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ.pop("LIST_STUDY_MODEL", None)  # the tests say themselves which model they mean
# A copy of the project runs as a user's does: its modules are compiled once.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
prepare_process()
