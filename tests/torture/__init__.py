"""A campaign against the library: killed runs, broken disks, damaged and hostile files; `python -m tests.torture`."""
